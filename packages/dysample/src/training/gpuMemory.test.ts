import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

import { describe, expect, inject, test } from "vitest";

import { hasTier } from "@gridgrad/core/testing/tier";

import type { Holdings } from "../testing/trainSteps.ts";

/** Those that hold memory outside of JavaScript's heap: compiled modules, textures, buffers. */
const backends = ["gpu:webasm", "gpu:headlessgl", "gpu:webgpu"];

/**
 * Growth of the process per kernel run that counts as a leak, bytes. The smallest thing that can be lost in a run, a JavaScript object
 * with an array of 256 bytes, takes 630; a texture of this network takes 7,000. Medians of five readings after collections wander by
 * up to 3 MB, from 30,000 kernel runs to the next 30,000: 100 bytes per run.
 */
const bytesPerRun = 256;

/**
 * glibc keeps freed memory back in several arenas, which moves the size of the process by 20 MB either way when threads allocate, as
 * SwiftShader's do. So that it shows what is held: one arena, and what is freed goes back from 64 KiB on.
 */
const promptAllocator = {
  MALLOC_ARENA_MAX: "1",
  MALLOC_TRIM_THRESHOLD_: "65536",
  MALLOC_MMAP_THRESHOLD_: "65536",
};

/** Runs a file of the sources. */
const runner = fileURLToPath(new URL("../../../../scripts/run.mjs", import.meta.url));

const program = fileURLToPath(new URL("../testing/trainSteps.ts", import.meta.url));

/** Trains in a process of its own, which has to end by itself: a timer or a worker that was left behind would keep it for good. */
async function trainSteps(...args: (string | number)[]): Promise<Holdings[]> {
  const child = spawn(process.execPath, ["--expose-gc", runner, program, ...args.map(String)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...promptAllocator },
  });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const code = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? signal));
  });
  expect(code, err).toBe(0);
  return out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Holdings);
}

/** Of the things that the device counts, those that became more or fewer after the first report. */
function countsThatGrow(reports: readonly Holdings[]): string[] {
  const leaks: string[] = [];
  for (const what of ["handles", "buffers", "kernels"] as const) {
    const counts = reports.map((report) => report[what]);
    if (counts.some((count) => count !== counts[0])) leaks.push(`${what} ${counts.join(" ")}`);
  }
  return leaks;
}

/** These, and the size of the process, where it grew between the two halves of the reports. */
function leaksIn(reports: readonly Holdings[]): string[] {
  const leaks = countsThatGrow(reports);
  const half = reports.length / 2;
  const [before, after] = [reports.slice(0, half), reports.slice(half)];
  const growth = median(after.map(({ rss }) => rss)) - median(before.map(({ rss }) => rss));
  const limit = (after.at(-1)!.runs - before.at(-1)!.runs) * bytesPerRun;
  if (growth > limit) leaks.push(`rss by ${growth} bytes, limit ${limit}`);
  return leaks;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

for (const { name, missing } of inject("devices").filter(({ name }) => backends.includes(name) && hasTier("ci"))) {
  const title = missing ? `on ${name} (skipped: ${missing})` : `on ${name}`;
  describe.skipIf(missing)(title, () => {
    test("training steps leave nothing of what the device counts behind, and the process ends by itself", async () => {
      const reports = await trainSteps(name, 30, 5);
      expect(reports.map(({ step }) => step)).toEqual([5, 10, 15, 20, 25, 30]);
      expect(reports[0].buffers).toBeGreaterThan(0);
      if (name !== "gpu:webasm") expect(reports[0].handles).toBeGreaterThan(0);
      expect(countsThatGrow(reports)).toEqual([]);
    });

    test.runIf(hasTier("all"))("500 training steps leave nothing behind, and the process does not grow", async () => {
      const reports = await trainSteps(name, 500, 50);
      expect(reports.map(({ step }) => step)).toEqual([50, 100, 150, 200, 250, 300, 350, 400, 450, 500]);
      expect(leaksIn(reports)).toEqual([]);
    });

    test("what is not freed is noticed", async () => {
      const leaks = (await trainSteps(name, 8, 2, "handles").then(countsThatGrow)).map((leak) => leak.split(" ")[0]);
      expect(leaks).toContain("buffers");
      if (name !== "gpu:webasm") expect(leaks).toContain("handles");
      expect(leaks).not.toContain("kernels");
    });
  });
}

test.runIf(hasTier("all"))("memory that nobody counts is noticed by the size of the process", async () => {
  expect(leaksIn(await trainSteps("gpu:webasm", 500, 50, "objects"))).toEqual([
    expect.stringMatching(/^rss by \d+ bytes, limit \d+$/),
  ]);
});

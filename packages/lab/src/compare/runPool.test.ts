import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeEach, expect, test } from "vitest";

import { hasTier } from "@gridgrad/core/testing/tier";

import { runPath, runsOf } from "./comparison.ts";
import { comparisonOf } from "./comparisonOf.ts";
import { runAll, shareOut } from "./runPool.ts";

const config = { steps: 6, batch: 1, warmup: 0, evalImages: 2, checkpointEvery: 2 };
const runs = runsOf(comparisonOf({ upsamplers: ["nearest", "bilinear"], seeds: [0, 1], config }));

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gridgrad-pool-"));
});

/** Kills the processes of runs that this one has started. */
function killRuns(): void {
  const list = execFileSync("ps", ["-o", "pid=,args=", "--ppid", String(process.pid)], { encoding: "utf8" });
  for (const line of list.split("\n")) if (line.includes("runProcess.ts")) process.kill(parseInt(line), "SIGKILL");
}

test("cores are shared out: runs side by side first, threads where cores are left", () => {
  expect([
    shareOut(24, { cores: 8 }),
    shareOut(3, { cores: 8 }),
    shareOut(24, { cores: 8, jobs: 2 }),
    shareOut(1, { cores: 2 }),
    shareOut(5, { cores: 2, jobs: 4 }),
    shareOut(5, { cores: 4, jobs: 4, threads: 3 }),
    shareOut(0, { cores: 4 }),
  ]).toEqual([
    { jobs: 8, threads: 1 },
    { jobs: 3, threads: 2 },
    { jobs: 2, threads: 4 },
    { jobs: 1, threads: 2 },
    { jobs: 4, threads: 1 },
    { jobs: 4, threads: 3 },
    { jobs: 1, threads: 4 },
  ]);
});

test.runIf(hasTier("ci"))("no more than so many runs are under way, and one that fails stops no other", async () => {
  const diverging = { ...runs[1], config: { ...runs[1].config, lr: 1e30 } };
  const underWay = new Set<string>();
  let most = 0;
  const outcomes = await runAll([runs[0], diverging, runs[2], runs[3]], {
    folder,
    jobs: 2,
    threads: 1,
    events: {
      onStart: ({ id }) => (most = Math.max(most, underWay.add(id).size)),
      onEnd: ({ id }) => void underWay.delete(id),
    },
  });
  expect(most).toBe(2);
  const complete = { status: "complete" };
  expect(outcomes).toEqual([complete, expect.objectContaining({ status: "failed", retry: false }), complete, complete]);
});

test.runIf(hasTier("ci"))("a run whose process has died goes on from its checkpoint, once", async () => {
  const told: string[] = [];
  let kills = 1;
  let begun = false; // since the last kill
  const events = {
    onStart: (_: unknown, done: number) => {
      begun = true;
      told.push(`from ${done}`);
    },
    // The first checkpoint of a start, whichever that is when the news of it arrives.
    onCheckpoint: () => {
      if (!begun || kills-- <= 0) return;
      begun = false;
      killRuns();
    },
    onRetry: (_: unknown, message: string) => void told.push(message),
  };
  const [long, other] = runs.slice(0, 2).map((run) => ({ ...run, config: { ...run.config, steps: 200 } }));
  expect(await runAll([long], { folder, events })).toEqual([{ status: "complete" }]);
  expect(told).toEqual(["from 0", "its process was ended by SIGKILL", expect.stringMatching(/^from [1-9]\d*$/)]);
  await runAll([long], { folder: `${folder}/undisturbed` });
  const weights = (base: string) => readFile(join(runPath(base, long), "weights.safetensors"), "base64");
  expect(await weights(folder)).toBe(await weights(`${folder}/undisturbed`));

  kills = 2;
  expect(await runAll([other], { folder, events })).toEqual([
    { status: "failed", message: "its process was ended by SIGKILL", retry: true },
  ]);
});

test.runIf(hasTier("ci"))("an abort lets runs under way write their checkpoints, and starts no other", async () => {
  const stop = new AbortController();
  const outcomes = await runAll(runs, {
    folder,
    jobs: 1,
    signal: stop.signal,
    events: { onProgress: (_, { step }) => step === 1 && stop.abort() },
  });
  expect(outcomes).toEqual([expect.objectContaining({ status: "stopped" }), null, null, null]);
  expect(runs.map((run) => existsSync(join(runPath(folder, run), "checkpoint.safetensors")))).toEqual([
    true,
    false,
    false,
    false,
  ]);
});

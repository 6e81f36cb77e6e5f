import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeEach, expect, test } from "vitest";

import { getDevice, withDevice } from "@gridgrad/core";
import { hasTier } from "@gridgrad/core/testing/tier";
import { readPng } from "@gridgrad/dysample/node";

import { collectLines, startCommand } from "../testing/runCommand.ts";
import { startComparison } from "./startComparison.ts";

let base: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "gridgrad-start-"));
  process.chdir(base);
});

test("a table and a picture put three upsamplers side by side, and a second time they replace the first ones", async () => {
  for (const lr of hasTier("ci") ? [0.02, 0.01] : [0.01]) {
    const { io, out } = collectLines();
    expect(await startComparison(io, { lr, steps: 2, batch: 1, evalImages: 6 })).toBe(0);
    const text = out.join("\n").replace(/\d\.\d{4}/g, "0.NNNN");
    expect(text.replace(/ +\d+ +\d\.\d MB$/gm, "  MS  MB")).toMatchInlineSnapshot(`
      "Comparing nearest, bilinear, dysample with 1 seed: 3 runs of 2 steps.

                  mIoU  boundary IoU  accuracy  parameters     MACs  ms/step    peak
      nearest   0.NNNN        0.NNNN    0.NNNN           0        0  MS  MB
      bilinear  0.NNNN        0.NNNN    0.NNNN           0  0.688 M  MS  MB
      dysample  0.NNNN        0.NNNN    0.NNNN       3,168   2.06 M  MS  MB
      Parameters and MACs are those of the upsamplers, for one picture.

      The report: runs/start/report.html
      All numbers: runs/start/results.json, runs/start/results.csv
      What each of them sees: runs/start/strip.png
      All upsamplers, several seeds: gridgrad compare"
    `);
    const { width, height } = await readPng("runs/start/strip.png");
    expect([width, height]).toEqual([1300, 1590]);
    expect(JSON.parse(await readFile("runs/start/runs/dysample-seed0/config.json", "utf8"))).toMatchObject({ lr });
  }
});

test("files of somebody else's in its folder are not replaced", async () => {
  await mkdir("runs/start", { recursive: true });
  await writeFile("runs/start/strip.png", "mine");
  const { io } = collectLines();
  await withDevice("reference", async () => {
    const started = startComparison(io, { steps: 1, batch: 1, evalImages: 6, device: "reference" });
    await expect(started).rejects.toThrow(
      "runs/start must have room for the comparison, but strip.png in it is not of one",
    );
  });
  expect(await readFile("runs/start/strip.png", "utf8")).toBe("mine");
  expect(await readdir("runs/start")).toEqual(["strip.png"]);
});

test.runIf(hasTier("ci"))("on gpu it tells what that is, and goes on there", async () => {
  const { io, err } = collectLines();
  await withDevice("reference", async () => {
    expect(await startComparison(io, { steps: 1, batch: 1, evalImages: 6, device: "gpu:cpu" })).toBe(0);
    await getDevice().close();
  });
  expect(err[0]).toBe("device: gpu.js cpu on the CPU as JavaScript");
});

test("npm start refuses what makes no sense, and a device that is missing", async () => {
  const start = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await startCommand(base, args, { program: "start" }).result;
    return `${args.join(" ")}: ${code} ${out}${err}`;
  };
  expect([await start("--devise", "gpu"), await start("--device", "gpu:webgl2")]).toMatchInlineSnapshot(`
    [
      "--devise gpu: 2 gridgrad: unknown option '--devise' (Did you mean --device?)
    ",
      "--device gpu:webgl2: 1 gridgrad: gpu:webgl2: needs a browser; in Node use gpu:webgpu, gpu:headlessgl or gpu:webasm; what there is here: npm run -s gridgrad -- devices
    ",
    ]
  `);
  expect(await readdir(base)).toEqual([]);
});

test.runIf(hasTier("ci"))("npm start says what it does, and Ctrl-C ends it", async () => {
  const { child, result } = startCommand(base, [], { program: "start" });
  const log = join(base, "runs/start/runs/nearest-seed0/metrics.jsonl");
  while (!existsSync(log)) await new Promise((over) => setTimeout(over, 5));
  child.kill("SIGINT");
  const { code, out, err } = await result;
  expect(code).toBe(130);
  expect(out).toBe("Comparing nearest, bilinear, dysample with 1 seed: 3 runs of 400 steps.\n");
  expect(err).toMatch(/\nstopped; npm start begins again\n$/);
});

import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeEach, expect, test } from "vitest";

import { getDevice, withDevice } from "@gridgrad/core";

import { readPng } from "../picture/png.ts";
import { collectLines, startCommand } from "../testing/runCommand.ts";
import { compareUpsamplers } from "./compareUpsamplers.ts";

let base: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "gridgrad-start-"));
  process.chdir(base);
});

test("a table and a picture put both upsamplers side by side, and a second time they replace the first ones", async () => {
  for (let time = 0; time < 2; time++) {
    const { io, out } = collectLines();
    expect(await compareUpsamplers(io, { steps: 2, batch: 1, evalImages: 6 })).toBe(0);
    expect(
      out
        .join("\n")
        .replace(/\d\.\d{4}/g, "0.NNNN")
        .replace(/ +\d+$/gm, " MS"),
    ).toMatchInlineSnapshot(`
      "Training the toy task with bilinear and dysample: 2 steps each, shortened from 400.

      upsampler    mIoU  boundary IoU  pixel accuracy  parameters  ms per step
      bilinear   0.NNNN        0.NNNN          0.NNNN       44822 MS
      dysample   0.NNNN        0.NNNN          0.NNNN       47990 MS

      What each of them sees: runs/start/strip.png
      The runs are in runs/start/bilinear and runs/start/dysample.
      Other upsamplers, other settings: npm run -s gridgrad -- train --help"
    `);
    const { width, height } = await readPng("runs/start/strip.png");
    expect([width, height]).toEqual([1300, 1194]);
    expect((await readdir("runs/start")).sort()).toEqual(["bilinear", "dysample", "strip.png"]);
    expect(JSON.parse(await readFile("runs/start/dysample/result.json", "utf8"))).toMatchObject({ steps: 2 });
  }
});

test("on gpu it tells what that is, and goes on there", async () => {
  const { io, out, err } = collectLines();
  await withDevice("reference", async () => {
    expect(await compareUpsamplers(io, { steps: 1, batch: 1, evalImages: 6, device: "gpu:webasm" })).toBe(0);
    await getDevice().close();
  });
  expect(err[0]).toBe("device: gpu.js webasm on the CPU as WebAssembly");
  expect(out.join("\n")).toMatch(/\n\d+ kernels compiled in /);
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

test("npm start says what it does, and Ctrl-C ends it", async () => {
  const { child, result } = startCommand(base, [], { program: "start" });
  while (!existsSync(join(base, "runs/start/bilinear/metrics.jsonl"))) await new Promise((over) => setTimeout(over, 5));
  child.kill("SIGINT");
  const { code, out, err } = await result;
  expect(code).toBe(130);
  expect(out).toBe("Training the toy task with bilinear and dysample: 400 steps each.\n");
  expect(err).toMatch(/\nstopped; npm start begins again\n$/);
});

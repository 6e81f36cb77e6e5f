import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeAll, describe, expect, test } from "vitest";

import { ValueError } from "@gridgrad/core";

import { collectLines, runCommand, startCommand } from "../testing/runCommand.ts";
import { reportError } from "./program.ts";
import { UserError } from "./userError.ts";

let base: string;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "gridgrad-program-"));
  process.chdir(base);
});

describe("help", () => {
  test("lists the commands", async () => {
    const { code, out, err } = await runCommand("--help");
    expect([code, err]).toEqual([0, ""]);
    for (const command of [
      "train",
      "compare",
      "eval",
      "offsets",
      "upsample",
      "explain",
      "gradcheck",
      "goldens",
      "devices",
    ]) {
      expect(out).toMatch(new RegExp(`^  ${command} `, "m"));
    }
  });

  test.each(["train", "compare", "eval", "offsets", "upsample", "explain", "gradcheck", "goldens", "devices"])(
    "of %s has examples",
    async (command) => {
      const { code, out } = await runCommand(command, "--help");
      expect(code).toBe(0);
      expect(out).toMatch(new RegExp(`Examples:\n  gridgrad ${command}\\b`));
    },
  );
});

test("the version is that of the package", async () => {
  expect(await runCommand("--version")).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+/) });
});

test("a command line that makes no sense is one line on the standard error, exit code 2, and nothing is written", async () => {
  const lines: string[] = [];
  for (const line of [
    "tran",
    "train --stesp 3",
    "train --steps -3",
    "train --steps abc",
    "train --steps 1.5",
    "train --lr 0",
    "train --lr",
    "train --seed -1",
    "train --eval-images 300",
    "upsample in.png out.png --scale 257",
    "train --upsampler dysampel",
    "train --device gqu",
    "train --task segment",
    "train --resume runs/x --overwrite",
    "train --resume runs/x --out runs/y",
    "train --out ",
    "train now",
    "upsample in.png",
    "explain --what step --channels 3",
    "explain --what forward --size 20",
    "train now and then",
    "upsample in.png out.png more.png",
    "help nosuch",
    "help trian",
    "gradcheck gridSampl",
    "gradcheck nosuchop",
    "train --resume runs/x --config c.json",
    "train --config ",
    "train --groups 5",
    "train --scale 3",
    "train --task restoration --upsampler nearest",
    "compare --groups 5",
    "explain --what upsampler --channels 30",
    "explain --json --format dot",
  ]) {
    const { code, out, err } = await runCommand(...line.split(" "));
    expect([line, code, out]).toEqual([line, 2, ""]);
    lines.push(`${line}: ${err}`);
  }
  expect(lines).toMatchInlineSnapshot(`
    [
      "tran: gridgrad: unknown command 'tran' (Did you mean train?)",
      "train --stesp 3: gridgrad: unknown option '--stesp' (Did you mean --steps?)",
      "train --steps -3: gridgrad: option '--steps <n>' argument '-3' is invalid. It must be an integer of at least 1.",
      "train --steps abc: gridgrad: option '--steps <n>' argument 'abc' is invalid. It must be an integer of at least 1.",
      "train --steps 1.5: gridgrad: option '--steps <n>' argument '1.5' is invalid. It must be an integer of at least 1.",
      "train --lr 0: gridgrad: option '--lr <x>' argument '0' is invalid. It must be a number above 0.",
      "train --lr: gridgrad: option '--lr <x>' argument missing",
      "train --seed -1: gridgrad: option '--seed <n>' argument '-1' is invalid. It must be an integer in 0 .. 4294967195.",
      "train --eval-images 300: gridgrad: option '--eval-images <n>' argument '300' is invalid. It must be an integer in 1 .. 256.",
      "upsample in.png out.png --scale 257: gridgrad: option '--scale <n>' argument '257' is invalid. It must be an integer in 2 .. 256.",
      "train --upsampler dysampel: gridgrad: option '--upsampler <name>' argument 'dysampel' is invalid. It must be one of nearest, bilinear, bicubic, transposed-conv, pixel-shuffle, carafe, fade, sapa-b, dysample, dysample+, dysample-s, dysample-s+. Did you mean dysample?",
      "train --device gqu: gridgrad: option '--device <name>' argument 'gqu' is invalid. It must be one of auto, reference, cpu, gpu, gpu:webgpu, gpu:headlessgl, gpu:webgl2, gpu:webgl, gpu:webasm, gpu:cpu. Did you mean gpu?",
      "train --task segment: gridgrad: option '--task <name>' argument 'segment' is invalid. It must be one of segmentation, restoration. Did you mean segmentation?",
      "train --resume runs/x --overwrite: gridgrad: --resume goes on in the run's own folder; leave --overwrite out",
      "train --resume runs/x --out runs/y: gridgrad: --resume goes on in the run's own folder; leave --out out",
      "train --out : gridgrad: option '--out <dir>' argument '' is invalid. It must be the path of a folder.",
      "train now: gridgrad: train takes options only, got "now" besides",
      "upsample in.png: gridgrad: missing required argument 'out.png'",
      "explain --what step --channels 3: gridgrad: --what step takes --batch, got --channels; leave it out",
      "explain --what forward --size 20: gridgrad: --size must be divisible by 8 for the toy network, got 20",
      "train now and then: gridgrad: train takes options only, got "now" besides",
      "upsample in.png out.png more.png: gridgrad: upsample takes <in.png> <out.png> and options, got "more.png" besides",
      "help nosuch: gridgrad: unknown command 'nosuch'",
      "help trian: gridgrad: unknown command 'trian' (Did you mean train?)",
      "gradcheck gridSampl: gridgrad: gradcheck: did you mean gridSample? "gridSampl" must be one of nearest, bilinear, bicubic, transposed-conv, pixel-shuffle, carafe, fade, sapa-b, dysample, dysample+, dysample-s, dysample-s+, add, sub, mul, div, pow, maximum, exp, log, sqrt, abs, clamp, relu, leakyRelu, sigmoid, tanh, gelu, silu, softmax, sum, mean, max, matmul, linear, conv2d, conv1x1, convTranspose2d, pixelShuffle, pixelUnshuffle, gridSample, gridSampleBicubic, interpolate, avgPool2d, maxPool2d, batchNorm2d, groupNorm, layerNorm, crossEntropy, bceWithLogits, mseLoss",
      "gradcheck nosuchop: gridgrad: gradcheck: "nosuchop" must be one of nearest, bilinear, bicubic, transposed-conv, pixel-shuffle, carafe, fade, sapa-b, dysample, dysample+, dysample-s, dysample-s+, add, sub, mul, div, pow, maximum, exp, log, sqrt, abs, clamp, relu, leakyRelu, sigmoid, tanh, gelu, silu, softmax, sum, mean, max, matmul, linear, conv2d, conv1x1, convTranspose2d, pixelShuffle, pixelUnshuffle, gridSample, gridSampleBicubic, interpolate, avgPool2d, maxPool2d, batchNorm2d, groupNorm, layerNorm, crossEntropy, bceWithLogits, mseLoss",
      "train --resume runs/x --config c.json: gridgrad: --resume goes on in the run's own folder; leave --config out",
      "train --config : gridgrad: option '--config <file>' argument '' is invalid. It must be the path of a file.",
      "train --groups 5: gridgrad: --groups must divide the 32 channels that dysample upsamples: 1, 2, 4, 8, 16, 32, got 5",
      "train --scale 3: gridgrad: --scale must be 2 for segmentation, whose network is made for it, got 3",
      "train --task restoration --upsampler nearest: gridgrad: --upsampler must have parameters to train for restoration, got "nearest"",
      "compare --groups 5: gridgrad: --groups must divide the 32 channels that dysample upsamples: 1, 2, 4, 8, 16, 32, got 5",
      "explain --what upsampler --channels 30: gridgrad: --channels 30 must fit dysample, but DySample: inChannels must be divisible by groups = 4, got 30",
      "explain --json --format dot: gridgrad: --json is --format json, got --format dot; leave one out",
    ]
  `);
  expect(await readdir(base)).toEqual([]);
});

test("input that cannot be used is one line on the standard error, exit code 1, and nothing is written", async () => {
  const lines: string[] = [];
  for (const line of [
    "train --resume runs/nowhere",
    "train --config nowhere.json",
    "eval runs/nowhere",
    "upsample in.png out.png",
    "upsample in.png out.jpg",
    "upsample in.png out.png --weights nowhere",
    "goldens nowhere",
    "explain --device gpu:webgl2",
    "train --device gpu:webgl2",
  ]) {
    const { code, out, err } = await runCommand(...line.split(" "));
    expect([line, code, out]).toEqual([line, 1, ""]);
    expect(err).not.toContain("\n");
    lines.push(`${line}: ${err}`);
  }
  expect(lines).toMatchInlineSnapshot(`
    [
      "train --resume runs/nowhere: gridgrad: runs/nowhere must be the folder of a training run, but there is no such folder; check the path",
      "train --config nowhere.json: gridgrad: nowhere.json must hold settings, as the config.json of a run does, but there is no such file; check the path",
      "eval runs/nowhere: gridgrad: runs/nowhere must be a run folder or a safetensors file, but there is nothing; check the path",
      "upsample in.png out.png: gridgrad: readPng: in.png must be a file that can be read, but there is no such file or folder; check the path",
      "upsample in.png out.jpg: gridgrad: upsample writes PNG files, got the name out.jpg; let it end in .png",
      "upsample in.png out.png --weights nowhere: gridgrad: nowhere must be a run folder or a safetensors file, but there is nothing; check the path",
      "goldens nowhere: gridgrad: nowhere/MANIFEST.json must be a manifest of golden cases, but there is no such file; check the path",
      "explain --device gpu:webgl2: gridgrad: gpu:webgl2: needs a browser; in Node use gpu:webgpu, gpu:headlessgl or gpu:webasm; what there is here: gridgrad devices",
      "train --device gpu:webgl2: gridgrad: gpu:webgl2: needs a browser; in Node use gpu:webgpu, gpu:headlessgl or gpu:webasm; what there is here: gridgrad devices",
    ]
  `);
  expect(await readdir(base)).toEqual([]);
});

test("what does not fit into memory is one line, with what needs it and what would do", async () => {
  const lines: string[] = [];
  for (const line of [
    "explain --what upsampler --size 100000000 --device reference",
    "explain --what forward --size 8000000 --batch 4000 --device cpu",
    "train --batch 2000000000 --steps 1 --out huge --device cpu",
    "train --batch 2000000000 --steps 1 --out huge2 --device reference --task restoration",
  ]) {
    const { code, out, err } = await runCommand(...line.split(" "));
    expect([line, code, out]).toEqual([line, 1, ""]);
    expect(err).not.toContain("\n");
    lines.push(`${line}: ${err}`);
  }
  for (const folder of ["huge", "huge2"]) await rm(folder, { recursive: true });
  expect(lines).toMatchInlineSnapshot(`
    [
      "explain --what upsampler --size 100000000 --device reference: gridgrad: zeros: a tensor of shape [1, 32, 200000000, 200000000] in float32 must fit into memory, but needs 4768371582.0 GB; a smaller batch, size or scale needs less",
      "explain --what forward --size 8000000 --batch 4000 --device cpu: gridgrad: zeros: a tensor of shape [4000, 3, 8000000, 8000000] in float32 must fit into memory, but needs 2861022949.2 GB; a smaller batch, size or scale needs less",
      "train --batch 2000000000 --steps 1 --out huge --device cpu: gridgrad: a batch of 2000000000 pictures must fit into memory, but needs 91552.7 GB; a smaller batch, size or scale needs less",
      "train --batch 2000000000 --steps 1 --out huge2 --device reference --task restoration: gridgrad: a batch of 2000000000 pictures must fit into memory, but needs 91552.7 GB; a smaller batch, size or scale needs less",
    ]
  `);
});

describe("errors", () => {
  const told = async (error: unknown): Promise<[code: number, text: string]> => {
    const { io, err } = collectLines();
    return [await reportError(error, io), err.join("\n")];
  };

  test("of the user are told in one line", async () => {
    expect(await told(new UserError("in two\nlines"))).toEqual([1, "gridgrad: in two lines"]);
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { syscall: "write" });
    expect(await told(full)).toEqual([1, "gridgrad: ENOSPC: no space left on device, write"]);
  });

  test("of ours keep their stack", async () => {
    const [code, text] = await told(new ValueError("conv2d", "stride must be", "0"));
    expect(code).toBe(1);
    expect(text).toMatch(/^ValueError: conv2d: stride must be, got 0\n +at /);
    expect(await told("a string")).toEqual([1, "a string"]);
  });

  test("of the user keep their stack with GRIDGRAD_DEBUG=1", async () => {
    process.env.GRIDGRAD_DEBUG = "1";
    try {
      expect((await told(new UserError("no")))[1]).toMatch(/^UserError: no\n +at /);
    } finally {
      delete process.env.GRIDGRAD_DEBUG;
    }
  });
});

describe("as a process", () => {
  test("a failure goes to the standard error, with its exit code", async () => {
    const { result } = startCommand(base, ["train", "--steps", "abc"]);
    expect(await result).toEqual({
      code: 2,
      signal: null,
      out: "",
      err: "gridgrad: option '--steps <n>' argument 'abc' is invalid. It must be an integer of at least 1.\n",
    });
  });

  test("results go to the standard output, and relative paths start where npm was called", async () => {
    const env = { INIT_CWD: base, npm_package_json: join(tmpdir(), "package.json"), npm_lifecycle_event: "gridgrad" };
    const { result } = startCommand(tmpdir(), ["train", "--resume", "run"], { env });
    expect(await result).toMatchObject({
      code: 1,
      err: "gridgrad: run must be the folder of a training run, but there is no such folder; check the path\n",
    });
    const help = await startCommand(base, ["train", "--help"], { env: { npm_lifecycle_event: "gridgrad" } }).result;
    expect(help).toMatchObject({
      code: 0,
      err: "",
      out: expect.stringContaining("npm run -s gridgrad -- train --resume"),
    });
  });

  test("a reader that leaves early is no error", async () => {
    const { child, result } = startCommand(base, ["explain", "--batch", "1", "--format", "json", "--device", "cpu"]);
    child.stdout!.once("data", () => child.stdout!.destroy());
    expect(await result).toMatchObject({ code: 0, err: "" });
  });
});

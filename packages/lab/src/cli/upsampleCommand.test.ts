import { execFileSync } from "node:child_process";
import { lstatSync, truncateSync } from "node:fs";
import { mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeAll, expect, test } from "vitest";

import { Random } from "@gridgrad/core";
import { DySample, type Picture, upsamplerNames } from "@gridgrad/dysample";
import { readPng, writePng } from "@gridgrad/dysample/node";
import { saveWeights } from "@gridgrad/nn/node";

import { runCommand, startCommand } from "../testing/runCommand.ts";

const [width, height] = [7, 5];

beforeAll(async () => {
  process.chdir(await mkdtemp(join(tmpdir(), "gridgrad-upsample-")));
  for (const channels of [1, 2, 3, 4] as const) {
    const data = Uint8Array.from(new Random(channels).integers([width * height * channels], 256).values!);
    await writePng(`in${channels}.png`, { width, height, channels, data });
  }
  await runCommand(
    "train",
    "--task",
    "restoration",
    "--steps",
    "20",
    "--batch",
    "2",
    "--eval-images",
    "1",
    "--out",
    "run",
  );
  await runCommand(
    "train",
    "--upsampler",
    "dysample",
    "--steps",
    "1",
    "--batch",
    "1",
    "--eval-images",
    "1",
    "--out",
    "toy",
  );
});

async function upsampled(...args: string[]): Promise<Picture> {
  expect(await runCommand("upsample", args[0], "out.png", ...args.slice(1))).toMatchObject({ code: 0, err: "" });
  return readPng("out.png");
}

test.each(upsamplerNames)("%s enlarges pictures of every kind", async (name) => {
  for (const channels of [1, 2, 3, 4]) {
    const picture = await upsampled(`in${channels}.png`, "--upsampler", name, "--scale", "3");
    expect(picture).toMatchObject({ width: 21, height: 15, channels });
  }
});

test("a picture may become larger than those of the toy task", async () => {
  for (const name of ["nearest", "bilinear", "dysample"]) {
    expect(await upsampled("in1.png", "--upsampler", name, "--scale", "40")).toMatchObject({ width: 280, height: 200 });
  }
});

test("it says what it did", async () => {
  const { out } = await runCommand("upsample", "in4.png", "out.png", "--upsampler", "dysample-s+", "--groups", "3");
  expect(out.replace(/\d+ ms/, "N ms").split("\n")).toEqual([
    "in4.png 7x5 RGBA 8-bit -> out.png 14x10 RGBA 8-bit",
    "dysample-s+, scale 2, groups 3, 42 parameters, N ms on cpu",
    "initial weights of seed 0: nearly bilinear",
  ]);
});

test("untrained DySample is nearly bilinear, the weights of a run make it another picture", async () => {
  const bilinear = await upsampled("in3.png", "--upsampler", "bilinear");
  const difference = ({ data }: Picture): number =>
    Math.max(...Array.from(data, (value, i) => Math.abs(value - bilinear.data[i])));
  expect(difference(await upsampled("in3.png"))).toBeLessThanOrEqual(1);
  const trained = await upsampled("in3.png", "--weights", "run");
  expect(difference(trained)).toBeGreaterThan(5);
  expect(await upsampled("in3.png", "--weights", "run/weights.safetensors")).toEqual(trained);
  expect(await upsampled("in3.png", "--weights", "run/checkpoint.safetensors")).toEqual(trained);
});

test("a file with an upsampler's own names can be used, too", async () => {
  const up = new DySample(3, { groups: 1, random: new Random(1) });
  up.offset.weight.set(new Random(2).normal(up.offset.weight.shape, { std: 5 }));
  await saveWeights("own.safetensors", up);
  expect(await upsampled("in3.png", "--weights", "own.safetensors")).not.toEqual(await upsampled("in3.png"));
});

test("a picture goes through a link, into a pipe, and to the standard output, and comes out of a pipe", async () => {
  const bilinear = ["--upsampler", "bilinear"];
  await runCommand("upsample", "in3.png", "wanted.png", ...bilinear);
  const wanted = await readFile("wanted.png");

  await writeFile("target.png", "former");
  await symlink("target.png", "link.png");
  expect(await runCommand("upsample", "in3.png", "link.png", ...bilinear)).toMatchObject({ code: 0 });
  expect(await readlink("link.png")).toBe("target.png");
  expect(await readFile("target.png")).toEqual(wanted);

  execFileSync("mkfifo", ["from", "to"]);
  const [, through] = await Promise.all([
    readFile("in3.png").then((bytes) => writeFile("from", bytes)),
    readFile("to"),
    runCommand("upsample", "from", "to", ...bilinear),
  ]);
  expect(through).toEqual(wanted);
  expect(["from", "to"].map((name) => lstatSync(name).isFIFO())).toEqual([true, true]);

  await symlink("/dev/fd/1", "output"); // as /dev/stdout is
  const { code, out, err } = await startCommand(process.cwd(), [
    "upsample",
    "in3.png",
    "output",
    ...bilinear,
    "--device",
    "cpu",
  ]).result;
  expect([code, out]).toEqual([0, wanted.toString()]); // both as text, whose bytes that are none are the same
  expect(err).toMatch(/^in3\.png 7x5 RGB 8-bit -> output 14x10 RGB 8-bit\n/);
  expect(await readlink("output")).toBe("/dev/fd/1");
});

test("what is no file, or too large for one, is one line with its name, and is not read", async () => {
  await writeFile("large", "");
  truncateSync("large", 2 ** 31); // a hole, which takes no room
  const told: string[] = [];
  for (const path of ["toy", "large", "/dev/zero"]) {
    told.push((await runCommand("upsample", path, "none.png")).err);
    if (path !== "toy") told.push((await runCommand("upsample", "in3.png", "none.png", "--weights", path)).err);
  }
  told.push((await runCommand("upsample", "in3.png", "toy")).err);
  await rm("large");
  expect(told).toMatchInlineSnapshot(`
    [
      "gridgrad: readPng: toy must be a file that can be read, but it is a folder; name a file",
      "gridgrad: readPng: large must be a file that can be read, but it has 2147483648 bytes, more than the 2147483647 that fit; name another",
      "gridgrad: large must be a file that can be read, but it has 2147483648 bytes, more than the 2147483647 that fit; name another",
      "gridgrad: readPng: /dev/zero must be a file that can be read, but it is a device; name a file",
      "gridgrad: /dev/zero must be a file that can be read, but it is a device; name a file",
      "gridgrad: writePng: toy must be a place to write a file, but it is a folder; name a file",
    ]
  `);
});

test("what cannot be is one line, and no picture is written", async () => {
  await writeFile("text.png", "no picture");
  const errors: string[] = [];
  for (const line of [
    "text.png none.png",
    "in3.png in3.png",
    "in3.png folder/none.png",
    "in3.png none.png --weights toy",
    "in3.png none.png --weights toy/weights.safetensors",
    "in3.png none.png --weights run --scale 3",
    "in3.png none.png --weights own.safetensors --groups 3",
    "in3.png none.png --weights in3.png",
    "in3.png none.png --upsampler lanczos",
  ]) {
    const { code, out, err } = await runCommand("upsample", ...line.split(" "));
    expect([line, code! > 0, out]).toEqual([line, true, ""]);
    errors.push(err);
  }
  expect(errors).toMatchInlineSnapshot(`
    [
      "gridgrad: readPng: text.png must be a PNG file, got 10 bytes that begin with 6e 6f 20 70 69 63 74 75: no kind of picture that is known here; check the path",
      "gridgrad: the enlarged picture must have a name of its own, got in3.png for both",
      "gridgrad: writePng: folder/none.png must be a place to write a file, but there is no such file or folder; check the path",
      "gridgrad: toy/weights.safetensors must have weights for pictures, but they are of the segmentation network, which upsamples 32 channels of features; train some for pictures: gridgrad train --task restoration --upsampler dysample",
      "gridgrad: toy/weights.safetensors must have weights for pictures, but they are of the segmentation network, which upsamples 32 channels of features; train some for pictures: gridgrad train --task restoration --upsampler dysample",
      "gridgrad: run/weights.safetensors has weights of scale 2, got --scale 3; leave it out",
      "gridgrad: own.safetensors must fit the network (--task, --upsampler, --scale and --groups say which it is), but loadStateDict: the state must fit the module, got 3 problems: offset.weight must have shape [24, 3, 1, 1], got [8, 3, 1, 1]; offset.bias must have shape [24], got [8]; init_pos must have shape [1, 24, 1, 1], got [1, 8, 1, 1]",
      "gridgrad: in3.png: safetensors: the header must have at most 100000000 bytes, got a length of 727905341920923800 (is this a safetensors file?)",
      "gridgrad: option '--upsampler <name>' argument 'lanczos' is invalid. It must be one of nearest, bilinear, bicubic, transposed-conv, pixel-shuffle, carafe, fade, sapa-b, dysample, dysample+, dysample-s, dysample-s+.",
    ]
  `);
  expect(await readdir(".")).not.toContain("none.png");
});

import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeAll, beforeEach, expect, test } from "vitest";

import { DySample, resolveConfig } from "@gridgrad/dysample";
import { differingTensors } from "@gridgrad/dysample/internal";
import { readValidations } from "@gridgrad/dysample/internal/node";
import { readPng, train } from "@gridgrad/dysample/node";
import { readStateDict, saveWeights } from "@gridgrad/nn/node";

import { collectLines, type CommandResult, runCommand } from "../testing/runCommand.ts";
import { main } from "./program.ts";

const size = ["--batch", "1", "--eval-images", "2", "--device", "cpu"];

/** A run with bilinear upsampling, made once. */
let bilinear: string;

beforeAll(async () => {
  bilinear = join(await mkdtemp(join(tmpdir(), "gridgrad-bilinear-")), "run");
  await train(resolveConfig({ upsampler: "bilinear", steps: 2, batch: 1, evalImages: 2, seed: 3 }), bilinear);
});

beforeEach(async () => {
  process.chdir(await mkdtemp(join(tmpdir(), "gridgrad-offsets-")));
});

function offsets(...args: string[]): Promise<CommandResult> {
  return runCommand("offsets", "--steps", "3", ...size, ...args);
}

/** What a command has said, with numbers that training decides left out. */
function shape({ out }: CommandResult): string {
  return out.replace(/\d\.\d{4}/g, "N.NNNN");
}

/** Bytes and times of the files below a folder. */
async function files(folder: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const name of ((await readdir(folder, { recursive: true })) as string[]).sort()) {
    const path = join(folder, name);
    const { mtimeMs, ino } = await stat(path);
    if (!(await stat(path)).isDirectory()) found[name] = [mtimeMs, ino, await readFile(path, "hex")];
  }
  return found;
}

test("a bilinear network is trained, then the offsets of DySample in its place, and both are measured", async () => {
  const result = await offsets("--bilinear-steps", "2", "--out", "demo");
  expect(result.code).toBe(0);
  expect(shape(result)).toMatchInlineSnapshot(`
    "network            loss    mIoU  boundary IoU  parameters trained  frozen
    bilinear         N.NNNN  N.NNNN        N.NNNN                   0   44822
    dysample before  N.NNNN  N.NNNN        N.NNNN                3168   44822
    dysample after   N.NNNN  N.NNNN        N.NNNN                3168   44822

    3 steps have trained 6 tensors, those of offset layers. The other 40, running statistics included, are those of the bilinear network, to the bit.
      demo/strip.png
      demo/loss.svg
      demo/dysample/weights.safetensors
      demo/dysample/metrics.jsonl"
  `);
  expect(result.err).toMatch(/^demo\/bilinear\nstep 1\/2 .*\nstep 2\/2 [^]*\ndemo\/dysample\nstep 1\/3 /);
  expect((await readdir("demo")).sort()).toEqual(["bilinear", "dysample", "loss.svg", "strip.png"]);
  const { width, height } = await readPng("demo/strip.png");
  expect([width, height]).toEqual([508, 6 + 6 * (3 * 64 + 6)]); // input, truth, two predictions with their errors

  const { tensors: was } = await readStateDict("demo/bilinear/weights.safetensors");
  const { tensors: is } = await readStateDict("demo/dysample/weights.safetensors");
  expect(differingTensors(was, is).filter((name) => !name.startsWith("up"))).toEqual([]);
  expect((await readValidations("demo/dysample/metrics.jsonl")).map(({ step }) => step)).toEqual([1, 2]);
});

test("the chart has the loss of every evaluation, and bilinear's beside it", async () => {
  const { out } = await offsets("--from", bilinear, "--out", "demo");
  const [bilinearLoss, before, after] = [...out.matchAll(/^(?:bilinear|dysample (?:before|after)) +(\d\.\d{4})/gm)].map(([, loss]) => loss); // prettier-ignore
  const svg = await readFile("demo/loss.svg", "utf8");
  expect(svg).toContain(
    `Loss on 2 validation pictures: ${bilinearLoss} with bilinear upsampling; with dysample ${before} at first, ${after} after 3 steps`,
  );
  expect(svg).toMatch(/^<svg role="img"[^]*<\/svg>\n$/);
  for (const text of ["bilinear", "dysample, training its offsets only", "training step"]) {
    expect(svg).toContain(`>${text}</text>`);
  }
});

test("a second time everything is kept as it is, and told again", async () => {
  const first = await offsets("--bilinear-steps", "2", "--out", "demo");
  const runs = [await files("demo/bilinear"), await files("demo/dysample")];
  const second = await runCommand("offsets", "--out", "demo"); // as the runs have it, not as runs begin by themselves
  expect(second).toMatchObject({ code: 0, out: first.out, err: "demo/bilinear\ndemo/dysample" });
  expect([await files("demo/bilinear"), await files("demo/dysample")]).toEqual(runs);

  await rm("demo/dysample/result.json"); // as if it was killed
  const third = await offsets("--out", "demo");
  expect(third.out).toBe(first.out);
});

test("another DySample takes the same bilinear network, and --overwrite trains again", async () => {
  await offsets("--bilinear-steps", "2", "--out", "demo");
  const network = await files("demo/bilinear");
  const plus = await offsets("--upsampler", "dysample-s+", "--out", "demo");
  expect(plus.out).toMatch(
    /\ndysample-s\+ after +\d\.\d{4} +\d\.\d{4} +\d\.\d{4} +408 +44822\n\n3 steps have trained 9 /,
  );
  expect(await files("demo/bilinear")).toEqual(network);

  const again = await offsets("--overwrite", "--seed", "1", "--bilinear-steps", "1", "--out", "demo");
  expect(again.code).toBe(0);
  expect(JSON.parse(await readFile("demo/bilinear/config.json", "utf8"))).toMatchObject({ seed: 1, steps: 1 });
  expect(JSON.parse(await readFile("demo/dysample/config.json", "utf8"))).toMatchObject({ seed: 1, lr: 0.03 });
});

test("a picture or a chart that is not its own is not replaced", async () => {
  await mkdir("demo");
  await writeFile("demo/loss.svg", "mine");
  const { code, out, err } = await offsets("--from", bilinear, "--out", "demo", "--overwrite");
  expect([code, out]).toEqual([1, ""]);
  expect(err).toMatchInlineSnapshot(
    `"gridgrad: demo must have room for strip.png and loss.svg, but what it has is not of offsets; move loss.svg away, or write elsewhere (--out)"`,
  );
  expect(await readdir("demo")).toEqual(["loss.svg"]);
});

test("Ctrl-C stops it in either run, and the same command goes on", async () => {
  const stopped = async (pattern: RegExp): Promise<[number, string]> => {
    const stop = new AbortController();
    const { io, err } = collectLines();
    const note = (line: string): void => {
      err.push(line);
      if (pattern.test(line)) stop.abort();
    };
    Object.assign(io, { note, interrupted: () => stop.signal });
    const code = await main(["offsets", "--bilinear-steps", "2", "--steps", "3", ...size, "--out", "demo"], io);
    return [code, err[err.length - 1]];
  };
  expect(await stopped(/^step 1\/2 /)).toEqual([130, "stopped after step 2; the same command goes on"]);
  expect(await stopped(/^step 1\/3 /)).toEqual([130, "stopped after step 2; the same command goes on"]);
  expect(await readdir("demo")).toEqual(["bilinear", "dysample"]);
  const last = await offsets("--out", "demo");
  expect(last.out).toBe((await offsets("--bilinear-steps", "2", "--out", "whole")).out.replaceAll("whole/", "demo/"));
});

test("what is no bilinear network, or not the one that the run began with, is one line", async () => {
  const told: string[] = [];
  const refused = async (...args: string[]): Promise<void> => {
    const { code, out, err } = await offsets(...args);
    expect([args, code! > 0, out]).toEqual([args, true, ""]);
    told.push(err.replaceAll(bilinear, "BILINEAR"));
  };
  await refused("--from", "nowhere");
  await runCommand("train", "--upsampler", "dysample", "--steps", "1", ...size, "--out", "other");
  await refused("--from", "other");
  await runCommand("train", "--task", "restoration", "--steps", "1", ...size, "--out", "pictures");
  await refused("--from", "pictures/weights.safetensors");
  await saveWeights("bare.safetensors", new DySample(4));
  await refused("--from", "bare.safetensors");
  await refused("--upsampler", "bilinear");
  await refused("--from", bilinear, "--bilinear-steps", "2");
  expect((await readdir(".")).sort()).toEqual(["bare.safetensors", "other", "pictures"]);

  await offsets("--bilinear-steps", "1", "--out", "demo");
  await refused("--from", bilinear, "--out", "demo");
  await refused("--lr", "0.1", "--out", "demo");
  expect(told).toMatchInlineSnapshot(`
    [
      "gridgrad: nowhere must be a run folder or a safetensors file, but there is nothing; check the path",
      "gridgrad: other/weights.safetensors must have weights of the toy network with bilinear upsampling, but they are of segmentation with dysample; leave --from out and it is trained",
      "gridgrad: pictures/weights.safetensors must have weights of the toy network with bilinear upsampling, but they are of restoration with dysample; leave --from out and it is trained",
      "gridgrad: bare.safetensors must have weights of the toy network with bilinear upsampling, but loadStateDict: the state must fit the module, got that of another network, with 37 problems: e1.conv.weight is missing; e1.bn.weight is missing; e1.bn.bias is missing; and 34 more; leave --from out and it is trained",
      "gridgrad: option '--upsampler <name>' argument 'bilinear' is invalid. It must be one of dysample, dysample+, dysample-s, dysample-s+.",
      "gridgrad: --from brings a bilinear network that is trained; leave --bilinear-steps out",
      "gridgrad: demo/dysample must have begun with the weights of BILINEAR/weights.safetensors, but it began with others; train it again (--overwrite), or write elsewhere (--out)",
      "gridgrad: demo/dysample must be resumed with its own configuration, got lr 0.1 (the run has 0.03); leave these out, or start another run",
    ]
  `);
});

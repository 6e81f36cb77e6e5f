import { copyFile, mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeAll, expect, test } from "vitest";

import { Random } from "@gridgrad/core";
import { Fpn4 } from "@gridgrad/dysample";
import { saveWeights } from "@gridgrad/nn/node";

import { runCommand } from "../testing/runCommand.ts";

beforeAll(async () => {
  process.chdir(await mkdtemp(join(tmpdir(), "gridgrad-eval-")));
  const tiny = ["--steps", "2", "--batch", "1", "--eval-images", "2"];
  await runCommand("train", ...tiny, "--upsampler", "dysample-s", "--groups", "2", "--out", "run");
  await saveWeights("bare.safetensors", new Fpn4("bilinear", { random: new Random(0) }));
});

test("a run is measured again as at its end", async () => {
  const { code, out } = await runCommand("eval", "run", "--eval-images", "2", "--json");
  expect(code).toBe(0);
  const { weights, task, upsampler, ...metrics } = JSON.parse(out);
  expect({ weights, task, upsampler }).toEqual({
    weights: "run/weights.safetensors",
    task: "segmentation",
    upsampler: "dysample-s",
  });
  expect(metrics).toEqual(JSON.parse(await readFile("run/result.json", "utf8")).metrics);
});

test("weights know their network wherever they are copied to", async () => {
  await copyFile("run/weights.safetensors", "copy.safetensors");
  const { code, out } = await runCommand("eval", "copy.safetensors", "--eval-images", "2");
  expect(code).toBe(0);
  expect(out).toMatch(/^dysample-s: mIoU \d/);
});

test("weights that do not know it are told", async () => {
  const { code, out } = await runCommand("eval", "bare.safetensors", "--upsampler", "bilinear", "--eval-images", "1");
  expect(code).toBe(0);
  expect(out).toMatch(/^bilinear: mIoU \d/);
});

test("what contradicts the weights, or does not fit them, is refused", async () => {
  const errors: string[] = [];
  for (const line of ["run --upsampler bilinear", "run --groups 4", "bare.safetensors --upsampler dysample-s+"]) {
    const { code, out, err } = await runCommand("eval", ...line.split(" "), "--eval-images", "1");
    expect([code, out]).toEqual([1, ""]);
    errors.push(err);
  }
  const nan = new Fpn4("bilinear", { random: new Random(0) });
  const state = await nan.stateDict();
  const weight = state["e1.conv.weight"];
  nan.loadStateDict({ ...state, "e1.conv.weight": { ...weight, values: new Float32Array(432).fill(NaN, 3) } });
  await saveWeights("nan.safetensors", nan);
  for (const args of [
    ["eval", "nan.safetensors", "--upsampler", "bilinear"],
    ["upsample", "in.png", "out.png", "--weights", "nan.safetensors"],
  ]) {
    const { code, out, err } = await runCommand(...args);
    expect([code, out]).toEqual([1, ""]);
    errors.push(err);
  }
  expect(errors).toMatchInlineSnapshot(`
    [
      "gridgrad: run/weights.safetensors has weights of upsampler dysample-s, got --upsampler bilinear; leave it out",
      "gridgrad: run/weights.safetensors has weights of groups 2, got --groups 4; leave it out",
      "gridgrad: bare.safetensors must fit the network (--task, --upsampler, --scale and --groups say which it is), but loadStateDict: the state must fit the module, got that of another network, with 9 problems: up0.offset.weight is missing; up0.offset.bias is missing; up0.scope.weight is missing; and 6 more",
      "gridgrad: nan.safetensors must have finite weights, got NaN in e1.conv.weight; the training that it is from has diverged, or it is damaged",
      "gridgrad: nan.safetensors must have finite weights, got NaN in e1.conv.weight; the training that it is from has diverged, or it is damaged",
    ]
  `);
});

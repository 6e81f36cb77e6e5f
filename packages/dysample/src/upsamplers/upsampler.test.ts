import { describe, expect, test } from "vitest";

import { Random, zeros } from "@gridgrad/core";
import { checkGradients } from "@gridgrad/core/testing";
import { functionalCall } from "@gridgrad/nn";
import { conv2d, convTranspose2d, interpolate, pixelShuffle } from "@gridgrad/ops";

import { createUpsampler, Nearest, PixelShuffleConv, TransposedConv, upsamplerNames } from "./upsampler.ts";

describe.each(upsamplerNames)("%s", (name) => {
  test.each([1, 2, 3, 4])("multiplies height and width by %d and keeps the channels", async (scale) => {
    const C = 2 * scale ** 2;
    const up = createUpsampler(name, C, { scale, groups: 2, random: new Random(0) });
    const y = up.forward(new Random(1).normal([2, C, 3, 5]));
    expect(y.shape).toEqual([2, C, 3 * scale, 5 * scale]);
    expect((await y.data()).every(Number.isFinite)).toBe(true);
    expect(up.scale).toBe(scale);
  });

  test("has the same weights for the same seed", async () => {
    const state = (seed: number) => createUpsampler(name, 8, { random: new Random(seed) }).stateDict();
    expect(await state(1)).toEqual(await state(1));
  });

  test("gradients of the input and the parameters, first and second order", async () => {
    const up = createUpsampler(name, 4, { groups: 2, random: new Random(3) });
    const names = [...up.namedParameters().keys()];
    const inputs = [[1, 4, 2, 3], ...up.parameters().map((p) => p.shape)].map((shape) =>
      new Random(4).normal(shape, { std: 0.05, dtype: "float64" }),
    );
    const checks = await checkGradients(
      (x, ...tensors) =>
        functionalCall(up, Object.fromEntries(names.map((n, i) => [n, tensors[i]])), () => up.forward(x)),
      inputs,
      { order: 2 },
    );
    expect(checks).toHaveLength(2 * inputs.length);
  });
});

test("parameters of three upsamplers of 32 channels are those of the toy task's table", () => {
  const counts = Object.fromEntries(upsamplerNames.map((name) => [name, 3 * createUpsampler(name, 32).parameterCount]));
  expect(counts).toEqual({
    nearest: 0,
    bilinear: 0,
    "transposed-conv": 49_248,
    "pixel-shuffle": 110_976,
    dysample: 3_168,
    "dysample+": 6_240,
    "dysample-s": 216,
    "dysample-s+": 408,
  });
});

test("nearest and bilinear are interpolate", async () => {
  const x = new Random(5).normal([1, 2, 3, 4]);
  for (const mode of ["nearest", "bilinear"] as const) {
    const expected = await interpolate(x, { scaleFactor: 3, mode }).data();
    expect(await createUpsampler(mode, 2, { scale: 3 }).forward(x).data()).toEqual(expected);
  }
});

test("transposed-conv and pixel-shuffle are their ops with their parameters", async () => {
  const x = new Random(6).normal([1, 2, 3, 4]);
  const transposed = new TransposedConv(2, { scale: 2 });
  const options = { stride: 2, padding: 1 };
  const spread = convTranspose2d(x, transposed.weight.tensor, transposed.bias!.tensor, options);
  expect(await transposed.forward(x).data()).toEqual(await spread.data());
  const shuffled = new PixelShuffleConv(2, { scale: 2 });
  const wide = conv2d(x, shuffled.conv.weight.tensor, shuffled.conv.bias!.tensor, { padding: 1 });
  expect(await shuffled.forward(x).data()).toEqual(await pixelShuffle(wide, 2).data());
});

test("an unknown name lists those that there are", () => {
  expect(() => createUpsampler("lanczos", 4)).toThrowErrorMatchingInlineSnapshot(
    `[ValueError: createUpsampler: name must be one of nearest, bilinear, transposed-conv, pixel-shuffle, dysample, dysample+, dysample-s, dysample-s+, got "lanczos"]`,
  );
});

test("a scale that is no positive integer", () => {
  expect(() => new Nearest(4, { scale: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[ValueError: Nearest: scale must be an integer of at least 1, got 0]`,
  );
});

test("an upsampler that does not fit the channels says so", () => {
  expect(() => createUpsampler("dysample", 6)).toThrowErrorMatchingInlineSnapshot(
    `[ValueError: DySample: inChannels must be divisible by groups = 4, got 6]`,
  );
  expect(() => createUpsampler("bilinear", 6).forward(zeros([6]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: interpolate: x must be [N, C, H, W] with at least one pixel, got x of shape [6]]`,
  );
});

import { describe, expect, test } from "vitest";

import { gradientsOf, Random, type Tensor, zeros } from "@gridgrad/core";
import { checkGradients } from "@gridgrad/core/testing";
import { functionalCall } from "@gridgrad/nn";
import { conv2d, convTranspose2d, interpolate, pixelShuffle } from "@gridgrad/ops";

import { Fpn4 } from "../toy/fpn4.ts";
import { createUpsampler, guidedUpsamplers, upsamplerNames } from "./createUpsampler.ts";
import { PixelShuffleConv } from "./pixelShuffleConv.ts";
import { Nearest } from "./resize.ts";
import { TransposedConv } from "./transposedConv.ts";

/** A guide for an input of that shape, where the upsampler needs one. */
function guidesFor(name: string, [N, C, H, W]: readonly number[], scale: number, random: Random): Tensor[] {
  return guidedUpsamplers.includes(name) ? [random.normal([N, C, scale * H, scale * W])] : [];
}

describe.each(upsamplerNames)("%s", (name) => {
  test.each([1, 2, 3, 4])("multiplies height and width by %d and keeps the channels", async (scale) => {
    const C = 2 * scale ** 2;
    const up = createUpsampler(name, C, { scale, groups: 2, random: new Random(0) });
    const shape = [2, C, 3, 5];
    const y = up.forward(new Random(1).normal(shape), ...guidesFor(name, shape, scale, new Random(2)));
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
    const random = new Random(4);
    const shape = [1, 4, 2, 3];
    const guides = guidesFor(name, shape, 2, random).map((guide) => guide.shape);
    const inputs = [shape, ...guides, ...up.parameters().map((p) => p.shape)].map((dims) =>
      random.normal(dims, { std: 0.05, dtype: "float64" }),
    );
    const checks = await checkGradients(
      (x, ...tensors) => {
        const parameters = Object.fromEntries(names.map((n, i) => [n, tensors[guides.length + i]]));
        return functionalCall(up, parameters, () => up.forward(x, ...tensors.slice(0, guides.length)));
      },
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
    bicubic: 0,
    "transposed-conv": 49_248,
    "pixel-shuffle": 110_976,
    carafe: 179_436,
    fade: 55_854,
    "sapa-b": 6_720,
    dysample: 3_168,
    "dysample+": 6_240,
    "dysample-s": 216,
    "dysample-s+": 408,
  });
});

test("nearest, bilinear and bicubic are interpolate", async () => {
  const x = new Random(5).normal([1, 2, 3, 4]);
  for (const mode of ["nearest", "bilinear", "bicubic"] as const) {
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

test("the toy network trains with every upsampler", async () => {
  for (const name of upsamplerNames) {
    const network = new Fpn4(name, { random: new Random(7) });
    const loss = network
      .forward(new Random(8).normal([1, 3, 16, 16]))
      .mul(new Random(9).normal([1, 6, 16, 16]))
      .sum();
    const gradients = gradientsOf(loss, network.parameters().map((p) => p.tensor)); // prettier-ignore
    const missing = [...network.namedParameters().keys()].filter((_, i) => gradients[i] === null);
    expect(missing, name).toEqual([]);
    for (const gradient of gradients) expect((await gradient!.data()).every(Number.isFinite), name).toBe(true);
  }
});

test("a guide that is missing or does not fit", () => {
  for (const name of guidedUpsamplers) {
    const up = createUpsampler(name, 4, { guideChannels: 3 });
    const x = zeros([1, 4, 2, 3]);
    expect(() => up.forward(x)).toThrow(/must be given a guide of the output's size, got none/);
    expect(() => up.forward(x, zeros([1, 4, 4, 6]))).toThrow(/guide \[N, 3, s\*H, s\*W\] with s = 2/);
    expect(() => up.forward(x, zeros([1, 3, 4, 5]))).toThrow(
      /got x of shape \[1, 4, 2, 3\] and guide of shape \[1, 3, 4, 5\]/,
    );
    expect(up.forward(x, zeros([1, 3, 4, 6])).shape).toEqual([1, 4, 4, 6]);
  }
});

test("an unknown name lists those that there are", () => {
  expect(() => createUpsampler("lanczos", 4)).toThrowErrorMatchingInlineSnapshot(
    `[ValueError: createUpsampler: name must be one of nearest, bilinear, bicubic, transposed-conv, pixel-shuffle, carafe, fade, sapa-b, dysample, dysample+, dysample-s, dysample-s+, got "lanczos"]`,
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

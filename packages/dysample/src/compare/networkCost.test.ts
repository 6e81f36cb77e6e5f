import { expect, test } from "vitest";

import { Random, zeros } from "@gridgrad/core";
import { carafe, conv2d, convTranspose2d, gridSample, interpolate, windowSimilarity } from "@gridgrad/ops";

import { resolveConfig } from "../training/config.ts";
import { countMacs, networkCost } from "./networkCost.ts";

const cost = (upsampler: string, groups = 4) => networkCost(resolveConfig({ upsampler, groups }));

// Convolutions of fpn4.ts, output pixels x channels out x what each of them reads:
const network =
  32 ** 2 * 16 * 27 + // e1
  16 ** 2 * 32 * 144 + // e2
  8 ** 2 * 48 * (288 + 432) + // e3, e4
  8 ** 2 * 32 * 48 + // l3
  16 ** 2 * 32 * (32 + 32) + // l2, f0
  32 ** 2 * 32 * 32 + // f1
  64 ** 2 * 6 * 32; // cls

/** Pixels that the three upsamplers read and write. */
const [coarse, fine] = [8 ** 2 + 16 ** 2 + 32 ** 2, 16 ** 2 + 32 ** 2 + 64 ** 2];

test("a network costs its convolutions, and its upsamplers as their formulas say", async () => {
  expect(await cost("nearest")).toEqual({
    parameters: 44_822,
    upsamplerParameters: 0,
    macs: network,
    upsamplerMacs: 0,
  });
  const upsamplers: Record<string, number> = {
    bilinear: fine * 32 * 4,
    "pixel-shuffle": coarse * 128 * 32 * 9,
    "transposed-conv": coarse * 32 * 32 * 16,
    dysample: coarse * 32 * 32 + fine * 32 * 4,
    "dysample+": 2 * coarse * 32 * 32 + fine * 32 * 4,
    "dysample-s": fine * 8 * 8 + fine * 32 * 4,
  };
  for (const [name, macs] of Object.entries(upsamplers)) {
    expect([name, await cost(name)]).toEqual([
      name,
      expect.objectContaining({ upsamplerMacs: macs, macs: network + macs }),
    ]);
  }
});

test("an upsampler that does not fit is refused", async () => {
  await expect(cost("dysample", 5)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: DySample: inChannels must be divisible by groups = 5, got 32]`,
  );
});

test("what is counted is the graph, each op once and nothing else", () => {
  const random = new Random(0);
  const x = random.normal([2, 4, 5, 6]);
  const y = conv2d(x, random.normal([8, 2, 3, 3]), null, { padding: 1, groups: 2 });
  expect(countMacs(y)).toBe(2 * 8 * 5 * 6 * 2 * 9);
  expect(countMacs(y.mul(2), y.add(y))).toBe(countMacs(y));
  expect(countMacs(convTranspose2d(x, random.normal([4, 3, 2, 2]), null, { stride: 2 }))).toBe(2 * 4 * 5 * 6 * 3 * 4);
  expect(countMacs(zeros([7, 2, 3]).matmul(zeros([7, 3, 5])))).toBe(7 * 2 * 3 * 5);
  expect(countMacs(interpolate(x, { scaleFactor: 2, mode: "bicubic" }))).toBe(2 * 4 * 10 * 12 * 16);
  expect(countMacs(gridSample(x, zeros([2, 3, 3, 2])))).toBe(2 * 4 * 9 * 4);
  expect(countMacs(carafe(x, random.normal([2, 9, 10, 12]), { kernelSize: 3 }))).toBe(2 * 4 * 10 * 12 * 9);
  expect(countMacs(windowSimilarity(zeros([2, 4, 10, 12]), x, { kernelSize: 3, groups: 2 }))).toBe(2 * 4 * 10 * 12 * 9);
});

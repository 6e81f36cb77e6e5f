import { describe, expect, test } from "vitest";

import { createUpsampler, type UpsamplerName, upsamplerNames } from "./createUpsampler.ts";
import { TransposedConv } from "./transposedConv.ts";
import type { Upsampler } from "./upsampler.ts";
import { upsamplerCost } from "./upsamplerCost.ts";

interface Sizes {
  readonly C: number;
  readonly s: number;
  /** Groups of sampling points. */
  readonly G: number;
  /** Channels of the guide. */
  readonly D: number;
}

const k2 = 25; // pixels of a 5 x 5 kernel of CARAFE, FADE and SAPA
const e = 64; // channels that CARAFE and FADE compress to
const e3 = 9 * e; // inputs of a sum of a 3 x 3 convolution over those

/** MACs of one pixel of the input, written down from the formulas: convolutions, similarities, and reading between pixels. */
const macsPerPixel: Readonly<Record<UpsamplerName, (sizes: Sizes) => number>> = {
  nearest: () => 0,
  bilinear: ({ C, s }) => 4 * C * s ** 2,
  bicubic: ({ C, s }) => 16 * C * s ** 2,
  "transposed-conv": ({ C, s }) => C * C * (2 * s - (s % 2)) ** 2,
  "pixel-shuffle": ({ C, s }) => 9 * C * C * s ** 2,
  carafe: ({ C, s }) => C * e + e3 * k2 * s ** 2 + k2 * C * s ** 2,
  fade: ({ C, s, D }) =>
    s ** 2 * (D * e + e3 * k2) + (C * e + e3 * k2) + C + k2 * C * s ** 2 + (D === C ? 0 : s ** 2 * D * C),
  "sapa-b": ({ C, s, D }) => s ** 2 * D * 32 + C * 32 + s ** 2 * k2 * 32 + k2 * C * s ** 2,
  dysample: ({ C, s, G }) => 2 * G * s ** 2 * C + 4 * C * s ** 2,
  "dysample+": ({ C, s, G }) => 4 * G * s ** 2 * C + 4 * C * s ** 2,
  "dysample-s": ({ C, s, G }) => 2 * G * C + 4 * C * s ** 2,
  "dysample-s+": ({ C, s, G }) => 4 * G * C + 4 * C * s ** 2,
};

const parameters: Readonly<Record<UpsamplerName, (sizes: Sizes) => number>> = {
  nearest: () => 0,
  bilinear: () => 0,
  bicubic: () => 0,
  "transposed-conv": ({ C, s }) => C * C * (2 * s - (s % 2)) ** 2 + C,
  "pixel-shuffle": ({ C, s }) => (9 * C + 1) * C * s ** 2,
  carafe: ({ C, s }) => (C + 1) * e + (e3 + 1) * k2 * s ** 2,
  fade: ({ C, D }) => (D + 1) * e + C * e + (e3 + 1) * k2 + C + 1 + (D === C ? 0 : D * C),
  "sapa-b": ({ C, D }) => 2 * C + 2 * D + 32 * (C + 1) + 32 * (D + 1),
  dysample: ({ C, s, G }) => 2 * G * s ** 2 * (C + 1),
  "dysample+": ({ C, s, G }) => 2 * G * s ** 2 * (2 * C + 1),
  "dysample-s": ({ C, s, G }) => 2 * G * (C / s ** 2 + 1),
  "dysample-s+": ({ C, s, G }) => 2 * G * ((2 * C) / s ** 2 + 1),
};

describe.each(upsamplerNames)("%s", (name) => {
  test.each([
    { C: 32, s: 2, G: 4, D: 32, H: 8, W: 8 },
    { C: 32, s: 2, G: 4, D: 3, H: 3, W: 5 },
    { C: 36, s: 3, G: 2, D: 36, H: 4, W: 2 },
  ])("parameters and MACs follow from $C channels, scale $s, $G groups, a guide of $D", ({ H, W, ...sizes }) => {
    const { C, s, G, D } = sizes;
    const up = createUpsampler(name, C, { scale: s, groups: G, guideChannels: D });
    expect(upsamplerCost(up, [C, H, W], D)).toEqual({
      parameters: parameters[name](sizes),
      macs: macsPerPixel[name](sizes) * H * W,
    });
  });
});

/**
 * The paper's six upsamplers by 2 on 256 channels: SegFormer-B1 at 512 x 512 upsamples its deepest feature, 16 x 16, three times, the next
 * one twice and the third once. FLOPs there are multiply-accumulates.
 *
 * Source: table of "Learning to Upsample by Learning to Sample", arXiv:2308.15085; where the authors' tables print a number with one
 * digit, so do these. The parameters of DySample are printed as K.
 */
const stages = [16, 32, 64, 32, 64, 64];

function six(up: Upsampler): { gMacs: number; parameters: number } {
  const macs = stages.reduce((total, side) => total + upsamplerCost(up, [256, side, side]).macs, 0);
  return { gMacs: macs / 1e9, parameters: stages.length * up.parameterCount };
}

test.each([
  ["pixel-shuffle", 34.4, 14.2],
  ["carafe", 1.5, 0.4],
  ["sapa-b", 1.0, 0.1],
] as const)("six stages of %s cost what the paper prints: %d G, %d M parameters", (name, paperG, paperM) => {
  const { gMacs, parameters: count } = six(createUpsampler(name, 256));
  expect(gMacs.toFixed(1)).toBe(paperG.toFixed(1));
  expect((count / 1e6).toFixed(1)).toBe(paperM.toFixed(1));
});

test("six stages of fade cost what the paper prints, 2.7 G and 0.3 M, with the gate's two products per output element", () => {
  const { gMacs, parameters: count } = six(createUpsampler("fade", 256));
  const blended = stages.reduce((total, side) => total + 2 * 256 * (2 * side) ** 2, 0);
  expect((gMacs + blended / 1e9).toFixed(1)).toBe("2.7");
  expect((count / 1e6).toFixed(1)).toBe("0.3");
});

test("six transposed convolutions of 3 x 3 have the paper's parameters; its 34.4 G count a whole kernel per output pixel", () => {
  const { gMacs, parameters: count } = six(new TransposedConv(256, { kernelSize: 3 }));
  expect((count / 1e6).toFixed(1)).toBe("3.5");
  expect((4 * gMacs).toFixed(1)).toBe("34.4");
});

test.each([
  ["dysample", 4, 49_152],
  ["dysample+", 4, 98_304],
  ["dysample-s", 8, 6_144],
  ["dysample-s+", 8, 12_288],
] as const)("six stages of %s have the paper's weights", (name, groups, weights) => {
  const up = createUpsampler(name, 256, { groups });
  const biases = up.namedParameters().get("offset.bias")!.size;
  expect(6 * (up.parameterCount - biases)).toBe(weights);
});

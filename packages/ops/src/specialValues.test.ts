import { apply, gradientsOf, ReferenceDevice, type Tensor, tensor, withDevice, zeros } from "@gridgrad/core";
import { describeDevices } from "@gridgrad/core/testing/devices";
import { keepsFinite } from "@gridgrad/core/testing/finiteExceptions";
import { describe, expect, test } from "vitest";

import { conv2d, type ConvOptions } from "./ops/conv2d.ts";
import { gridSample, gridSampleOp, type GridSampleOptions } from "./ops/gridSample.ts";
import { interpolate, type InterpolateOptions } from "./ops/interpolate.ts";
import { sampleAtOffsets } from "./ops/sampleAtOffsets.ts";

/** A row of pixels. */
const row = (...values: number[]): Tensor => tensor(values, [1, 1, 1, values.length]);

/** Grid positions along x, in a row of one pixel's height. */
const positions = (...gx: number[]): Tensor =>
  tensor(
    gx.flatMap((g) => [g, 0]),
    [1, 1, gx.length, 2],
  );

/** The values of a tensor; -0 is 0. */
const valuesOf = async (t: Tensor): Promise<number[]> => Array.from(await t.data(), (value) => value + 0);

/** The gradient by each of `xs`, for an incoming gradient of `dy`. */
async function gradients(f: (...xs: Tensor[]) => Tensor, xs: Tensor[], dy: number[]): Promise<number[][]> {
  const y = f(...xs);
  return Promise.all(gradientsOf(y, xs, tensor(dy, y.shape)).map((dx) => valuesOf(dx!)));
}

const sampled = (x: Tensor, grid: Tensor, options: GridSampleOptions = {}): Promise<number[]> =>
  valuesOf(gridSample(x, grid, options));

const resized = (x: Tensor, options: InterpolateOptions): Promise<number[]> => valuesOf(interpolate(x, options));

const paddings = ["zeros", "border", "reflection"] as const;

const cases: Readonly<Record<string, () => Promise<void>>> = {
  "gridSample in mode nearest reads one pixel": async () => {
    for (const paddingMode of paddings) {
      for (const value of [NaN, Infinity]) {
        const options = { mode: "nearest", paddingMode } as const;
        expect(await sampled(row(1, value), positions(-0.5, 0.5), options)).toEqual([1, value]);
        const [dx] = await gradients((x) => gridSample(x, positions(-0.5, 0.5), options), [row(1, 2)], [1, value]);
        expect(dx).toEqual([1, value]);
      }
    }
  },

  "gridSample in mode nearest reads nothing at a coordinate that is not finite, and the first pixel with border":
    async () => {
      const x = row(1, 2, NaN);
      const at = positions(NaN, 0, -Infinity);
      expect(await sampled(x, at, { mode: "nearest" })).toEqual([0, 2, 0]);
      expect(await sampled(x, at, { mode: "nearest", paddingMode: "border" })).toEqual([1, 2, 1]);
    },

  "gridSample takes a position of 2^127 for an infinite one": async () => {
    const at = positions(2e38, 1e38, -2e38);
    expect(await sampled(row(1, 2), at)).toEqual([NaN, 0, NaN]);
    expect(await sampled(row(1, 2), at, { paddingMode: "border" })).toEqual([2, 2, 1]);
    expect(await sampled(row(1, 2), at, { mode: "nearest" })).toEqual([0, 0, 0]);
  },

  "gridSample on the centre of a pixel reads the next one too, with weight 0": async () => {
    expect(await sampled(row(1, NaN, 3, 4), positions(-0.75, 0.25))).toEqual([NaN, 3]);
    expect(await sampled(row(1, 2, 3, Infinity), positions(0.25, 0.75))).toEqual([NaN, Infinity]);
    const f = (x: Tensor): Tensor => gridSample(x, positions(-0.75, 0.25));
    expect(await gradients(f, [row(1, 2, 3, 4)], [NaN, 1])).toEqual([[NaN, NaN, 1, 0]]);
    expect(await gradients(f, [row(1, 2, 3, 4)], [1, -Infinity])).toEqual([[1, 0, -Infinity, NaN]]);
  },

  "gridSample one pixel before the first reads that with weight 0": async () => {
    const f = (x: Tensor): Tensor => gridSample(x, positions(-1.25, 0.25));
    expect(await gradients(f, [row(1, 2, 3, 4)], [NaN, 1])).toEqual([[NaN, 0, 1, 0]]);
  },

  "a grid's gradient takes an incoming one that is not finite along, outside of the image too": async () => {
    for (const mode of ["bilinear", "bicubic"] as const) {
      const f = (grid: Tensor): Tensor => gridSample(row(1, 2, 3, 4), grid, { mode });
      const [dgrid] = await gradients(f, [positions(-5, -0.25)], [NaN, 0]);
      expect(dgrid.slice(0, 2)).toEqual([NaN, NaN]);
      expect(dgrid.slice(2)).toEqual([0, 0]);
    }
  },

  "bicubic weights a pixel at the border once for each of its taps": async () => {
    // At index -0.5 of a row, three taps are on the first pixel, of both signs, and one of a negative weight on the second.
    const x = zeros([1, 1, 4, 4]);
    const grid = tensor([-1, 0], [1, 1, 1, 2]);
    const f = (x: Tensor): Tensor => gridSample(x, grid, { mode: "bicubic", paddingMode: "border" });
    const [dx] = await gradients(f, [x], [Infinity]);
    expect(dx.slice(0, 4)).toEqual([NaN, Infinity, 0, 0]);
    expect(dx.slice(4, 8)).toEqual([NaN, -Infinity, 0, 0]);
  },

  "the slope of bilinear weights is a number at a coordinate that is NaN": async () => {
    const alongX = { mode: "bilinear", paddingMode: "zeros", alignCorners: false, orderX: 1, orderY: 0 } as const;
    expect(await valuesOf(apply(gridSampleOp, [row(1, 2, 3, 4), positions(NaN, 0)], alongX))).toEqual([0, 2]);
  },

  "conv2d multiplies weights by the padding, too": async () => {
    const padded: ConvOptions = { padding: [0, 1] };
    const f = (x: Tensor, weight: Tensor): Tensor => conv2d(x, weight, null, padded);
    expect(await valuesOf(f(row(1, 2, 3), row(NaN, 1, 1)))).toEqual([NaN, NaN, NaN]);
    expect(await valuesOf(f(row(1, 2, 3), row(1, 1, Infinity)))).toEqual([Infinity, Infinity, NaN]);
    const [, dw] = await gradients(f, [row(1, 2, 3), row(1, 1, 1)], [Infinity, 0, 0]);
    expect(dw).toEqual([NaN, Infinity, Infinity]);
  },

  "conv2d multiplies gradients by rows of padding, too": async () => {
    const f = (x: Tensor, weight: Tensor): Tensor => conv2d(x, weight, null, { padding: [1, 0] });
    const [dx, dw] = await gradients(f, [row(1, 2), tensor([1, 1, 1], [1, 1, 3, 1])], [NaN, 1]);
    expect(dx).toEqual([NaN, 1]);
    expect(dw).toEqual([NaN, NaN, NaN]);
  },

  "interpolate on the centre of a pixel reads the next one too, with weight 0": async () => {
    const aligned = { mode: "bilinear", size: [1, 5], alignCorners: true } as const;
    expect(await resized(row(1, NaN, 3), aligned)).toEqual([NaN, NaN, NaN, NaN, 3]);
    const f = (x: Tensor): Tensor => interpolate(x, aligned);
    expect(await gradients(f, [row(1, 2, 3)], [NaN, 0, 0, 0, 0])).toEqual([[NaN, NaN, 0]]);
    expect(await gradients(f, [row(1, 2, 3)], [0, 0, 0, 0, Infinity])).toEqual([[0, 0, NaN]]);
  },

  "interpolate finds the centres of pixels exactly": async () => {
    const x = tensor([1, Infinity, 1, Infinity], [1, 1, 2, 2]);
    for (const by of [{ size: [4, 6] }, { scaleFactor: [2, 3] }] as const) {
      const y = await resized(x, { mode: "bilinear", ...by });
      expect(y.slice(6, 12)).toEqual([NaN, NaN, Infinity, Infinity, NaN, Infinity]);
    }
    const wide = await resized(row(NaN, 2), { mode: "bilinear", size: [1, 98] });
    expect(wide[73]).toBe(2); // at (73 + 0.5) 2 / 98 - 0.5 = 1
  },

  "interpolate gives gradients back to the pixels that it has read, and to no others": async () => {
    const bicubic = (x: Tensor): Tensor => interpolate(x, { mode: "bicubic", size: [1, 8] });
    const [dx] = await gradients(bicubic, [row(1, 2, 3, 4)], [NaN, 0, 0, 0, 0, 0, 0, 0]);
    expect(dx).toEqual([NaN, NaN, 0, 0]); // index -0.25 reads pixels -2 to 1
    const bilinear = (x: Tensor): Tensor => interpolate(x, { mode: "bilinear", size: [1, 16] });
    const [ofFirst] = await gradients(bilinear, [row(1, 2)], [NaN, ...Array.from({ length: 15 }, () => 0)]);
    expect(ofFirst).toEqual([NaN, NaN]); // clamped to the first pixel's centre
  },

  "offsets get a slope from an image that is not finite, also where they are clamped": async () => {
    const f = (offsets: Tensor): Tensor => sampleAtOffsets(row(1, NaN, 3), offsets, 1);
    const offsets = tensor([0.25, -9, 9, 0, 0, 0], [1, 2, 1, 3]); // along x, then along y
    const [doffsets] = await gradients(f, [offsets], [1, 1, 1]);
    expect(doffsets).toEqual([NaN, NaN, 0, NaN, NaN, 0]);
  },
};

describe("special values come out where the loops", () => {
  for (const [title, body] of Object.entries(cases)) test(title, () => withDevice(new ReferenceDevice(), body));
});

describeDevices((device) => {
  if (!keepsFinite(device.name)) return void test.skip("special values: none is promised, see docs/5-gpu.md", () => {});
  describe("special values", () => {
    for (const [title, body] of Object.entries(cases)) test(title, () => withDevice(device, body));
  });
});

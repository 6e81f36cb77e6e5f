import { dims } from "@gridgrad/core/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { GridSampleTaps, type SamplingAttrs, weightDegree } from "./gridSampleTaps.ts";

const samplings = fc.record({
  mode: fc.constantFrom("bilinear", "nearest", "bicubic"),
  paddingMode: fc.constantFrom("zeros", "border", "reflection"),
  alignCorners: fc.boolean(),
});
const coordinates = fc.double({ min: -5, max: 5, noNaN: true });

/** Weights of one sample of an image of H by W, after differentiating orderX times by x and orderY times by y. */
function weightsAt(
  sampling: Omit<SamplingAttrs, "orderX" | "orderY">,
  [H, W]: number[],
  grid: number[],
  orders: number[],
) {
  const [orderX, orderY] = orders;
  const taps = new GridSampleTaps([{ ...sampling, orderX, orderY }], [1, 1, H, W], 1);
  taps.locate(Float64Array.from(grid), 0);
  return { pixels: taps.offsets.map(([at]) => at), weights: taps.weights[0].map(([weight]) => weight) };
}

describe("GridSampleTaps", () => {
  test("lie on pixels of the image or on its zeros, and their weights add up to 1", () => {
    fc.assert(
      fc.property(samplings, dims(), dims(), coordinates, coordinates, (sampling, H, W, gx, gy) => {
        const { pixels, weights } = weightsAt(sampling, [H, W], [gx, gy], [0, 0]);
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
        for (const at of pixels) {
          expect(at).toBeGreaterThanOrEqual(0);
          expect(at).toBeLessThan((H + 1) * (W + 1));
        }
      }),
    );
  });

  test("have derivatives that add up to 0, of every order up to the degree; those above are 0", () => {
    fc.assert(
      fc.property(samplings, coordinates, coordinates, dims(0, 4), dims(0, 4), (sampling, gx, gy, orderX, orderY) => {
        fc.pre(orderX + orderY > 0);
        const { weights } = weightsAt(sampling, [3, 4], [gx, gy], [orderX, orderY]);
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(0, 10);
        if (Math.max(orderX, orderY) > weightDegree(sampling.mode)) {
          expect(weights.every((weight) => weight === 0)).toBe(true);
        }
      }),
    );
  });

  test("are as many as a mode has, in fours", () => {
    const sampling = { paddingMode: "zeros", alignCorners: false } as const;
    const count = (mode: SamplingAttrs["mode"]): number =>
      weightsAt({ ...sampling, mode }, [4, 4], [0, 0], [0, 0]).weights.length;
    expect([count("nearest"), count("bilinear"), count("bicubic")]).toEqual([4, 4, 16]);
    expect(["nearest", "bilinear", "bicubic"].map((mode) => weightDegree(mode as SamplingAttrs["mode"]))).toEqual([
      0, 1, 3,
    ]);
  });

  test("in pixels lie where the same positions lie in half images, with derivatives by the position", () => {
    fc.assert(
      fc.property(samplings, fc.integer({ min: -96, max: 160 }), dims(0, 1), (sampling, k, order) => {
        fc.pre(order <= weightDegree(sampling.mode));
        const p = (2 * k + 1) / 32; // an eighth image width or height is a pixel: exact
        const g = sampling.alignCorners ? p / 4 - 1 : (2 * p + 1) / 8 - 1;
        const size = sampling.alignCorners ? 9 : 8;
        const normalised = weightsAt(sampling, [size, size], [g, 0], [order, 0]);
        const taps = new GridSampleTaps([{ ...sampling, orderX: order, orderY: 0 }], [1, 1, size, size], 1, {
          inPixels: true,
        });
        taps.locate(Float64Array.of(p, (size - 1) / 2), 0);
        expect(taps.offsets.map(([at]) => at)).toEqual(normalised.pixels);
        // dp/dg is 4: half of the 8 pixels that g = -1 and 1 are apart.
        const weights = taps.weights[0].map(([weight]) => weight * 4 ** order);
        weights.forEach((weight, i) => expect(weight).toBeCloseTo(normalised.weights[i], 12));
      }),
    );
  });
});

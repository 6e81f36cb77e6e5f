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
});

import { add, mul, neg, tensor } from "@gridgrad/core";
import { reals, shapes, u64 } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { erf, erfOf } from "./erf.ts";

/** x and erf x, computed with 50 digits and rounded to float64. In each of the three ranges, at their ends, and where digits are easily lost. */
const exact: readonly (readonly [number, number])[] = [
  [1e-300, 1.1283791670955126e-300],
  [0.001, 0.0011283787909692365],
  [0.1, 0.1124629160182849],
  [0.25, 0.27632639016823696],
  [0.46875, 0.49261347321793797],
  [0.5, 0.5204998778130465],
  [0.52753, 0.5443567964468488],
  [0.75, 0.7111556336535151],
  [1, 0.8427007929497149],
  [1.5, 0.9661051464753108],
  [2, 0.9953222650189527],
  [3, 0.9999779095030014],
  [4, 0.9999999845827421],
  [4.5, 0.9999999998033839],
  [5.5, 0.9999999999999927],
];

describeOp(erf, {
  byHand: {
    "runs from -1 over 0 to 1": async () => {
      expect(await erf(tensor([-Infinity, -7, 0, 7, Infinity, NaN])).array()).toEqual([-1, -1, 0, 1, 1, NaN]);
    },
    "agrees with known values to 2 units in the last place": () => {
      // 4 u64 |y|: a unit in the last place is at most 2 u64 |y|.
      for (const [x, y] of exact) expect(Math.abs(erfOf(x) - y)).toBeLessThanOrEqual(4 * u64 * y);
    },
  },

  golden: {
    cases: ["network/activation/gelu", "arithmetic/activation/gelu_none"],
    run({ x }, attrs) {
      attrs.word("approximate", ["none"]);
      return mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1));
    },
  },

  laws: {
    "is odd": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => reals(shape, { min: -6, max: 6 })),
          async (x) => {
            const opposite = await neg(erf(neg(x))).data();
            expect(await add(erf(x), 0).data()).toEqual(opposite.map((value) => value + 0)); // 0 for -0
          },
        ),
      ),
    "rises, and stays within -1 and 1": () =>
      fc.assert(
        fc.property(
          fc.double({ min: -6, max: 6, noNaN: true }),
          fc.double({ min: 0.001, max: 1, noNaN: true }),
          (x, step) => {
            expect(erfOf(x + step)).toBeGreaterThanOrEqual(erfOf(x));
            expect(Math.abs(erfOf(x))).toBeLessThanOrEqual(1);
          },
        ),
      ),
    "has no jump where one approximation takes over from another": () => {
      for (const x of [0.5, 4]) {
        const above = x * (1 + 2 * u64); // the next number
        // Its slope is at most 2/√π, so it rises by less than 4 u64; each side is off by 4 u64 at most.
        expect(Math.abs(erfOf(above) - erfOf(x))).toBeLessThanOrEqual(12 * u64);
      }
    },
  },

  gradients: {
    "any shape": { f: erf, inputs: shapes().chain((shape) => fc.tuple(reals(shape))) },
  },

  errors: {
    "an int32 tensor": () => {
      expect(() => erf(tensor([1], [1], { dtype: "int32" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: erf: inputs must share one floating dtype (x.cast("float32") converts), got int32]`,
      );
    },
  },
});

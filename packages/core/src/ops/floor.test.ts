import fc from "fast-check";
import { expect } from "vitest";

import { tensor } from "../leaf.ts";
import { reals, shapes } from "../testing/arbitraries.ts";
import { describeOp } from "../testing/describeOp.ts";
import { add } from "./add.ts";
import { floor } from "./floor.ts";
import { sub } from "./sub.ts";

/** Multiples of 2^-10 in float32: sums with small integers are exact. */
const numbers = shapes().chain((shape) => reals(shape, { dtype: "float32" }));

describeOp(floor, {
  byHand: {
    "rounds down, negative numbers too": async () => {
      expect(await floor(tensor([1.5, -1.5, 2, -2, 0.999])).array()).toEqual([1, -2, 2, -2, 0]);
    },
    "keeps the sign of zero, infinities and NaN": async () => {
      expect(await floor(tensor([-0, Infinity, -Infinity, NaN])).array()).toEqual([-0, Infinity, -Infinity, NaN]);
    },
  },

  golden: { cases: ["arithmetic/arithmetic/floor", "arithmetic/arithmetic/floor_ties"], run: ({ x }) => floor(x) },

  laws: {
    "leaves a fraction in [0, 1)": () =>
      fc.assert(
        fc.asyncProperty(numbers, async (x) => {
          for (const fraction of await sub(x, floor(x)).data()) {
            expect(fraction).toBeGreaterThanOrEqual(0);
            expect(fraction).toBeLessThan(1);
          }
        }),
      ),
    "moves with whole numbers": () =>
      fc.assert(
        fc.asyncProperty(numbers, fc.integer({ min: -8, max: 8 }), async (x, n) => {
          expect(await floor(add(x, n)).array()).toEqual(await add(floor(x), n).array());
        }),
      ),
  },

  gradients: {
    "zero between the steps": {
      f: floor,
      inputs: shapes().chain((shape) => fc.tuple(reals(shape, { kinks: [-2, -1, 0, 1, 2] }))),
    },
  },

  errors: {
    "an int32 tensor, which is whole already": () => {
      expect(() => floor(tensor([1], [1], { dtype: "int32" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: floor: inputs must share one floating dtype (x.cast("float32") converts), got int32]`,
      );
    },
  },
});

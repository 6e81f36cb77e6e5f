import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { tensor } from "../leaf.ts";
import { reals, shapes } from "../testing/arbitraries.ts";
import { describeOp } from "../testing/describeOp.ts";
import { float32Limit, u64 } from "../testing/tolerance.ts";
import { add } from "./add.ts";
import { neg } from "./neg.ts";
import { sigmoid } from "./sigmoid.ts";
import { sum } from "./sum.ts";

describeOp(sigmoid, {
  byHand: {
    "is one half at 0, and runs from 0 to 1": async () => {
      expect(await sigmoid(tensor([0, -Infinity, Infinity, NaN])).array()).toEqual([0.5, 0, 1, NaN]);
    },
    "ends in 0 and 1, not in NaN, where e^-x overflows": async () => {
      expect(await sigmoid(tensor([-1000, 1000], [2], { dtype: "float64" })).array()).toEqual([0, 1]);
    },
    "has the slope 1/4 at 0, and none far away": async () => {
      const x = tensor([0, -1000, 1000]);
      const [dx] = grad(sum(sigmoid(x)), [x]);
      expect(await dx.array()).toEqual([0.25, 0, 0]);
    },
  },

  golden: { cases: ["network/activation/sigmoid", "arithmetic/activation/sigmoid"], run: ({ x }) => sigmoid(x) },

  laws: {
    "is e^x / (1 + e^x) to the last digits, however small": () =>
      fc.assert(
        fc.asyncProperty(fc.double({ min: -80, max: -30, noNaN: true }), async (x) => {
          const y = await sigmoid(tensor(x, [], { dtype: "float64" })).item();
          const exact = Math.exp(x) / (1 + Math.exp(x));
          // Each side: an exponential, off by at most 2 u64, a sum and a quotient.
          expect(Math.abs(y - exact)).toBeLessThanOrEqual(8 * u64 * exact);
        }),
      ),
    "of x and of -x add up to 1": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => reals(shape, { min: -20, max: 20, dtype: "float32" })),
          async (x) => {
            for (const total of await add(sigmoid(x), sigmoid(neg(x))).data()) {
              expect(Math.abs(total - 1)).toBeLessThanOrEqual(float32Limit(3, 1));
            }
          },
        ),
      ),
  },

  gradients: {
    "any shape": { f: sigmoid, inputs: shapes().chain((shape) => fc.tuple(reals(shape))) },
  },

  errors: {
    "an int32 tensor": () => {
      expect(() => sigmoid(tensor([1], [1], { dtype: "int32" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: sigmoid: inputs must share one floating dtype (x.cast("float32") converts), got int32]`,
      );
    },
  },
});

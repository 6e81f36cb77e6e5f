import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { tensor } from "../leaf.ts";
import { reals, shapes } from "../testing/arbitraries.ts";
import { describeOp } from "../testing/describeOp.ts";
import { float32Limit } from "../testing/tolerance.ts";
import { mul } from "./mul.ts";
import { neg } from "./neg.ts";
import { sigmoid } from "./sigmoid.ts";
import { sub } from "./sub.ts";
import { sum } from "./sum.ts";
import { tanh } from "./tanh.ts";

describeOp(tanh, {
  byHand: {
    "is 0 at 0, and runs from -1 to 1": async () => {
      expect(await tanh(tensor([0, -Infinity, Infinity, NaN])).array()).toEqual([0, -1, 1, NaN]);
    },
    "keeps numbers too small to bend": async () => {
      expect(await tanh(tensor([1e-30, -1e-30])).data()).toEqual(new Float32Array([1e-30, -1e-30]));
    },
    "has the slope 1 at 0, and none far away": async () => {
      const x = tensor([0, -1000, 1000]);
      const [dx] = grad(sum(tanh(x)), [x]);
      expect(await dx.array()).toEqual([1, 0, 0]);
    },
  },

  golden: { cases: ["network/activation/tanh", "arithmetic/activation/tanh"], run: ({ x }) => tanh(x) },

  laws: {
    "is odd": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => reals(shape, { dtype: "float32" })),
          async (x) => {
            expect(await tanh(neg(x)).array()).toEqual(await neg(tanh(x)).array());
          },
        ),
      ),
    "is the sigmoid of twice the argument, stretched to (-1, 1)": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => reals(shape, { dtype: "float32" })),
          async (x) => {
            const y = await tanh(x).data();
            const stretched = await sub(mul(sigmoid(mul(x, 2)), 2), 1).data();
            // The rounding of the sigmoid counts twice, then those of the difference and of tanh.
            y.forEach((value, i) => expect(Math.abs(value - stretched[i])).toBeLessThanOrEqual(float32Limit(4, 1)));
          },
        ),
      ),
  },

  gradients: {
    "any shape": { f: tanh, inputs: shapes().chain((shape) => fc.tuple(reals(shape))) },
  },

  errors: {
    "an int32 tensor": () => {
      expect(() => tanh(tensor([1], [1], { dtype: "int32" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: tanh: inputs must share one floating dtype (x.cast("float32") converts), got int32]`,
      );
    },
  },
});

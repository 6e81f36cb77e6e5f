import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { tensor } from "../leaf.ts";
import { broadcasting, integers, reals, shapes } from "../testing/arbitraries.ts";
import { describeOp } from "../testing/describeOp.ts";
import { float32Limit } from "../testing/tolerance.ts";
import { add } from "./add.ts";
import { exp } from "./exp.ts";
import { log } from "./log.ts";
import { mul } from "./mul.ts";
import { sum } from "./sum.ts";

const positive = { min: 0.5, max: 4 } as const;

describeOp(log, {
  byHand: {
    "is 0 at 1, and has no value below 0": async () => {
      expect(await log(tensor([1, 0, -0, Infinity, -1, NaN])).array()).toEqual([
        0,
        -Infinity,
        -Infinity,
        Infinity,
        NaN,
        NaN,
      ]);
    },
    "has the slope 1/x, infinite at 0": async () => {
      const x = tensor([4, 0]);
      const [dx] = grad(sum(log(x)), [x]);
      expect(await dx.array()).toEqual([0.25, Infinity]);
    },
  },

  golden: { cases: ["arithmetic/arithmetic/log"], run: ({ x }) => log(x) },

  laws: {
    "makes sums of products": () =>
      fc.assert(
        fc.asyncProperty(
          broadcasting(2).chain(({ shapes: [a, b] }) => fc.tuple(integers(a, { min: 1 }), integers(b, { min: 1 }))),
          async ([a, b]) => {
            const whole = await log(mul(a, b)).data(); // the product itself is exact
            const parts = await add(log(a), log(b)).data();
            parts.forEach((part, i) => {
              expect(Math.abs(whole[i] - part)).toBeLessThanOrEqual(float32Limit(4, part));
            });
          },
        ),
      ),
    "undoes exp": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => reals(shape, { dtype: "float32" })),
          async (x) => {
            const values = await x.data();
            const back = await log(exp(x)).data();
            back.forEach((value, i) => {
              // The rounding of e^x, a fraction of it, arrives as a difference of the logarithm; then that is rounded.
              expect(Math.abs(value - values[i])).toBeLessThanOrEqual(
                float32Limit(2, Math.max(1, Math.abs(values[i]))),
              );
            });
          },
        ),
      ),
  },

  gradients: {
    "positive elements": { f: log, inputs: shapes().chain((shape) => fc.tuple(reals(shape, positive))) },
  },

  errors: {
    "an int32 tensor": () => {
      expect(() => log(tensor([1], [1], { dtype: "int32" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: log: inputs must share one floating dtype (x.cast("float32") converts), got int32]`,
      );
    },
  },
});

import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { tensor } from "../leaf.ts";
import { broadcasting, reals, shapes } from "../testing/arbitraries.ts";
import { describeOp } from "../testing/describeOp.ts";
import { float32Limit } from "../testing/tolerance.ts";
import { add } from "./add.ts";
import { exp } from "./exp.ts";
import { mul } from "./mul.ts";
import { sum } from "./sum.ts";

const float32 = { dtype: "float32" } as const;

describeOp(exp, {
  byHand: {
    "is 1 at 0, and runs from 0 to infinity": async () => {
      expect(await exp(tensor([0, -Infinity, Infinity, NaN])).array()).toEqual([1, 0, Infinity, NaN]);
    },
    "overflows where the largest float32 ends, between 88 and 89": async () => {
      const [below, above] = await exp(tensor([88, 89])).data();
      expect(below).toBeLessThan(Infinity);
      expect(above).toBe(Infinity);
    },
    "is its own slope": async () => {
      const x = tensor([1.5]);
      const y = exp(x);
      const [dx] = grad(sum(y), [x]);
      expect(await dx.item()).toBe(await y.item());
    },
  },

  golden: { cases: ["arithmetic/arithmetic/exp"], run: ({ x }) => exp(x) },

  laws: {
    "makes products of sums": () =>
      fc.assert(
        fc.asyncProperty(
          broadcasting(2).chain(({ shapes: [a, b] }) => fc.tuple(reals(a, float32), reals(b, float32))),
          async ([a, b]) => {
            const sums = await exp(add(a, b)).data(); // the sum itself is exact
            const products = await mul(exp(a), exp(b)).data();
            products.forEach((product, i) => {
              expect(Math.abs(sums[i] - product)).toBeLessThanOrEqual(float32Limit(4, product));
            });
          },
        ),
      ),
  },

  gradients: {
    "any shape": { f: exp, inputs: shapes().chain((shape) => fc.tuple(reals(shape))) },
  },

  errors: {
    "an int32 tensor": () => {
      expect(() => exp(tensor([1], [1], { dtype: "int32" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: exp: inputs must share one floating dtype (x.cast("float32") converts), got int32]`,
      );
    },
  },
});

import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { tensor } from "../leaf.ts";
import { integers, reals, shapes } from "../testing/arbitraries.ts";
import { describeOp } from "../testing/describeOp.ts";
import { abs } from "./abs.ts";
import { mul } from "./mul.ts";
import { sqrt } from "./sqrt.ts";
import { sum } from "./sum.ts";

describeOp(sqrt, {
  byHand: {
    "takes the root, and has no value below 0": async () => {
      expect(await sqrt(tensor([4, 2.25, 0, -1])).array()).toEqual([2, 1.5, 0, NaN]);
    },
    "keeps the sign of zero, and infinity": async () => {
      expect(await sqrt(tensor([-0, Infinity, NaN])).array()).toEqual([-0, Infinity, NaN]);
    },
    "has the slope 1/2√x, infinite at 0": async () => {
      const x = tensor([4, 0]);
      const [dx] = grad(sum(sqrt(x)), [x]);
      expect(await dx.array()).toEqual([0.25, Infinity]);
    },
  },

  golden: { cases: ["arithmetic/arithmetic/sqrt"], run: ({ x }) => sqrt(x) },

  laws: {
    "undoes a square, up to the sign": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => integers(shape)),
          async (x) => {
            expect(await sqrt(mul(x, x)).array()).toEqual(await abs(x).array());
          },
        ),
      ),
    "doubles when its argument is quadrupled": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => reals(shape, { min: 0, dtype: "float32" })),
          async (x) => {
            expect(await sqrt(mul(x, 4)).array()).toEqual(await mul(sqrt(x), 2).array());
          },
        ),
      ),
  },

  gradients: {
    "positive elements": { f: sqrt, inputs: shapes().chain((shape) => fc.tuple(reals(shape, { min: 0.5, max: 4 }))) },
  },

  errors: {
    "an int32 tensor": () => {
      expect(() => sqrt(tensor([1], [1], { dtype: "int32" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: sqrt: inputs must share one floating dtype (x.cast("float32") converts), got int32]`,
      );
    },
  },
});

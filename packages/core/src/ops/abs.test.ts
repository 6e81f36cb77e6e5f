import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { tensor } from "../leaf.ts";
import { broadcasting, integers, reals, shapes } from "../testing/arbitraries.ts";
import { describeOp } from "../testing/describeOp.ts";
import { abs } from "./abs.ts";
import { maximum } from "./maximum.ts";
import { mul } from "./mul.ts";
import { neg } from "./neg.ts";
import { sum } from "./sum.ts";

describeOp(abs, {
  byHand: {
    "leaves the smallest int32, which has no opposite, as it is": async () => {
      expect(await abs(tensor([-(2 ** 31)], [1], { dtype: "int32" })).array()).toEqual([-(2 ** 31)]);
    },
    "drops the sign": async () => {
      expect(await abs(tensor([-2, 3, -0, -Infinity, NaN])).array()).toEqual([2, 3, 0, Infinity, NaN]);
    },
    "takes int32": async () => {
      expect(await abs(tensor([-3], [1], { dtype: "int32" })).data()).toEqual(new Int32Array([3]));
    },
    "has the slope 0 at its kink": async () => {
      const x = tensor([-2, 0, 3]);
      const [dx] = grad(sum(abs(x)), [x]);
      expect(await dx.array()).toEqual([-1, 0, 1]);
    },
  },

  golden: { cases: ["arithmetic/arithmetic/abs", "arithmetic/arithmetic/abs_ties"], run: ({ x }) => abs(x) },

  laws: {
    "is the larger of x and -x": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => integers(shape)),
          async (x) => {
            expect(await abs(x).array()).toEqual(await maximum(x, neg(x)).array());
          },
        ),
      ),
    "of a product is the product of the absolute values": () =>
      fc.assert(
        fc.asyncProperty(
          broadcasting(2).chain(({ shapes: [a, b] }) => fc.tuple(integers(a), integers(b))),
          async ([a, b]) => {
            expect(await abs(mul(a, b)).array()).toEqual(await mul(abs(a), abs(b)).array());
          },
        ),
      ),
  },

  gradients: {
    "away from the kink at 0": { f: abs, inputs: shapes().chain((shape) => fc.tuple(reals(shape, { kinks: [0] }))) },
  },

  errors: {
    "something that is no tensor": () => {
      expect(() => abs([1] as never)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: abs: argument 0 must be a Tensor, got an array of length 1; tensor(..) makes one of numbers]`,
      );
    },
  },
});

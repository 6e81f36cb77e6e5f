import fc from "fast-check";
import { expect } from "vitest";

import { tensor } from "../leaf.ts";
import { integers, reals, shapes } from "../testing/arbitraries.ts";
import { describeOp } from "../testing/describeOp.ts";
import { mul } from "./mul.ts";
import { neg } from "./neg.ts";

describeOp(neg, {
  byHand: {
    "leaves the smallest int32, which has no opposite, as it is": async () => {
      expect(await neg(tensor([-(2 ** 31)], [1], { dtype: "int32" })).array()).toEqual([-(2 ** 31)]);
    },
    "turns the sign around": async () => {
      expect(await neg(tensor([[1], [-2]])).array()).toEqual([[-1], [2]]);
    },
    "turns the sign of zero and infinity around, too": async () => {
      expect(await neg(tensor([0, -0, Infinity, NaN])).array()).toEqual([-0, 0, -Infinity, NaN]);
    },
    "negates int32": async () => {
      expect(await neg(tensor([3], [1], { dtype: "int32" })).data()).toEqual(new Int32Array([-3]));
    },
  },

  golden: { cases: ["arithmetic/arithmetic/neg"], run: ({ x }) => neg(x) },

  laws: {
    "undoes itself": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => integers(shape)),
          async (x) => {
            expect(await neg(neg(x)).array()).toEqual(await x.array());
          },
        ),
      ),
    "is the product with -1": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => integers(shape)),
          async (x) => {
            expect(await neg(x).array()).toEqual(await mul(x, -1).array());
          },
        ),
      ),
  },

  gradients: {
    "any shape": { f: neg, inputs: shapes().chain((shape) => fc.tuple(reals(shape))) },
  },

  errors: {
    "something that is no tensor": () => {
      expect(() => neg(1 as never)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: neg: argument 0 must be a Tensor, got 1; tensor(..) makes one of numbers]`,
      );
    },
  },
});

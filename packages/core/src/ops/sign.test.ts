import fc from "fast-check";
import { expect } from "vitest";

import { tensor } from "../leaf.ts";
import { broadcasting, integers, reals, shapes } from "../testing/arbitraries.ts";
import { describeOp } from "../testing/describeOp.ts";
import { abs } from "./abs.ts";
import { mul } from "./mul.ts";
import { sign } from "./sign.ts";

describeOp(sign, {
  byHand: {
    "is -1, 0 or 1": async () => {
      expect(await sign(tensor([-2, 0, 0.5, -Infinity, NaN])).array()).toEqual([-1, 0, 1, -1, NaN]);
    },
    "takes int32": async () => {
      expect(await sign(tensor([-3], [1], { dtype: "int32" })).data()).toEqual(new Int32Array([-1]));
    },
  },

  golden: { cases: ["arithmetic/arithmetic/sign", "arithmetic/arithmetic/sign_ties"], run: ({ x }) => sign(x) },

  laws: {
    "times the absolute value is the number": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => integers(shape)),
          async (x) => {
            expect(await mul(sign(x), abs(x)).array()).toEqual(await x.array());
          },
        ),
      ),
    "of a product is the product of the signs": () =>
      fc.assert(
        fc.asyncProperty(
          broadcasting(2).chain(({ shapes: [a, b] }) => fc.tuple(integers(a), integers(b))),
          async ([a, b]) => {
            expect(await sign(mul(a, b)).array()).toEqual(await mul(sign(a), sign(b)).array());
          },
        ),
      ),
  },

  gradients: {
    "zero on both sides of the step": {
      f: sign,
      inputs: shapes().chain((shape) => fc.tuple(reals(shape, { kinks: [0] }))),
    },
  },

  errors: {
    "something that is no tensor": () => {
      expect(() => sign(null as never)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: sign: argument 0 must be a Tensor, got null]`,
      );
    },
  },
});

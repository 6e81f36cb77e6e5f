import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { tensor } from "../leaf.ts";
import { integers, reals, shapes } from "../testing/arbitraries.ts";
import { describeOp } from "../testing/describeOp.ts";
import { cast } from "./cast.ts";
import { less } from "./compare.ts";
import { mul } from "./mul.ts";
import { sub } from "./sub.ts";
import { sum } from "./sum.ts";

describeOp(cast, {
  byHand: {
    "rounds to float32": async () => {
      const x = tensor([0.1, 1e300], [2], { dtype: "float64" });
      expect(await cast(x, "float32").data()).toEqual(new Float32Array([0.1, Infinity]));
    },
    "cuts fractions off, towards zero": async () => {
      expect(await cast(tensor([1.7, -1.7, 2]), "int32").data()).toEqual(new Int32Array([1, -1, 2]));
    },
    "wraps what int32 cannot hold, and makes 0 of what is no number": async () => {
      const x = tensor([2 ** 31, 2 ** 32 + 5, NaN, Infinity], [4], { dtype: "float64" });
      expect(await cast(x, "int32").data()).toEqual(new Int32Array([-(2 ** 31), 5, 0, 0]));
    },
    "wraps numbers of float32 as those of float64": async () => {
      const x = tensor([2 ** 31, -(2 ** 31), 3e9, -3e9, 2 ** 40 + 2 ** 17, 2 ** 60, 3e38, -Infinity, Infinity, NaN]);
      const wrapped = [-(2 ** 31), -(2 ** 31), 3e9 - 2 ** 32, 2 ** 32 - 3e9, 2 ** 17, 0, 0, 0, 0, 0];
      expect(await cast(x, "int32").array()).toEqual(wrapped);
    },
    "to the type that a tensor has is that tensor": () => {
      const x = tensor([1]);
      expect(cast(x, "float32")).toBe(x);
    },
  },

  golden: {
    // Every cast to int32 and back, against PyTorch's floor: cutting off is rounding down, except below zero.
    cases: ["arithmetic/arithmetic/floor", "arithmetic/arithmetic/floor_ties"],
    run: ({ x }) => {
      const whole = cast(cast(x, "int32"), x.dtype);
      return sub(whole, less(x, whole));
    },
  },

  laws: {
    "to a wider type and back changes nothing": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => reals(shape, { dtype: "float32" })),
          async (x) => {
            expect(await cast(cast(x, "float64"), "float32").data()).toEqual(await x.data());
          },
        ),
      ),
    "keeps integers in every type": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => integers(shape)),
          async (x) => {
            expect(await cast(cast(cast(x, "int32"), "float64"), "float32").data()).toEqual(await x.data());
          },
        ),
      ),
    "hands the gradient on, in the type of x": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => fc.tuple(integers(shape), integers(shape, { dtype: "float64" }))),
          async ([x, weights]) => {
            const [dx] = grad(sum(mul(cast(x, "float64"), weights)), [x]);
            expect(dx.dtype).toBe("float32");
            expect(await dx.array()).toEqual(await weights.array());
          },
        ),
      ),
    "to int32 has no gradient": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => integers(shape)),
          async (x) => {
            const y = sum(mul(cast(cast(x, "int32"), "float32"), x));
            const [dx] = grad(y, [x]);
            expect(await dx.array()).toEqual(await x.array()); // not 2x: only the factor beside the cast counts
          },
        ),
      ),
  },

  gradients: {
    none: "float32 has too few digits for differences, so a law says what the gradient is",
    cases: {
      "to float64 and back": {
        f: (x) => cast(mul(cast(x, "float64"), 1.5), "float32"),
        inputs: shapes().chain((shape) => fc.tuple(integers(shape))),
      },
    },
  },

  errors: {
    "a type that does not exist": () => {
      expect(() => cast(tensor([1]), "float16" as never)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: cast: dtype must be "float32", "float64" or "int32", got "float16"]`,
      );
    },
  },
});

import { add, div, grad, mean, mul, sqrt, sub, sum, tensor } from "@gridgrad/core";
import { integers, reals, shapes } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { expectSame } from "../testing/expectSame.ts";
import { variance } from "./variance.ts";

/** A tensor and some of its axes. */
const grouped = shapes({ minRank: 1, minDim: 1 }).chain((shape) =>
  fc.tuple(reals(shape), fc.subarray(shape.map((_, axis) => axis))),
);

describeOp(variance, {
  byHand: {
    "is the mean squared distance from the mean, along rows or columns": async () => {
      const x = tensor([
        [1, 3],
        [5, 9],
      ]);
      expect(await variance(x, [1]).array()).toEqual([[1], [4]]);
      expect(await variance(x, [0]).array()).toEqual([[4, 9]]);
      expect(await variance(x, [0, 1]).array()).toEqual([[8.75]]);
    },
    "keeps its digits beside a mean that is a million times larger": async () => {
      expect(await variance(tensor([1e6, 1e6 + 1, 1e6, 1e6 + 1]), [0]).array()).toEqual([0.25]);
    },
    "of single elements is 0": async () => {
      expect(await variance(tensor([7, 8]), []).array()).toEqual([0, 0]);
    },
  },

  golden: {
    cases: ["arithmetic/norm/layer_norm_plain"],
    run({ x }, attrs) {
      expect(attrs.numbers("normalized_shape")).toEqual(x.shape.slice(1));
      const spread = sqrt(add(variance(x, [1, 2]), attrs.number("eps")));
      return div(sub(x, mean(x, [1, 2], { keepdim: true })), spread);
    },
  },

  laws: {
    "is the mean of the squares without the square of the mean": () =>
      fc.assert(
        fc.asyncProperty(grouped, async ([x, axes]) => {
          const average = mean(x, axes, { keepdim: true });
          await expectSame(variance(x, axes), sub(mean(mul(x, x), axes, { keepdim: true }), mul(average, average)));
        }),
      ),
    "does not change with a shift and grows with the square of a factor, exactly on integers": () =>
      fc.assert(
        fc.asyncProperty(integers([4, 2]), fc.integer({ min: -8, max: 8 }), async (x, a) => {
          expect(await variance(add(x, a), [0]).array()).toEqual(await variance(x, [0]).array());
          expect(await variance(mul(x, a), [0]).array()).toEqual(await mul(variance(x, [0]), a * a).array());
        }),
      ),
    "has a gradient that sums to 0 in each group": () =>
      fc.assert(
        fc.asyncProperty(grouped, async ([x, axes]) => {
          const [dx] = grad(sum(variance(x, axes)), [x]);
          const v = variance(x, axes);
          await expectSame(sum(dx, axes, { keepdim: true }), sub(v, v));
        }),
      ),
  },

  gradients: {
    rows: { f: (x) => variance(x, [-1]), inputs: fc.tuple(reals([2, 4])) },
    "the outer axes of an image": { f: (x) => variance(x, [0, 2, 3]), inputs: fc.tuple(reals([2, 3, 2, 2])) },
  },

  errors: {
    "an axis that does not exist": () => {
      expect(() => variance(tensor([1, 2]), [1])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: variance: dim must be an integer in [-1, 0], got dim 1 for x of shape [2]]`,
      );
    },
    "an int32 tensor": () => {
      expect(() => variance(tensor([1], [1], { dtype: "int32" }), [0])).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: variance: inputs must share one floating dtype (x.cast("float32") converts), got int32]`,
      );
    },
  },
});

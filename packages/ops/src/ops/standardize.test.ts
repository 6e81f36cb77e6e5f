import { add, apply, div, grad, mean, mul, neg, permute, sub, sum, tensor, zeros } from "@gridgrad/core";
import { reals } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { expectSame } from "../testing/expectSame.ts";
import { spread } from "../testing/spread.ts";
import { standardize, standardizeInputOp } from "./standardize.ts";
import { variance } from "./variance.ts";

/** Axes to reduce of a tensor [2, 3, 2, 2]: those of batchNorm2d, groupNorm and layerNorm, and others. */
const axes = fc.constantFrom([0, 2, 3], [2, 3], [1, 2, 3], [0], [1], [0, 2], [0, 1, 2, 3]);
const shape = [2, 3, 2, 2];

describeOp(standardize, {
  byHand: {
    "makes each row mean 0 and variance 1": async () => {
      const x = tensor([
        [1, 3],
        [10, 50],
      ]);
      expect(await standardize(x, [1], 0).array()).toEqual([
        [-1, 1],
        [-1, 1],
      ]);
      expect(await standardize(x, [0], 0).array()).toEqual([
        [-1, -1],
        [1, 1],
      ]);
    },
    "adds eps to the variance: 1 + 3 = 2²": async () => {
      expect(await standardize(tensor([4, 6]), [0], 3).array()).toEqual([-0.5, 0.5]);
    },
    "gives 0 for a constant group, and NaN without eps": async () => {
      expect(await standardize(tensor([5, 5]), [0], 1e-5).array()).toEqual([0, 0]);
      expect(await standardize(tensor([5, 5]), [0], 0).array()).toEqual([NaN, NaN]);
    },
    "keeps its digits beside a mean that is a million times larger": async () => {
      expect(await standardize(tensor([1e6, 1e6 + 2]), [0], 0).array()).toEqual([-1, 1]);
    },
  },

  golden: {
    cases: ["arithmetic/norm/layer_norm_plain"],
    run({ x }, attrs) {
      const normalized = attrs.numbers("normalized_shape");
      return standardize(
        x,
        normalized.map((_, i) => i - normalized.length),
        attrs.number("eps"),
      );
    },
  },

  laws: {
    "has mean 0 and variance v / (v + eps)": () =>
      fc.assert(
        fc.asyncProperty(spread(shape), axes, fc.constantFrom(0, 1e-5, 1), async (x, axes, eps) => {
          const y = standardize(x, axes, eps);
          const v = variance(x, axes);
          await expectSame(mean(y, axes, { keepdim: true }), sub(v, v));
          await expectSame(variance(y, axes), div(v, add(v, eps)));
        }),
      ),
    "does not see a shift or a positive factor, and follows a sign, without eps": () =>
      fc.assert(
        fc.asyncProperty(spread(shape), axes, fc.integer({ min: 1, max: 9 }), async (x, axes, a) => {
          const y = standardize(x, axes, 0);
          await expectSame(standardize(add(mul(x, a), a), axes, 0), y);
          await expectSame(standardize(neg(x), axes, 0), neg(y));
        }),
      ),
    "changes nothing the second time, without eps": () =>
      fc.assert(
        fc.asyncProperty(spread(shape), axes, async (x, axes) => {
          const y = standardize(x, axes, 0);
          await expectSame(standardize(y, axes, 0), y);
        }),
      ),
    "does the same whichever way the axes lie in memory": () =>
      fc.assert(
        fc.asyncProperty(spread(shape), axes, async (x, axes) => {
          const turned = standardize(
            permute(x, [3, 2, 1, 0]),
            axes.map((axis) => 3 - axis),
            1e-5,
          );
          await expectSame(permute(turned, [3, 2, 1, 0]), standardize(x, axes, 1e-5));
        }),
      ),
    "has a gradient without a part along 1 or y in any group, without eps": () =>
      fc.assert(
        fc.asyncProperty(spread(shape), reals(shape), axes, async (x, dy, axes) => {
          const y = standardize(x, axes, 0);
          const [dx] = grad(y, [x], { gradOutput: dy });
          const none = zeros(variance(x, axes).shape, { dtype: "float64" });
          await expectSame(sum(dx, axes, { keepdim: true }), none);
          await expectSame(sum(mul(dx, y), axes, { keepdim: true }), none);
        }),
      ),
    "has a gradient that is its own adjoint: g . dx(dy) = dy . dx(g)": () =>
      fc.assert(
        fc.asyncProperty(spread(shape), reals(shape), reals(shape), axes, async (x, dy, g, axes) => {
          const y = standardize(x, axes, 1e-5);
          const [toDy] = grad(y, [x], { gradOutput: dy });
          const [toG] = grad(y, [x], { gradOutput: g });
          await expectSame(sum(mul(g, toDy)), sum(mul(dy, toG)));
        }),
      ),
  },

  gradients: {
    "the last axis": { f: (x) => standardize(x, [-1], 0.5), inputs: fc.tuple(reals([2, 4])) },
    "the first axis": { f: (x) => standardize(x, [0], 0.5), inputs: fc.tuple(reals([3, 2])) },
    "channels of images": { f: (x) => standardize(x, [0, 2, 3], 0.5), inputs: fc.tuple(reals([2, 2, 1, 2])) },
    "a small eps": { f: (x) => standardize(x, [1], 1e-5), inputs: fc.tuple(spread([2, 3])) },
    "the gradient op by all of its inputs": {
      f: (dy, y, r) => apply(standardizeInputOp, [dy, y, r], { axes: [0, 2] }),
      inputs: fc.tuple(reals([2, 2, 2]), reals([2, 2, 2]), reals([1, 2, 1], { min: 0.5 })),
    },
  },

  errors: {
    "a negative eps": () => {
      expect(() => standardize(tensor([1, 2]), [0], -1)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: standardize: eps must be a number of at least 0, got -1]`,
      );
    },
    "an axis named twice": () => {
      expect(() => standardize(tensor([1, 2]), [0, -1], 0)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: standardize: each axis may be named once, got dim [0, -1] for x of shape [2]]`,
      );
    },
    "a gradient op with statistics of other groups": () => {
      const t = tensor([1, 2]);
      expect(() => apply(standardizeInputOp, [t, t, t], { axes: [0] })).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: internal: standardizeInput: r must be y with its axes reduced, got dy of shape [2] and y of shape [2] and r of shape [2]]`,
      );
    },
  },
});

import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { tensor, zeros } from "../leaf.ts";
import { integers, reals, shapes } from "../testing/arbitraries.ts";
import { arithmeticRuns } from "../testing/arithmeticRuns.ts";
import { dot } from "../testing/checkGradients.ts";
import { describeOp } from "../testing/describeOp.ts";
import { indices, positionOf } from "../testing/indices.ts";
import { mul } from "./mul.ts";
import { permute, transpose } from "./permute.ts";

/** A tensor, also an empty one, and an order of its axes, counted from the front or from the back. */
const cases = shapes({ minDim: 0 }).chain((shape) => {
  const axes = shape.map((_, axis) => axis);
  return fc.record({
    x: integers(shape),
    order: fc.shuffledSubarray(axes, { minLength: axes.length }),
    fromTheBack: fc.boolean(),
  });
});

/** A tensor and two of its axes. */
const swaps = shapes({ minRank: 1 }).chain((shape) => {
  const axis = fc.integer({ min: -shape.length, max: shape.length - 1 });
  return fc.record({ x: integers(shape), a: axis, b: axis });
});

describeOp(permute, {
  byHand: {
    "reorders the axes": async () => {
      const x = tensor([
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
      ]); // [1, 2, 3]
      expect(await permute(x, [2, 0, 1]).array()).toEqual([[[1, 4]], [[2, 5]], [[3, 6]]]);
      expect(await permute(x, [1, -1, 0]).array()).toEqual([
        [[1], [2], [3]],
        [[4], [5], [6]],
      ]);
    },
    "leaves a scalar alone": async () => {
      expect(await permute(tensor(3), []).item()).toBe(3);
    },
  },

  golden: { cases: ["arithmetic/layout/permute_*"], run: arithmeticRuns.permute },

  laws: {
    "puts the element at index i where the permuted index points": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, order, fromTheBack }) => {
          const y = permute(x, fromTheBack ? order.map((axis) => axis - order.length) : order);
          expect(y.shape).toEqual(order.map((axis) => x.shape[axis]));
          const [values, moved] = [await x.data(), await y.data()];
          for (const index of indices(x.shape)) {
            const target = order.map((axis) => index[axis]);
            expect(moved[positionOf(target, y.shape)]).toBe(values[positionOf(index, x.shape)]);
          }
        }),
      ),
    "is undone by the inverse order": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, order }) => {
          const inverse = order.map((_, axis) => order.indexOf(axis));
          expect(await permute(permute(x, order), inverse).array()).toEqual(await x.array());
        }),
      ),
    "satisfies the adjoint identity dy . f(x) = vjp(dy) . x": () =>
      fc.assert(
        fc.asyncProperty(
          cases.chain(({ x, order }) =>
            fc.tuple(fc.constant(x), fc.constant(order), integers(order.map((axis) => x.shape[axis]))),
          ),
          async ([x, order, dy]) => {
            const y = permute(x, order);
            const [dx] = grad(y, [x], { gradOutput: dy });
            expect(dx.shape).toEqual(x.shape);
            expect(dot(await dy.data(), await y.data())).toBe(dot(await dx.data(), await x.data()));
          },
        ),
      ),
  },

  gradients: {
    "three axes in a circle, squared": {
      f: (x) => {
        const y = permute(x, [2, 0, 1]);
        return mul(y, y);
      },
      inputs: shapes({ minRank: 3, maxRank: 3 }).chain((shape) => fc.tuple(reals(shape))),
    },
  },

  errors: {
    "an axis that is missing": () => {
      expect(() => permute(zeros([2, 3]), [0])).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: permute: dims [0] must name every axis of x once, got x of shape [2, 3]]`,
      );
    },
    "an axis that is named twice": () => {
      expect(() => permute(zeros([2, 3]), [1, -1])).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: permute: dims [1, 1] must name every axis of x once, got x of shape [2, 3]]`,
      );
    },
    "an axis that does not exist": () => {
      expect(() => permute(zeros([2, 3]), [0, 2])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: permute: dim must be an integer in [-2, 1], got dim 2 for x of shape [2, 3]]`,
      );
    },
  },
});

describeOp(transpose, {
  byHand: {
    "swaps rows and columns": async () => {
      const x = tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      expect(await transpose(x, 0, 1).array()).toEqual([
        [1, 4],
        [2, 5],
        [3, 6],
      ]);
    },
    "leaves the other axes where they are": () => {
      expect(transpose(zeros([2, 3, 4, 5]), 1, -1).shape).toEqual([2, 5, 4, 3]);
    },
    "swaps an axis with itself without an effect": async () => {
      expect(await transpose(tensor([[1, 2]]), 1, -1).array()).toEqual([[1, 2]]);
    },
  },

  golden: { cases: ["arithmetic/layout/transpose_*"], run: arithmeticRuns.transpose },

  laws: {
    "is its own inverse, in either order of its arguments": () =>
      fc.assert(
        fc.asyncProperty(swaps, async ({ x, a, b }) => {
          expect(await transpose(transpose(x, a, b), b, a).array()).toEqual(await x.array());
          expect(await transpose(x, a, b).array()).toEqual(await transpose(x, b, a).array());
        }),
      ),
    "is the permutation that swaps two axes": () =>
      fc.assert(
        fc.asyncProperty(swaps, async ({ x, a, b }) => {
          const [first, second] = [a, b].map((axis) => (axis + x.shape.length) % x.shape.length);
          const order = x.shape.map((_, axis) => (axis === first ? second : axis === second ? first : axis));
          expect(await transpose(x, a, b).array()).toEqual(await permute(x, order).array());
        }),
      ),
  },

  gradients: {
    "the last two axes, squared": {
      f: (x) => {
        const y = transpose(x, -1, -2);
        return mul(y, y);
      },
      inputs: shapes({ minRank: 2 }).chain((shape) => fc.tuple(reals(shape))),
    },
  },

  errors: {
    "an axis that does not exist": () => {
      expect(() => transpose(zeros([2, 3]), 0, 2)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: transpose: dim must be an integer in [-2, 1], got dim 2 for x of shape [2, 3]]`,
      );
    },
  },
});

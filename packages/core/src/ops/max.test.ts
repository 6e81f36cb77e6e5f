import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { type Shape, size } from "../shape.ts";
import { tensor, zeros } from "../leaf.ts";
import type { Tensor } from "../tensor.ts";
import { integers, shapes } from "../testing/arbitraries.ts";
import { arithmeticRuns } from "../testing/arithmeticRuns.ts";
import { describeOp } from "../testing/describeOp.ts";
import { indices, positionOf } from "../testing/indices.ts";
import { flip } from "./flip.ts";
import { max } from "./max.ts";
import { min } from "./min.ts";
import { mul } from "./mul.ts";
import { neg } from "./neg.ts";
import { sum } from "./sum.ts";

/** Tensors whose elements are all different, by 2^-8 at least: a small step changes no winner. */
function distinct(shape: Shape): fc.Arbitrary<Tensor> {
  const n = size(shape);
  return fc.uniqueArray(fc.integer({ min: -512, max: 512 }), { minLength: n, maxLength: n }).map((list) =>
    tensor(
      Float64Array.from(list, (value) => value / 256),
      shape,
    ),
  );
}

/** A tensor with equal elements among its elements, and some of its axes. */
const cases = shapes({ minRank: 1, maxRank: 3 }).chain((shape) =>
  fc.record({
    x: integers(shape, { min: -3, max: 3 }),
    dims: fc.subarray(shape.map((_, axis) => axis)),
    keepdim: fc.boolean(),
  }),
);

describeOp(max, {
  byHand: {
    "takes the largest element of everything, of rows or of columns": async () => {
      const x = tensor([
        [1, 7],
        [3, 4],
      ]);
      expect(await max(x).item()).toBe(7);
      expect(await max(x, 0).array()).toEqual([3, 7]);
      expect(await max(x, -1, { keepdim: true }).array()).toEqual([[7], [4]]);
    },
    "takes int32, to both ends of its range": async () => {
      const x = tensor([[-5, 2 ** 31 - 1], [-7, -6]], undefined, { dtype: "int32" }); // prettier-ignore
      expect(await max(x, 1).data()).toEqual(new Int32Array([2 ** 31 - 1, -6]));
    },
    "finds infinities": async () => {
      expect(await max(tensor([[-Infinity, 1], [Infinity, 1]]), 1).array()).toEqual([1, Infinity]); // prettier-ignore
    },
    "gives NaN wherever one of the elements is NaN": async () => {
      expect(await max(tensor([[NaN, 1], [1, NaN], [0, 1]]), 1).array()).toEqual([NaN, NaN, 1]); // prettier-ignore
    },
    "has no results where an axis that stays is empty": async () => {
      expect(max(zeros([0, 3]), 1).shape).toEqual([0]);
      expect(await max(zeros([0, 3]), 1).array()).toEqual([]);
    },
    "shares the gradient evenly among equal elements": async () => {
      const x = tensor([1, 3, 3, 2]);
      const [dx] = grad(max(x), [x]);
      expect(await dx.array()).toEqual([0, 0.5, 0.5, 0]);
    },
  },

  golden: {
    cases: ["arithmetic/reduce/amax_*"],
    run: arithmeticRuns.amax,
  },

  laws: {
    "agrees with a search over every index": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, dims, keepdim }) => {
          const kept = x.shape.map((dim, axis) => (dims.includes(axis) ? 1 : dim));
          const best = indices(kept).map(() => -Infinity);
          const values = await x.data();
          indices(x.shape).forEach((index, i) => {
            const at = positionOf(
              index.map((place, axis) => (dims.includes(axis) ? 0 : place)),
              kept,
            );
            if (values[i] > best[at]) best[at] = values[i];
          });
          const y = max(x, dims, { keepdim });
          expect(y.shape).toEqual(keepdim ? kept : x.shape.filter((_, axis) => !dims.includes(axis)));
          expect(Array.from(await y.data())).toEqual(best);
        }),
      ),
    "mirrors min": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, dims }) => {
          const mirrored = neg(min(neg(x), dims));
          expect((await mirrored.data()).map(plusZero)).toEqual((await max(x, dims).data()).map(plusZero));
        }),
      ),
    "does not depend on the order of the elements": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, dims }) => {
          expect(await max(flip(x, dims), dims).array()).toEqual(await max(x, dims).array());
        }),
      ),
    "gives the same axis by axis as at once": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, dims }) => {
          const oneByOne = dims.reduce((y, dim) => max(y, dim, { keepdim: true }), x);
          expect(await oneByOne.array()).toEqual(await max(x, dims, { keepdim: true }).array());
        }),
      ),
    "passes the whole gradient on: dx sums up to dy": () =>
      fc.assert(
        fc.asyncProperty(
          shapes({ minRank: 1, maxRank: 3 }).chain((shape) =>
            fc.tuple(distinct(shape), integers(shape.slice(1), { dtype: "float64" })),
          ),
          async ([x, dy]) => {
            const [dx] = grad(max(x, 0), [x], { gradOutput: dy });
            expect((await sum(dx, 0).data()).map(plusZero)).toEqual(await dy.data());
          },
        ),
      ),
  },

  gradients: {
    "all axes, squared": {
      f: (x) => mul(max(x), max(x)),
      inputs: shapes().chain((shape) => fc.tuple(distinct(shape))),
    },
    "an inner axis, squared": {
      f: (x) => {
        const y = max(x, 1, { keepdim: true });
        return mul(y, y);
      },
      inputs: shapes({ minRank: 3, maxRank: 3 }).chain((shape) => fc.tuple(distinct(shape))),
    },
  },

  errors: {
    "no element to take": () => {
      expect(() => max(zeros([2, 0]), 1)).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: max: the reduced axes of x must not be empty, got x of shape [2, 0]]`,
      );
    },
    "an axis that does not exist": () => {
      expect(() => max(tensor([1, 2]), 1)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: max: dim must be an integer in [-1, 0], got dim 1 for x of shape [2]]`,
      );
    },
  },
});

/** 0 for -0, which equals it everywhere but in `toEqual`. */
function plusZero(value: number): number {
  return value + 0;
}

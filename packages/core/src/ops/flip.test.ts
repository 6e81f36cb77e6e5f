import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { tensor, zeros } from "../leaf.ts";
import { integers, reals, shapes } from "../testing/arbitraries.ts";
import { arithmeticRuns } from "../testing/arithmeticRuns.ts";
import { dot } from "../testing/checkGradients.ts";
import { describeOp } from "../testing/describeOp.ts";
import { indices, positionOf } from "../testing/indices.ts";
import { flip } from "./flip.ts";
import { mul } from "./mul.ts";

/** A tensor, also an empty one, some of its axes in any order, and a gradient of its shape. */
const cases = shapes({ minDim: 0 }).chain((shape) =>
  fc.record({ x: integers(shape), dims: fc.shuffledSubarray(shape.map((_, axis) => axis)), dy: integers(shape) }),
);

describeOp(flip, {
  byHand: {
    "reverses rows, columns or both": async () => {
      const x = tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      expect(await flip(x, 0).array()).toEqual([[4, 5, 6], [1, 2, 3]]); // prettier-ignore
      expect(await flip(x, -1).array()).toEqual([[3, 2, 1], [6, 5, 4]]); // prettier-ignore
      expect(await flip(x, [0, 1]).array()).toEqual([[6, 5, 4], [3, 2, 1]]); // prettier-ignore
    },
    "changes nothing along no axis": async () => {
      expect(await flip(tensor([1, 2]), []).array()).toEqual([1, 2]);
    },
  },

  golden: { cases: ["arithmetic/layout/flip_*"], run: arithmeticRuns.flip },

  laws: {
    "reads D - 1 - i along each of its axes": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, dims }) => {
          const values = await x.data();
          const y = flip(x, dims);
          expect(y.shape).toEqual(x.shape);
          const expected = indices(x.shape).map((index) => {
            const mirrored = index.map((i, axis) => (dims.includes(axis) ? x.shape[axis] - 1 - i : i));
            return values[positionOf(mirrored, x.shape)];
          });
          expect(Array.from(await y.data())).toEqual(expected);
        }),
      ),
    "is its own inverse": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, dims }) => {
          expect(await flip(flip(x, dims), dims).array()).toEqual(await x.array());
        }),
      ),
    "gives the same axis by axis as at once": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, dims }) => {
          const oneByOne = dims.reduce((y, dim) => flip(y, dim - x.shape.length), x);
          expect(await oneByOne.array()).toEqual(await flip(x, dims).array());
        }),
      ),
    "satisfies the adjoint identity dy . f(x) = vjp(dy) . x": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, dims, dy }) => {
          const y = flip(x, dims);
          const [dx] = grad(y, [x], { gradOutput: dy });
          expect(dot(await dy.data(), await y.data())).toBe(dot(await dx.data(), await x.data()));
        }),
      ),
  },

  gradients: {
    "beside itself": {
      f: (x) => mul(flip(x, [0, -1]), x),
      inputs: shapes({ minRank: 2, maxRank: 3 }).chain((shape) => fc.tuple(reals(shape))),
    },
  },

  errors: {
    "an axis that does not exist": () => {
      expect(() => flip(zeros([2]), 1)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: flip: dim must be an integer in [-1, 0], got dim 1 for x of shape [2]]`,
      );
    },
    "an axis that is named twice": () => {
      expect(() => flip(zeros([2, 3]), [0, -2])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: flip: each axis may be named once, got dim [0, -2] for x of shape [2, 3]]`,
      );
    },
  },
});

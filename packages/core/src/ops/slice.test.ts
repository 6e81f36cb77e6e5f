import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { grad } from "../autograd.ts";
import type { Shape } from "../shape.ts";
import { apply } from "../apply.ts";
import { tensor, zeros } from "../leaf.ts";
import type { Tensor } from "../tensor.ts";
import { dims, integers, reals, shapes } from "../testing/arbitraries.ts";
import { arithmeticRuns } from "../testing/arithmeticRuns.ts";
import { checkGradients, dot } from "../testing/checkGradients.ts";
import { describeOp } from "../testing/describeOp.ts";
import { indices, positionOf } from "../testing/indices.ts";
import { concat } from "./concat.ts";
import { mul } from "./mul.ts";
import { type Range, slice, sliceOp, unsliceOp } from "./slice.ts";

const bound = fc.integer({ min: -6, max: 6 }); // the axes below have up to 4 elements: also beyond both ends

const range: fc.Arbitrary<Range> = fc.oneof(
  fc.constant(null),
  fc.tuple(bound, bound),
  fc.tuple(bound, bound, fc.integer({ min: 1, max: 5 })),
);

/** A shape, empty axes among them, and ranges for some of its axes. */
const cuts = shapes({ minDim: 0, maxRank: 3 }).chain((shape) =>
  fc.record({ shape: fc.constant(shape), ranges: fc.array(range, { maxLength: shape.length }) }),
);

/** The indices that a range takes of an axis, found by trying each. */
function taken(range: Range | undefined, dim: number): number[] {
  const all = Array.from({ length: dim }, (_, i) => i);
  if (!range) return all;
  const [start, stop, step = 1] = range;
  const from = start < 0 ? Math.max(start + dim, 0) : start;
  const to = stop < 0 ? stop + dim : stop;
  return all.filter((i) => i >= from && i < to && (i - from) % step === 0);
}

function slicedShape(shape: Shape, ranges: readonly Range[]): Shape {
  return shape.map((dim, axis) => taken(ranges[axis], dim).length);
}

describeOp(slice, {
  byHand: {
    "takes no part where the range is empty, with a gradient of zeros": async () => {
      const x = zeros([1, 2], { requiresGrad: true });
      const y = slice(x, [[1, 4], null]);
      const [dx] = grad(mul(y, y).sum(), [x]);
      const [ddx] = grad(mul(dx, dx).sum(), [x]);
      expect([y.shape, await dx.array(), await ddx.array()]).toEqual([[0, 2], [[0, 0]], [[0, 0]]]);
    },
    "takes a part of each axis": async () => {
      const x = tensor([
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
      ]);
      expect(
        await slice(x, [
          [1, 3],
          [0, 2],
        ]).array(),
      ).toEqual([
        [4, 5],
        [7, 8],
      ]);
      expect(await slice(x, [null, [0, 3, 2]]).array()).toEqual([
        [1, 3],
        [4, 6],
        [7, 9],
      ]);
      expect(await slice(x, [[-1, 3]]).array()).toEqual([[7, 8, 9]]);
    },
    "cuts bounds to the axis, as Python does": async () => {
      const x = tensor([0, 1, 2, 3, 4]);
      expect(await slice(x, [[-9, 99]]).array()).toEqual([0, 1, 2, 3, 4]);
      expect(await slice(x, [[1, -1]]).array()).toEqual([1, 2, 3]);
      expect(await slice(x, [[3, 1]]).array()).toEqual([]);
      expect(await slice(x, [[1, 99, 3]]).array()).toEqual([1, 4]);
    },
    "puts the gradient where the values came from": async () => {
      const x = tensor([1, 2, 3, 4]);
      const [dx] = grad(slice(x, [[1, 4, 2]]).sum(), [x]);
      expect(await dx.array()).toEqual([0, 1, 0, 1]);
    },
  },

  golden: {
    cases: ["arithmetic/layout/slice_*"],
    run: arithmeticRuns.slice,
  },

  laws: {
    "takes the elements whose index lies in every range": () =>
      fc.assert(
        fc.asyncProperty(
          cuts.chain(({ shape, ranges }) => fc.tuple(integers(shape), fc.constant(ranges))),
          async ([x, ranges]) => {
            const values = await x.data();
            const y = slice(x, ranges);
            expect(y.shape).toEqual(slicedShape(x.shape, ranges));
            const expected = indices(x.shape)
              .filter((index) => index.every((i, axis) => taken(ranges[axis], x.shape[axis]).includes(i)))
              .map((index) => values[positionOf(index, x.shape)]);
            expect(Array.from(await y.data())).toEqual(expected);
          },
        ),
        { numRuns: 300 },
      ),
    "takes two parts that concat joins again": () =>
      fc.assert(
        fc.asyncProperty(
          shapes({ minRank: 1 }).chain((shape) => fc.tuple(integers(shape), fc.nat(shape[0]))),
          async ([x, at]) => {
            expect(await concat([slice(x, [[0, at]]), slice(x, [[at, x.shape[0]]])]).array()).toEqual(await x.array());
          },
        ),
      ),
    "satisfies the adjoint identity dy . f(x) = vjp(dy) . x": () =>
      fc.assert(
        fc.asyncProperty(
          cuts.chain(({ shape, ranges }) =>
            fc.tuple(integers(shape), fc.constant(ranges), integers(slicedShape(shape, ranges))),
          ),
          async ([x, ranges, dy]) => {
            const y = slice(x, ranges);
            const [dx] = grad(y, [x], { gradOutput: dy });
            expect(dx.shape).toEqual(x.shape);
            expect(dot(await dy.data(), await y.data())).toBe(dot(await dx.data(), await x.data()));
          },
        ),
      ),
  },

  gradients: {
    "parts with steps, squared": {
      f: (x) => {
        const y = slice(x, [[1, 4], null, [-3, 4, 2]]);
        return mul(y, y);
      },
      inputs: fc.tuple(dims(2, 4), dims(), dims()).chain((shape) => fc.tuple(reals(shape))),
    },
  },

  errors: {
    "more ranges than axes": () => {
      expect(() => slice(zeros([2]), [null, null])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: slice: ranges must be at most one per axis of x, 1, got 2]`,
      );
    },
    "a bound that is no integer": () => {
      expect(() => slice(zeros([2]), [[0, 1.5]])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: slice: a range must be [start, stop] or [start, stop, step] of integers with step >= 1, got [0, 1.5]]`,
      );
    },
    "a step that is not forward": () => {
      expect(() => slice(zeros([2]), [[1, 0, -1]])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: slice: a range must be [start, stop] or [start, stop, step] of integers with step >= 1, got [1, 0, -1]]`,
      );
    },
    "attributes made by hand that reach beyond x": () => {
      const attrs = { starts: [1], steps: [1], part: [2] };
      expect(() => apply(sliceOp, [zeros([2])], attrs)).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: internal: slice: the part [2] must lie inside, got whole of shape [2]]`,
      );
    },
  },
});

describe("unslice", () => {
  /** What a slice of a tensor of the shape `whole` would have taken, put back. */
  function unslice(x: Tensor, starts: number[], steps: number[], whole: Shape): Tensor {
    return apply(unsliceOp, [x], { starts, steps, part: x.shape, whole });
  }

  test("puts a part into zeros, where slice takes it from", async () => {
    expect(await unslice(tensor([1, 2]), [1], [2], [5]).array()).toEqual([0, 1, 0, 2, 0]);
  });

  test("is undone by slice", () =>
    fc.assert(
      fc.asyncProperty(
        cuts.chain(({ shape, ranges }) =>
          fc.tuple(fc.constant({ shape, ranges }), integers(slicedShape(shape, ranges))),
        ),
        async ([{ shape, ranges }, x]) => {
          const y = slice(zeros(shape), ranges);
          const { starts, steps } = y.recipe!.attrs as { starts: number[]; steps: number[] };
          expect(await slice(unslice(x, starts, steps, shape), ranges).array()).toEqual(await x.array());
        },
      ),
    ));

  test("has gradients of first and second order", () =>
    fc.assert(
      fc.asyncProperty(reals([2, 3]), async (x) => {
        const f = (x: Tensor): Tensor => {
          const y = unslice(x, [0, 1], [2, 1], [3, 5]);
          return mul(y, y);
        };
        expect(await checkGradients(f, [x], { order: 2 })).toHaveLength(2);
      }),
      { numRuns: 20 },
    ));

  test("refuses attributes made by hand that reach beyond the whole", () => {
    expect(() => unslice(zeros([2]), [1], [1], [2])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: internal: unslice: the part [2] must lie inside, got whole of shape [2]]`,
    );
  });
});

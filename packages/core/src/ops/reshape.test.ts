import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { type Shape, size } from "../shape.ts";
import { tensor, zeros } from "../leaf.ts";
import type { Tensor } from "../tensor.ts";
import { integers, reals, shapes } from "../testing/arbitraries.ts";
import { arithmeticRuns } from "../testing/arithmeticRuns.ts";
import { dot } from "../testing/checkGradients.ts";
import { describeOp } from "../testing/describeOp.ts";
import { mul } from "./mul.ts";
import { reshape } from "./reshape.ts";

/** A shape of `n` elements: divisors of `n` peeled off one after another, ones among them. */
function shapesOf(n: number): fc.Arbitrary<Shape> {
  return fc.array(fc.nat(100), { maxLength: 4 }).map((picks) => {
    let left = n;
    const shape = picks.map((pick) => {
      const divisors = Array.from({ length: left }, (_, i) => i + 1).filter((d) => left % d === 0);
      const dim = divisors.length > 0 ? divisors[pick % divisors.length] : pick;
      left = dim === 0 ? left : left / dim;
      return dim;
    });
    return [...shape, left];
  });
}

/** A tensor, also an empty one, and another shape of as many elements. */
const cases: fc.Arbitrary<{ x: Tensor; shape: Shape }> = shapes({ minDim: 0 }).chain((from) =>
  fc.record({ x: integers(from), shape: shapesOf(size(from)) }),
);

describeOp(reshape, {
  byHand: {
    "keeps the order of the values": async () => {
      const x = tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      expect(await reshape(x, [3, 2]).array()).toEqual([
        [1, 2],
        [3, 4],
        [5, 6],
      ]);
    },
    "puts what is left over in the place of -1": () => {
      expect(reshape(zeros([2, 3, 4]), [4, -1]).shape).toEqual([4, 6]);
      expect(reshape(zeros([2, 3, 4]), [-1]).shape).toEqual([24]);
      expect(reshape(zeros([]), [-1, 1]).shape).toEqual([1, 1]);
      expect(reshape(zeros([0, 3]), [-1]).shape).toEqual([0]);
    },
    "makes a scalar of one element": async () => {
      expect(await reshape(tensor([[7]]), []).array()).toBe(7);
    },
    "records nothing when the shape stays the same": () => {
      const x = zeros([2, 3]);
      expect(reshape(x, [2, -1])).toBe(x);
    },
    "is not affected when the caller changes the array that held the shape": async () => {
      const shape = [2, 2];
      const y = reshape(tensor([1, 2, 3, 4]), shape);
      shape[0] = 4;
      expect(await y.array()).toEqual([
        [1, 2],
        [3, 4],
      ]);
    },
  },

  golden: { cases: ["arithmetic/layout/reshape_*"], run: arithmeticRuns.reshape },

  laws: {
    "leaves the values in their order": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, shape }) => {
          const y = reshape(x, shape);
          expect(y.shape).toEqual(shape);
          expect(await y.data()).toEqual(await x.data());
        }),
      ),
    "is undone by reshaping back": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, shape }) => {
          expect(await reshape(reshape(x, shape), x.shape).array()).toEqual(await x.array());
        }),
      ),
    "finds the one axis that is -1": () =>
      fc.assert(
        fc.property(
          cases.filter(({ x }) => x.size > 0),
          fc.nat(),
          ({ x, shape }, pick) => {
            const open = pick % shape.length;
            expect(reshape(x, shape.with(open, -1)).shape).toEqual(shape);
          },
        ),
      ),
    "satisfies the adjoint identity dy . f(x) = vjp(dy) . x": () =>
      fc.assert(
        fc.asyncProperty(
          cases.chain(({ x, shape }) => fc.tuple(fc.constant(x), integers(shape))),
          async ([x, dy]) => {
            const y = reshape(x, dy.shape);
            const [dx] = grad(y, [x], { gradOutput: dy });
            expect(dx.shape).toEqual(x.shape);
            expect(dot(await dy.data(), await y.data())).toBe(dot(await dx.data(), await x.data()));
          },
        ),
      ),
  },

  gradients: {
    squared: {
      f: (x) => {
        const y = reshape(x, [-1]);
        return mul(y, y);
      },
      inputs: shapes().chain((shape) => fc.tuple(reals(shape))),
    },
  },

  errors: {
    "another number of elements": () => {
      expect(() => reshape(zeros([2, 3]), [5])).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: reshape: x must have as many elements as [5], 5, got x of shape [2, 3]]`,
      );
    },
    "nothing that fits in the place of -1": () => {
      expect(() => reshape(zeros([2, 3]), [4, -1])).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: reshape: x must have a multiple of 4 elements for [4, -1], got x of shape [2, 3]]`,
      );
    },
    "-1 beside an empty axis, where any size would do": () => {
      expect(() => reshape(zeros([0]), [0, -1])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: reshape: -1 beside an axis of size 0 could be anything; name the size, got [0, -1]]`,
      );
    },
    "more than one -1": () => {
      expect(() => reshape(zeros([4]), [-1, -1])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: reshape: at most one axis may be -1, got [-1, -1]]`,
      );
    },
    "a size that is none": () => {
      expect(() => reshape(zeros([3]), [1.5, 2])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: reshape: a shape must be an array of integers of at least 0, got [1.5, 2]]`,
      );
    },
  },
});

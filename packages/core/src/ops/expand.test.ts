import fc from "fast-check";
import { expect, test } from "vitest";

import { grad } from "../autograd.ts";
import { tensor, zeros } from "../leaf.ts";
import { broadcasting, integers, reals } from "../testing/arbitraries.ts";
import { arithmeticRuns } from "../testing/arithmeticRuns.ts";
import { dot } from "../testing/checkGradients.ts";
import { describeOp } from "../testing/describeOp.ts";
import { indices, positionOf } from "../testing/indices.ts";
import { add } from "./add.ts";
import { expand, sumTo } from "./expand.ts";
import { mul } from "./mul.ts";

/** A shape and one that broadcasts to it; empty axes among them. */
const cases = broadcasting(2, { minDim: 0 }).map(({ shapes: [, from], out }) => ({ from, out }));

describeOp(expand, {
  byHand: {
    "repeats a column and a row": async () => {
      expect(await expand(tensor([[1], [2]]), [2, 3]).array()).toEqual([
        [1, 1, 1],
        [2, 2, 2],
      ]);
      expect(await expand(tensor([1, 2]), [2, 2]).array()).toEqual([
        [1, 2],
        [1, 2],
      ]);
    },
    "fills a shape with a scalar": async () => {
      expect(await expand(tensor(7), [3]).array()).toEqual([7, 7, 7]);
    },
    "keeps the axes that are -1": () => {
      expect(expand(zeros([2, 1]), [4, -1, 3]).shape).toEqual([4, 2, 3]);
    },
    "shrinks an axis of 1 to nothing": async () => {
      expect(await expand(tensor([[1], [2]]), [2, 0]).array()).toEqual([[], []]);
    },
    "sums the gradient of the copies": async () => {
      const x = tensor([[1], [2]]);
      const [dx] = grad(expand(x, [5, 2, 3]).sum(), [x]);
      expect(await dx.array()).toEqual([[15], [15]]);
    },
  },

  golden: { cases: ["arithmetic/layout/expand_*"], run: arithmeticRuns.expand },

  laws: {
    "reads index 0 along every stretched axis": () =>
      fc.assert(
        fc.asyncProperty(
          cases.chain(({ from, out }) => fc.tuple(integers(from), fc.constant(out))),
          async ([x, out]) => {
            const values = await x.data();
            const y = expand(x, out);
            expect(y.shape).toEqual(out);
            const expected = indices(out).map((index) => {
              const own = index.slice(out.length - x.shape.length).map((i, axis) => (x.shape[axis] === 1 ? 0 : i));
              return values[positionOf(own, x.shape)];
            });
            expect(Array.from(await y.data())).toEqual(expected);
          },
        ),
      ),
    "agrees with what add does by itself": () =>
      fc.assert(
        fc.asyncProperty(
          cases.chain(({ from, out }) => fc.tuple(integers(from), integers(out))),
          async ([x, y]) => {
            expect(await add(expand(x, y.shape), y).array()).toEqual(await add(x, y).array());
          },
        ),
      ),
    "satisfies the adjoint identity dy . f(x) = vjp(dy) . x": () =>
      fc.assert(
        fc.asyncProperty(
          cases.chain(({ from, out }) => fc.tuple(integers(from), integers(out))),
          async ([x, dy]) => {
            const y = expand(x, dy.shape);
            const [dx] = grad(y, [x], { gradOutput: dy });
            expect(dx.shape).toEqual(x.shape);
            expect(dot(await dy.data(), await y.data())).toBe(dot(await dx.data(), await x.data()));
          },
        ),
      ),
  },

  gradients: {
    "to [2, 3, 2], squared": {
      f: (x) => {
        const y = expand(x, [2, 3, 2]);
        return mul(y, y);
      },
      inputs: fc.constantFrom([], [2], [1], [3, 1], [1, 2], [2, 1, 2]).chain((shape) => fc.tuple(reals(shape))),
    },
  },

  errors: {
    "an axis that is neither 1 nor the wanted size": () => {
      expect(() => expand(zeros([2, 3]), [2, 6])).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: expand: x must broadcast to [2, 6]: its axes 1 or of the wanted size, got x of shape [2, 3]]`,
      );
    },
    "fewer axes than x has": () => {
      expect(() => expand(zeros([1, 3]), [3])).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: expand: x must broadcast to [3]: its axes 1 or of the wanted size, got x of shape [1, 3]]`,
      );
    },
    "-1 for a new axis": () => {
      expect(() => expand(zeros([3]), [-1, 3])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: expand: -1 keeps an axis of x and cannot stand for a new one, got [-1, 3]]`,
      );
    },
    "a size that is none": () => {
      expect(() => expand(zeros([1]), [-2])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: expand: a shape must be an array of integers of at least 0, got [-2]]`,
      );
    },
  },
});

test("sumTo is the gradient of expand", () =>
  fc.assert(
    fc.asyncProperty(
      cases.chain(({ from, out }) => fc.tuple(integers(from), integers(out))),
      async ([x, dy]) => {
        const [dx] = grad(expand(x, dy.shape), [x], { gradOutput: dy });
        expect(await sumTo(dy, x.shape).array()).toEqual(await dx.array());
      },
    ),
  ));

import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { ones, tensor, zeros } from "../leaf.ts";
import type { Tensor } from "../tensor.ts";
import { integers, reals, shapes } from "../testing/arbitraries.ts";
import { describeOp } from "../testing/describeOp.ts";
import { float64GoldenLimit } from "../testing/tolerance.ts";
import { add } from "./add.ts";
import { div } from "./div.ts";
import { exp } from "./exp.ts";
import { expand } from "./expand.ts";
import { permute } from "./permute.ts";
import { softmax } from "./softmax.ts";
import { sum } from "./sum.ts";

/** Expects the same values in float64 but for the order of roundings, where they are shares of 1, or their sums. */
async function expectSame(got: Tensor, want: Tensor): Promise<void> {
  const [a, b] = [await got.data(), await want.data()];
  expect([got.dtype, got.shape]).toEqual(["float64", want.shape]);
  a.forEach((value, i) => expect(Math.abs(value - b[i])).toBeLessThanOrEqual(float64GoldenLimit(0, 1)));
}

/** A shape and one of its axes. */
const along = shapes({ minRank: 1 }).chain((shape) =>
  fc.record({ shape: fc.constant(shape), dim: fc.integer({ min: -shape.length, max: shape.length - 1 }) }),
);

describeOp(softmax, {
  byHand: {
    "shares 1 among equal scores, along rows or columns": async () => {
      const x = tensor([
        [7, 7],
        [7, -Infinity],
      ]);
      expect(await softmax(x, 1).array()).toEqual([
        [0.5, 0.5],
        [1, 0],
      ]);
      expect(await softmax(x, 0).array()).toEqual([
        [0.5, 1],
        [0.5, 0],
      ]);
    },
    "does not overflow": async () => {
      expect(await softmax(tensor([3e38, -3e38, 3e38]), 0).array()).toEqual([0.5, 0, 0.5]);
    },
    "is NaN where there is nothing to share among, or a NaN": async () => {
      expect(await softmax(tensor([-Infinity, -Infinity]), 0).array()).toEqual([NaN, NaN]);
      expect(await softmax(tensor([Infinity, 0]), 0).array()).toEqual([NaN, NaN]);
      expect(await softmax(tensor([NaN, 0]), 0).array()).toEqual([NaN, NaN]);
    },
    "of no scores is nothing": async () => {
      expect(await softmax(zeros([2, 0]), 1).array()).toEqual([[], []]);
    },
  },

  golden: {
    cases: ["network/activation/softmax_*", "arithmetic/activation/softmax_*"],
    run: ({ x }, attrs) => softmax(x, attrs.number("dim")),
  },

  laws: {
    "is e^x divided by its sum": () =>
      fc.assert(
        fc.asyncProperty(
          along.chain(({ shape, dim }) => fc.tuple(reals(shape), fc.constant(dim))),
          async ([x, dim]) => {
            await expectSame(softmax(x, dim), div(exp(x), sum(exp(x), dim, { keepdim: true })));
          },
        ),
      ),
    "sums to 1, and its gradient to 0": () =>
      fc.assert(
        fc.asyncProperty(
          along.chain(({ shape, dim }) => fc.tuple(reals(shape), reals(shape), fc.constant(dim))),
          async ([x, dy, dim]) => {
            const total = sum(softmax(x, dim), dim);
            await expectSame(total, ones(total.shape, { dtype: "float64" }));
            const [dx] = grad(softmax(x, dim), [x], { gradOutput: dy });
            await expectSame(sum(dx, dim), zeros(total.shape, { dtype: "float64" }));
          },
        ),
      ),
    "does not see a shift, to the last bit": () =>
      fc.assert(
        fc.asyncProperty(
          along.chain(({ shape, dim }) => fc.tuple(integers(shape), fc.constant(dim))),
          fc.integer({ min: -1000, max: 1000 }),
          async ([x, dim], a) => {
            expect(await softmax(add(x, a), dim).array()).toEqual(await softmax(x, dim).array());
          },
        ),
      ),
    "does the same along any axis": () =>
      fc.assert(
        fc.asyncProperty(integers([2, 3, 4]), async (x) => {
          const turned = softmax(permute(x, [2, 0, 1]), 2);
          expect(await permute(turned, [1, 2, 0]).array()).toEqual(await softmax(x, 1).array());
        }),
      ),
    "of equal scores is 1 / their number": () =>
      fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 20 }), reals([]), async (n, x) => {
          await expectSame(softmax(expand(x, [n]), 0), div(ones([n], { dtype: "float64" }), n));
        }),
      ),
  },

  gradients: {
    "the last axis": { f: (x) => softmax(x, -1), inputs: fc.tuple(reals([2, 3])) },
    "an inner axis": { f: (x) => softmax(x, 1), inputs: fc.tuple(reals([2, 3, 2])) },
  },

  errors: {
    "an axis that does not exist": () => {
      expect(() => softmax(tensor([1, 2]), 1)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: softmax: dim must be an integer in [-1, 0], got dim 1 for x of shape [2]]`,
      );
    },
    "an int32 tensor": () => {
      expect(() => softmax(tensor([1], [1], { dtype: "int32" }), 0)).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: softmax: inputs must share one floating dtype (x.cast("float32") converts), got int32]`,
      );
    },
  },
});

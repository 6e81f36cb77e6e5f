import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { full, tensor, zeros } from "../leaf.ts";
import { integers, reals, shapes } from "../testing/arbitraries.ts";
import { arithmeticRuns } from "../testing/arithmeticRuns.ts";
import { dot } from "../testing/checkGradients.ts";
import { describeOp } from "../testing/describeOp.ts";
import { indices, positionOf } from "../testing/indices.ts";
import { add } from "./add.ts";
import { expand } from "./expand.ts";
import { mul } from "./mul.ts";
import { reshape } from "./reshape.ts";
import { sum } from "./sum.ts";

/** A tensor, empty axes among them, and some of its axes in any order, counted from the front or from the back. */
const cases = shapes({ minDim: 0 }).chain((shape) =>
  fc.record({
    x: integers(shape),
    dims: fc
      .shuffledSubarray(shape.map((_, axis) => axis))
      .chain((axes) => fc.tuple(...axes.map((axis) => fc.constantFrom(axis, axis - shape.length)))),
    keepdim: fc.boolean(),
  }),
);

describeOp(sum, {
  byHand: {
    "adds everything up when no axis is named": async () => {
      expect(await sum(tensor([[1, 2], [3, 4]])).item()).toBe(10); // prettier-ignore
    },
    "of empty axes is 0, and its gradients of both orders are empty": async () => {
      for (const shape of [
        [2, 0, 3],
        [0, 2, 3],
        [2, 3, 0],
      ]) {
        const x = zeros(shape, { requiresGrad: true });
        const y = sum(x, 1, { keepdim: true });
        const [dx] = grad(sum(mul(y, y)), [x]);
        const [ddx] = grad(sum(mul(dx, dx)), [x]);
        expect([dx.shape, ddx.shape]).toEqual([shape, shape]);
        expect([...(await y.data()), ...(await ddx.data())]).toEqual(new Array(y.size).fill(0));
      }
    },
    "sums along rows and along columns": async () => {
      const x = tensor([
        [1, 2, 3],
        [10, 20, 30],
      ]);
      expect(await sum(x, 0).array()).toEqual([11, 22, 33]);
      expect(await sum(x, -1).array()).toEqual([6, 60]);
      expect(await sum(x, [1], { keepdim: true }).array()).toEqual([[6], [60]]);
    },
    "gives 0 for no elements": async () => {
      expect(await sum(zeros([0])).item()).toBe(0);
      expect(await sum(zeros([2, 0]), 1).array()).toEqual([0, 0]);
      expect(await sum(zeros([2, 0]), 0).array()).toEqual([]);
    },
    "leaves x as it is when the list of axes is empty": async () => {
      expect(await sum(tensor([[1, 2]]), []).array()).toEqual([[1, 2]]);
    },
    "sums int32 to int32, wrapping around as 32-bit integers do": async () => {
      const x = tensor([2 ** 31 - 1, 1], [2], { dtype: "int32" });
      expect(await sum(x).data()).toEqual(new Int32Array([-(2 ** 31)]));
    },
  },

  loops: {
    "adds in float64 and rounds once": async () => {
      expect(await sum(tensor([2 ** 30, 1, -(2 ** 30)])).item()).toBe(1); // 2^30 + 1 has no place in float32
    },
    "wraps int32 before the sum reaches 2^53, beyond which float64 has gaps": async () => {
      const large = full([1, 1], 2 ** 31 - 1, { dtype: "int32" });
      for (const [shape, axis] of [
        [[1, 2 ** 23 + 1], 1],
        [[2 ** 23 + 1, 1], 0],
      ] as const) {
        // (2^23 + 1)(2^31 - 1) = 2^54 + 2^31 - 2^23 - 1
        expect(await sum(expand(large, shape), axis).array()).toEqual([2 ** 31 - 2 ** 23 - 1]);
      }
    },
  },

  golden: {
    cases: ["arithmetic/reduce/sum_*"],
    run: arithmeticRuns.sum,
  },

  laws: {
    "agrees with a sum over every index": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, dims, keepdim }) => {
          const axes = dims.map((dim) => (dim < 0 ? dim + x.shape.length : dim));
          const kept = x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
          const total = indices(kept).map(() => 0);
          const values = await x.data();
          indices(x.shape).forEach((index, i) => {
            const target = index.map((at, axis) => (axes.includes(axis) ? 0 : at));
            total[positionOf(target, kept)] += values[i];
          });
          const y = sum(x, dims, { keepdim });
          expect(y.shape).toEqual(keepdim ? kept : x.shape.filter((_, axis) => !axes.includes(axis)));
          expect(Array.from(await y.data())).toEqual(total);
        }),
      ),
    "gives the same axis by axis as at once": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, dims }) => {
          const oneByOne = dims.reduce((y, dim) => sum(y, dim, { keepdim: true }), x);
          expect(await oneByOne.array()).toEqual(await sum(x, dims, { keepdim: true }).array());
        }),
      ),
    "is linear": () =>
      fc.assert(
        fc.asyncProperty(
          cases.chain(({ x, dims }) =>
            fc.record({ a: integers(x.shape), b: integers(x.shape), dims: fc.constant(dims) }),
          ),
          async ({ a, b, dims }) => {
            const together = sum(add(mul(a, 3), b), dims);
            expect(await together.array()).toEqual(await add(mul(sum(a, dims), 3), sum(b, dims)).array());
          },
        ),
      ),
    "differs with keepdim in nothing but its shape": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, dims }) => {
          const y = sum(x, dims);
          expect(await reshape(sum(x, dims, { keepdim: true }), y.shape).array()).toEqual(await y.array());
        }),
      ),
    "satisfies the adjoint identity dy . f(x) = vjp(dy) . x": () =>
      fc.assert(
        fc.asyncProperty(
          cases.chain(({ x, dims, keepdim }) => {
            const y = sum(x, dims, { keepdim });
            return fc.record({ x: fc.constant(x), y: fc.constant(y), dy: integers(y.shape) });
          }),
          async ({ x, y, dy }) => {
            const [dx] = grad(y, [x], { gradOutput: dy });
            expect(dot(await dy.data(), await y.data())).toBe(dot(await dx.data(), await x.data()));
          },
        ),
      ),
  },

  gradients: {
    "all axes": { f: (x) => sum(mul(x, mul(x, x))), inputs: shapes().chain((shape) => fc.tuple(reals(shape))) },
    "the first and the last axis, squared": {
      f: (x) => {
        const y = sum(x, [0, -1]);
        return mul(y, y);
      },
      inputs: shapes({ minRank: 2 }).chain((shape) => fc.tuple(reals(shape))),
    },
    "an inner axis that is kept, squared": {
      f: (x) => {
        const y = sum(x, 1, { keepdim: true });
        return mul(y, y);
      },
      inputs: shapes({ minRank: 3, maxRank: 3 }).chain((shape) => fc.tuple(reals(shape))),
    },
  },

  errors: {
    "an axis that does not exist": () => {
      expect(() => sum(tensor([[1, 2]]), 2)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: sum: dim must be an integer in [-2, 1], got dim 2 for x of shape [1, 2]]`,
      );
    },
    "an axis that is no integer": () => {
      expect(() => sum(tensor([[1, 2]]), 0.5)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: sum: dim must be an integer in [-2, 1], got dim 0.5 for x of shape [1, 2]]`,
      );
    },
    "an axis of a scalar": () => {
      expect(() => sum(tensor(1), 0)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: sum: x must have at least one axis, got dim 0 for x of shape []]`,
      );
    },
    "an axis that is named twice": () => {
      expect(() => sum(tensor([[1, 2]]), [1, -1])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: sum: each axis may be named once, got dim [1, -1] for x of shape [1, 2]]`,
      );
    },
  },
});

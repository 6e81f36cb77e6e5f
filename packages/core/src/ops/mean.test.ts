import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { size } from "../shape.ts";
import { tensor, zeros } from "../leaf.ts";
import { integers, reals, shapes } from "../testing/arbitraries.ts";
import { arithmeticRuns } from "../testing/arithmeticRuns.ts";
import { dot } from "../testing/checkGradients.ts";
import { describeOp } from "../testing/describeOp.ts";
import { add } from "./add.ts";
import { expand } from "./expand.ts";
import { mean } from "./mean.ts";
import { mul } from "./mul.ts";
import { sum } from "./sum.ts";

/** Sizes that are powers of two: dividing by their product is exact, so laws hold to the last bit. */
const powersOfTwo = fc.array(fc.constantFrom(1, 2, 4), { maxLength: 3 });

describeOp(mean, {
  byHand: {
    "averages everything, rows or columns": async () => {
      const x = tensor([
        [1, 2],
        [3, 6],
      ]);
      expect(await mean(x).item()).toBe(3);
      expect(await mean(x, 0).array()).toEqual([2, 4]);
      expect(await mean(x, -1, { keepdim: true }).array()).toEqual([[1.5], [4.5]]);
    },
    "gives NaN for no elements and nothing for no results": async () => {
      expect(await mean(zeros([0])).item()).toBeNaN();
      expect(await mean(zeros([2, 0]), 1).array()).toEqual([NaN, NaN]);
      expect(await mean(zeros([2, 0]), 0).array()).toEqual([]);
    },
    "keeps float64": async () => {
      expect(await mean(tensor([0.1, 0.1], [2], { dtype: "float64" })).data()).toEqual(new Float64Array([0.1]));
    },
  },

  golden: {
    cases: ["arithmetic/reduce/mean_*"],
    run: arithmeticRuns.mean,
  },

  laws: {
    "is the sum divided by the number of elements": () =>
      fc.assert(
        fc.asyncProperty(
          shapes({ minRank: 1, minDim: 0 }).chain((shape) =>
            fc.record({ x: integers(shape), dims: fc.subarray(shape.map((_, axis) => axis)), keepdim: fc.boolean() }),
          ),
          async ({ x, dims, keepdim }) => {
            const count = size(dims.map((dim) => x.shape[dim]));
            const total = await sum(x, dims, { keepdim }).data();
            const y = mean(x, dims, { keepdim });
            expect(y.shape).toEqual(sum(x, dims, { keepdim }).shape);
            expect(await y.data()).toEqual(total.map((value) => value / count));
          },
        ),
      ),
    "undoes expand": () =>
      fc.assert(
        fc.asyncProperty(
          powersOfTwo.chain((shape) => fc.tuple(integers(shape), fc.constantFrom(1, 2, 4))),
          async ([x, n]) => {
            expect(await mean(expand(x, [n, ...x.shape]), 0).array()).toEqual(await x.array());
          },
        ),
      ),
    "moves and scales with x": () =>
      fc.assert(
        fc.asyncProperty(
          powersOfTwo.chain((shape) => fc.tuple(integers(shape), fc.integer({ min: -8, max: 8 }))),
          async ([x, a]) => {
            expect(await mean(add(x, a)).item()).toBe((await mean(x).item()) + a);
            expect(await mean(mul(x, 4)).item()).toBe(4 * (await mean(x).item()));
          },
        ),
      ),
    "satisfies the adjoint identity dy . f(x) = vjp(dy) . x": () =>
      fc.assert(
        fc.asyncProperty(
          powersOfTwo.chain((shape) => {
            const dims = shape.flatMap((_, axis) => (axis % 2 === 0 ? [axis] : []));
            return fc.record({
              x: integers(shape),
              dims: fc.constant(dims),
              dy: integers(mean(zeros(shape), dims).shape),
            });
          }),
          async ({ x, dims, dy }) => {
            const y = mean(x, dims);
            const [dx] = grad(y, [x], { gradOutput: dy });
            expect(dot(await dy.data(), await y.data())).toBe(dot(await dx.data(), await x.data()));
          },
        ),
      ),
  },

  gradients: {
    "the last axis, squared": {
      f: (x) => {
        const y = mean(x, -1);
        return mul(y, y);
      },
      inputs: shapes({ minRank: 1 }).chain((shape) => fc.tuple(reals(shape))),
    },
  },

  errors: {
    "an axis that does not exist, in its own name": () => {
      expect(() => mean(tensor([[1, 2]]), 2)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: mean: dim must be an integer in [-2, 1], got dim 2 for x of shape [1, 2]]`,
      );
    },
    "an int32 tensor, whose mean is no integer": () => {
      expect(() => mean(tensor([1, 2], [2], { dtype: "int32" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: mean: x must be floating (x.cast("float32") converts), got int32]`,
      );
    },
  },
});

import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import type { Shape } from "../shape.ts";
import { ones, tensor, zeros } from "../leaf.ts";
import type { Tensor } from "../tensor.ts";
import { broadcasting, dims, integers, reals } from "../testing/arbitraries.ts";
import { dot } from "../testing/checkGradients.ts";
import { describeOp } from "../testing/describeOp.ts";
import { indices, positionOf } from "../testing/indices.ts";
import { add } from "./add.ts";
import { matmul } from "./matmul.ts";
import { mul } from "./mul.ts";
import { transpose } from "./permute.ts";
import { reshape } from "./reshape.ts";
import { stack } from "./stack.ts";
import { sum } from "./sum.ts";

/** Shapes of matrices that can be multiplied, with batches that broadcast; `min` 0 includes empty ones. */
function factors(min: 0 | 1): fc.Arbitrary<{ a: Shape; b: Shape; y: Shape }> {
  return fc
    .record({
      batch: broadcasting(2, { maxRank: 2, minDim: min }),
      swap: fc.boolean(),
      M: dims(min, 3),
      K: dims(min, 3),
      N: dims(min, 3),
    })
    .map(({ batch: { shapes, out }, swap, M, K, N }) => {
      const [front, back] = swap ? [shapes[1], shapes[0]] : shapes;
      return { a: [...front, M, K], b: [...back, K, N], y: [...out, M, N] };
    });
}

/** The same with a vector in place of the first factor, the second one or both. */
function vectors(min: 0 | 1): fc.Arbitrary<{ a: Shape; b: Shape }> {
  return factors(min).chain(({ a, b }) => {
    const vector = [a[a.length - 1]];
    return fc.constantFrom({ a: vector, b }, { a, b: vector }, { a: vector, b: vector });
  });
}

/** A factor as the matrix that a vector stands for. */
const rowOf = (a: Tensor): Tensor => (a.shape.length === 1 ? reshape(a, [1, ...a.shape]) : a);
const columnOf = (b: Tensor): Tensor => (b.shape.length === 1 ? reshape(b, [...b.shape, 1]) : b);

describeOp(matmul, {
  byHand: {
    "multiplies rows by columns": async () => {
      const a = tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      const b = tensor([
        [1, 0],
        [0, 1],
        [10, 100],
      ]);
      expect(await matmul(a, b).array()).toEqual([
        [31, 302],
        [64, 605],
      ]);
    },
    "multiplies a batch by one matrix": async () => {
      const a = tensor([[[1, 2]], [[3, 4]]]);
      expect(await matmul(a, tensor([[10], [1]])).array()).toEqual([[[12]], [[34]]]);
    },
    "takes vectors for one row or one column, which the result does not have": async () => {
      const matrix = tensor([[1, 2], [3, 4], [5, 6]]); // prettier-ignore
      const [three, two] = [tensor([1, 10, 100]), tensor([1, 10])];
      expect(await matmul(three, three).array()).toBe(10101);
      expect(await matmul(three, matrix).array()).toEqual([531, 642]);
      expect(await matmul(matrix, two).array()).toEqual([21, 43, 65]);
      const batch = stack([matrix, mul(matrix, 2)]);
      expect(await matmul(three, batch).array()).toEqual([[531, 642], [1062, 1284]]); // prettier-ignore
      expect(await matmul(batch, two).array()).toEqual([[21, 43, 65], [42, 86, 130]]); // prettier-ignore
      const [da, db] = grad(matmul(batch, two).sum(), [batch, two]);
      expect([da.shape, await db.array()]).toEqual([
        [2, 3, 2],
        [27, 36],
      ]);
    },
    "gives zeros when the inner axis is empty, and nothing when an outer one is": async () => {
      expect(await matmul(zeros([2, 0]), zeros([0, 2])).array()).toEqual([
        [0, 0],
        [0, 0],
      ]);
      expect(await matmul(zeros([2, 3]), zeros([3, 0])).array()).toEqual([[], []]);
      expect(await matmul(zeros([0, 2, 3]), zeros([3, 1])).array()).toEqual([]);
      expect(await matmul(zeros([0]), zeros([0])).array()).toBe(0);
      expect(await matmul(zeros([0]), zeros([0, 2])).array()).toEqual([0, 0]);
    },
  },

  loops: {
    "adds in float64 and rounds once": async () => {
      const a = tensor([[2 ** 30, 1, -(2 ** 30)]]); // 2^30 + 1 has no place in float32
      expect(await matmul(a, ones([3, 1])).array()).toEqual([[1]]);
    },
  },

  golden: { cases: ["network/matmul/*x*_*x*", "arithmetic/matmul/*"], run: ({ a, b }) => matmul(a, b) },

  laws: {
    "agrees with a sum over every index": () =>
      fc.assert(
        fc.asyncProperty(
          factors(0).chain((shapes) =>
            fc.record({ a: integers(shapes.a), b: integers(shapes.b), y: fc.constant(shapes.y) }),
          ),
          async ({ a, b, y }) => {
            const [aValues, bValues] = [await a.data(), await b.data()];
            const K = b.shape[b.shape.length - 2];
            /** Place of `[.., row, column]` in a factor, whose batch axes count from the last one and stay at 0 if stretched. */
            const at = (batch: number[], row: number, column: number, shape: Shape): number => {
              const own = batch.slice(batch.length - (shape.length - 2)).map((i, axis) => (shape[axis] === 1 ? 0 : i));
              return positionOf([...own, row, column], shape);
            };
            const expected = indices(y).map((index) => {
              const batch = index.slice(0, -2);
              const [m, n] = index.slice(-2);
              let total = 0;
              for (let k = 0; k < K; k++)
                total += aValues[at(batch, m, k, a.shape)] * bValues[at(batch, k, n, b.shape)];
              return total;
            });
            const product = matmul(a, b);
            expect(product.shape).toEqual(y);
            expect(Array.from(await product.data(), (value) => value + 0)).toEqual(expected.map((value) => value + 0));
          },
        ),
      ),
    "of vectors is that of one row or one column, gradients too": () =>
      fc.assert(
        fc.asyncProperty(
          vectors(0).chain(({ a, b }) => fc.tuple(integers(a), integers(b))),
          async ([a, b]) => {
            const y = matmul(a, b);
            const whole = matmul(rowOf(a), columnOf(b));
            const lead = whole.shape.slice(0, -2);
            const [M, N] = whole.shape.slice(-2);
            expect(y.shape).toEqual([
              ...lead,
              ...(a.shape.length === 1 ? [] : [M]),
              ...(b.shape.length === 1 ? [] : [N]),
            ]);
            const gradients = grad(sum(mul(y, y)), [a, b]);
            const wanted = grad(sum(mul(whole, whole)), [a, b]);
            expect(await y.data()).toEqual(await whole.data());
            expect(gradients.map(({ shape }) => shape)).toEqual([a.shape, b.shape]);
            for (const k of [0, 1]) expect(await gradients[k].data()).toEqual(await wanted[k].data());
          },
        ),
      ),
    "is linear in both factors": () =>
      fc.assert(
        fc.asyncProperty(
          factors(1).chain(({ a, b }) => fc.tuple(integers(a), integers(a), integers(b), integers(b))),
          async ([a, a2, b, b2]) => {
            const left = matmul(add(a, mul(a2, 2)), b);
            expect(await left.array()).toEqual(await add(matmul(a, b), mul(matmul(a2, b), 2)).array());
            const right = matmul(a, add(b, mul(b2, 2)));
            expect(await right.array()).toEqual(await add(matmul(a, b), mul(matmul(a, b2), 2)).array());
          },
        ),
      ),
    "is associative on integers": () =>
      fc.assert(
        fc.asyncProperty(
          fc
            .tuple(dims(), dims(), dims(), dims())
            .chain(([K, L, M, N]) => fc.tuple(integers([K, L]), integers([L, M]), integers([M, N]))),
          async ([a, b, c]) => {
            expect(await matmul(matmul(a, b), c).array()).toEqual(await matmul(a, matmul(b, c)).array());
          },
        ),
      ),
    "turns around under transposition: (a b)ᵀ = bᵀ aᵀ": () =>
      fc.assert(
        fc.asyncProperty(
          factors(1).chain(({ a, b }) => fc.tuple(integers(a), integers(b))),
          async ([a, b]) => {
            const turned = matmul(transpose(b, -1, -2), transpose(a, -1, -2));
            expect(await transpose(matmul(a, b), -1, -2).array()).toEqual(await turned.array());
          },
        ),
      ),
    "satisfies the adjoint identity dy . f(x) = vjp(dy) . x in both factors": () =>
      fc.assert(
        fc.asyncProperty(
          factors(0).chain(({ a, b, y }) => fc.tuple(integers(a), integers(b), integers(y))),
          async ([a, b, dy]) => {
            const y = matmul(a, b);
            const [da, db] = grad(y, [a, b], { gradOutput: dy });
            const expected = dot(await dy.data(), await y.data());
            expect(dot(await da.data(), await a.data())).toBe(expected);
            expect(dot(await db.data(), await b.data())).toBe(expected);
          },
        ),
      ),
  },

  gradients: {
    "both factors, batches broadcast": {
      f: matmul,
      inputs: factors(1).chain(({ a, b }) => fc.tuple(reals(a), reals(b))),
    },
    vectors: { f: matmul, inputs: vectors(1).chain(({ a, b }) => fc.tuple(reals(a), reals(b))) },
  },

  errors: {
    "inner sizes that differ": () => {
      expect(() => matmul(zeros([2, 3]), zeros([2, 3]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: matmul: a must be [.., M, K] or [K] and b [.., K, N] or [K] with one K, got a of shape [2, 3] and b of shape [2, 3]]`,
      );
    },
    "vectors that do not fit, and scalars": () => {
      const rule = "a must be [.., M, K] or [K] and b [.., K, N] or [K] with one K";
      const shapes: [a: Shape, b: Shape][] = [[[3], [2]], [[3], [2, 3]], [[2, 3], [2]], [[], [3]], [[3], []], [[], []], [[2, 3], []]]; // prettier-ignore
      for (const [a, b] of shapes) expect(() => matmul(zeros(a), zeros(b)), `${a} and ${b}`).toThrow(rule);
    },
    "leading axes that do not broadcast": () => {
      expect(() => matmul(zeros([2, 1, 3]), zeros([4, 3, 1]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: matmul (leading axes): shapes must broadcast: aligned at the last axis, sizes equal or 1, got a of shape [2] and b of shape [4]]`,
      );
    },
    int32: () => {
      const x = zeros([1, 1], { dtype: "int32" });
      expect(() => matmul(x, x)).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: matmul: inputs must share one floating dtype (x.cast("float32") converts), got int32 and int32]`,
      );
    },
  },
});

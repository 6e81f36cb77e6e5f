import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { tensor } from "../leaf.ts";
import { broadcasting, integers, reals } from "../testing/arbitraries.ts";
import { describeOp } from "../testing/describeOp.ts";
import { add } from "./add.ts";
import { maximum } from "./maximum.ts";
import { minimum } from "./minimum.ts";
import { neg } from "./neg.ts";
import { sqrt } from "./sqrt.ts";
import { sum } from "./sum.ts";

/** Operands of shapes that broadcast. */
const pairs = broadcasting(2).chain(({ shapes: [a, b] }) => fc.tuple(integers(a), integers(b)));

describeOp(maximum, {
  byHand: {
    "takes the larger of each pair": async () => {
      expect(await maximum(tensor([1, 5]), tensor([[3], [6]])).array()).toEqual([
        [3, 5],
        [6, 6],
      ]);
    },
    "takes a number on either side": async () => {
      expect(await maximum(3, maximum(tensor([1, 5]), 4)).array()).toEqual([4, 5]);
    },
    "gives NaN if either is NaN": async () => {
      expect(await maximum(tensor([NaN, 1, Infinity]), tensor([1, NaN, 2])).array()).toEqual([NaN, NaN, Infinity]);
    },
    "halves the gradient between equals": async () => {
      const a = tensor([1, 2, 3]);
      const b = tensor([2, 2, 2]);
      const [da, db] = grad(sum(maximum(a, b)), [a, b]);
      expect(await da.array()).toEqual([0, 0.5, 1]);
      expect(await db.array()).toEqual([1, 0.5, 0]);
    },
    "keeps an infinite gradient from the one that was not taken": async () => {
      const a = tensor([-1]);
      const b = tensor([0]);
      const [da, db] = grad(sum(sqrt(maximum(a, b))), [a, b]);
      expect([await da.item(), await db.item()]).toEqual([0, Infinity]);
    },
  },

  golden: { cases: ["arithmetic/arithmetic/maximum_*"], run: ({ a, b }) => maximum(a, b) },

  laws: {
    "is commutative and idempotent": () =>
      fc.assert(
        fc.asyncProperty(pairs, async ([a, b]) => {
          expect(await maximum(a, b).array()).toEqual(await maximum(b, a).array());
          expect(await maximum(a, a).array()).toEqual(await a.array());
        }),
      ),
    "is the minimum of the negatives, negated": () =>
      fc.assert(
        fc.asyncProperty(pairs, async ([a, b]) => {
          expect(await maximum(a, b).array()).toEqual(await neg(minimum(neg(a), neg(b))).array());
        }),
      ),
    "and the minimum share out the two operands": () =>
      fc.assert(
        fc.asyncProperty(pairs, async ([a, b]) => {
          expect(await add(maximum(a, b), minimum(a, b)).array()).toEqual(await add(a, b).array());
        }),
      ),
  },

  gradients: {
    "both operands, broadcast, away from ties": {
      f: maximum,
      inputs: broadcasting(2).chain(({ shapes: [a, b] }) =>
        fc.tuple(integers(a, { min: -2, max: 2, dtype: "float64" }), reals(b, { kinks: [-2, -1, 0, 1, 2] })),
      ),
    },
  },

  errors: {
    "shapes that do not broadcast": () => {
      expect(() => maximum(tensor([1, 2]), tensor([1, 2, 3]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: maximum: shapes must broadcast: aligned at the last axis, sizes equal or 1, got a of shape [2] and b of shape [3]]`,
      );
    },
    "different element types": () => {
      expect(() => maximum(tensor([1]), tensor([1], [1], { dtype: "int32" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: maximum: inputs must share one dtype (x.cast("float32") converts), got float32 and int32]`,
      );
    },
  },
});

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

describeOp(minimum, {
  byHand: {
    "takes the smaller of each pair": async () => {
      expect(await minimum(tensor([1, 5]), tensor([[3], [6]])).array()).toEqual([
        [1, 3],
        [1, 5],
      ]);
    },
    "takes a number on either side": async () => {
      expect(await minimum(3, minimum(tensor([1, 5]), 4)).array()).toEqual([1, 3]);
    },
    "gives NaN if either is NaN": async () => {
      expect(await minimum(tensor([NaN, 1, -Infinity]), tensor([1, NaN, 2])).array()).toEqual([NaN, NaN, -Infinity]);
    },
    "halves the gradient between equals": async () => {
      const a = tensor([1, 2, 3]);
      const b = tensor([2, 2, 2]);
      const [da, db] = grad(sum(minimum(a, b)), [a, b]);
      expect(await da.array()).toEqual([1, 0.5, 0]);
      expect(await db.array()).toEqual([0, 0.5, 1]);
    },
    "keeps an infinite gradient from the one that was not taken": async () => {
      const a = tensor([1]);
      const b = tensor([0]);
      const [da, db] = grad(sum(sqrt(minimum(a, b))), [a, b]);
      expect([await da.item(), await db.item()]).toEqual([0, Infinity]);
    },
  },

  golden: { cases: ["arithmetic/arithmetic/minimum_*"], run: ({ a, b }) => minimum(a, b) },

  laws: {
    "is commutative and idempotent": () =>
      fc.assert(
        fc.asyncProperty(pairs, async ([a, b]) => {
          expect(await minimum(a, b).array()).toEqual(await minimum(b, a).array());
          expect(await minimum(a, a).array()).toEqual(await a.array());
        }),
      ),
    "is the maximum of the negatives, negated": () =>
      fc.assert(
        fc.asyncProperty(pairs, async ([a, b]) => {
          expect(await minimum(a, b).array()).toEqual(await neg(maximum(neg(a), neg(b))).array());
        }),
      ),
    "and the maximum share out the two operands": () =>
      fc.assert(
        fc.asyncProperty(pairs, async ([a, b]) => {
          expect(await add(minimum(a, b), maximum(a, b)).array()).toEqual(await add(a, b).array());
        }),
      ),
  },

  gradients: {
    "both operands, broadcast, away from ties": {
      f: minimum,
      inputs: broadcasting(2).chain(({ shapes: [a, b] }) =>
        fc.tuple(integers(a, { min: -2, max: 2, dtype: "float64" }), reals(b, { kinks: [-2, -1, 0, 1, 2] })),
      ),
    },
  },

  errors: {
    "shapes that do not broadcast": () => {
      expect(() => minimum(tensor([1, 2]), tensor([1, 2, 3]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: minimum: shapes must broadcast: aligned at the last axis, sizes equal or 1, got a of shape [2] and b of shape [3]]`,
      );
    },
    "different element types": () => {
      expect(() => minimum(tensor([1]), tensor([1], [1], { dtype: "int32" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: minimum: inputs must share one dtype (x.cast("float32") converts), got float32 and int32]`,
      );
    },
  },
});

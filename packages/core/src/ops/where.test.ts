import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { tensor } from "../leaf.ts";
import { broadcasting, integers, reals } from "../testing/arbitraries.ts";
import { describeOp } from "../testing/describeOp.ts";
import { add } from "./add.ts";
import { equal, greater } from "./compare.ts";
import { sqrt } from "./sqrt.ts";
import { sum } from "./sum.ts";
import { where } from "./where.ts";

const triples = broadcasting(3);
const mask = { min: 0, max: 1 } as const;

describeOp(where, {
  byHand: {
    "takes a where the condition is not 0, and b elsewhere": async () => {
      expect(await where(tensor([1, 0, -2, NaN]), tensor([1, 2, 3, 4]), 0).array()).toEqual([1, 0, 3, 4]);
    },
    "stretches all three": async () => {
      expect(await where(tensor([[1], [0]]), tensor([1, 2]), -1).array()).toEqual([
        [1, 2],
        [-1, -1],
      ]);
    },
    "has the element type of a and b, whatever the condition's": async () => {
      const y = where(tensor([1, 0]), tensor([7, 7], [2], { dtype: "int32" }), 8);
      expect(await y.data()).toEqual(new Int32Array([7, 8]));
    },
    "hides a NaN, and an infinite gradient, that it does not take": async () => {
      const x = tensor([-1, 4]);
      const root = sqrt(x);
      const y = where(greater(x, 0), root, 0);
      expect(await y.array()).toEqual([0, 2]);
      const [toRoot] = grad(sum(where(greater(x, 0), root, 0)), [root]);
      expect(await toRoot.array()).toEqual([0, 1]);
    },
    "leaves 0 * Infinity to what lies behind it, so choose the operand, not the result": async () => {
      const x = tensor([0, 4]);
      const chosenLast = where(greater(x, 0), sqrt(x), 0); // the slope of √ at 0 is infinite, and 0 * Infinity is NaN
      expect(await grad(sum(chosenLast), [x])[0].array()).toEqual([NaN, 0.25]);
      const chosenFirst = sqrt(where(greater(x, 0), x, 1));
      expect(await grad(sum(chosenFirst), [x])[0].array()).toEqual([0, 0.25]);
    },
  },

  golden: { cases: ["arithmetic/arithmetic/where_*"], run: ({ condition, a, b }) => where(condition, a, b) },

  laws: {
    "takes the other one under the opposite condition": () =>
      fc.assert(
        fc.asyncProperty(
          triples.chain(({ shapes: [c, a, b] }) => fc.tuple(integers(c, mask), integers(a), integers(b))),
          async ([condition, a, b]) => {
            expect(await where(condition, a, b).array()).toEqual(await where(equal(condition, 0), b, a).array());
          },
        ),
      ),
    "shares out both operands and both gradients": () =>
      fc.assert(
        fc.asyncProperty(
          triples.chain(({ out }) =>
            fc.tuple(integers(out, mask), integers(out), integers(out), integers(out, { min: 1 })),
          ),
          async ([condition, a, b, gradOutput]) => {
            const y = where(condition, a, b);
            expect(await add(y, where(condition, b, a)).array()).toEqual(await add(a, b).array());
            const [da, db] = grad(where(condition, a, b), [a, b], { gradOutput });
            expect(await add(da, db).array()).toEqual(await gradOutput.array());
          },
        ),
      ),
  },

  gradients: {
    "both operands, broadcast": {
      f: where,
      inputs: triples.chain(({ shapes: [a, b, condition] }) =>
        fc.tuple(integers(condition, { ...mask, dtype: "int32" }), reals(a), reals(b)),
      ),
    },
  },

  errors: {
    "shapes that do not broadcast": () => {
      expect(() => where(tensor([1, 0]), tensor([1, 2, 3]), 0)).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: where: shapes must broadcast: aligned at the last axis, sizes equal or 1, got condition of shape [2] and a of shape [3] and b of shape []]`,
      );
    },
    "different element types": () => {
      const a = tensor([1], [1], { dtype: "float64" });
      expect(() => where(tensor([1]), a, tensor([1]))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: where: a and b must share one dtype (x.cast("float32") converts), got float64 and float32]`,
      );
    },
    "two numbers": () => {
      expect(() => where(tensor([1]), 1, 0)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: where: at least one operand must be a Tensor, got 0]`,
      );
    },
  },
});

import fc from "fast-check";
import { expect } from "vitest";

import { tensor } from "../leaf.ts";
import { broadcasting, integers, reals } from "../testing/arbitraries.ts";
import { describeOp } from "../testing/describeOp.ts";
import { add } from "./add.ts";
import { neg } from "./neg.ts";
import { sub } from "./sub.ts";

/** Operands of shapes that broadcast. */
const pairs = broadcasting(2);

describeOp(sub, {
  byHand: {
    "subtracts element by element": async () => {
      expect(await sub(tensor([10, 20]), tensor([1, 2])).array()).toEqual([9, 18]);
    },
    "stretches a row over a column": async () => {
      expect(await sub(tensor([10, 20, 30]), tensor([[1], [2]])).array()).toEqual([
        [9, 19, 29],
        [8, 18, 28],
      ]);
    },
    "takes a number on either side": async () => {
      expect(await sub(1, sub(tensor([0.5]), 2)).array()).toEqual([2.5]);
    },
    "finds no difference between infinities": async () => {
      expect(await sub(tensor([Infinity, Infinity]), tensor([1, Infinity])).array()).toEqual([Infinity, NaN]);
    },
  },

  golden: { cases: ["arithmetic/arithmetic/sub_*"], run: ({ a, b }) => sub(a, b) },

  laws: {
    "adds the negative": () =>
      fc.assert(
        fc.asyncProperty(
          pairs.chain(({ shapes: [a, b] }) => fc.tuple(integers(a), integers(b))),
          async ([a, b]) => {
            expect(await sub(a, b).array()).toEqual(await add(a, neg(b)).array());
          },
        ),
      ),
    "undoes a sum": () =>
      fc.assert(
        fc.asyncProperty(
          pairs.chain(({ shapes: [a, b] }) => fc.tuple(integers(a), integers(b))),
          async ([a, b]) => {
            expect(await sub(add(a, b), b).array()).toEqual(await a.array());
          },
        ),
      ),
  },

  gradients: {
    "both operands, broadcast": {
      f: sub,
      inputs: pairs.chain(({ shapes: [a, b] }) => fc.tuple(reals(a), reals(b))),
    },
  },

  errors: {
    "shapes that do not broadcast": () => {
      expect(() => sub(tensor([1, 2]), tensor([1, 2, 3]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: sub: shapes must broadcast: aligned at the last axis, sizes equal or 1, got a of shape [2] and b of shape [3]]`,
      );
    },
    "different element types": () => {
      expect(() => sub(tensor([1]), tensor([1], [1], { dtype: "int32" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: sub: inputs must share one dtype (x.cast("float32") converts), got float32 and int32]`,
      );
    },
    "two numbers": () => {
      expect(() => sub(1, 2 as never)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: sub: at least one operand must be a Tensor, got 2]`,
      );
    },
  },
});

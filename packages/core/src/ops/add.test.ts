import fc from "fast-check";
import { expect } from "vitest";

import { tensor } from "../leaf.ts";
import { broadcasting, integers, reals } from "../testing/arbitraries.ts";
import { describeOp } from "../testing/describeOp.ts";
import { add } from "./add.ts";

/** Operands of shapes that broadcast. */
const pairs = broadcasting(2);

describeOp(add, {
  byHand: {
    "adds element by element": async () => {
      expect(await add(tensor([1, 2]), tensor([10, 20])).array()).toEqual([11, 22]);
    },
    "stretches a column over a row": async () => {
      expect(await add(tensor([[1], [2]]), tensor([10, 20, 30])).array()).toEqual([
        [11, 21, 31],
        [12, 22, 32],
      ]);
    },
    "takes a number on either side": async () => {
      expect(await add(0.5, add(tensor([1]), 2)).array()).toEqual([3.5]);
    },
    "adds int32": async () => {
      expect(await add(tensor([1], [1], { dtype: "int32" }), 2).data()).toEqual(new Int32Array([3]));
    },
  },

  golden: { cases: ["arithmetic/arithmetic/add_*"], run: ({ a, b }) => add(a, b) },

  laws: {
    "is commutative and associative on integers": () =>
      fc.assert(
        fc.asyncProperty(
          broadcasting(3).chain(({ shapes: [a, b, c] }) => fc.tuple(integers(a), integers(b), integers(c))),
          async ([a, b, c]) => {
            expect(await add(a, b).array()).toEqual(await add(b, a).array());
            expect(await add(add(a, b), c).array()).toEqual(await add(a, add(b, c)).array());
          },
        ),
      ),
    "has zero as its neutral element": () =>
      fc.assert(
        fc.asyncProperty(
          pairs.chain(({ out }) => integers(out)),
          async (x) => {
            expect(await add(x, 0).array()).toEqual(await x.array());
          },
        ),
      ),
  },

  gradients: {
    "both operands, broadcast": {
      f: add,
      inputs: pairs.chain(({ shapes: [a, b] }) => fc.tuple(reals(a), reals(b))),
    },
  },

  errors: {
    "shapes that do not broadcast": () => {
      expect(() => add(tensor([1, 2]), tensor([1, 2, 3]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: add: shapes must broadcast: aligned at the last axis, sizes equal or 1, got a of shape [2] and b of shape [3]]`,
      );
    },
    "different element types": () => {
      expect(() => add(tensor([1]), tensor([1], [1], { dtype: "int32" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: add: inputs must share one dtype (x.cast("float32") converts), got float32 and int32]`,
      );
    },
    "a fraction beside an int32 tensor": () => {
      expect(() => add(tensor([1], [1], { dtype: "int32" }), 0.5)).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: add: a number beside an int32 tensor must be an integer; cast the tensor first, got 0.5]`,
      );
    },
    "something that is no tensor": () => {
      expect(() => add(tensor([1]), undefined as never)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: add: argument 1 must be a Tensor, got undefined]`,
      );
    },
  },
});

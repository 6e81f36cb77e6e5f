/** @file The six comparisons. They differ in one operator, so they share their laws and their errors. */

import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { tensor } from "../leaf.ts";
import type { Tensor } from "../tensor.ts";
import { broadcasting, integers } from "../testing/arbitraries.ts";
import { describeOp, type Tests } from "../testing/describeOp.ts";
import { equal, greater, greaterEqual, less, lessEqual, notEqual } from "./compare.ts";
import { sub } from "./sub.ts";
import { sum } from "./sum.ts";

type Comparison = (a: Tensor | number, b: Tensor | number) => Tensor;

const pairs = broadcasting(2).chain(({ shapes: [a, b] }) => fc.tuple(integers(a), integers(b)));
const none = "a step is flat on both sides; a law shows that no gradient comes through";

describeOp(equal, {
  byHand: byHand(equal, [0, 1, 0], 0),
  golden: { cases: ["arithmetic/arithmetic/eq_*"], run: ({ a, b }) => equal(a, b) },
  laws: laws(equal, { swapped: equal, opposite: notEqual }),
  gradients: { none, cases: { "of tensors that broadcast": { f: equal, inputs: pairs } } },
  errors: {
    "shapes that do not broadcast": () => {
      expect(() => equal(tensor([1, 2]), tensor([1, 2, 3]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: equal: shapes must broadcast: aligned at the last axis, sizes equal or 1, got a of shape [2] and b of shape [3]]`,
      );
    },
    "different element types": () => {
      expect(() => equal(tensor([1]), tensor([1], [1], { dtype: "int32" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: equal: inputs must share one dtype (x.cast("float32") converts), got float32 and int32]`,
      );
    },
    "a fraction beside an int32 tensor": () => {
      expect(() => equal(tensor([1], [1], { dtype: "int32" }), 0.5)).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: equal: a number beside an int32 tensor must be an integer; cast the tensor first, got 0.5]`,
      );
    },
  },
});

describeOp(notEqual, {
  byHand: byHand(notEqual, [1, 0, 1], 1),
  golden: { cases: ["arithmetic/arithmetic/ne_*"], run: ({ a, b }) => notEqual(a, b) },
  laws: laws(notEqual, { swapped: notEqual, opposite: equal }),
  gradients: { none, cases: { "of tensors that broadcast": { f: notEqual, inputs: pairs } } },
  errors: {
    "shapes that do not broadcast": () => {
      expect(() => notEqual(tensor([1, 2]), tensor([1, 2, 3]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: notEqual: shapes must broadcast: aligned at the last axis, sizes equal or 1, got a of shape [2] and b of shape [3]]`,
      );
    },
  },
});

describeOp(less, {
  byHand: byHand(less, [1, 0, 0], 0),
  golden: { cases: ["arithmetic/arithmetic/lt_*"], run: ({ a, b }) => less(a, b) },
  laws: laws(less, { swapped: greater, opposite: greaterEqual }),
  gradients: { none, cases: { "of tensors that broadcast": { f: less, inputs: pairs } } },
  errors: {
    "shapes that do not broadcast": () => {
      expect(() => less(tensor([1, 2]), tensor([1, 2, 3]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: less: shapes must broadcast: aligned at the last axis, sizes equal or 1, got a of shape [2] and b of shape [3]]`,
      );
    },
  },
});

describeOp(lessEqual, {
  byHand: byHand(lessEqual, [1, 1, 0], 0),
  golden: { cases: ["arithmetic/arithmetic/le_*"], run: ({ a, b }) => lessEqual(a, b) },
  laws: laws(lessEqual, { swapped: greaterEqual, opposite: greater }),
  gradients: { none, cases: { "of tensors that broadcast": { f: lessEqual, inputs: pairs } } },
  errors: {
    "shapes that do not broadcast": () => {
      expect(() => lessEqual(tensor([1, 2]), tensor([1, 2, 3]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: lessEqual: shapes must broadcast: aligned at the last axis, sizes equal or 1, got a of shape [2] and b of shape [3]]`,
      );
    },
  },
});

describeOp(greater, {
  byHand: byHand(greater, [0, 0, 1], 0),
  golden: { cases: ["arithmetic/arithmetic/gt_*"], run: ({ a, b }) => greater(a, b) },
  laws: laws(greater, { swapped: less, opposite: lessEqual }),
  gradients: { none, cases: { "of tensors that broadcast": { f: greater, inputs: pairs } } },
  errors: {
    "shapes that do not broadcast": () => {
      expect(() => greater(tensor([1, 2]), tensor([1, 2, 3]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: greater: shapes must broadcast: aligned at the last axis, sizes equal or 1, got a of shape [2] and b of shape [3]]`,
      );
    },
  },
});

describeOp(greaterEqual, {
  byHand: byHand(greaterEqual, [0, 1, 1], 0),
  golden: { cases: ["arithmetic/arithmetic/ge_*"], run: ({ a, b }) => greaterEqual(a, b) },
  laws: laws(greaterEqual, { swapped: lessEqual, opposite: less }),
  gradients: { none, cases: { "of tensors that broadcast": { f: greaterEqual, inputs: pairs } } },
  errors: {
    "shapes that do not broadcast": () => {
      expect(() => greaterEqual(tensor([1, 2]), tensor([1, 2, 3]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: greaterEqual: shapes must broadcast: aligned at the last axis, sizes equal or 1, got a of shape [2] and b of shape [3]]`,
      );
    },
  },
});

function byHand(compare: Comparison, with2: readonly number[], withNaN: number): Tests {
  return {
    "compares element by element": async () => {
      expect(await compare(tensor([1, 2, 3]), tensor([2, 2, 2])).array()).toEqual(with2);
    },
    "takes a number on either side": async () => {
      expect(await compare(tensor([1, 2, 3]), 2).array()).toEqual(with2);
      expect(await compare(2, tensor([3, 2, 1])).array()).toEqual(with2);
    },
    "answers in the operands' element type": async () => {
      expect(await compare(tensor([1, 2, 3], [3], { dtype: "int32" }), 2).data()).toEqual(Int32Array.from(with2));
    },
    "finds NaN equal to nothing, itself included, and neither above nor below anything": async () => {
      expect(await compare(tensor([NaN, NaN, 1]), tensor([NaN, 1, NaN])).array()).toEqual([withNaN, withNaN, withNaN]);
    },
    "does not tell 0 from -0": async () => {
      expect(await compare(tensor([0]), tensor([-0])).array()).toEqual([with2[1]]);
    },
  };
}

function laws(compare: Comparison, { swapped, opposite }: { swapped: Comparison; opposite: Comparison }): Tests {
  return {
    "turns around when the operands are swapped": () =>
      fc.assert(
        fc.asyncProperty(pairs, async ([a, b]) => {
          expect(await compare(a, b).array()).toEqual(await swapped(b, a).array());
        }),
      ),
    "holds exactly where its opposite does not": () =>
      fc.assert(
        fc.asyncProperty(pairs, async ([a, b]) => {
          expect(await compare(a, b).array()).toEqual(await sub(1, opposite(a, b)).array());
        }),
      ),
    "lets no gradient through": () =>
      fc.assert(
        fc.asyncProperty(pairs, async ([a, b]) => {
          const gradients = grad(sum(compare(a, b)), [a, b], { allowUnused: true });
          for (const dx of gradients) expect((await dx.data()).every((slope) => slope === 0)).toBe(true);
        }),
      ),
  };
}

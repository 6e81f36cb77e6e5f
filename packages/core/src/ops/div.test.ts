import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { tensor } from "../leaf.ts";
import { broadcasting, integers, reals } from "../testing/arbitraries.ts";
import { describeOp } from "../testing/describeOp.ts";
import { div } from "./div.ts";
import { mul } from "./mul.ts";
import { sum } from "./sum.ts";

/** Operands of shapes that broadcast. */
const pairs = broadcasting(2);

describeOp(div, {
  byHand: {
    "divides element by element": async () => {
      expect(await div(tensor([10, 20]), tensor([4, 5])).array()).toEqual([2.5, 4]);
    },
    "takes a number on either side": async () => {
      expect(await div(3, div(tensor([1]), 2)).array()).toEqual([6]);
    },
    "follows IEEE 754 at zero and infinity": async () => {
      const a = tensor([1, 1, -1, 0, 1, Infinity]);
      const b = tensor([0, -0, 0, 0, Infinity, Infinity]);
      expect(await div(a, b).array()).toEqual([Infinity, -Infinity, -Infinity, NaN, 0, NaN]);
    },
    "has the slopes 1/b and -a/b²": async () => {
      const a = tensor([6]);
      const b = tensor([2]);
      const [da, db] = grad(sum(div(a, b)), [a, b]);
      expect([await da.item(), await db.item()]).toEqual([0.5, -1.5]);
    },
  },

  golden: { cases: ["arithmetic/arithmetic/div_*"], run: ({ a, b }) => div(a, b) },

  laws: {
    "undoes a product of integers": () =>
      fc.assert(
        fc.asyncProperty(
          pairs.chain(({ shapes: [a, b] }) => fc.tuple(integers(a), integers(b, { min: 1 }))),
          async ([a, b]) => {
            expect(await div(mul(a, b), b).array()).toEqual(await a.array());
          },
        ),
      ),
    "by a power of two is a product with its inverse": () =>
      fc.assert(
        fc.asyncProperty(
          pairs.chain(({ out }) => integers(out)),
          fc.integer({ min: -8, max: 8 }),
          async (x, exponent) => {
            expect(await div(x, 2 ** exponent).array()).toEqual(await mul(x, 2 ** -exponent).array());
          },
        ),
      ),
  },

  gradients: {
    "both operands, broadcast": {
      f: div,
      inputs: pairs.chain(({ shapes: [a, b] }) => fc.tuple(reals(a), reals(b, { kinks: [0], distance: 0.5 }))),
    },
  },

  errors: {
    "shapes that do not broadcast": () => {
      expect(() => div(tensor([1, 2]), tensor([1, 2, 3]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: div: shapes must broadcast: aligned at the last axis, sizes equal or 1, got a of shape [2] and b of shape [3]]`,
      );
    },
    "int32, whose quotients are no integers": () => {
      expect(() => div(tensor([1], [1], { dtype: "int32" }), 2)).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: div: inputs must share one floating dtype (x.cast("float32") converts), got int32 and int32]`,
      );
    },
  },
});

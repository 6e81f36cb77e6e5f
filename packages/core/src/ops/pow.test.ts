import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { tensor } from "../leaf.ts";
import type { Tensor } from "../tensor.ts";
import { broadcasting, integers, reals, shapes } from "../testing/arbitraries.ts";
import { arithmeticRuns } from "../testing/arithmeticRuns.ts";
import { describeOp } from "../testing/describeOp.ts";
import { div } from "./div.ts";
import { mul } from "./mul.ts";
import { pow } from "./pow.ts";
import { sum } from "./sum.ts";

const float64 = { dtype: "float64" } as const;

/** The slopes of x -> x^exponent at 0: the first, the second, .. */
async function slopesAtZero(exponent: number, order: number): Promise<number[]> {
  const x = tensor(0, [], float64);
  const slopes = [];
  let y: Tensor = pow(x, exponent);
  for (let k = 0; k < order; k++) slopes.push(([y] = grad(y, [x], { allowUnused: true }))[0]);
  return Promise.all(slopes.map((slope) => slope.item()));
}

describeOp(pow, {
  byHand: {
    "raises element by element": async () => {
      expect(await pow(tensor([1, 2, -3]), 2).array()).toEqual([1, 4, 9]);
      expect(await pow(2, tensor([3, -1, 0])).array()).toEqual([8, 0.5, 1]);
    },
    "makes a table of a column of bases and a row of exponents": async () => {
      expect(await pow(tensor([[2], [3]]), tensor([0, 1, 2])).array()).toEqual([
        [1, 2, 4],
        [1, 3, 9],
      ]);
    },
    "follows IEEE 754 where JavaScript does not: 1 to any power is 1": async () => {
      const ones = tensor([1, 1, 1, -1]);
      expect(await pow(ones, tensor([NaN, Infinity, -Infinity, Infinity])).array()).toEqual([1, 1, 1, 1]);
    },
    "gives 1 for 0^0, infinity for 0^-1, and NaN for a root of a negative number": async () => {
      expect(await pow(tensor([0, NaN, 0, -8]), tensor([0, 0, -1, 1 / 3])).array()).toEqual([1, 1, Infinity, NaN]);
    },
    "has the slopes of a polynomial at 0": async () => {
      expect(await slopesAtZero(0, 4)).toEqual([0, 0, 0, 0]);
      expect(await slopesAtZero(1, 4)).toEqual([1, 0, 0, 0]);
      expect(await slopesAtZero(2, 4)).toEqual([0, 2, 0, 0]);
      expect(await slopesAtZero(0.5, 1)).toEqual([Infinity]);
    },
    "has the slope 0 for the exponent 0, and no curvature for 1, whatever the base is": async () => {
      const x = tensor([0, -0, 1, -3, 1e-40, -1e-39, 1e-45, 3e38, Infinity, -Infinity, NaN]);
      const none = Array<number>(11).fill(0);
      const [slope] = grad(sum(pow(x, 0)), [x]);
      expect((await slope.array()).toString()).toBe(none.toString()); // the text of -0 is 0
      const [one] = grad(sum(pow(x, 1)), [x]);
      const [curvature] = grad(sum(one), [x]);
      expect((await curvature.array()).toString()).toBe(none.toString());
    },
    "has no slope by the exponent at 0, where ln 0 is infinite": async () => {
      const a = tensor([0, 0]);
      const b = tensor([0, 2]);
      const [db] = grad(sum(pow(a, b)), [b]);
      const [ddb] = grad(sum(db), [b]);
      expect(await db.array()).toEqual([0, 0]);
      expect(await ddb.array()).toEqual([0, 0]);
    },
    "has the mixed slope 1/a at the exponent 0": async () => {
      const a = tensor([0.5]);
      const b = tensor([0]);
      const [da] = grad(sum(pow(a, b)), [a]);
      const [dadb] = grad(sum(da), [b]);
      expect(await dadb.array()).toEqual([2]);
    },
  },

  golden: {
    cases: ["arithmetic/arithmetic/pow_*"],
    run: arithmeticRuns.pow,
  },

  laws: {
    "makes products of sums of exponents": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => integers(shape, { min: -3, max: 3 })),
          fc.nat(4),
          fc.nat(4),
          async (x, a, b) => {
            expect(await pow(x, a + b).array()).toEqual(await mul(pow(x, a), pow(x, b)).array());
          },
        ),
      ),
    "with the exponent -1 is the inverse": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => integers(shape)),
          async (x) => {
            expect(await pow(x, -1).array()).toEqual(await div(1, x).array());
          },
        ),
      ),
  },

  gradients: {
    "both operands, broadcast": {
      f: pow,
      inputs: broadcasting(2).chain(({ shapes: [a, b] }) => fc.tuple(reals(a, { min: 0.5 }), reals(b))),
    },
    "negative bases with a whole exponent": {
      f: (x) => pow(x, 3),
      inputs: shapes().chain((shape) => fc.tuple(reals(shape))),
    },
  },

  errors: {
    "shapes that do not broadcast": () => {
      expect(() => pow(tensor([1, 2]), tensor([1, 2, 3]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: pow: shapes must broadcast: aligned at the last axis, sizes equal or 1, got base of shape [2] and exponent of shape [3]]`,
      );
    },
    "int32, whose negative powers are no integers": () => {
      expect(() => pow(tensor([2], [1], { dtype: "int32" }), 2)).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: pow: inputs must share one floating dtype (x.cast("float32") converts), got int32 and int32]`,
      );
    },
  },
});

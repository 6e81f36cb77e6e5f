/**
 * @file Exponential function.
 *
 *     y = e^x        dx = dy y
 *
 * Source: torch.exp.
 */

import { elementwise } from "../gpu/elementwise.ts";
import type { DType } from "../dtype.ts";
import type { Op } from "../op.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { mul } from "./mul.ts";

/**
 * e to the power of each element.
 *
 * @param x - any shape, floating.
 * @returns the shape of `x`.
 * @throws {DTypeError} when `x` is int32.
 *
 * @example
 * ```ts
 * await exp(tensor([0, -Infinity])).data(); // [1, 0]
 * ```
 */
export function exp<D extends DType>(x: Tensor<D>): Tensor<D> {
  return apply(expOp, [x], {});
}

export const expOp: Op = {
  name: "exp",
  shape: ([x]) => x,
  dtype: "float",
  vjp: (dy, _inputs, _attrs, y) => [mul(dy, y)],
  loops(y, [x]) {
    for (let i = 0; i < y.length; i++) y[i] = Math.exp(x[i]);
  },
  gpu: elementwise(expKernel),
};

/** Outside [-104, 104], for infinities and for NaN, of which no comparison holds, drivers do not agree on the answer. */
export function expKernel(x: number): number {
  if (Math.abs(x) <= 104) {
    return Math.exp(x);
  }
  if (x > 0) {
    return x * 3.4e38;
  }
  if (x < 0) {
    return 0;
  }
  return x + 1; // not x: drivers make a maximum of that, which loses NaN
}

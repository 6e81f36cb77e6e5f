/**
 * @file Logistic sigmoid.
 *
 *     y = 1 / (1 + e^-x)        dx = dy y (1 - y)
 *
 * Source: torch.sigmoid.
 */

import { elementwise } from "../gpu/elementwise.ts";
import type { DType } from "../dtype.ts";
import type { Op } from "../op.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { mul } from "./mul.ts";
import { sub } from "./sub.ts";

/**
 * The logistic sigmoid of each element, in (0, 1).
 *
 * @param x - any shape, floating.
 * @returns the shape of `x`.
 * @throws {DTypeError} when `x` is int32.
 *
 * @example
 * ```ts
 * await sigmoid(tensor([0, Infinity, -Infinity])).data(); // [0.5, 1, 0]
 * ```
 */
export function sigmoid<D extends DType>(x: Tensor<D>): Tensor<D> {
  return apply(sigmoidOp, [x], {});
}

export const sigmoidOp: Op = {
  name: "sigmoid",
  shape: ([x]) => x,
  dtype: "float",
  vjp: (dy, _inputs, _attrs, y) => [mul(dy, mul(y, sub(1, y)))],
  loops(y, [x]) {
    for (let i = 0; i < y.length; i++) y[i] = 1 / (1 + Math.exp(-x[i]));
  },
  gpu: elementwise(sigmoidKernel),
};

/** With e^-|x|, which cannot overflow. */
export function sigmoidKernel(x: number): number {
  const e = Math.exp(-Math.abs(x));
  if (x >= 0) {
    return 1 / (1 + e);
  }
  if (x < 0) {
    return e / (1 + e);
  }
  return x;
}

/**
 * @file Natural logarithm.
 *
 *     y = ln x        dx = dy / x
 *
 * Source: torch.log.
 */

import { elementwise } from "../gpu/elementwise.ts";
import type { DType } from "../dtype.ts";
import type { Op } from "../op.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { div } from "./div.ts";

/**
 * The natural logarithm of each element: -Infinity for 0, NaN for negative ones.
 *
 * @param x - any shape, floating.
 * @returns the shape of `x`.
 * @throws {DTypeError} when `x` is int32.
 *
 * @example
 * ```ts
 * await log(tensor([1, 0])).data(); // [0, -Infinity]
 * ```
 */
export function log<D extends DType>(x: Tensor<D>): Tensor<D> {
  return apply(logOp, [x], {});
}

export const logOp: Op = {
  name: "log",
  shape: ([x]) => x,
  dtype: "float",
  vjp: (dy, [x]) => [div(dy, x)],
  loops(y, [x]) {
    for (let i = 0; i < y.length; i++) y[i] = Math.log(x[i]);
  },
  gpu: elementwise(logKernel, { functions: [logOfRatioKernel] }),
};

/** Drivers return numbers for the logarithm of 0 and of negative numbers, and lose its digits near 1. */
export function logKernel(x: number): number {
  if (x > 0) {
    if (x > 0.7 && x < 1.4) {
      return logOfRatioKernel((x - 1) / (x + 1));
    }
    return Math.log(x);
  }
  if (x < 0) {
    return Math.sqrt(x); // NaN
  }
  if (x === 0) {
    return -1 / Math.abs(x);
  }
  return x; // NaN
}

/**
 * ln((1 + s) / (1 - s)) = 2 (s + s³/3 + s⁵/5 + ..) for 0 <= |s| <= 1/3, to float32's last digit: what is left out is below s¹⁷/8.
 * With s = e / (2 + e) it is ln(1 + e).
 */
export function logOfRatioKernel(s: number): number {
  const z = s * s;
  let series = 1 / 15;
  series = series * z + 1 / 13;
  series = series * z + 1 / 11;
  series = series * z + 1 / 9;
  series = series * z + 1 / 7;
  series = series * z + 1 / 5;
  series = series * z + 1 / 3;
  return 2 * (s + s * z * series);
}

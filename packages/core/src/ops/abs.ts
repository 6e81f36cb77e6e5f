/**
 * @file Absolute value.
 *
 *     y = |x|        dx = dy sign(x), which is 0 at 0
 *
 * Source: torch.abs.
 */

import { elementwise } from "../gpu/elementwise.ts";
import type { DType } from "../dtype.ts";
import type { Op } from "../op.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { mul } from "./mul.ts";
import { sign } from "./sign.ts";

/**
 * The absolute value of each element.
 *
 * @param x - any shape. int32 has no 2^31: the absolute value of -2^31 is -2^31.
 * @returns the shape of `x`.
 *
 * @example
 * ```ts
 * await abs(tensor([-2, 3])).data(); // [2, 3]
 * ```
 */
export function abs<D extends DType>(x: Tensor<D>): Tensor<D> {
  return apply(absOp, [x], {});
}

export const absOp: Op = {
  name: "abs",
  shape: ([x]) => x,
  dtype: "any",
  vjp: (dy, [x]) => [mul(dy, sign(x))],
  loops(y, [x]) {
    for (let i = 0; i < y.length; i++) y[i] = Math.abs(x[i]);
  },
  gpu: elementwise(absKernel),
};

function absKernel(x: number): number {
  return Math.abs(x);
}

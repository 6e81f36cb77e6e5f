/**
 * @file Cast: the same numbers in another element type.
 *
 *     y = x, rounded to the type        dx = dy, in the type of x
 *
 * Source: torch.Tensor.to; int32 cuts fractions off, towards zero.
 */

import { checkTensor } from "../checkTensor.ts";
import { checkDType, type DType, isFloat } from "../dtype.ts";
import type { Op } from "../op.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Converts to another element type. To int32, fractions are cut off towards zero, and what does not fit wraps around.
 *
 * @param x - any shape.
 * @param dtype - `"float32"`, `"float64"` or `"int32"`.
 * @returns the shape of `x`.
 * @throws {ValueError} when there is no such element type.
 *
 * @example
 * ```ts
 * await cast(tensor([1.7, -1.7]), "int32").data(); // [1, -1]
 * ```
 */
export function cast<D extends DType>(x: Tensor, dtype: D): Tensor<D> {
  checkTensor("cast", "x", x);
  return x.dtype === dtype ? (x as Tensor<D>) : apply(castOp, [x], { dtype });
}

export const castOp: Op<{ readonly dtype: DType }> = {
  name: "cast",

  shape: ([x]) => x,

  dtype(_inputs, { dtype }) {
    checkDType("cast", dtype);
    return dtype;
  },

  // A whole number does not move when what it was cut from moves a little.
  vjp: (dy, [x], { dtype }) => [isFloat(x.dtype) && isFloat(dtype) ? cast(dy, x.dtype) : null],

  loops(y, [x]) {
    y.set(x);
  },

  gpu: () => 0,
};

/**
 * @file Square root.
 *
 *     y = √x        dx = dy / 2y, infinite at 0
 *
 * Source: torch.sqrt.
 */

import { elementwise } from "../gpu/elementwise.ts";
import type { DType } from "../dtype.ts";
import type { Op } from "../op.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { div } from "./div.ts";
import { mul } from "./mul.ts";

/**
 * The square root of each element; NaN for negative ones.
 *
 * @param x - any shape, floating.
 * @returns the shape of `x`.
 * @throws {DTypeError} when `x` is int32.
 *
 * @example
 * ```ts
 * await sqrt(tensor([4, 9])).data(); // [2, 3]
 * ```
 */
export function sqrt<D extends DType>(x: Tensor<D>): Tensor<D> {
  return apply(sqrtOp, [x], {});
}

export const sqrtOp: Op = {
  name: "sqrt",
  shape: ([x]) => x,
  dtype: "float",
  vjp: (dy, _inputs, _attrs, y) => [div(dy, mul(y, 2))],
  loops(y, [x]) {
    for (let i = 0; i < y.length; i++) y[i] = Math.sqrt(x[i]);
  },
  gpu: elementwise(sqrtKernel),
};

function sqrtKernel(x: number): number {
  return Math.sqrt(x);
}

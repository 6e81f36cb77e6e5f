/**
 * @file Floor.
 *
 *     y = the largest integer not above x        dx = 0
 *
 * Source: torch.floor.
 */

import { elementwise } from "../gpu/elementwise.ts";
import type { DType } from "../dtype.ts";
import type { Op } from "../op.ts";
import { apply } from "../apply.ts";
import { zeros } from "../leaf.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Rounds each element down to an integer.
 *
 * @param x - any shape, floating.
 * @returns the shape of `x`.
 * @throws {DTypeError} when `x` is int32.
 *
 * @example
 * ```ts
 * await floor(tensor([1.5, -1.5])).data(); // [1, -2]
 * ```
 */
export function floor<D extends DType>(x: Tensor<D>): Tensor<D> {
  return apply(floorOp, [x], {});
}

export const floorOp: Op = {
  name: "floor",
  shape: ([x]) => x,
  dtype: "float",
  vjp: (_dy, [x]) => [zeros(x.shape, { dtype: x.dtype })], // flat between the steps
  loops(y, [x]) {
    for (let i = 0; i < y.length; i++) y[i] = Math.floor(x[i]);
  },
  gpu: elementwise(floorKernel),
};

function floorKernel(x: number): number {
  return Math.floor(x);
}

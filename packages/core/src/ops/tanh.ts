/**
 * @file Hyperbolic tangent.
 *
 *     y = tanh x        dx = dy (1 - y²)
 *
 * Source: torch.tanh.
 */

import { elementwise } from "../gpu/elementwise.ts";
import type { DType } from "../dtype.ts";
import type { Op } from "../op.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { mul } from "./mul.ts";
import { sub } from "./sub.ts";

/**
 * The hyperbolic tangent of each element, in (-1, 1).
 *
 * @param x - any shape, floating.
 * @returns the shape of `x`.
 * @throws {DTypeError} when `x` is int32.
 *
 * @example
 * ```ts
 * await tanh(tensor([0, Infinity])).data(); // [0, 1]
 * ```
 */
export function tanh<D extends DType>(x: Tensor<D>): Tensor<D> {
  return apply(tanhOp, [x], {});
}

export const tanhOp: Op = {
  name: "tanh",
  shape: ([x]) => x,
  dtype: "float",
  vjp: (dy, _inputs, _attrs, y) => [mul(dy, sub(1, mul(y, y)))],
  loops(y, [x]) {
    for (let i = 0; i < y.length; i++) y[i] = Math.tanh(x[i]);
  },
  gpu: elementwise(tanhKernel),
};

/** Drivers return NaN for the tanh of large numbers, where it is 1, and lose its digits near 0, where a series has them. */
function tanhKernel(x: number): number {
  if (Math.abs(x) < 0.25) {
    const z = x * x;
    return x * (1 + z * (((62 / 2835) * z - 17 / 315) * z * z + (2 / 15) * z - 1 / 3));
  }
  if (Math.abs(x) < 10) {
    return Math.tanh(x);
  }
  if (x > 0) {
    return 1;
  }
  if (x < 0) {
    return -1;
  }
  return x;
}

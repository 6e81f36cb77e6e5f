/**
 * @file Hyperbolic tangent.
 *
 *     y = tanh x        dx = dy (1 - y²)
 *
 * Source: torch.tanh.
 */

import { elementwise } from "../gpu/elementwise.ts";
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
export function tanh(x: Tensor): Tensor {
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

function tanhKernel(x: number): number {
  return Math.tanh(Math.min(Math.max(x, -10), 10));
}

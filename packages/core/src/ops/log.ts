/**
 * @file Natural logarithm.
 *
 *     y = ln x        dx = dy / x
 *
 * Source: torch.log.
 */

import { elementwise } from "../gpu/elementwise.ts";
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
export function log(x: Tensor): Tensor {
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
  gpu: elementwise(logKernel),
};

function logKernel(x: number): number {
  return Math.log(x);
}

/**
 * @file Sign.
 *
 *     y = -1, 0 or 1 as x is negative, zero or positive        dx = 0
 *
 * Source: torch.sign.
 */

import { elementwise } from "../gpu/elementwise.ts";
import type { DType } from "../dtype.ts";
import type { Op } from "../op.ts";
import { apply } from "../apply.ts";
import { zeros } from "../leaf.ts";
import type { Tensor } from "../tensor.ts";

/**
 * The sign of each element: -1, 0 or 1, and NaN for NaN.
 *
 * @param x - any shape.
 * @returns the shape of `x`.
 *
 * @example
 * ```ts
 * await sign(tensor([-2, 0, 3])).data(); // [-1, 0, 1]
 * ```
 */
export function sign<D extends DType>(x: Tensor<D>): Tensor<D> {
  return apply(signOp, [x], {});
}

export const signOp: Op = {
  name: "sign",
  shape: ([x]) => x,
  dtype: "any",
  vjp: (_dy, [x]) => [zeros(x.shape, { dtype: x.dtype })], // flat on both sides of the step
  loops(y, [x]) {
    for (let i = 0; i < y.length; i++) y[i] = Math.sign(x[i]);
  },
  gpu: elementwise(signKernel),
};

function signKernel(x: number): number {
  if (x > 0) {
    return 1;
  }
  if (x < 0) {
    return -1;
  }
  return x;
}

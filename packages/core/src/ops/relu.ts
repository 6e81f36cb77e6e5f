/**
 * @file Rectified linear unit.
 *
 *     y = max(x, 0)        dx = 0 where x <= 0, else dy
 *
 * Source: torch.nn.functional.relu, whose gradient at 0 is 0.
 */

import { elementwise } from "../gpu/elementwise.ts";
import type { DType } from "../dtype.ts";
import type { Op } from "../op.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { lessEqual } from "./compare.ts";
import { where } from "./where.ts";

/**
 * Replaces negative elements by 0; NaN stays NaN.
 *
 * @param x - any shape.
 * @returns the shape of `x`.
 *
 * @example
 * ```ts
 * await relu(tensor([-1, 2])).data(); // [0, 2]
 * ```
 */
export function relu<D extends DType>(x: Tensor<D>): Tensor<D> {
  return apply(reluOp, [x], {});
}

export const reluOp: Op = {
  name: "relu",
  shape: ([x]) => x,
  dtype: "any",
  vjp: (dy, [x]) => [where(lessEqual(x, 0), 0, dy)], // a product with a mask would make NaN of an infinite dy
  loops(y, [x]) {
    for (let i = 0; i < y.length; i++) y[i] = Math.max(x[i], 0);
  },
  gpu: elementwise(reluKernel),
};

function reluKernel(x: number): number {
  if (x > 0) {
    return x;
  }
  if (x <= 0) {
    return 0;
  }
  return x + 1; // NaN, which drivers lose if nothing but x stands here: they make a maximum of that
}

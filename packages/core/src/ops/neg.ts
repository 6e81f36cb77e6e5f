/**
 * @file Negation.
 *
 *     y = -x        dx = -dy
 *
 * Source: torch.neg.
 */

import { elementwise } from "../gpu/elementwise.ts";
import type { DType } from "../dtype.ts";
import type { Op } from "../op.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";

/**
 * The negative of each element.
 *
 * @param x - any shape. int32 has no 2^31: the negative of -2^31 is -2^31.
 * @returns the shape of `x`.
 *
 * @example
 * ```ts
 * await neg(tensor([1, -2])).data(); // [-1, 2]
 * ```
 */
export function neg<D extends DType>(x: Tensor<D>): Tensor<D> {
  return apply(negOp, [x], {});
}

export const negOp: Op = {
  name: "neg",
  shape: ([x]) => x,
  dtype: "any",
  vjp: (dy) => [neg(dy)],
  loops(y, [x]) {
    for (let i = 0; i < y.length; i++) y[i] = -x[i];
  },
  gpu: elementwise(negKernel),
};

function negKernel(x: number): number {
  return -x;
}

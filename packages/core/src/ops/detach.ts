/**
 * @file Detach: the same values, cut off from the gradients.
 *
 *     y = x        dx = none
 *
 * Source: torch.Tensor.detach.
 */

import { apply } from "../apply.ts";
import type { DType } from "../dtype.ts";
import type { Op } from "../op.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Turns `x` into something measured, which no gradient passes through.
 *
 * @param x - any shape, any dtype.
 * @returns the shape of `x`.
 *
 * @example
 * ```ts
 * const x = tensor([3, 4]);
 * const [dx] = grad(sum(mul(x, detach(x))), [x]);
 * await dx.data(); // [3, 4]
 * ```
 */
export function detach<D extends DType>(x: Tensor<D>): Tensor<D> {
  return apply(detachOp, [x], {});
}

export const detachOp: Op = {
  name: "detach",
  shape: ([x]) => x,
  dtype: "any",
  vjp: () => [null],
  loops(y, [x]) {
    y.set(x);
  },
  gpu: () => 0,
};

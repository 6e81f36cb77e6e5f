/**
 * @file Detach: the same values, cut off from the gradients.
 *
 *     y = x        dx = none
 *
 * Source: torch.Tensor.detach.
 */

import { apply, type Op, type Tensor } from "@gridgrad/core";

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
export function detach(x: Tensor): Tensor {
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

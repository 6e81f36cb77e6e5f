/**
 * @file Sigmoid linear unit, also called swish.
 *
 *     y = x s        dx = dy s (1 + x (1 - s))        s = 1 / (1 + e^-x)
 *
 * Source: Elfwing, Uchibe and Doya, "Sigmoid-weighted linear units", Neural Networks 107, 2018; torch.nn.functional.silu.
 */

import { add, apply, elementwise, mul, type Op, sigmoid, sigmoidKernel, sub, type Tensor } from "@gridgrad/core";

/**
 * Each element times its logistic sigmoid.
 *
 * @param x - any shape, floating.
 * @returns the shape of `x`.
 * @throws {DTypeError} when `x` is int32.
 *
 * @example
 * ```ts
 * await silu(tensor([0, 1000])).data(); // [0, 1000]
 * ```
 */
export function silu(x: Tensor): Tensor {
  return apply(siluOp, [x], {});
}

export const siluOp: Op = {
  name: "silu",

  shape: ([x]) => x,

  dtype: "float",

  vjp(dy, [x]) {
    const s = sigmoid(x);
    return [mul(dy, mul(s, add(mul(x, sub(1, s)), 1)))];
  },

  loops(y, [x]) {
    for (let i = 0; i < y.length; i++) y[i] = x[i] / (1 + Math.exp(-x[i]));
  },

  gpu: elementwise(siluKernel, { functions: [sigmoidKernel] }),
};

function siluKernel(x: number): number {
  return x * sigmoidKernel(x);
}

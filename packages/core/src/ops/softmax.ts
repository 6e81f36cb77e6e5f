/**
 * @file Softmax: positive numbers that sum to 1 along an axis.
 *
 *     y_c = e^(x_c - max) / Σ_k e^(x_k - max)        dx = y (dy - Σ_k dy_k y_k)
 *
 * Taking the largest element off changes nothing but keeps e^ from overflowing.
 *
 * Source: torch.nn.functional.softmax.
 */

import { apply } from "../apply.ts";
import { checkTensor } from "../checkTensor.ts";
import type { DType } from "../dtype.ts";
import type { Op } from "../op.ts";
import { normalizeAxis, type Shape, size } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { mul } from "./mul.ts";
import { sub } from "./sub.ts";
import { sum } from "./sum.ts";

/**
 * Turns scores into probabilities along an axis.
 *
 * @param x - at least one axis, floating.
 * @param dim - the axis that sums to 1, negative ones from the back.
 * @returns the shape of `x`.
 * @throws {ValueError} when there is no axis `dim`.
 * @throws {DTypeError} when `x` is int32.
 *
 * @example
 * ```ts
 * await softmax(tensor([[7, 7], [0, -Infinity]]), 1).array(); // [[0.5, 0.5], [1, 0]]
 * ```
 */
export function softmax<D extends DType>(x: Tensor<D>, dim: number): Tensor<D> {
  checkTensor("softmax", "x", x);
  return apply(softmaxOp, [x], { axis: normalizeAxis("softmax", dim, x.shape) });
}

export const softmaxOp: Op<{ readonly axis: number }> = {
  name: "softmax",

  shape: ([x]) => x,

  dtype: "float",

  vjp: (dy, _inputs, { axis }, y) => [mul(y, sub(dy, sum(mul(dy, y), axis, { keepdim: true })))],

  loops(y, [x], { attrs: { axis }, outShape }) {
    const { outer, count, inner } = aroundAxis(outShape, axis);
    for (let line = 0; line < outer * inner; line++) {
      const from = Math.floor(line / inner) * count * inner + (line % inner);
      const to = from + count * inner;
      let largest = -Infinity;
      for (let at = from; at < to; at += inner) largest = Math.max(largest, x[at]);
      let total = 0;
      for (let at = from; at < to; at += inner) total += Math.exp(x[at] - largest);
      for (let at = from; at < to; at += inner) y[at] = Math.exp(x[at] - largest) / total;
    }
  },

  gpu({ attrs: { axis }, outShape }, _, planner) {
    const { steps, powers, total, groups } = planner.powerSteps(outShape, axis);
    const inputs = [
      { from: powers, shape: outShape },
      { from: total, shape: groups },
    ];
    return [...steps, planner.elementwiseStep(shareKernel, outShape, inputs)];
  },
};

function shareKernel(power: number, total: number): number {
  return power / total;
}

/** A shape as three axes: those before `axis`, itself, and those behind it, which lie contiguous. */
export function aroundAxis(shape: Shape, axis: number): { outer: number; count: number; inner: number } {
  return { outer: size(shape.slice(0, axis)), count: shape[axis], inner: size(shape.slice(axis + 1)) };
}

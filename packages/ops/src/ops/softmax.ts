/**
 * @file Softmax: positive numbers that sum to 1 along an axis.
 *
 *     y_c = e^(x_c - max) / Σ_k e^(x_k - max)        dx = y (dy - Σ_k dy_k y_k)
 *
 * Taking the largest element off changes nothing but keeps e^ from overflowing.
 *
 * Source: torch.nn.functional.softmax.
 */

import { apply, mul, normalizeAxis, type Op, type Shape, size, sub, sum, type Tensor } from "@gridgrad/core";

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
export function softmax(x: Tensor, dim: number): Tensor {
  return apply(softmaxOp, [x], { axis: normalizeAxis("softmax", dim, x.shape) });
}

export const softmaxOp: Op<{ readonly axis: number }> = {
  name: "softmax",

  shape: ([x]) => x,

  dtype: "float",

  vjp: (dy, _inputs, { axis }, y) => [mul(y, sub(dy, sum(mul(dy, y), axis, { keepdim: true })))],

  loops(y, [x], { attrs: { axis }, outShape }) {
    const { outer, count, inner } = aroundAxis(outShape, axis);
    const largest = new Float64Array(inner);
    const total = new Float64Array(inner);
    const powers = new Float64Array(count * inner); // float64: y is rounded once
    for (let o = 0; o < outer; o++) {
      const from = o * count * inner;
      largest.fill(-Infinity);
      total.fill(0);
      for (let c = 0; c < count; c++) {
        for (let i = 0; i < inner; i++) largest[i] = Math.max(largest[i], x[from + c * inner + i]);
      }
      for (let c = 0; c < count; c++) {
        for (let i = 0; i < inner; i++) {
          const power = Math.exp(x[from + c * inner + i] - largest[i]);
          powers[c * inner + i] = power;
          total[i] += power;
        }
      }
      for (let c = 0; c < count; c++) {
        for (let i = 0; i < inner; i++) y[from + c * inner + i] = powers[c * inner + i] / total[i];
      }
    }
  },
};

/** A shape as three axes: those before `axis`, itself, and those behind it, which lie contiguous. */
export function aroundAxis(shape: Shape, axis: number): { outer: number; count: number; inner: number } {
  return { outer: size(shape.slice(0, axis)), count: shape[axis], inner: size(shape.slice(axis + 1)) };
}

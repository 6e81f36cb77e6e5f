/**
 * @file Logarithm of the softmax, without the detour over numbers that may round to 0.
 *
 *     y_c = x_c - max - ln Σ_k e^(x_k - max)        dx = dy - e^y Σ_k dy_k
 *
 * Source: torch.nn.functional.log_softmax.
 */

import {
  apply,
  aroundAxis,
  checkTensor,
  exp,
  logKernel,
  logOfRatioKernel,
  mul,
  normalizeAxis,
  type Op,
  sub,
  sum,
  type Tensor,
} from "@gridgrad/core";

/**
 * Turns scores into logarithms of probabilities along an axis.
 *
 * @param x - at least one axis, floating.
 * @param dim - the axis whose probabilities sum to 1, negative ones from the back.
 * @returns the shape of `x`.
 * @throws {ValueError} when there is no axis `dim`.
 * @throws {DTypeError} when `x` is int32.
 *
 * @example
 * ```ts
 * await logSoftmax(tensor([0, -1000]), 0).data(); // [0, -1000]
 * ```
 */
export function logSoftmax(x: Tensor, dim: number): Tensor {
  checkTensor("logSoftmax", "x", x);
  return apply(logSoftmaxOp, [x], { axis: normalizeAxis("logSoftmax", dim, x.shape) });
}

export const logSoftmaxOp: Op<{ readonly axis: number }> = {
  name: "logSoftmax",

  shape: ([x]) => x,

  dtype: "float",

  vjp: (dy, _inputs, { axis }, y) => [sub(dy, mul(exp(y), sum(dy, axis, { keepdim: true })))],

  loops(y, [x], { attrs: { axis }, outShape }) {
    const { outer, count, inner } = aroundAxis(outShape, axis);
    const largest = new Float64Array(inner);
    const total = new Float64Array(inner);
    for (let o = 0; o < outer; o++) {
      const from = o * count * inner;
      largest.fill(-Infinity);
      total.fill(0);
      for (let c = 0; c < count; c++) {
        for (let i = 0; i < inner; i++) largest[i] = Math.max(largest[i], x[from + c * inner + i]);
      }
      for (let c = 0; c < count; c++) {
        for (let i = 0; i < inner; i++) total[i] += Math.exp(x[from + c * inner + i] - largest[i]);
      }
      for (let i = 0; i < inner; i++) total[i] = Math.log(total[i]);
      for (let c = 0; c < count; c++) {
        for (let i = 0; i < inner; i++) y[from + c * inner + i] = x[from + c * inner + i] - largest[i] - total[i];
      }
    }
  },

  gpu({ attrs: { axis }, outShape }, _, planner) {
    const { steps, largest, total, groups } = planner.powerSteps(outShape, axis);
    const inputs = [
      { from: 0, shape: outShape },
      { from: largest, shape: groups },
      { from: total, shape: groups },
    ];
    return [
      ...steps,
      planner.elementwiseStep(logShareKernel, outShape, inputs, { functions: [logKernel, logOfRatioKernel] }),
    ];
  },
};

function logShareKernel(x: number, largest: number, total: number): number {
  return x - largest - logKernel(total);
}

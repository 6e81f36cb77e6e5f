/**
 * @file Mean and variance of groups of elements: what the norms divide by and what batchNorm2d keeps.
 *
 *     m = Σ x / n        v = Σ (x - m)² / n        over the reduced axes, n elements a group
 *     dx = dv 2 (x - m) / n        (m moves with x, but Σ (x - m) = 0, so that path adds nothing)
 *
 * Two passes. The one-pass form Σ x² / n - m² loses all digits where the mean is large beside the deviation.
 *
 * Source: Chan, Golub and LeVeque, "Algorithms for computing the sample variance", The American Statistician 37, 1983.
 */

import {
  apply,
  denseOperand,
  mean,
  mul,
  normalizeAxes,
  type Op,
  reducedOperand,
  reducedShape,
  type Shape,
  size,
  sub,
  type Tensor,
  type Values,
  walk,
} from "@gridgrad/core";

/** The biased variance (divided by n) over `axes`, which stay as size 1. */
export function variance(x: Tensor, axes: readonly number[]): Tensor {
  return apply(varianceOp, [x], { axes: normalizeAxes("variance", axes, x.shape) });
}

export const varianceOp: Op<{ readonly axes: readonly number[] }> = {
  name: "variance",

  shape: ([x], { axes }) => reducedShape(x, { axes, keepdim: true }),

  dtype: "float",

  vjp(dv, [x], { axes }, v) {
    const n = x.size / v.size;
    return [mul(sub(x, mean(x, axes, { keepdim: true })), mul(dv, 2 / n))];
  },

  loops(v, [x], { attrs: { axes }, inShapes: [shape] }) {
    v.set(moments(x, shape, axes, v.length).variance);
  },
};

/** Mean and biased variance of each of `groups` groups, in float64. */
export function moments(
  x: Values,
  shape: Shape,
  axes: readonly number[],
  groups: number,
): { mean: Float64Array; variance: Float64Array } {
  const operands = [denseOperand(shape), reducedOperand(shape, axes)];
  const n = size(shape) / groups;
  const mean = new Float64Array(groups);
  walk(shape, operands, (length, [xAt, at], [, step]) => {
    if (step === 0) {
      let total = 0; // a row within one group: its sum stays in a register
      for (let i = 0; i < length; i++) total += x[xAt + i];
      mean[at] += total;
    } else {
      for (let i = 0; i < length; i++) mean[at + i * step] += x[xAt + i];
    }
  });
  for (let g = 0; g < groups; g++) mean[g] /= n;

  const variance = new Float64Array(groups);
  walk(shape, operands, (length, [xAt, at], [, step]) => {
    if (step === 0) {
      const center = mean[at];
      let total = 0;
      for (let i = 0; i < length; i++) {
        const deviation = x[xAt + i] - center;
        total += deviation * deviation;
      }
      variance[at] += total;
    } else {
      for (let i = 0; i < length; i++) {
        const deviation = x[xAt + i] - mean[at + i * step];
        variance[at + i * step] += deviation * deviation;
      }
    }
  });
  for (let g = 0; g < groups; g++) variance[g] /= n;
  return { mean, variance };
}

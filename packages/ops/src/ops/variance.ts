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
  elementwiseStep,
  gather,
  type GpuStep,
  mean,
  mul,
  normalizeAxes,
  type Op,
  reduceAxes,
  reducedOperand,
  reducedShape,
  type Shape,
  size,
  stridesOf,
  sub,
  sumKernel,
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

  gpu({ attrs: { axes }, inShapes: [shape], outShape: groups }) {
    const { steps, squares } = momentSteps(shape, axes);
    const n = size(shape) / size(groups);
    return [...steps, elementwiseStep(quotientKernel, groups, [{ from: squares, shape: groups }], { floats: [n] })];
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

/**
 * Steps that find the moments of input 0, the only input, in float32, and the slots of their results: d, each element less the first
 * one of its group; the sum of d; and the sum of (d - mean of d)². Where the mean is large, d keeps digits that a float32 sum of x
 * loses.
 */
export function momentSteps(
  shape: Shape,
  axes: readonly number[],
): { steps: GpuStep[]; deviations: number; total: number; squares: number } {
  const groups = reducedShape(shape, { axes, keepdim: true });
  const n = size(shape) / size(groups);
  const steps = [gather("first", groups, { strides: stridesOf(shape) })];
  const put = (added: readonly GpuStep[]): number => {
    steps.push(...added);
    return steps.length; // the slot of the last one: slot 0 is the input
  };
  const sum = (from: number): number => {
    const added = reduceAxes(sumKernel, from, steps.length + 1, shape, axes);
    return added.length === 0 ? from : put(added); // no axes: each element is a group
  };
  const deviations = put([
    elementwiseStep(differenceKernel, shape, [
      { from: 0, shape },
      { from: steps.length, shape: groups },
    ]),
  ]);
  const total = sum(deviations);
  const squares = put([
    elementwiseStep(
      squareKernel,
      shape,
      [
        { from: deviations, shape },
        { from: total, shape: groups },
      ],
      { floats: [n] },
    ),
  ]);
  return { steps, deviations, total, squares: sum(squares) };
}

function differenceKernel(a: number, b: number): number {
  return a - b;
}

function squareKernel(d: number, total: number, n: number): number {
  const deviation = d - total / n;
  return deviation * deviation;
}

function quotientKernel(total: number, n: number): number {
  return total / n;
}

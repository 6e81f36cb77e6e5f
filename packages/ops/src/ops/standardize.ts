/**
 * @file Standardize: mean 0 and variance 1 within each group of elements. The heart of batchNorm2d, groupNorm and layerNorm.
 *
 *     y = (x - m) r        r = 1 / √(v + eps)        m, v mean and biased variance over the axes
 *     dx = r (dy - mean(dy) - y mean(dy y))
 *
 * The gradient takes from dy its parts along 1 and along y: adding a constant to a group or stretching it does not change y
 * (for eps = 0), so such changes of x must not matter.
 *
 * Source: Ioffe and Szegedy, "Batch Normalization", arXiv 1502.03167, 2015, section 3.
 */

import {
  add,
  apply,
  checkTensor,
  denseOperand,
  div,
  elementwiseStep,
  type GpuStep,
  mean,
  mul,
  neg,
  normalizeAxes,
  type Op,
  reduceAxes,
  reducedOperand,
  reducedShape,
  sameShape,
  ShapeError,
  size,
  sqrt,
  sum,
  sumKernel,
  type Tensor,
  ValueError,
  walk,
} from "@gridgrad/core";

import { moments, momentSteps, variance } from "./variance.ts";

/**
 * Shifts and scales each group to mean 0 and variance 1.
 *
 * @param x - any shape, floating.
 * @param axes - the axes of a group, negative ones from the back; each index of the other axes is a group of its own.
 * @param eps - added to the variance, so that a constant group gives 0 and not NaN.
 * @returns the shape of `x`.
 * @throws {ValueError} when an axis does not exist or is named twice, or `eps` is negative.
 * @throws {DTypeError} when `x` is int32.
 *
 * @example
 * ```ts
 * await standardize(tensor([[1, 3], [10, 50]]), [1], 0).array(); // [[-1, 1], [-1, 1]]
 * ```
 */
export function standardize(x: Tensor, axes: readonly number[], eps: number): Tensor {
  checkTensor("standardize", "x", x);
  return apply(standardizeOp, [x], { axes: normalizeAxes("standardize", axes, x.shape), eps });
}

export const standardizeOp: Op<{ readonly axes: readonly number[]; readonly eps: number }> = {
  name: "standardize",

  shape([x], { eps }) {
    if (!(eps >= 0)) throw new ValueError("standardize", "eps must be a number of at least 0", String(eps));
    return x;
  },

  dtype: "float",

  vjp(dy, [x], { axes, eps }, y) {
    const r = div(1, sqrt(add(variance(x, axes), eps)));
    return [apply(standardizeInputOp, [dy, y, r], { axes })];
  },

  loops(y, [x], { attrs: { axes, eps }, inShapes: [shape] }) {
    const groups = shape.reduce((product, dim, axis) => (axes.includes(axis) ? product : product * dim), 1);
    const { mean, variance } = moments(x, shape, axes, groups);
    const r = variance.map((v) => 1 / Math.sqrt(v + eps));
    walk(shape, [denseOperand(shape), reducedOperand(shape, axes)], (n, [xAt, at], [, step]) => {
      if (step === 0) {
        const center = mean[at];
        const scale = r[at];
        for (let i = 0; i < n; i++) y[xAt + i] = (x[xAt + i] - center) * scale;
      } else {
        for (let i = 0; i < n; i++) y[xAt + i] = (x[xAt + i] - mean[at + i * step]) * r[at + i * step];
      }
    });
  },

  gpu({ attrs: { axes, eps }, inShapes: [shape] }) {
    if (!Number.isFinite(Math.fround(eps))) return null; // a kernel's constants are finite
    const groups = reducedShape(shape, { axes, keepdim: true });
    const { steps, deviations, total, squares } = momentSteps(shape, axes);
    const inputs = [
      { from: deviations, shape },
      { from: total, shape: groups },
      { from: squares, shape: groups },
    ];
    const floats = [size(shape) / size(groups), eps];
    return [...steps, elementwiseStep(standardizeKernel, shape, inputs, { floats })];
  },
};

/** From momentSteps: d, the sum of d and that of its squared deviations, over n elements. */
function standardizeKernel(d: number, total: number, squares: number, n: number, eps: number): number {
  return (d - total / n) / Math.sqrt(squares / n + eps);
}

/**
 * The gradient of standardize, as a function of dy, y and r: linear in dy and in r, and its own adjoint in dy.
 * One op, because it is two passes over memory; made of ops it would be nine.
 */
export const standardizeInputOp: Op<{ readonly axes: readonly number[] }> = {
  name: "standardizeInput",

  shape([dy, y, r], { axes }) {
    const fits = r.every((dim, axis) => dim === (axes.includes(axis) ? 1 : y[axis]));
    if (!fits || !sameShape(dy, y))
      throw new ShapeError("internal: standardizeInput", "r must be y with its axes reduced", { dy, y, r });
    return dy;
  },

  dtype: "float",

  vjp(g, [dy, y, r], { axes }, dx) {
    const groupMean = (a: Tensor, b: Tensor): Tensor => mean(mul(a, b), axes, { keepdim: true });
    return [
      apply(standardizeInputOp, [g, y, r], { axes }),
      neg(mul(r, add(mul(g, groupMean(dy, y)), mul(dy, groupMean(g, y))))),
      div(sum(mul(g, dx), axes, { keepdim: true }), r),
    ];
  },

  loops(dx, [dy, y, r], { attrs: { axes }, inShapes: [shape] }) {
    const operands = [denseOperand(shape), reducedOperand(shape, axes)];
    const count = dx.length / r.length;
    const along1 = new Float64Array(r.length); // mean(dy)
    const alongY = new Float64Array(r.length); // mean(dy y)
    walk(shape, operands, (n, [dyAt, at], [, step]) => {
      if (step === 0) {
        let total = 0;
        let dot = 0;
        for (let i = 0; i < n; i++) {
          const slope = dy[dyAt + i];
          total += slope;
          dot += slope * y[dyAt + i];
        }
        along1[at] += total / count;
        alongY[at] += dot / count;
      } else {
        for (let i = 0; i < n; i++) {
          const slope = dy[dyAt + i] / count;
          along1[at + i * step] += slope;
          alongY[at + i * step] += slope * y[dyAt + i];
        }
      }
    });
    walk(shape, operands, (n, [dyAt, at], [, step]) => {
      if (step === 0) {
        const scale = r[at];
        const shift = along1[at];
        const slope = alongY[at];
        for (let i = 0; i < n; i++) dx[dyAt + i] = scale * (dy[dyAt + i] - shift - y[dyAt + i] * slope);
      } else {
        for (let i = 0; i < n; i++) {
          const g = at + i * step;
          dx[dyAt + i] = r[g] * (dy[dyAt + i] - along1[g] - y[dyAt + i] * alongY[g]);
        }
      }
    });
  },

  gpu({ attrs: { axes }, inShapes: [shape, , groups] }) {
    const [dy, y, r] = [0, 1, 2];
    const steps: GpuStep[] = [];
    const next = (): number => 3 + steps.length;
    const sumOf = (from: number): number => {
      steps.push(...reduceAxes(sumKernel, from, next(), shape, axes));
      return axes.length === 0 ? from : next() - 1;
    };
    const along1 = sumOf(dy);
    const product = next();
    steps.push(
      elementwiseStep(
        productKernel,
        shape,
        [dy, y].map((from) => ({ from, shape })),
      ),
    );
    const alongY = sumOf(product);
    const inputs = [
      ...[dy, y].map((from) => ({ from, shape })),
      ...[r, along1, alongY].map((from) => ({ from, shape: groups })),
    ];
    const floats = [size(shape) / size(groups)];
    return [...steps, elementwiseStep(standardizeInputKernel, shape, inputs, { floats })];
  },
};

function productKernel(a: number, b: number): number {
  return a * b;
}

/** With the sums of dy and dy y over a group's n elements. */
function standardizeInputKernel(dy: number, y: number, r: number, along1: number, alongY: number, n: number): number {
  return r * (dy - along1 / n - (y * alongY) / n);
}

/**
 * @file Smooth absolute error: squared near 0, absolute far away.
 *
 *     l = d² / 2 beta where |d| < beta, else |d| - beta / 2        d = x - target
 *     dd = dy clamp(d / beta, -1, 1)
 *
 * Source: Girshick, "Fast R-CNN", arXiv 1504.08083, 2015; torch.nn.functional.smooth_l1_loss.
 */

import {
  apply,
  checkOptions,
  clamp,
  div,
  elementwise,
  mul,
  type Op,
  sub,
  type Tensor,
  ValueError,
} from "@gridgrad/core";

import { l1Loss } from "./l1Loss.ts";
import { checkReduction, checkTarget, type Reduction, reduceLosses } from "./lossReduction.ts";

const smoothL1Options = { reduction: 1, beta: 1 } as const;

/**
 * The smooth absolute difference, averaged.
 *
 * @param x - any shape, floating.
 * @param target - the shape of `x`.
 * @param options.beta - where the parabola goes over into straight lines, at least 0; 0 is `l1Loss`. Default 1.
 * @param options.reduction - `"mean"` (default), `"sum"` or `"none"`.
 * @returns a scalar, or the shape of `x` for `"none"`.
 * @throws {ShapeError} when `target` has another shape than `x`.
 * @throws {DTypeError} when the element types differ or are int32.
 * @throws {ValueError} when `beta` is negative or there is no such reduction.
 *
 * @example
 * ```ts
 * await smoothL1Loss(tensor([1, 5]), tensor([0, 0]), { beta: 2, reduction: "none" }).data(); // [0.25, 4]
 * ```
 */
export function smoothL1Loss(x: Tensor, target: Tensor, options?: { beta?: number; reduction?: Reduction }): Tensor {
  const checked = checkOptions("smoothL1Loss(x, target)", smoothL1Options, options, arguments);
  const { beta = 1, reduction = "mean" } = checked;
  checkTarget("smoothL1Loss", x, target);
  checkReduction("smoothL1Loss", reduction);
  if (!(beta >= 0)) throw new ValueError("smoothL1Loss", "beta must be a number of at least 0", String(beta));
  if (beta === 0) return l1Loss(x, target, { reduction });
  return reduceLosses(apply(smoothL1Op, [sub(x, target)], { beta }), reduction);
}

/** The loss of each difference d. */
export const smoothL1Op: Op<{ readonly beta: number }> = {
  name: "smoothL1",

  shape: ([d]) => d,

  dtype: "float",

  vjp: (dy, [d], { beta }) => [mul(dy, clamp(div(d, beta), { min: -1, max: 1 }))],

  loops(y, [d], { attrs: { beta } }) {
    for (let i = 0; i < y.length; i++) {
      const a = Math.abs(d[i]);
      y[i] = a < beta ? (a * a) / (2 * beta) : a - beta / 2;
    }
  },

  gpu: elementwise(smoothL1Kernel, { floats: ({ beta }) => [beta] }),
};

function smoothL1Kernel(d: number, beta: number): number {
  const a = Math.abs(d);
  if (a < beta) {
    return a * 0.5 * (a / beta); // a² may overflow
  }
  return a - beta * 0.5;
}

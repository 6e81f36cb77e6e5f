/**
 * @file The smallest element over axes.
 *
 *     y[kept] = min over the other axes of x        dx = dy shared evenly among the elements that equal y
 *
 * Source: torch.amin, whose gradient at ties this is.
 */

import { minKernel } from "../gpu/reductionKernels.ts";
import { ShapeError } from "../errors.ts";
import type { Op } from "../op.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { denseOperand, walk } from "../walk.ts";
import { equal } from "./compare.ts";
import { div } from "./div.ts";
import { mul } from "./mul.ts";
import {
  type ReduceAttrs,
  reduceAttrs,
  reducedOperand,
  reducedShape,
  type ReduceOptions,
  stretchBack,
  sum,
} from "./sum.ts";

/**
 * Finds the smallest element over axes; NaN if one of them is NaN.
 *
 * @param x - any shape.
 * @param dim - axis or axes, negative ones from the back. Default: all.
 * @param options.keepdim - keep the reduced axes as size 1. Default false.
 * @returns the shape of `x` without the reduced axes.
 * @throws {ShapeError} when there is no element to take.
 * @throws {ValueError} when an axis does not exist or is named twice.
 *
 * @example
 * ```ts
 * await min(tensor([[1, 7], [3, 4]]), 1).data(); // [1, 3]
 * ```
 */
export function min(x: Tensor, dim?: number | readonly number[], options?: ReduceOptions): Tensor {
  return apply(minOp, [x], reduceAttrs("min", x, dim, options, arguments));
}

export const minOp: Op<ReduceAttrs> = {
  name: "min",

  shape([x], attrs) {
    if (attrs.axes.some((axis) => x[axis] === 0))
      throw new ShapeError("min", "the reduced axes of x must not be empty", { x });
    return reducedShape(x, attrs);
  },

  dtype: "any",

  vjp(dy, [x], { axes }, y) {
    const taken = equal(x, stretchBack(y, axes, x.shape));
    const share = div(taken, sum(taken, axes, { keepdim: true }));
    return [mul(stretchBack(dy, axes, x.shape), share)];
  },

  loops(y, [x], { attrs: { axes }, inShapes: [shape] }) {
    const first = new Uint8Array(y.length).fill(1); // int32 has no infinity to start from
    walk(shape, [denseOperand(shape), reducedOperand(shape, axes)], (n, [xAt, yAt], [, yStep]) => {
      for (let i = 0; i < n; i++) {
        const at = yAt + i * yStep;
        y[at] = first[at] ? x[xAt + i] : Math.min(y[at], x[xAt + i]);
        first[at] = 0;
      }
    });
  },

  gpu: ({ attrs: { axes }, inShapes: [shape] }, _, { reduceAxes }) =>
    axes.length === 0 ? 0 : reduceAxes(minKernel, 0, 1, shape, axes),
};

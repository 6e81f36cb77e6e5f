/**
 * @file Sum over axes.
 *
 *     y[kept] = Σ over the other axes of x        dx = dy, stretched back
 *
 * Source: torch.sum.
 */

import { checkOptions, type OptionNames } from "../checkOptions.ts";
import { checkTensor } from "../checkTensor.ts";
import { sumKernel } from "../gpu/reductionKernels.ts";
import type { Op } from "../op.ts";
import { normalizeAxes, type Shape, stridesOf } from "../shape.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { denseOperand, type Operand, walk } from "../walk.ts";
import { expand } from "./expand.ts";
import { reshape } from "./reshape.ts";

/** Attributes of the reductions: the axes, counted from the front and ascending, and whether they stay as size 1. */
export interface ReduceAttrs {
  readonly axes: readonly number[];
  readonly keepdim: boolean;
}

export interface ReduceOptions {
  /** Whether the axes stay, with size 1. Default false. */
  readonly keepdim?: boolean;
}

const reduceOptions: OptionNames<ReduceOptions> = { keepdim: 1 };

/**
 * Sums over axes.
 *
 * @param x - any shape, any dtype. The sum of no elements is 0; sums of int32 wrap around at 32 bits.
 * @param dim - axis or axes, negative ones from the back. Default: all.
 * @param options.keepdim - keep the summed axes as size 1. Default false.
 * @returns the shape of `x` without the summed axes.
 * @throws {ValueError} when an axis does not exist or is named twice.
 *
 * @example
 * ```ts
 * const x = tensor([[1, 2], [3, 4]]);
 * await sum(x).item(); // 10
 * await sum(x, 0).data(); // [4, 6]
 * await sum(x, -1, { keepdim: true }).array(); // [[3], [7]]
 * ```
 */
export function sum(x: Tensor, dim?: number | readonly number[], options?: ReduceOptions): Tensor {
  return apply(sumOp, [x], reduceAttrs("sum", x, dim, options, arguments));
}

/** What a reduction was given as attributes. Throws unless they are such. */
export function reduceAttrs(
  op: string,
  x: Tensor,
  dim: number | readonly number[] | undefined,
  options: ReduceOptions | undefined,
  given: ArrayLike<unknown>,
): ReduceAttrs {
  checkTensor(op, "x", x);
  const { keepdim = false } = checkOptions(`${op}(x, dim)`, reduceOptions, options, given);
  return { axes: normalizeAxes(op, dim, x.shape), keepdim };
}

export const sumOp: Op<ReduceAttrs> = {
  name: "sum",

  shape: ([x], attrs) => reducedShape(x, attrs),

  dtype: "any",

  vjp: (dy, [x], { axes }) => [stretchBack(dy, axes, x.shape)],

  loops(y, [x], { attrs, inShapes: [shape], dtype }) {
    // In float64 the order of the sum changes no float32 result noticeably; int32 wraps, before float64 would lose its low bits.
    const total = dtype === "int32" ? y : new Float64Array(y.length);
    walk(shape, [denseOperand(shape), reducedOperand(shape, attrs.axes)], (n, [xAt, yAt], [, yStep]) => {
      if (yStep === 0) {
        let rowTotal = 0;
        if (dtype === "int32") for (let i = 0; i < n; i++) rowTotal = (rowTotal + x[xAt + i]) | 0;
        else for (let i = 0; i < n; i++) rowTotal += x[xAt + i];
        total[yAt] += rowTotal;
      } else {
        for (let i = 0; i < n; i++) total[yAt + i * yStep] += x[xAt + i];
      }
    });
    if (total !== y) y.set(total);
  },

  gpu: ({ attrs: { axes }, inShapes: [shape] }, _, { reduceAxes }) =>
    axes.length === 0 ? 0 : reduceAxes(sumKernel, 0, 1, shape, axes),
};

/** Shape of a reduction of `x`. */
export function reducedShape(x: Shape, { axes, keepdim }: ReduceAttrs): Shape {
  return keepdim ? withOnes(x, axes) : x.filter((_, axis) => !axes.includes(axis));
}

/** The output of a reduction, walked along its input: a reduced axis does not move it. */
export function reducedOperand(shape: Shape, axes: readonly number[]): Operand {
  const own = stridesOf(withOnes(shape, axes));
  return { strides: own.map((stride, axis) => (axes.includes(axis) ? 0 : stride)) };
}

/** A reduction's result repeated along the axes that it lost. */
export function stretchBack(y: Tensor, axes: readonly number[], shape: Shape): Tensor {
  return expand(reshape(y, withOnes(shape, axes)), shape);
}

/** The shape with size 1 along `axes`. */
function withOnes(shape: Shape, axes: readonly number[]): Shape {
  return shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
}

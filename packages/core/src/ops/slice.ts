/**
 * @file Slice: a regular part of a tensor, and its adjoint, which puts such a part into zeros.
 *
 *     y[i] = x[start + i step]        dx = dy at those places, 0 elsewhere        (per axis)
 *
 * Source: Python's slices with a positive step, as NumPy and PyTorch index tensors.
 */

import { checkTensor } from "../checkTensor.ts";
import { ShapeError, showValue, ValueError } from "../errors.ts";
import type { Op } from "../op.ts";
import { checkList, formatShape, type Shape, stridesOf } from "../shape.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { denseOperand, gatherValues, type Operand, walk } from "../walk.ts";

/** The part of one axis: `[start, stop]` or `[start, stop, step]`, counted from the back if negative; `null` for all of it. */
export type Range = readonly [start: number, stop: number, step?: number] | null;

interface Attrs {
  readonly starts: readonly number[];
  readonly steps: readonly number[];
  /** Shape of the part. */
  readonly part: Shape;
}

/**
 * Takes a part of each axis. Bounds beyond an axis are cut to it, as in Python.
 *
 * @param x - any shape.
 * @param ranges - one per axis, from the first on; axes without one are taken whole.
 * @returns one axis per axis of `x`.
 * @throws {ValueError} when there are more ranges than axes, or a bound or step is not an integer or a step is below 1.
 *
 * @example
 * ```ts
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * await slice(x, [null, [1, 3]]).array(); // [[2, 3], [5, 6]]
 * await slice(x, [[-1, 2], [0, 3, 2]]).array(); // [[4, 6]]
 * ```
 */
export function slice(x: Tensor, ranges: readonly Range[]): Tensor {
  checkTensor("slice", "x", x);
  checkList("slice", "ranges", ranges);
  if (ranges.length > x.shape.length) {
    throw new ValueError("slice", `ranges must be at most one per axis of x, ${x.shape.length}`, `${ranges.length}`);
  }
  const parts = x.shape.map((dim, axis) => resolveRange(ranges[axis] ?? null, dim));
  return apply(sliceOp, [x], {
    starts: parts.map(({ start }) => start),
    steps: parts.map(({ step }) => step),
    part: parts.map(({ count }) => count),
  });
}

export const sliceOp: Op<Attrs> = {
  name: "slice",

  shape([x], attrs) {
    checkPart("slice", x, attrs);
    return attrs.part;
  },

  dtype: "any",

  vjp: (dy, [x], { starts, steps, part }) => [apply(unsliceOp, [dy], { starts, steps, part, whole: x.shape })],

  loops(y, [x], { attrs, inShapes: [whole] }) {
    gatherValues(y, x, attrs.part, partOperand(whole, attrs));
  },

  gpu: ({ attrs, inShapes: [whole] }, _, { gather }) => [gather("slice", attrs.part, partOperand(whole, attrs))],
};

/** Puts `x`, a part of the shape `whole`, where `slice` takes it from; zeros elsewhere. The gradient of `slice`, and of `pad`'s kin. */
export const unsliceOp: Op<Attrs & { readonly whole: Shape }> = {
  name: "unslice",

  shape(_inputs, attrs) {
    checkPart("unslice", attrs.whole, attrs);
    return attrs.whole;
  },

  dtype: "any",

  vjp: (dy, _inputs, { starts, steps, part }) => [apply(sliceOp, [dy], { starts, steps, part })],

  loops(y, [x], { attrs, outShape: whole }) {
    walk(attrs.part, [partOperand(whole, attrs), denseOperand(attrs.part)], (n, [yAt, xAt], [yStep]) => {
      for (let i = 0; i < n; i++) y[yAt + i * yStep] = x[xAt + i];
    });
  },

  gpu: ({ attrs: { starts, steps, part }, outShape }, _, { place }) =>
    place(part, outShape, { starts, steps, fill: 0 }),
};

/** A tensor of shape `whole`, read at the places of a part. */
function partOperand(whole: Shape, { starts, steps }: Attrs): Operand {
  const strides = stridesOf(whole);
  return {
    strides: strides.map((stride, axis) => stride * steps[axis]),
    offset: strides.reduce((offset, stride, axis) => offset + stride * starts[axis], 0),
  };
}

function resolveRange(range: Range, dim: number): { start: number; count: number; step: number } {
  if (range === null) return { start: 0, count: dim, step: 1 };
  const [from, to, step = 1] = Array.isArray(range) ? (range as NonNullable<Range>) : [NaN, NaN];
  if (![from, to, step].every(Number.isInteger) || step < 1) {
    throw new ValueError(
      "slice",
      "a range must be [start, stop] or [start, stop, step] of integers with step >= 1",
      Array.isArray(range) ? `[${range.join(", ")}]` : showValue(range),
    );
  }
  const inside = (bound: number): number => Math.min(Math.max(bound < 0 ? bound + dim : bound, 0), dim);
  const start = inside(from);
  return { start, count: Math.max(0, Math.ceil((inside(to) - start) / step)), step };
}

/** Guards against attributes that are made by hand: `slice` itself cannot make wrong ones. */
function checkPart(op: string, whole: Shape, { starts, steps, part }: Attrs): void {
  const fits = whole.every((dim, axis) => part[axis] === 0 || starts[axis] + (part[axis] - 1) * steps[axis] < dim);
  if (!fits) throw new ShapeError(`internal: ${op}`, `the part ${formatShape(part)} must lie inside`, { whole });
}

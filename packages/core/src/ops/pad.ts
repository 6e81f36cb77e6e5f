/**
 * @file Pad: a constant around a tensor.
 *
 *     y[before + i] = x[i], the constant elsewhere        dx = the inner part of dy        (per axis)
 *
 * Source: torch.nn.functional.pad with mode="constant", with the axes in their order instead of from the last one.
 */

import { checkOptions, type OptionNames } from "../checkOptions.ts";
import { checkTensor } from "../checkTensor.ts";
import { DTypeError, showValue, ValueError } from "../errors.ts";
import type { Op } from "../op.ts";
import { type Shape, stridesOf } from "../shape.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { denseOperand, walk } from "../walk.ts";
import { slice } from "./slice.ts";

interface Attrs {
  readonly padding: readonly (readonly [before: number, after: number])[];
  readonly value: number;
}

export interface PadOptions {
  /** What the new elements are. Default 0. */
  readonly value?: number;
}

const padOptions: OptionNames<PadOptions> = { value: 0 };

/**
 * Puts a constant border around `x`.
 *
 * @param x - any shape.
 * @param padding - `[before, after]` per axis of `x`, in elements, at least 0.
 * @param options.value - the constant. Default 0.
 * @returns the shape of `x`, each axis longer by `before + after`.
 * @throws {ValueError} unless `padding` has one pair of integers of at least 0 per axis.
 * @throws {DTypeError} when `x` is int32 and `value` is not an integer.
 *
 * @example
 * ```ts
 * await pad(tensor([1, 2]), [[1, 2]]).data(); // [0, 1, 2, 0, 0]
 * ```
 */
export function pad(x: Tensor, padding: Attrs["padding"], options?: PadOptions): Tensor {
  checkTensor("pad", "x", x);
  const { value = 0 } = checkOptions("pad(x, padding)", padOptions, options, arguments);
  const pairs = padding as readonly unknown[];
  if (!Array.isArray(pairs) || !pairs.every((pair) => Array.isArray(pair))) {
    throw new ValueError("pad", "padding must be an array of one pair [before, after] per axis", showValue(padding));
  }
  if (x.dtype === "int32" && !Number.isInteger(value)) {
    throw new DTypeError("pad", "value must be an integer beside an int32 x; cast x first", String(value));
  }
  return apply(padOp, [x], { padding: padding.map(([...pair]) => pair), value });
}

export const padOp: Op<Attrs> = {
  name: "pad",

  shape([x], { padding }) {
    const valid = padding.length === x.length && padding.every((pair) => pair.length === 2 && pair.every(isCount));
    if (!valid) {
      const rule = `padding must have one pair [before, after] of integers of at least 0 per axis of x, ${x.length}`;
      throw new ValueError("pad", rule, JSON.stringify(padding));
    }
    return paddedShape(x, padding);
  },

  dtype: "any",

  vjp: (dy, [x], { padding }) => [
    slice(
      dy,
      padding.map(([before], axis) => [before, before + x.shape[axis]]),
    ),
  ],

  loops(y, [x], { attrs: { padding, value }, inShapes: [shape], outShape }) {
    y.fill(value);
    const strides = stridesOf(outShape);
    const offset = padding.reduce((total, [before], axis) => total + before * strides[axis], 0);
    walk(shape, [{ strides, offset }, denseOperand(shape)], (n, [yAt, xAt], [yStep]) => {
      for (let i = 0; i < n; i++) y[yAt + i * yStep] = x[xAt + i];
    });
  },

  gpu: ({ attrs: { padding, value }, inShapes: [shape], outShape }, _, { place }) =>
    place(shape, outShape, { starts: padding.map(([before]) => before), steps: padding.map(() => 1), fill: value }),
};

function paddedShape(x: Shape, padding: Attrs["padding"]): Shape {
  return x.map((dim, axis) => dim + padding[axis][0] + padding[axis][1]);
}

function isCount(n: number): boolean {
  return Number.isInteger(n) && n >= 0;
}

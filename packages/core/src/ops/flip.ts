/**
 * @file Flip: reverse the order along axes.
 *
 *     y[i] = x[D - 1 - i]        dx = dy flipped        (per axis of size D)
 *
 * Source: torch.flip.
 */

import { checkTensor } from "../checkTensor.ts";
import type { Op } from "../op.ts";
import { normalizeAxes, type Shape, stridesOf } from "../shape.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { gatherValues, type Operand } from "../walk.ts";

/**
 * Reverses the order along axes.
 *
 * @param x - any shape.
 * @param dims - axis or axes, negative ones from the back.
 * @returns the shape of `x`.
 * @throws {ValueError} when an axis does not exist or is named twice.
 *
 * @example
 * ```ts
 * await flip(tensor([1, 2, 3]), 0).data(); // [3, 2, 1]
 * ```
 */
export function flip(x: Tensor, dims: number | readonly number[]): Tensor {
  checkTensor("flip", "x", x);
  return apply(flipOp, [x], { dims: normalizeAxes("flip", dims, x.shape) });
}

export const flipOp: Op<{ readonly dims: readonly number[] }> = {
  name: "flip",

  shape: ([x]) => x,

  dtype: "any",

  vjp: (dy, _inputs, { dims }) => [flip(dy, dims)],

  loops(y, [x], { attrs: { dims }, outShape: shape }) {
    gatherValues(y, x, shape, backwards(dims, shape));
  },

  gpu: ({ attrs, outShape }, _, { gather }) => [gather("flip", outShape, backwards(attrs.dims, outShape))],
};

/** A tensor of `shape` read from its last element on along `dims`. */
function backwards(dims: readonly number[], shape: Shape): Operand {
  const strides = stridesOf(shape);
  return {
    strides: strides.map((stride, axis) => (dims.includes(axis) ? -stride : stride)),
    offset: dims.reduce((offset, axis) => offset + (shape[axis] - 1) * strides[axis], 0),
  };
}

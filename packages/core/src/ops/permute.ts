/**
 * @file Permute: reorder the axes.
 *
 *     y[i_d0, i_d1, ..] = x[i_0, i_1, ..]        dx = dy under the inverse order
 *
 * Source: torch.permute, torch.transpose.
 */

import { checkTensor } from "../checkTensor.ts";
import { ShapeError } from "../errors.ts";
import type { Op } from "../op.ts";
import { checkList, normalizeAxis, type Shape, stridesOf } from "../shape.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { gatherValues, type Operand } from "../walk.ts";

/**
 * Reorders the axes.
 *
 * @param x - any shape.
 * @param dims - for each axis of the result the axis of `x` that it is; negative ones from the back.
 * @returns the shape of `x` in the new order.
 * @throws {ShapeError} unless `dims` names every axis of `x` once.
 * @throws {ValueError} when an axis does not exist.
 *
 * @example
 * ```ts
 * permute(zeros([2, 3, 4]), [2, 0, 1]).shape; // [4, 2, 3]
 * ```
 */
export function permute(x: Tensor, dims: readonly number[]): Tensor {
  checkTensor("permute", "x", x);
  checkList("permute", "dims", dims);
  return apply(permuteOp, [x], { dims: dims.map((dim) => normalizeAxis("permute", dim, x.shape)) });
}

/**
 * Swaps two axes.
 *
 * @param x - any shape.
 * @param dim0 - an axis, negative ones from the back.
 * @param dim1 - the axis to swap it with.
 * @returns the shape of `x` with both sizes swapped.
 * @throws {ValueError} when there is no such axis.
 *
 * @example
 * ```ts
 * await transpose(tensor([[1, 2], [3, 4]]), 0, 1).array(); // [[1, 3], [2, 4]]
 * ```
 */
export function transpose(x: Tensor, dim0: number, dim1: number): Tensor {
  checkTensor("transpose", "x", x);
  const dims = x.shape.map((_, axis) => axis);
  const a = normalizeAxis("transpose", dim0, x.shape);
  const b = normalizeAxis("transpose", dim1, x.shape);
  [dims[a], dims[b]] = [b, a];
  return permute(x, dims);
}

export const permuteOp: Op<{ readonly dims: readonly number[] }> = {
  name: "permute",

  shape([x], { dims }) {
    if (dims.length !== x.length || new Set(dims).size !== x.length) {
      throw new ShapeError("permute", `dims [${dims.join(", ")}] must name every axis of x once`, { x });
    }
    return dims.map((dim) => x[dim]);
  },

  dtype: "any",

  vjp(dy, _inputs, { dims }) {
    return [
      permute(
        dy,
        dims.map((_, axis) => dims.indexOf(axis)),
      ),
    ];
  },

  loops(y, [x], { attrs: { dims }, inShapes: [shape], outShape }) {
    gatherValues(y, x, outShape, permuted(dims, shape));
  },

  gpu: ({ attrs: { dims }, inShapes: [shape], outShape }, _, { gather }) => [
    gather("permute", outShape, permuted(dims, shape)),
  ],
};

/** A tensor of `shape`, whose axis `dims[k]` is walked as axis k. */
function permuted(dims: readonly number[], shape: Shape): Operand {
  const strides = stridesOf(shape);
  return { strides: dims.map((dim) => strides[dim]) };
}

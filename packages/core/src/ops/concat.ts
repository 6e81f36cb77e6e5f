/**
 * @file Concat: tensors one after another along an axis.
 *
 *     y = [x_0 | x_1 | ..]        dx_k = the part of dy where x_k went
 *
 * Source: torch.cat.
 */

import { ShapeError, ValueError } from "../errors.ts";
import type { Op } from "../op.ts";
import { normalizeAxis, type Shape, stridesOf } from "../shape.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { denseOperand, walk } from "../walk.ts";
import { slice } from "./slice.ts";

/**
 * Joins tensors along an axis.
 *
 * @param xs - one or more, of equal shapes except along `dim`.
 * @param dim - the axis, negative ones from the back. Default 0.
 * @returns the common shape, with the sizes along `dim` added.
 * @throws {ValueError} when `xs` is empty or there is no axis `dim`.
 * @throws {ShapeError} when another axis differs.
 *
 * @example
 * ```ts
 * await concat([tensor([1, 2]), tensor([3])]).data(); // [1, 2, 3]
 * ```
 */
export function concat(xs: readonly Tensor[], dim = 0): Tensor {
  if (xs.length === 0) throw new ValueError("concat", "xs must hold at least one tensor", "none");
  return apply(concatOp, xs, { dim: normalizeAxis("concat", dim, xs[0].shape) });
}

export const concatOp: Op<{ readonly dim: number }> = {
  name: "concat",

  shape(shapes, { dim }) {
    const [first] = shapes;
    const fits = (shape: Shape): boolean =>
      shape.length === first.length && shape.every((size, axis) => axis === dim || size === first[axis]);
    if (!shapes.every(fits)) {
      const named = Object.fromEntries(shapes.map((shape, k) => [`xs[${k}]`, shape]));
      throw new ShapeError("concat", `all must have the same shape, except along axis ${dim}`, named);
    }
    return first.map((size, axis) => (axis === dim ? shapes.reduce((total, shape) => total + shape[dim], 0) : size));
  },

  dtype: "any",

  vjp(dy, xs, { dim }) {
    let start = 0;
    return xs.map((x) => {
      const stop = start + x.shape[dim];
      const part = slice(
        dy,
        dy.shape.map((_, axis) => (axis === dim ? [start, stop] : null)),
      );
      start = stop;
      return part;
    });
  },

  loops(y, xs, { attrs: { dim }, inShapes, outShape }) {
    const strides = stridesOf(outShape);
    let offset = 0;
    xs.forEach((x, k) => {
      walk(inShapes[k], [{ strides, offset }, denseOperand(inShapes[k])], (n, [yAt, xAt], [yStep]) => {
        for (let i = 0; i < n; i++) y[yAt + i * yStep] = x[xAt + i];
      });
      offset += inShapes[k][dim] * strides[dim];
    });
  },
};

/**
 * @file Expand: repeat along axes of size 1 and new leading axes, and its adjoint, the sum back.
 *
 *     y[.., i, ..] = x[.., 0, ..]        dx = dy summed over the stretched axes
 *
 * Source: torch.Tensor.expand; NumPy, "General broadcasting rules".
 */

import { checkTensor } from "../checkTensor.ts";
import { ShapeError, ValueError } from "../errors.ts";
import type { Op } from "../op.ts";
import { checkList, checkShape, formatShape, sameShape, type Shape } from "../shape.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { broadcastOperand, gatherValues } from "../walk.ts";
import { reshape } from "./reshape.ts";
import { sum } from "./sum.ts";

/**
 * Repeats `x` to `shape`: axes of size 1 stretch, new axes come in front.
 *
 * @param x - a shape that broadcasts to `shape`.
 * @param shape - the wanted shape; -1 keeps an axis as it is.
 * @returns `shape`
 * @throws {ShapeError} when an axis of `x` is neither 1 nor the wanted size.
 * @throws {ValueError} when a size is not an integer of at least 0, or -1 stands for a new axis.
 *
 * @example
 * ```ts
 * await expand(tensor([[1], [2]]), [2, 3]).array(); // [[1, 1, 1], [2, 2, 2]]
 * ```
 */
export function expand(x: Tensor, shape: Shape): Tensor {
  checkTensor("expand", "x", x);
  checkList("expand", "shape", shape);
  const lead = shape.length - x.shape.length;
  const wanted = shape.map((dim, axis) => {
    if (dim !== -1) return dim;
    if (axis < lead)
      throw new ValueError("expand", "-1 keeps an axis of x and cannot stand for a new one", formatShape(shape));
    return x.shape[axis - lead];
  });
  return apply(expandOp, [x], { shape: wanted });
}

export const expandOp: Op<{ readonly shape: Shape }> = {
  name: "expand",

  shape([x], { shape }) {
    checkShape("expand", shape);
    const lead = shape.length - x.length;
    if (lead < 0 || !x.every((dim, axis) => dim === 1 || dim === shape[lead + axis])) {
      throw new ShapeError("expand", `x must broadcast to ${formatShape(shape)}: its axes 1 or of the wanted size`, {
        x,
      });
    }
    return shape;
  },

  dtype: "any",

  vjp: (dy, [x]) => [sumTo(dy, x.shape)],

  loops(y, [x], { inShapes: [shape], outShape }) {
    gatherValues(y, x, outShape, broadcastOperand(shape, outShape));
  },

  gpu: ({ inShapes: [shape], outShape }, _, { gather }) => [
    gather("expand", outShape, broadcastOperand(shape, outShape)),
  ],
};

/** Sums `dy` down to `shape`, of which it has the broadcast shape: the gradient of every broadcasting op. */
export function sumTo(dy: Tensor, shape: Shape): Tensor {
  if (sameShape(dy.shape, shape)) return dy;
  const lead = dy.shape.length - shape.length;
  const stretched = dy.shape.flatMap((dim, axis) =>
    axis < lead || (shape[axis - lead] === 1 && dim !== 1) ? [axis] : [],
  );
  return reshape(sum(dy, stretched, { keepdim: true }), shape);
}

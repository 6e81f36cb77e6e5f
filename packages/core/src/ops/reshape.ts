/**
 * @file Reshape: the same values in row-major order under another shape.
 *
 * Source: torch.reshape.
 */

import { checkTensor } from "../checkTensor.ts";
import { ShapeError, ValueError } from "../errors.ts";
import type { Op } from "../op.ts";
import { checkList, checkShape, formatShape, sameShape, type Shape, size } from "../shape.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Gives `x` another shape of as many elements.
 *
 * @param x - any shape.
 * @param shape - the wanted shape; one axis may be -1 and is then what is left over.
 * @returns `shape`
 * @throws {ShapeError} when the number of elements differs.
 * @throws {ValueError} when a size is not an integer of at least 0, or -1 leaves a choice.
 *
 * @example
 * ```ts
 * await reshape(tensor([1, 2, 3, 4]), [2, -1]).array(); // [[1, 2], [3, 4]]
 * ```
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  checkTensor("reshape", "x", x);
  checkList("reshape", "shape", shape);
  const wanted = inferSize(shape, x.shape);
  return sameShape(wanted, x.shape) ? x : apply(reshapeOp, [x], { shape: wanted });
}

export const reshapeOp: Op<{ readonly shape: Shape }> = {
  name: "reshape",

  shape([x], { shape }) {
    checkShape("reshape", shape);
    if (size(shape) !== size(x)) {
      throw new ShapeError("reshape", `x must have as many elements as ${formatShape(shape)}, ${size(shape)}`, { x });
    }
    return shape;
  },

  dtype: "any",

  vjp: (dy, [x]) => [reshape(dy, x.shape)],

  loops(y, [x]) {
    y.set(x);
  },

  gpu: () => 0,
};

/** Replaces the one -1 by what the other axes leave over. */
function inferSize(shape: Shape, x: Shape): Shape {
  const open = shape.indexOf(-1);
  if (open < 0) return shape;
  const others = size(shape.filter((_, axis) => axis !== open));
  if (shape.lastIndexOf(-1) !== open) throw new ValueError("reshape", "at most one axis may be -1", formatShape(shape));
  if (others === 0)
    throw new ValueError("reshape", "-1 beside an axis of size 0 could be anything; name the size", formatShape(shape));
  if (size(x) % others !== 0) {
    throw new ShapeError("reshape", `x must have a multiple of ${others} elements for ${formatShape(shape)}`, { x });
  }
  return shape.map((dim, axis) => (axis === open ? size(x) / others : dim));
}

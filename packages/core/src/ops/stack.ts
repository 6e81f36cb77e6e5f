/**
 * @file Stack: tensors of one shape along a new axis. A reshape and a concat.
 *
 * Source: torch.stack.
 */

import { checkTensorList } from "../checkTensor.ts";
import { ShapeError } from "../errors.ts";
import { normalizeAxis, sameShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { concat } from "./concat.ts";
import { reshape } from "./reshape.ts";

/**
 * Joins tensors along a new axis.
 *
 * @param xs - one or more, of one shape.
 * @param dim - where the new axis goes, negative ones from the back of the result. Default 0.
 * @returns the common shape with an axis of size `xs.length` put in.
 * @throws {ValueError} when `xs` is empty or there is no place `dim`.
 * @throws {ShapeError} when the shapes differ.
 *
 * @example
 * ```ts
 * await stack([tensor([1, 2]), tensor([3, 4])], 1).array(); // [[1, 3], [2, 4]]
 * ```
 */
export function stack(xs: readonly Tensor[], dim = 0): Tensor {
  checkTensorList("stack", xs);
  const [first] = xs;
  if (!xs.every((x) => sameShape(x.shape, first.shape))) {
    throw new ShapeError(
      "stack",
      "all must have the same shape",
      Object.fromEntries(xs.map((x, k) => [`xs[${k}]`, x.shape])),
    );
  }
  const axis = normalizeAxis("stack", dim, [...first.shape, 1]);
  const shape = [...first.shape.slice(0, axis), 1, ...first.shape.slice(axis)];
  return concat(
    xs.map((x) => reshape(x, shape)),
    axis,
  );
}

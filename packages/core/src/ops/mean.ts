/**
 * @file Mean over axes: the sum divided by the number of elements.
 *
 * Source: torch.mean.
 */

import { DTypeError } from "../errors.ts";
import { isFloat } from "../dtype.ts";
import type { Tensor } from "../tensor.ts";
import { div } from "./div.ts";
import { reduceAttrs, type ReduceOptions, sum } from "./sum.ts";

/**
 * Averages over axes.
 *
 * @param x - any shape, floating. The mean of no elements is NaN.
 * @param dim - axis or axes, negative ones from the back. Default: all.
 * @param options.keepdim - keep the averaged axes as size 1. Default false.
 * @returns the shape of `x` without the averaged axes.
 * @throws {ValueError} when an axis does not exist or is named twice.
 * @throws {DTypeError} when `x` is int32.
 *
 * @example
 * ```ts
 * await mean(tensor([[1, 2], [3, 4]]), 1).data(); // [1.5, 3.5]
 * ```
 */
export function mean(x: Tensor, dim?: number | readonly number[], options?: ReduceOptions): Tensor {
  reduceAttrs("mean", x, dim, options, arguments);
  if (!isFloat(x.dtype)) throw new DTypeError("mean", 'x must be floating (x.cast("float32") converts)', x.dtype);
  const total = sum(x, dim, options);
  return div(total, total.size === 0 ? 1 : x.size / total.size);
}

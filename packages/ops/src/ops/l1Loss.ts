/**
 * @file Absolute error.
 *
 *     l = |x - target|        dx = dy sign(x - target), 0 where they are equal
 *
 * Source: torch.nn.functional.l1_loss.
 */

import { abs, checkOptions, sub, type Tensor } from "@gridgrad/core";

import { checkReduction, checkTarget, lossOptions, reduceLosses, type Reduction } from "./lossReduction.ts";

/**
 * The absolute difference, averaged.
 *
 * @param x - any shape, floating.
 * @param target - the shape of `x`.
 * @param options.reduction - `"mean"` (default), `"sum"` or `"none"`.
 * @returns a scalar, or the shape of `x` for `"none"`.
 * @throws {ShapeError} when `target` has another shape than `x`.
 * @throws {DTypeError} when the element types differ or are int32.
 * @throws {ValueError} when there is no such reduction.
 *
 * @example
 * ```ts
 * await l1Loss(tensor([1, 2]), tensor([4, 2])).item(); // 1.5
 * ```
 */
export function l1Loss(x: Tensor, target: Tensor, options?: { reduction?: Reduction }): Tensor {
  const { reduction = "mean" } = checkOptions("l1Loss(x, target)", lossOptions, options, arguments);
  checkTarget("l1Loss", x, target);
  checkReduction("l1Loss", reduction);
  return reduceLosses(abs(sub(x, target)), reduction);
}

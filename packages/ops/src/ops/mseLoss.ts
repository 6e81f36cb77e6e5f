/**
 * @file Squared error.
 *
 *     l = (x - target)²
 *
 * Source: torch.nn.functional.mse_loss.
 */

import { checkOptions, mul, sub, type Tensor } from "@gridgrad/core";

import { checkReduction, checkTarget, lossOptions, reduceLosses, type Reduction } from "./lossReduction.ts";

/**
 * The squared difference, averaged.
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
 * await mseLoss(tensor([1, 2]), tensor([4, 2])).item(); // 4.5
 * ```
 */
export function mseLoss(x: Tensor, target: Tensor, options?: { reduction?: Reduction }): Tensor {
  const { reduction = "mean" } = checkOptions("mseLoss(x, target)", lossOptions, options, arguments);
  checkTarget("mseLoss", x, target);
  checkReduction("mseLoss", reduction);
  const difference = sub(x, target);
  return reduceLosses(mul(difference, difference), reduction);
}

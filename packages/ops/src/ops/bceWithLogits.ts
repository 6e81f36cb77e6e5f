/**
 * @file Binary cross entropy of scores: independent yes-or-no questions.
 *
 *     l = -w (p t log σ(x) + (1 - t) log(1 - σ(x)))        σ the sigmoid, w weight, p posWeight
 *       =  w (p t softplus(-x) + (1 - t) softplus(x))
 *
 * The second form is exact where σ(x) rounds to 0 or 1.
 *
 * Source: torch.nn.functional.binary_cross_entropy_with_logits.
 */

import {
  add,
  checkOptions,
  checkTensors,
  DTypeError,
  mul,
  neg,
  type OptionNames,
  type Shape,
  ShapeError,
  sub,
  type Tensor,
} from "@gridgrad/core";

import { checkReduction, checkTarget, type Reduction, reduceLosses } from "./lossReduction.ts";
import { softplus } from "./softplus.ts";

export interface BceWithLogitsOptions {
  /** A weight per element, of a shape that broadcasts to that of x. Default: 1. */
  readonly weight?: Tensor;
  /** A weight of the positive answers, of a shape that broadcasts to that of x. Default: 1. */
  readonly posWeight?: Tensor;
  /** Default `"mean"`. */
  readonly reduction?: Reduction;
}

const bceWithLogitsOptions: OptionNames<BceWithLogitsOptions> = { weight: 1, reduction: 0, posWeight: 0 };

/**
 * Minus the log probability of the right answer to each yes-or-no question.
 *
 * @param x - any shape, floating: scores, before any sigmoid.
 * @param target - the shape of `x`: probabilities of yes, in [0, 1].
 * @param options.weight - a factor of each loss, of a shape that broadcasts to that of `x`. Default 1.
 * @param options.posWeight - a factor of the losses of yes, of a shape that broadcasts to that of `x`. Default 1.
 * @param options.reduction - `"mean"` (default), `"sum"` or `"none"`.
 * @returns a scalar, or the shape of `x` for `"none"`.
 * @throws {ShapeError} when `target` has another shape than `x`, or a weight does not broadcast to it.
 * @throws {DTypeError} when the element types differ or are int32.
 * @throws {ValueError} when there is no such reduction.
 *
 * @example
 * ```ts
 * await bceWithLogits(tensor([100, -100]), tensor([0, 0]), { reduction: "none" }).data(); // [100, 3.8e-44]
 * ```
 */
export function bceWithLogits(x: Tensor, target: Tensor, options?: BceWithLogitsOptions): Tensor {
  const call = "bceWithLogits(x, target)";
  const { weight, posWeight, reduction = "mean" } = checkOptions(call, bceWithLogitsOptions, options, arguments);
  checkTensors("bceWithLogits", {}, { weight, posWeight });
  checkTarget("bceWithLogits", x, target);
  checkWeights(x, { weight, posWeight });
  checkReduction("bceWithLogits", reduction);
  const yes = mul(posWeight ? mul(target, posWeight) : target, softplus(neg(x)));
  const no = mul(sub(1, target), softplus(x));
  const losses = add(yes, no);
  return reduceLosses(weight ? mul(losses, weight) : losses, reduction);
}

function checkWeights(x: Tensor, weights: Readonly<Record<string, Tensor | undefined>>): void {
  for (const [name, weight] of Object.entries(weights)) {
    if (!weight) continue;
    if (!broadcastsTo(weight.shape, x.shape))
      throw new ShapeError("bceWithLogits", `${name} must broadcast to x`, { [name]: weight.shape, x: x.shape });
    if (weight.dtype !== x.dtype)
      throw new DTypeError(
        "bceWithLogits",
        `${name} must have the dtype of x, ${x.dtype} (cast converts)`,
        weight.dtype,
      );
  }
}

function broadcastsTo(shape: Shape, wanted: Shape): boolean {
  const lead = wanted.length - shape.length;
  return lead >= 0 && shape.every((dim, axis) => dim === 1 || dim === wanted[lead + axis]);
}

/**
 * @file Cross entropy between scores and class labels.
 *
 *     l = -(1 - s) w[t] log p[t] - s/C Σ_c w[c] log p[c]        p = softmax(logits), t the label, s the label smoothing
 *
 * An ignored label has loss 0. The mean is Σ l / Σ w[t] over the labels that are not ignored: 0 / 0 = NaN if all are.
 *
 * Source: torch.nn.functional.cross_entropy; the smoothing is Szegedy et al., "Rethinking the Inception Architecture",
 * arXiv 1512.00567, 2015, section 7.
 */

import {
  add,
  cast,
  checkOptions,
  checkTensors,
  div,
  DTypeError,
  mul,
  notEqual,
  type OptionNames,
  reshape,
  sameShape,
  ShapeError,
  sub,
  sum,
  type Tensor,
  ValueError,
  where,
} from "@gridgrad/core";

import { checkParameters } from "./affine.ts";
import { checkLabels } from "./checkLabels.ts";
import { logSoftmax } from "./logSoftmax.ts";
import { checkReduction, type Reduction, reduceLosses } from "./lossReduction.ts";
import { takeClass } from "./takeClass.ts";

export interface CrossEntropyOptions {
  /** `[C]`, the weight of each class. Default: all 1. */
  readonly weight?: Tensor;
  /** The label of positions that do not count. Default -100. */
  readonly ignoreIndex?: number;
  /** The part of the target that is spread over all classes, in [0, 1]. Default 0. */
  readonly labelSmoothing?: number;
  /** Default `"mean"`: the sum divided by the weights of the labels that count. */
  readonly reduction?: Reduction;
}

const crossEntropyOptions: OptionNames<CrossEntropyOptions> = {
  weight: 1,
  ignoreIndex: 0,
  reduction: 0,
  labelSmoothing: 0,
};

/**
 * Minus the log probability of the right class.
 *
 * @param logits - `[N, C]` or `[N, C, ...]`, floating: one score per class, before any softmax.
 * @param target - int32 `[N]` or `[N, ...]`: classes 0 to C - 1, or `ignoreIndex`.
 * @param options.weight - `[C]`, the weight of each class. Default: all 1.
 * @param options.ignoreIndex - the label of positions that have loss 0 and do not count in the mean. Default -100.
 * @param options.labelSmoothing - the part of the target that is spread over all classes, in [0, 1]. Default 0.
 * @param options.reduction - `"mean"` (default; weighted), `"sum"` or `"none"`.
 * @returns a scalar, or the shape of `target` for `"none"`.
 * @throws {ShapeError} when the shapes do not fit.
 * @throws {DTypeError} when `target` is not int32, or `logits` are not floating or of another type than `weight`.
 * @throws {ValueError} when an option is out of its range, or a label is neither a class nor `ignoreIndex`: at the call when the
 *   labels are there, else when they are computed.
 *
 * @example
 * ```ts
 * const logits = tensor([[0, 0], [0, 1000]]);
 * const target = tensor([-100, 0], [2], { dtype: "int32" });
 * await crossEntropy(logits, target).item(); // 1000
 * ```
 */
export function crossEntropy(logits: Tensor, target: Tensor, options?: CrossEntropyOptions): Tensor {
  const checked = checkOptions("crossEntropy(logits, target)", crossEntropyOptions, options, arguments);
  const { weight, ignoreIndex = -100, labelSmoothing = 0, reduction = "mean" } = checked;
  checkTensors("crossEntropy", { logits, target }, { weight });
  const [N, C, ...spatial] = logits.shape;
  if (logits.shape.length < 2 || !sameShape(target.shape, [N, ...spatial])) {
    const rule = "logits must be [N, C, ...] and target [N, ...]";
    throw new ShapeError("crossEntropy", rule, { logits: logits.shape, target: target.shape });
  }
  if (target.dtype !== "int32") {
    const rule = 'target must hold class labels as int32 (target.cast("int32") converts)';
    throw new DTypeError("crossEntropy", rule, target.dtype);
  }
  checkParameters("crossEntropy", logits, { weight }, [C]);
  checkReduction("crossEntropy", reduction);
  if (!Number.isInteger(ignoreIndex))
    throw new ValueError("crossEntropy", "ignoreIndex must be an integer", String(ignoreIndex));
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new ValueError("crossEntropy", "labelSmoothing must be in [0, 1]", String(labelSmoothing));
  if (target.values) checkLabels(target.values, target.shape, C, ignoreIndex);

  const logp = logSoftmax(logits, 1);
  // Compared as floating numbers, which stay on every device. Float32 holds the labels that can occur, up to 2^24, exactly.
  const counts = notEqual(cast(target, logits.dtype), ignoreIndex);
  const classWeight = weight && reshape(weight, [1, C, ...spatial.map(() => 1)]);
  const labelWeight = classWeight ? takeClass(classWeight, target, ignoreIndex) : counts;
  let score = mul(takeClass(logp, target, ignoreIndex), labelWeight);
  if (labelSmoothing > 0) {
    const overClasses = where(counts, sum(classWeight ? mul(logp, classWeight) : logp, 1), 0);
    score = add(mul(score, 1 - labelSmoothing), mul(overClasses, labelSmoothing / C));
  }
  const losses = sub(0, score); // not neg: an ignored loss is 0, not -0
  return reduction === "mean" ? div(sum(losses), sum(labelWeight)) : reduceLosses(losses, reduction);
}

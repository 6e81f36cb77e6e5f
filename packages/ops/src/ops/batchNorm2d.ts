/**
 * @file Batch norm: each channel to mean 0 and variance 1 over the batch and the image, then scaled and shifted.
 *
 *     training:  y = standardize(x over N, H, W) * weight + bias
 *                runningMean' = (1 - momentum) runningMean + momentum mean(x)
 *                runningVar'  = (1 - momentum) runningVar + momentum v n / (n - 1),  n = N H W, v the biased variance
 *     else:      y = (x - runningMean) / √(runningVar + eps) * weight + bias
 *
 * The batch is divided by its own biased variance; what is kept is the unbiased one, an estimate for data to come.
 *
 * Source: Ioffe and Szegedy, "Batch Normalization", arXiv 1502.03167, 2015; torch.nn.functional.batch_norm.
 */

import {
  add,
  checkOptions,
  checkTensors,
  detach,
  div,
  mean,
  mul,
  type OptionNames,
  reshape,
  ShapeError,
  sqrt,
  sub,
  type Tensor,
  ValueError,
} from "@gridgrad/core";

import { type Affine, affine, checkParameters } from "./affine.ts";
import { standardize } from "./standardize.ts";
import { variance } from "./variance.ts";

export interface BatchNormOptions extends Affine {
  /** Whether to use the statistics of this batch and update the running ones. Default false. */
  readonly training?: boolean;
  /** The part of the new statistics in the running ones, in [0, 1]. Default 0.1. */
  readonly momentum?: number;
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

const batchNormOptions: OptionNames<BatchNormOptions> = { weight: 1, bias: 1, training: 1, momentum: 1, eps: 1 };

/**
 * Normalises each channel. A function without state: in training the updated running statistics come back beside `y`.
 *
 * @param x - `[N, C, H, W]`, floating.
 * @param runningMean - `[C]`, the mean of earlier batches. No gradient passes through it.
 * @param runningVar - `[C]`, the unbiased variance of earlier batches. No gradient passes through it.
 * @param options.weight - `[C]`, the scale. Default: none.
 * @param options.bias - `[C]`, the shift. Default: none.
 * @param options.training - normalise by this batch and update the running statistics. Default false: normalise by the running ones.
 * @param options.momentum - the part of this batch in the updated statistics, in [0, 1]. Default 0.1.
 * @param options.eps - added to the variance. Default 1e-5.
 * @returns `y [N, C, H, W]`, and the running statistics: updated in training, else the given ones.
 * @throws {ShapeError} when a shape does not fit, or in training when there is one value per channel.
 * @throws {ValueError} when `momentum` or `eps` is out of its range.
 * @throws {DTypeError} when the element types differ or are int32.
 *
 * @example
 * ```ts
 * const x = tensor([1, 3], [2, 1, 1, 1]);
 * const { y, runningMean, runningVar } = batchNorm2d(x, zeros([1]), ones([1]), { training: true, momentum: 0.5, eps: 0 });
 * await y.data(); // [-1, 1]
 * await runningMean.data(); // [1]
 * await runningVar.data(); // [1.5]
 * ```
 */
export function batchNorm2d(
  x: Tensor,
  runningMean: Tensor,
  runningVar: Tensor,
  options?: BatchNormOptions,
): { y: Tensor; runningMean: Tensor; runningVar: Tensor } {
  const call = "batchNorm2d(x, runningMean, runningVar)";
  const checked = checkOptions(call, batchNormOptions, options, arguments);
  const { weight, bias, training = false, momentum = 0.1, eps = 1e-5 } = checked;
  checkTensors("batchNorm2d", { x, runningMean, runningVar }, { weight, bias });
  if (x.shape.length !== 4) throw new ShapeError("batchNorm2d", "x must be [N, C, H, W]", { x: x.shape });
  const [N, C, H, W] = x.shape;
  checkParameters("batchNorm2d", x, { runningMean, runningVar, weight, bias }, [C]);
  if (!(momentum >= 0 && momentum <= 1))
    throw new ValueError("batchNorm2d", "momentum must be in [0, 1]", String(momentum));
  if (!(eps >= 0)) throw new ValueError("batchNorm2d", "eps must be a number of at least 0", String(eps));
  const perChannel = [1, C, 1, 1];

  if (!training) {
    const r = div(1, sqrt(add(detach(runningVar), eps)));
    const scale = weight ? mul(weight, r) : r;
    const centered = sub(x, reshape(detach(runningMean), perChannel));
    return { y: affine(centered, { weight: scale, bias }, perChannel), runningMean, runningVar };
  }

  const n = N * H * W;
  if (n === 1) {
    const rule = "x must have more than one value per channel in training, N*H*W > 1 (one value has no variance)";
    throw new ShapeError("batchNorm2d", rule, { x: x.shape });
  }
  const axes = [0, 2, 3];
  const kept = (running: Tensor, batch: Tensor): Tensor =>
    add(mul(detach(running), 1 - momentum), mul(detach(batch), momentum));
  return {
    y: affine(standardize(x, axes, eps), { weight, bias }, perChannel),
    runningMean: kept(runningMean, mean(x, axes)),
    runningVar: kept(runningVar, mul(reshape(variance(x, axes), [C]), n / (n - 1))),
  };
}

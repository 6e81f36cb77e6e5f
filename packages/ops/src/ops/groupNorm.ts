/**
 * @file Group norm: within each image, each group of channels to mean 0 and variance 1, then scaled and shifted by channel.
 *
 *     y[n, c] = standardize(x[n, channels of c's group]) * weight[c] + bias[c]
 *
 * Channels c with the same floor(c / (C / G)) are a group. The batch plays no part, so there are no running statistics.
 *
 * Source: Wu and He, "Group Normalization", arXiv 1803.08494, 2018; torch.nn.functional.group_norm.
 */

import {
  checkOptions,
  checkTensors,
  type OptionNames,
  reshape,
  ShapeError,
  size,
  type Tensor,
  ValueError,
} from "@gridgrad/core";

import { type Affine, affine, checkParameters } from "./affine.ts";
import { standardize } from "./standardize.ts";

export interface GroupNormOptions extends Affine {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

const groupNormOptions: OptionNames<GroupNormOptions> = { weight: 1, bias: 1, eps: 1 };

/**
 * Normalises each group of neighbouring channels of each image.
 *
 * @param x - `[N, C, ...]`, floating.
 * @param numGroups - the number of groups, which divides C.
 * @param options.weight - `[C]`, the scale. Default: none.
 * @param options.bias - `[C]`, the shift. Default: none.
 * @param options.eps - added to the variance. Default 1e-5.
 * @returns the shape of `x`.
 * @throws {ShapeError} when `numGroups` does not divide C, a shape does not fit, or a single image has one value per group.
 * @throws {ValueError} when `numGroups` is not a positive integer or `eps` is negative.
 * @throws {DTypeError} when the element types differ or are int32.
 *
 * @example
 * ```ts
 * const x = tensor([[1, 3, 10, 50]]);
 * await groupNorm(x, 2, { eps: 0 }).array(); // [[-1, 1, -1, 1]]
 * ```
 */
export function groupNorm(x: Tensor, numGroups: number, options?: GroupNormOptions): Tensor {
  const checked = checkOptions("groupNorm(x, numGroups)", groupNormOptions, options, arguments);
  const { weight, bias, eps = 1e-5 } = checked;
  checkTensors("groupNorm", { x }, { weight, bias });
  if (!Number.isInteger(numGroups) || numGroups < 1)
    throw new ValueError("groupNorm", "numGroups must be a positive integer", String(numGroups));
  const [N, C, ...spatial] = x.shape;
  if (x.shape.length < 2 || C % numGroups !== 0)
    throw new ShapeError("groupNorm", `x must be [N, C, ...] with C divisible by numGroups = ${numGroups}`, {
      x: x.shape,
    });
  if (N * (C / numGroups) * size(spatial) === 1) {
    const rule = "a single image must have more than one value per group (one value has no variance)";
    throw new ShapeError("groupNorm", rule, { x: x.shape });
  }
  checkParameters("groupNorm", x, { weight, bias }, [C]);
  if (!(eps >= 0)) throw new ValueError("groupNorm", "eps must be a number of at least 0", String(eps));

  const grouped = reshape(x, [N, numGroups, C / numGroups, ...spatial]);
  const axes = grouped.shape.map((_, axis) => axis).slice(2);
  const y = reshape(standardize(grouped, axes, eps), x.shape);
  return affine(y, { weight, bias }, [1, C, ...spatial.map(() => 1)]);
}

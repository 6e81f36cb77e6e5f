/**
 * @file Layer norm: the last axes to mean 0 and variance 1, then scaled and shifted element by element.
 *
 *     y = standardize(x over the last axes) * weight + bias
 *
 * Source: Ba, Kiros and Hinton, "Layer Normalization", arXiv 1607.06450, 2016; torch.nn.functional.layer_norm.
 */

import {
  checkOptions,
  checkTensors,
  formatShape,
  type OptionNames,
  sameShape,
  type Shape,
  ShapeError,
  showValue,
  type Tensor,
  ValueError,
} from "@gridgrad/core";

import { type Affine, affine, checkParameters } from "./affine.ts";
import { standardize } from "./standardize.ts";

export interface LayerNormOptions extends Affine {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

const layerNormOptions: OptionNames<LayerNormOptions> = { weight: 1, bias: 1, eps: 1 };

/**
 * Normalises over the last axes.
 *
 * @param x - `[.., ...normalizedShape]`, floating.
 * @param normalizedShape - the sizes of the axes to normalise over: the last ones of `x`, at least one.
 * @param options.weight - of the shape `normalizedShape`, the scale. Default: none.
 * @param options.bias - of the shape `normalizedShape`, the shift. Default: none.
 * @param options.eps - added to the variance. Default 1e-5.
 * @returns the shape of `x`.
 * @throws {ShapeError} when `x` does not end in `normalizedShape`, or a parameter has another shape.
 * @throws {ValueError} when `normalizedShape` is empty or `eps` is negative.
 * @throws {DTypeError} when the element types differ or are int32.
 *
 * @example
 * ```ts
 * await layerNorm(tensor([[1, 3], [10, 50]]), [2], { eps: 0 }).array(); // [[-1, 1], [-1, 1]]
 * ```
 */
export function layerNorm(x: Tensor, normalizedShape: Shape, options?: LayerNormOptions): Tensor {
  const checked = checkOptions("layerNorm(x, normalizedShape)", layerNormOptions, options, arguments);
  const { weight, bias, eps = 1e-5 } = checked;
  checkTensors("layerNorm", { x }, { weight, bias });
  if (!Array.isArray(normalizedShape))
    throw new ValueError("layerNorm", "normalizedShape must be an array of sizes", showValue(normalizedShape));
  if (normalizedShape.length === 0)
    throw new ValueError("layerNorm", "normalizedShape must name at least one axis", formatShape(normalizedShape));
  const lead = x.shape.length - normalizedShape.length;
  if (lead < 0 || !sameShape(x.shape.slice(lead), normalizedShape)) {
    const rule = `x must end in normalizedShape = ${formatShape(normalizedShape)}`;
    throw new ShapeError("layerNorm", rule, { x: x.shape });
  }
  checkParameters("layerNorm", x, { weight, bias }, normalizedShape);
  if (!(eps >= 0)) throw new ValueError("layerNorm", "eps must be a number of at least 0", String(eps));

  const axes = normalizedShape.map((_, axis) => lead + axis);
  return affine(standardize(x, axes, eps), { weight, bias }, normalizedShape);
}

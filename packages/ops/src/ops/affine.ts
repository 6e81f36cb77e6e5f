/**
 * @file The learned scale and shift that follow a norm.
 *
 *     y = x * weight + bias
 */

import {
  add,
  DTypeError,
  formatShape,
  isFloat,
  mul,
  reshape,
  sameShape,
  type Shape,
  ShapeError,
  type Tensor,
} from "@gridgrad/core";

export interface Affine {
  /** The scale. Default: none. */
  readonly weight?: Tensor;
  /** The shift. Default: none. */
  readonly bias?: Tensor;
}

/** Scales and shifts `x` by parameters that are read under the shape `stretched`, which broadcasts with `x`. */
export function affine(x: Tensor, { weight, bias }: Affine, stretched: Shape): Tensor {
  const scaled = weight ? mul(x, reshape(weight, stretched)) : x;
  return bias ? add(scaled, reshape(bias, stretched)) : scaled;
}

/** Throws unless `x` is floating, and each parameter that is given has the shape `wanted` and the element type of `x`. */
export function checkParameters(
  op: string,
  x: Tensor,
  parameters: Readonly<Record<string, Tensor | undefined>>,
  wanted: Shape,
): void {
  if (!isFloat(x.dtype)) throw new DTypeError(op, 'the input must be floating (x.cast("float32") converts)', x.dtype);
  for (const [name, parameter] of Object.entries(parameters)) {
    if (!parameter) continue;
    if (!sameShape(parameter.shape, wanted)) {
      throw new ShapeError(op, `${name} must have shape ${formatShape(wanted)}`, {
        [name]: parameter.shape,
        "the input": x.shape,
      });
    }
    if (parameter.dtype !== x.dtype) {
      throw new DTypeError(op, `${name} must have the dtype of the input, ${x.dtype} (cast converts)`, parameter.dtype);
    }
  }
}

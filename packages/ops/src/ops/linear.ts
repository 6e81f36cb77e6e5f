/**
 * @file Linear layer: a matrix product with a shift.
 *
 *     y[.., o] = Σ_i x[.., i] weight[o, i] + bias[o]
 *
 * A weight that is a vector gives one output, which has no axis.
 *
 * Source: torch.nn.functional.linear.
 */

import { add, checkTensors, matmul, reshape, ShapeError, size, type Tensor, transpose } from "@gridgrad/core";

import { checkParameters } from "./affine.ts";

/**
 * Multiplies the last axis by a matrix and adds a shift.
 *
 * @param x - `[.., I]`, floating.
 * @param weight - `[O, I]` or `[I]`
 * @param bias - `[O]`, or `[]` where the weight is `[I]`. Default: none.
 * @returns `[.., O]`, or `[..]` where the weight is `[I]`.
 * @throws {ShapeError} when the shapes do not fit.
 * @throws {DTypeError} when the element types differ or are int32.
 *
 * @example
 * ```ts
 * const weight = tensor([[1, 0], [0, 2], [1, 1]]);
 * await linear(tensor([3, 4]), weight, tensor([0, 0, 10])).data(); // [3, 8, 17]
 * ```
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  checkTensors("linear", { x, weight }, { bias });
  const I = weight.shape.at(-1);
  const outputs = weight.shape.slice(0, -1); // [O] or []
  if (I === undefined || outputs.length > 1 || x.shape.at(-1) !== I)
    throw new ShapeError("linear", "x must be [.., I] and weight [O, I] or [I] with one I", {
      x: x.shape,
      weight: weight.shape,
    });
  checkParameters("linear", x, { weight }, weight.shape);
  checkParameters("linear", x, { bias }, outputs);
  const lead = x.shape.slice(0, -1);
  const rows = reshape(x, [size(lead), I]); // one large product, also in the gradients, instead of one per leading index
  const y = matmul(rows, outputs.length === 0 ? weight : transpose(weight, 0, 1));
  return reshape(bias ? add(y, bias) : y, [...lead, ...outputs]);
}

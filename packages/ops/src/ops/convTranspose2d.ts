/**
 * @file Transposed convolution: conv2d's gradient with respect to its input, as a layer of its own.
 *
 *     y[n, o, h, w] = Σ_c,kh,kw   weight[c, o, kh, kw] x[n, c, p, q]        h = p stride - padding + kh dilation, w alike
 *
 * Each pixel of x is spread over a window of y. It is the op `conv2dInput`, so all its gradients are there.
 *
 * Source: torch.nn.functional.conv_transpose2d.
 */

import {
  apply,
  checkOptions,
  checkTensors,
  formatShape,
  type OptionNames,
  pad,
  ShapeError,
  type Tensor,
  ValueError,
} from "@gridgrad/core";

import { extent, type Pair, type PairLike, pairOf, type Windows } from "../windows.ts";
import { addBias } from "./conv1x1.ts";
import { convAttrs, conv2dInputOp, type ConvOptions } from "./conv2d.ts";

export interface ConvTransposeOptions extends ConvOptions {
  /** Rows and columns more at the end: with a stride, several sizes lead to the same x, and this says which. Default 0. */
  readonly outputPadding?: PairLike;
}

const convTransposeOptions: OptionNames<ConvTransposeOptions> = {
  stride: 1,
  padding: 1,
  outputPadding: 1,
  groups: 1,
  dilation: 1,
};

/**
 * Convolves backwards, from the output's size to the input's.
 *
 * @param x - `[N, C, P, Q]`
 * @param weight - `[C, O/groups, KH, KW]`
 * @param bias - `[O]`, added to every pixel. Default: none.
 * @param options - each a number or `[h, w]`, in pixels; `groups` divides `C`.
 * @returns `[N, O, H, W]` with `H = (P - 1) stride - 2 padding + dilation (KH - 1) + outputPadding + 1`, and `W` alike.
 * @throws {ShapeError} when the channels do not fit, the bias has not one number per output channel, or `x` or the output has no pixel.
 * @throws {ValueError} when an option is not an integer, or out of its range.
 * @throws {DTypeError} when the element types differ or are int32.
 *
 * @example
 * ```ts
 * const x = tensor([1, 2], [1, 1, 1, 2]);
 * const weight = tensor([1, 10, 100], [1, 1, 1, 3]);
 * await convTranspose2d(x, weight, null, { stride: [1, 2] }).data(); // [1, 10, 102, 20, 200]
 * ```
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options?: ConvTransposeOptions,
): Tensor {
  checkTensors("convTranspose2d", { x, weight }, { bias });
  const call = "convTranspose2d(x, weight, bias)";
  const { outputPadding = 0, ...rest } = checkOptions(call, convTransposeOptions, options, arguments);
  const attrs = convAttrs("convTranspose2d", rest);
  const { groups, stride, dilation } = attrs;
  const more = pairOf("convTranspose2d", "outputPadding", outputPadding, 0);
  const [, C, P, Q] = x.shape;
  const [weightC, , KH, KW] = weight.shape;
  if (x.shape.length !== 4 || weight.shape.length !== 4 || C !== weightC || C % groups !== 0 || KH < 1 || KW < 1) {
    const rule = `x must be [N, C, P, Q] and weight [C, O/groups, KH, KW] with one C, divisible by groups = ${groups}, and KH and KW at least 1`;
    throw new ShapeError("convTranspose2d", rule, { x: x.shape, weight: weight.shape });
  }
  if (more.some((n, axis) => n >= stride[axis] && n >= dilation[axis])) {
    const rule = `outputPadding must be below the stride ${formatShape(stride)} or the dilation ${formatShape(dilation)}`;
    throw new ValueError("convTranspose2d", rule, formatShape(more));
  }
  const size = outputSize([P, Q], { ...attrs, kernel: [KH, KW] }, more);
  if ([P, Q, ...size].some((n) => n < 1)) {
    const rule = `x and the output must have at least one pixel, and the output would be ${size.join("x")}`;
    throw new ShapeError("convTranspose2d", rule, { x: x.shape, weight: weight.shape });
  }
  // An outputPadding of whole strides, which a larger dilation allows, makes room for windows that x has no pixels for.
  const [below, right] = [0, 1].map((axis) => Math.floor(more[axis] / stride[axis]));
  const none = [0, 0] as const;
  const windows = below + right === 0 ? x : pad(x, [none, none, [0, below], [0, right]]);
  return addBias("convTranspose2d", apply(conv2dInputOp, [windows, weight], { ...attrs, size }), bias);
}

/** `[H, W]` so that convolving it gives `[P, Q]`: the smallest such size, and `more`. */
function outputSize(windows: Pair, { kernel, stride, padding, dilation }: Windows, more: Pair): Pair {
  const window = extent({ kernel, dilation });
  const along = (axis: 0 | 1): number =>
    (windows[axis] - 1) * stride[axis] - 2 * padding[axis] + window[axis] + more[axis];
  return [along(0), along(1)];
}

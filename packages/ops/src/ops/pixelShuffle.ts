/**
 * @file Pixel shuffle and its inverse: trade channels for resolution, no arithmetic.
 *
 *     y[n, c, h*s + i, w*s + j] = x[n, c*s*s + i*s + j, h, w]        0 <= i, j < s
 *
 * Each is a permutation, so each is the other's inverse, transpose and gradient.
 *
 * Source: torch.nn.functional.pixel_shuffle, whose channel order this is (ONNX calls it CRD; TensorFlow's depth_to_space, DCR, differs
 * as soon as y has two channels); Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel
 * convolutional neural network", 2016.
 */

import { apply, gather, type Op, ShapeError, stridesOf, type Tensor, ValueError } from "@gridgrad/core";

interface Attrs {
  /** `s`, fine pixels per coarse pixel and axis. */
  readonly scale: number;
}

/**
 * Moves channels into space: `[N, C*s*s, H, W]` to `[N, C, H*s, W*s]`.
 *
 * @param x - `[N, C*s*s, H, W]`, any dtype.
 * @param upscaleFactor - `s`, in output pixels per input pixel; an integer of at least 1.
 * @returns `[N, C, H*s, W*s]`
 * @throws {ShapeError} when `x` is not of rank 4 or `s*s` does not divide its channels.
 * @throws {ValueError} when `s` is not an integer of at least 1.
 *
 * @example
 * ```ts
 * const x = tensor([1, 2, 3, 4], [1, 4, 1, 1]);
 * await pixelShuffle(x, 2).array(); // [[[[1, 2], [3, 4]]]]
 * ```
 */
export function pixelShuffle(x: Tensor, upscaleFactor: number): Tensor {
  return apply(pixelShuffleOp, [x], { scale: upscaleFactor });
}

/**
 * Moves space into channels: `[N, C, H*s, W*s]` to `[N, C*s*s, H, W]`.
 *
 * @param x - `[N, C, H*s, W*s]`, any dtype.
 * @param downscaleFactor - `s`, in input pixels per output pixel; an integer of at least 1.
 * @returns `[N, C*s*s, H, W]`
 * @throws {ShapeError} when `x` is not of rank 4 or `s` does not divide its height and width.
 * @throws {ValueError} when `s` is not an integer of at least 1.
 *
 * @example
 * ```ts
 * const x = tensor([1, 2, 3, 4], [1, 1, 2, 2]);
 * pixelUnshuffle(x, 2).shape; // [1, 4, 1, 1]
 * ```
 */
export function pixelUnshuffle(x: Tensor, downscaleFactor: number): Tensor {
  return apply(pixelUnshuffleOp, [x], { scale: downscaleFactor });
}

export const pixelShuffleOp: Op<Attrs> = {
  name: "pixelShuffle",

  shape([x], { scale: s }) {
    checkScale("pixelShuffle", "upscaleFactor", s);
    const [N, C, H, W] = x;
    if (x.length !== 4 || C % (s * s) !== 0) {
      throw new ShapeError("pixelShuffle", `x must be [N, C, H, W] with C divisible by s*s = ${s * s}`, { x });
    }
    return [N, C / (s * s), H * s, W * s];
  },

  dtype: "any",

  vjp: (dy, _inputs, { scale }) => [pixelUnshuffle(dy, scale)],

  loops(y, [x], { attrs: { scale: s }, inShapes: [[N, channels, H, W]] }) {
    let coarse = 0;
    for (let channel = 0; channel < N * channels; channel++)
      for (let h = 0; h < H; h++, coarse += W) {
        const fine = fineRow(channel, h, s, H, W);
        for (let w = 0; w < W; w++) y[fine + w * s] = x[coarse + w];
      }
  },

  gpu({ attrs: { scale: s }, inShapes: [[N, channels, H, W]] }) {
    const C = channels / (s * s);
    const [n, c, i, j, h, w] = stridesOf([N, C, s, s, H, W]);
    return [gather("pixelShuffle", [N, C, H, s, W, s], { strides: [n, c, h, i, w, j] })];
  },
};

export const pixelUnshuffleOp: Op<Attrs> = {
  name: "pixelUnshuffle",

  shape([x], { scale: s }) {
    checkScale("pixelUnshuffle", "downscaleFactor", s);
    const [N, C, H, W] = x;
    if (x.length !== 4 || H % s !== 0 || W % s !== 0) {
      throw new ShapeError("pixelUnshuffle", `x must be [N, C, H, W] with H and W divisible by s = ${s}`, { x });
    }
    return [N, C * s * s, H / s, W / s];
  },

  dtype: "any",

  vjp: (dx, _inputs, { scale }) => [pixelShuffle(dx, scale)],

  loops(y, [x], { attrs: { scale: s }, outShape: [N, channels, H, W] }) {
    let coarse = 0;
    for (let channel = 0; channel < N * channels; channel++)
      for (let h = 0; h < H; h++, coarse += W) {
        const fine = fineRow(channel, h, s, H, W);
        for (let w = 0; w < W; w++) y[coarse + w] = x[fine + w * s];
      }
  },

  gpu({ attrs: { scale: s }, outShape: [N, channels, H, W] }) {
    const C = channels / (s * s);
    const [n, c, h, i, w, j] = stridesOf([N, C, H, s, W, s]);
    return [gather("pixelUnshuffle", [N, C, s, s, H, W], { strides: [n, c, i, j, h, w] })];
  },
};

/** Where in the fine image row `h` of a coarse channel starts; its pixels are `s` apart. Channels are counted through the batch. */
function fineRow(channel: number, h: number, s: number, H: number, W: number): number {
  const j = channel % s;
  const i = Math.floor(channel / s) % s;
  const c = Math.floor(channel / (s * s));
  return ((c * H + h) * s + i) * W * s + j;
}

function checkScale(op: string, argument: string, s: number): void {
  if (!Number.isInteger(s) || s < 1)
    throw new ValueError(op, `${argument} must be an integer of at least 1`, String(s));
}

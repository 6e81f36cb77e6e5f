/**
 * @file Max pooling: the largest pixel of each window.
 *
 *     y[n, c, p, q]  = x[n, c, at(p, q)]        at: where the window's largest pixel lies, the first of them row by row
 *     dx[n, c, h, w] = Σ dy[n, c, p, q]         over the windows with at(p, q) = (h, w)
 *
 * With `at` known, pooling takes pixels, which is linear: its gradient puts them back, and the gradient of that takes again. `at` itself
 * depends on x in steps only, so x gets nothing through it. Padding is never the largest, NaN always is.
 *
 * Source: torch.nn.functional.max_pool2d.
 */

import { apply, type Op, sameShape, type Shape, ShapeError, type Tensor, type Values } from "@gridgrad/core";

import { countWindows, type PairLike, type Windows, windowsInside, windowsOfPool } from "../windows.ts";

export interface MaxPoolOptions {
  /** Pixels from one window to the next. Default: the kernel's size. */
  readonly stride?: PairLike;
  /** Pixels added on each side that are never the largest, at most half of the kernel. Default 0. */
  readonly padding?: PairLike;
  /** Pixels from one element of a window to the next. Default 1. */
  readonly dilation?: PairLike;
}

/**
 * Takes the largest pixel of each window.
 *
 * @param x - `[N, C, H, W]`, floating.
 * @param kernelSize - of a window, in pixels: a number or `[h, w]`.
 * @param options - `stride`, `padding` and `dilation` in pixels, each a number or `[h, w]`.
 * @returns `[N, C, P, Q]` with `P = floor((H + 2 padding - dilation (KH - 1) - 1) / stride) + 1`, and `Q` alike.
 * @throws {ShapeError} when `x` is not of rank 4 or the window is larger than the padded `x`.
 * @throws {DTypeError} when `x` is int32.
 * @throws {ValueError} when a size is not an integer or too small, or the padding is more than half of the kernel.
 * @throws {DTypeError} when `x` is int32.
 *
 * @example
 * ```ts
 * const x = tensor([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 2, 4]);
 * await maxPool2d(x, 2).data(); // [6, 8]
 * ```
 */
export function maxPool2d(x: Tensor, kernelSize: PairLike, options: MaxPoolOptions = {}): Tensor {
  return apply(maxPool2dOp, [x], windowsOfPool("maxPool2d", kernelSize, options));
}

export const maxPool2dOp: Op<Windows> = {
  name: "maxPool2d",

  shape([x], windows) {
    if (x.length !== 4) throw new ShapeError("maxPool2d", "x must be [N, C, H, W]", { x });
    return [x[0], x[1], ...countWindows("maxPool2d", [x[2], x[3]], windows, { x })];
  },

  dtype: "float",

  vjp: (dy, [x], windows) => [apply(maxPool2dInputOp, [dy, x], windows)],

  loops(y, [x], { attrs, inShapes: [xShape], outShape }) {
    const at = findLargest(x, xShape, outShape, attrs);
    for (let i = 0; i < y.length; i++) y[i] = at[i] === nowhere ? -Infinity : x[at[i]];
  },
};

/** `dx` from `dy`: puts each pixel of dy where x is largest in its window. */
export const maxPool2dInputOp: Op<Windows> = {
  name: "maxPool2dInput",

  shape([dy, x], windows) {
    const y = maxPool2dOp.shape([x], windows);
    if (!sameShape(dy, y)) throw new ShapeError("maxPool2dInput", "dy must have the shape of the pooled x", { dy, x });
    return x;
  },

  dtype: "float",

  vjp: (d, [, x], windows) => [apply(takeLargestOp, [d, x], windows), null],

  loops(dx, [dy, x], { attrs, inShapes: [dyShape, xShape] }) {
    const at = findLargest(x, xShape, dyShape, attrs);
    const total = new Float64Array(dx.length); // windows may share their largest pixel: its sum is rounded once
    for (let i = 0; i < dy.length; i++) if (at[i] !== nowhere) total[at[i]] += dy[i];
    dx.set(total);
  },
};

/** Takes the pixels of `d` from where x is largest in each window: the transpose of `maxPool2dInput`. */
export const takeLargestOp: Op<Windows> = {
  name: "takeLargest",

  shape([d, x], windows) {
    if (!sameShape(d, x)) throw new ShapeError("takeLargest", "d must have the shape of x", { d, x });
    return maxPool2dOp.shape([x], windows);
  },

  dtype: "float",

  vjp: (dy, [, x], windows) => [apply(maxPool2dInputOp, [dy, x], windows), null],

  loops(y, [d, x], { attrs, inShapes: [, xShape], outShape }) {
    const at = findLargest(x, xShape, outShape, attrs);
    for (let i = 0; i < y.length; i++) y[i] = at[i] === nowhere ? 0 : d[at[i]];
  },
};

/** Marks a window that holds no pixel: with dilation all of its elements can lie in the padding. Its maximum is -Infinity. */
const nowhere = -1;

/** For each window the index of its largest pixel in x: the first of equal ones; the last NaN, as in PyTorch. */
function findLargest(
  x: Values,
  [N, C, H, W]: Shape,
  [, , P, Q]: Shape,
  { kernel, stride, padding, dilation }: Windows,
): Int32Array {
  const at = new Int32Array(N * C * P * Q).fill(nowhere);
  for (let channel = 0; channel < N * C; channel++)
    for (let p = 0; p < P; p++) {
      const yAt = (channel * P + p) * Q;
      for (let kh = 0; kh < kernel[0]; kh++) {
        const h = p * stride[0] - padding[0] + kh * dilation[0];
        if (h < 0 || h >= H) continue;
        for (let kw = 0; kw < kernel[1]; kw++) {
          const left = kw * dilation[1] - padding[1];
          const [from, to] = windowsInside(W, Q, stride[1], left);
          for (let q = from; q < to; q++) {
            const here = (channel * H + h) * W + q * stride[1] + left;
            const best = at[yAt + q];
            if (best === nowhere || x[here] > x[best] || x[here] !== x[here]) at[yAt + q] = here;
          }
        }
      }
    }
  return at;
}

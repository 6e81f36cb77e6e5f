/**
 * @file Average pooling: the mean of each window.
 *
 *     y[n, c, p, q]  = 1/count Σ_kh,kw x[n, c, h, w]        h = p stride - padding + kh, w alike
 *     dx[n, c, h, w] = Σ 1/count dy[n, c, p, q]             over the windows that hold (h, w)
 *
 * count is KH*KW, or the number of pixels of the window that lie inside of x. Pooling is linear: the gradient of each of the two ops
 * is the other one.
 *
 * Source: torch.nn.functional.avg_pool2d.
 */

import { apply, formatShape, type Op, sameShape, ShapeError, type Tensor } from "@gridgrad/core";

import { countWindows, type Pair, type PairLike, type Windows, windowsInside, windowsOfPool } from "../windows.ts";

export interface AvgPoolOptions {
  /** Pixels from one window to the next. Default: the kernel's size. */
  readonly stride?: PairLike;
  /** Zeros added on each side, in pixels, at most half of the kernel. Default 0. */
  readonly padding?: PairLike;
  /** Whether those zeros count as pixels of the mean. Default true. */
  readonly countIncludePad?: boolean;
}

interface Attrs extends Windows {
  readonly countIncludePad: boolean;
}

/**
 * Takes the mean of each window.
 *
 * @param x - `[N, C, H, W]`, floating.
 * @param kernelSize - of a window, in pixels: a number or `[h, w]`.
 * @param options - `stride` and `padding` in pixels, each a number or `[h, w]`.
 * @returns `[N, C, P, Q]` with `P = floor((H + 2 padding - KH) / stride) + 1`, and `Q` alike.
 * @throws {ShapeError} when `x` is not of rank 4 or the window is larger than the padded `x`.
 * @throws {DTypeError} when `x` is int32.
 * @throws {ValueError} when a size is not an integer or too small, or the padding is more than half of the kernel.
 * @throws {DTypeError} when `x` is int32.
 *
 * @example
 * ```ts
 * const x = tensor([1, 2, 5, 6, 3, 4, 7, 8], [1, 1, 2, 4]);
 * await avgPool2d(x, 2).data(); // [2.5, 6.5]
 * await avgPool2d(x, [2, 1]).data(); // [2, 3, 6, 7]
 * ```
 */
export function avgPool2d(
  x: Tensor,
  kernelSize: PairLike,
  { stride, padding, countIncludePad = true }: AvgPoolOptions = {},
): Tensor {
  return apply(avgPool2dOp, [x], { ...windowsOfPool("avgPool2d", kernelSize, { stride, padding }), countIncludePad });
}

export const avgPool2dOp: Op<Attrs> = {
  name: "avgPool2d",

  shape([x], windows) {
    if (x.length !== 4) throw new ShapeError("avgPool2d", "x must be [N, C, H, W]", { x });
    return [x[0], x[1], ...countWindows("avgPool2d", [x[2], x[3]], windows, { x })];
  },

  dtype: "float",

  vjp: (dy, [x], attrs) => [apply(avgPool2dInputOp, [dy], { ...attrs, size: [x.shape[2], x.shape[3]] })],

  loops(y, [x], { attrs, inShapes: [[N, C, H, W]], outShape: [, , P, Q] }) {
    const { kernel, stride, padding } = attrs;
    const counts = countPixels([H, W], [P, Q], attrs);
    const sums = new Float64Array(P * Q); // of one channel
    for (let channel = 0; channel < N * C; channel++) {
      sums.fill(0);
      for (let kh = 0; kh < kernel[0]; kh++)
        for (let kw = 0; kw < kernel[1]; kw++) {
          const [pFrom, pTo] = windowsInside(H, P, stride[0], kh - padding[0]);
          const [qFrom, qTo] = windowsInside(W, Q, stride[1], kw - padding[1]);
          for (let p = pFrom; p < pTo; p++) {
            const xAt = (channel * H + p * stride[0] + kh - padding[0]) * W + kw - padding[1];
            for (let q = qFrom; q < qTo; q++) sums[p * Q + q] += x[xAt + q * stride[1]];
          }
        }
      for (let i = 0; i < P * Q; i++) y[channel * P * Q + i] = sums[i] / counts[i];
    }
  },
};

/** `dx` from `dy`. `size` is `[H, W]`, which strides leave open. */
export const avgPool2dInputOp: Op<Attrs & { readonly size: Pair }> = {
  name: "avgPool2dInput",

  shape([dy], { size, ...attrs }) {
    const x = [dy[0], dy[1], ...size];
    const y = avgPool2dOp.shape([x], attrs);
    if (!sameShape(dy, y)) throw new ShapeError("avgPool2dInput", `dy must be of shape ${formatShape(y)}`, { dy });
    return x;
  },

  dtype: "float",

  vjp: (d, _inputs, { size: _, ...attrs }) => [apply(avgPool2dOp, [d], attrs)],

  loops(dx, [dy], { attrs, inShapes: [[N, C, P, Q]], outShape: [, , H, W] }) {
    const { kernel, stride, padding } = attrs;
    const counts = countPixels([H, W], [P, Q], attrs);
    const shares = new Float64Array(P * Q); // of one channel
    const total = new Float64Array(H * W); // windows may overlap: their sum is rounded once
    for (let channel = 0; channel < N * C; channel++) {
      for (let i = 0; i < P * Q; i++) shares[i] = dy[channel * P * Q + i] / counts[i];
      total.fill(0);
      for (let kh = 0; kh < kernel[0]; kh++)
        for (let kw = 0; kw < kernel[1]; kw++) {
          const [pFrom, pTo] = windowsInside(H, P, stride[0], kh - padding[0]);
          const [qFrom, qTo] = windowsInside(W, Q, stride[1], kw - padding[1]);
          for (let p = pFrom; p < pTo; p++) {
            const at = (p * stride[0] + kh - padding[0]) * W + kw - padding[1];
            for (let q = qFrom; q < qTo; q++) total[at + q * stride[1]] += shares[p * Q + q];
          }
        }
      dx.set(total, channel * H * W);
    }
  },
};

/** count of each window. */
function countPixels([H, W]: Pair, [P, Q]: Pair, { kernel, stride, padding, countIncludePad }: Attrs): Float64Array {
  const along = (axis: 0 | 1, window: number, size: number): number => {
    const start = window * stride[axis] - padding[axis];
    return countIncludePad ? kernel[axis] : Math.min(start + kernel[axis], size) - Math.max(start, 0);
  };
  return Float64Array.from({ length: P * Q }, (_, i) => along(0, Math.floor(i / Q), H) * along(1, i % Q, W));
}

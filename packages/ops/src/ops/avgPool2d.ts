/**
 * @file Average pooling: the mean of each window.
 *
 *     y[n, c, p, q]  = 1/count Σ_kh,kw x[n, c, h, w]        h = p stride - padding + kh, w alike
 *     dx[n, c, h, w] = Σ 1/count dy[n, c, p, q]             over the windows that hold (h, w)
 *
 * count is the number of pixels of the window that lie inside of the padded x, or of x: KH*KW, but for a last window
 * that reaches over. Or it is a given number. Pooling is linear: the gradient of each of the two ops is the other one.
 *
 * Source: torch.nn.functional.avg_pool2d.
 */

import {
  apply,
  checkOptions,
  formatShape,
  type Op,
  type OptionNames,
  quotient,
  sameShape,
  ShapeError,
  size,
  sumInParts,
  type Tensor,
  type Thread,
  ValueError,
  type Values,
} from "@gridgrad/core";

import { longestSum } from "./conv1x1.ts";
import { marginOf } from "./marginOf.ts";
import { countWindows, type Pair, type PairLike, type PoolWindows, windowsInside, windowsOfPool } from "../windows.ts";

export interface AvgPoolOptions {
  /** Pixels from one window to the next. Default: the kernel's size. */
  readonly stride?: PairLike;
  /** Zeros added on each side, in pixels, at most half of the kernel. Default 0. */
  readonly padding?: PairLike;
  /** Whether pixels that are left over at the end get a window, which reaches over the padding. Default false. */
  readonly ceilMode?: boolean;
  /** Whether the zeros of the padding count as pixels of the mean. What lies beyond them never does. Default true. */
  readonly countIncludePad?: boolean;
  /** Divides all sums, in place of the number of pixels that count. Default: none. */
  readonly divisorOverride?: number;
}

const avgPoolOptions: OptionNames<AvgPoolOptions> = {
  stride: 1,
  padding: 1,
  ceilMode: 1,
  countIncludePad: 1,
  divisorOverride: 1,
};

export interface AvgPoolAttrs extends PoolWindows {
  readonly countIncludePad: boolean;
  /** 0 for none. */
  readonly divisorOverride: number;
}

/**
 * Takes the mean of each window.
 *
 * @param x - `[N, C, H, W]`, floating.
 * @param kernelSize - of a window, in pixels: a number or `[h, w]`.
 * @param options - `stride` and `padding` in pixels, each a number or `[h, w]`; `ceilMode`, `countIncludePad` and
 * `divisorOverride`.
 * @returns `[N, C, P, Q]` with `P = floor((H + 2 padding - KH) / stride) + 1`, and `Q` alike. With `ceilMode` it is
 * `ceil`, and one less where the last window would start at the end of `x` or beyond.
 * @throws {ShapeError} when `x` is not of rank 4 or the window is larger than the padded `x`.
 * @throws {ValueError} when a size is not an integer or too small, the padding is more than half of the kernel, or
 * `divisorOverride` is not an integer or 0.
 * @throws {DTypeError} when `x` is int32.
 *
 * @example
 * ```ts
 * const x = tensor([1, 2, 5, 6, 3, 4, 7, 8], [1, 1, 2, 4]);
 * await avgPool2d(x, 2).data(); // [2.5, 6.5]
 * await avgPool2d(x, [2, 1]).data(); // [2, 3, 6, 7]
 * await avgPool2d(x, 2, { stride: 3, ceilMode: true }).data(); // [2.5, 7]
 * ```
 */
export function avgPool2d(x: Tensor, kernelSize: PairLike, options?: AvgPoolOptions): Tensor {
  const {
    countIncludePad = true,
    divisorOverride,
    ...rest
  } = checkOptions("avgPool2d(x, kernelSize)", avgPoolOptions, options, arguments);
  if (divisorOverride === 0 || (divisorOverride ?? 1) !== ((divisorOverride ?? 1) | 0)) {
    const rule = "divisorOverride must be an integer other than 0, of 32 bits";
    throw new ValueError("avgPool2d", rule, String(divisorOverride));
  }
  const windows = windowsOfPool("avgPool2d", kernelSize, rest);
  return apply(avgPool2dOp, [x], { ...windows, countIncludePad, divisorOverride: divisorOverride ?? 0 });
}

export const avgPool2dOp: Op<AvgPoolAttrs> = {
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

  gpu({ attrs, inShapes: [[N, C, H, W]], outShape: [, , P, Q] }) {
    const [KH, KW] = attrs.kernel;
    const step = {
      kernel: avgPool2dKernel,
      inputs: [0],
      integers: constantsOf([H, W], [P, Q], attrs),
      floats: { divisorOverride: attrs.divisorOverride },
      functions: [pixelsInKernel],
    };
    return sumInParts(step, { terms: KH, longest: Math.ceil(longestSum / KW), outer: N * C, inner: P * Q });
  },

  macs: ({ attrs, outShape }) => attrs.kernel[0] * attrs.kernel[1] * size(outShape),
};

/** `dx` from `dy`. `size` is `[H, W]`, which strides leave open. */
export const avgPool2dInputOp: Op<AvgPoolAttrs & { readonly size: Pair }> = {
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

  gpu({ attrs, inShapes: [[, , P, Q]], outShape }) {
    const { kernel, stride } = attrs;
    const [, , H, W] = outShape;
    const integers = {
      ...constantsOf([H, W], [P, Q], attrs),
      mostH: Math.ceil(kernel[0] / stride[0]),
      mostW: Math.ceil(kernel[1] / stride[1]),
    };
    const floats = { divisorOverride: attrs.divisorOverride };
    const functions = [pixelsInKernel];
    return [{ kernel: avgPool2dInputKernel, inputs: [0], size: size(outShape), integers, floats, functions }];
  },

  macs: ({ attrs, inShapes: [dy] }) => attrs.kernel[0] * attrs.kernel[1] * size(dy),
};

/** count of each window. */
function countPixels([H, W]: Pair, [P, Q]: Pair, attrs: AvgPoolAttrs): Float64Array {
  const { kernel, stride, padding, divisorOverride } = attrs;
  if (divisorOverride !== 0) return new Float64Array(P * Q).fill(divisorOverride);
  const along = (axis: 0 | 1, window: number, size: number): number => {
    const start = window * stride[axis] - padding[axis];
    const margin = marginOf(attrs)[axis];
    return Math.min(start + kernel[axis], size + margin) - Math.max(start, -margin);
  };
  return Float64Array.from({ length: P * Q }, (_, i) => along(0, Math.floor(i / Q), H) * along(1, i % Q, W));
}

/** What the kernels know, besides divisorOverride. */
function constantsOf([H, W]: Pair, [P, Q]: Pair, attrs: AvgPoolAttrs) {
  const { kernel, stride, padding } = attrs;
  const [KH, KW] = kernel;
  const [strideH, strideW] = stride;
  const [paddingH, paddingW] = padding;
  const [marginH, marginW] = marginOf(attrs);
  return { H, W, P, Q, KH, KW, strideH, strideW, paddingH, paddingW, marginH, marginW };
}

type Constant = keyof ReturnType<typeof constantsOf> | "divisorOverride";

/** Thread (n, c, t, p, q) adds up part t of the rows of a window. */
function avgPool2dKernel(this: Thread<Constant | "T" | "count">, x: Values): number {
  const i = this.thread.x;
  const row = quotient(i, this.constants.Q);
  const q = i - row * this.constants.Q;
  const part = quotient(row, this.constants.P);
  const p = row - part * this.constants.P;
  const channel = quotient(part, this.constants.T);
  const first = (part - channel * this.constants.T) * this.constants.count;
  const top = p * this.constants.strideH - this.constants.paddingH;
  const left = q * this.constants.strideW - this.constants.paddingW;
  let total = 0;
  for (let k = 0; k < this.constants.count; k++) {
    const kh = first + k;
    const h = top + kh;
    if (kh < this.constants.KH && h >= 0 && h < this.constants.H) {
      const xAt = (channel * this.constants.H + h) * this.constants.W;
      for (let kw = 0; kw < this.constants.KW; kw++) {
        const w = left + kw;
        if (w >= 0 && w < this.constants.W) {
          total += x[xAt + w];
        }
      }
    }
  }
  let divisor = this.constants.divisorOverride;
  if (divisor === 0) {
    const rows = pixelsInKernel(top, this.constants.KH, this.constants.H, this.constants.marginH);
    divisor = rows * pixelsInKernel(left, this.constants.KW, this.constants.W, this.constants.marginW);
  }
  return total / divisor;
}

/**
 * Thread (n, c, h, w) adds up its shares of the windows that hold it: the last one that starts at or before it, and at most `most` in
 * all, backwards.
 */
function avgPool2dInputKernel(this: Thread<Constant | "mostH" | "mostW">, dy: Values): number {
  const i = this.thread.x;
  const row = quotient(i, this.constants.W);
  const w = i - row * this.constants.W;
  const channel = quotient(row, this.constants.H);
  const h = row - channel * this.constants.H;
  const lastP = quotient(h + this.constants.paddingH, this.constants.strideH);
  const lastQ = quotient(w + this.constants.paddingW, this.constants.strideW);
  let total = 0;
  for (let j = 0; j < this.constants.mostH; j++) {
    const p = lastP - j;
    const top = p * this.constants.strideH - this.constants.paddingH;
    if (p >= 0 && p < this.constants.P && h < top + this.constants.KH) {
      const rows = pixelsInKernel(top, this.constants.KH, this.constants.H, this.constants.marginH);
      for (let k = 0; k < this.constants.mostW; k++) {
        const q = lastQ - k;
        const left = q * this.constants.strideW - this.constants.paddingW;
        if (q >= 0 && q < this.constants.Q && w < left + this.constants.KW) {
          let divisor = this.constants.divisorOverride;
          if (divisor === 0) {
            divisor = rows * pixelsInKernel(left, this.constants.KW, this.constants.W, this.constants.marginW);
          }
          total += dy[(channel * this.constants.P + p) * this.constants.Q + q] / divisor;
        }
      }
    }
  }
  return total;
}

/** Pixels that count, along one axis, of a window that starts at `start`. */
function pixelsInKernel(start: number, kernel: number, pixels: number, margin: number): number {
  return Math.min(start + kernel, pixels + margin) - Math.max(start, -margin);
}

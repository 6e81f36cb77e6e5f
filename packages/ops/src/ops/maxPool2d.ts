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

import {
  apply,
  checkOptions,
  type GpuStep,
  type Op,
  type OptionNames,
  quotient,
  sameShape,
  type Shape,
  ShapeError,
  size,
  type Tensor,
  type Thread,
  type Values,
} from "@gridgrad/core";

import { countWindows, extent, type PairLike, type PoolWindows, windowsInside, windowsOfPool } from "../windows.ts";

export interface MaxPoolOptions {
  /** Pixels from one window to the next. Default: the kernel's size. */
  readonly stride?: PairLike;
  /** Pixels added on each side that are never the largest, at most half of the kernel. Default 0. */
  readonly padding?: PairLike;
  /** Pixels from one element of a window to the next. Default 1. */
  readonly dilation?: PairLike;
  /** Whether pixels that are left over at the end get a window, which reaches over the padding. Default false. */
  readonly ceilMode?: boolean;
}

const maxPoolOptions: OptionNames<MaxPoolOptions> = { stride: 1, padding: 1, dilation: 1, ceilMode: 1 };

/**
 * Takes the largest pixel of each window.
 *
 * @param x - `[N, C, H, W]`, floating.
 * @param kernelSize - of a window, in pixels: a number or `[h, w]`.
 * @param options - `stride`, `padding` and `dilation` in pixels, each a number or `[h, w]`; `ceilMode`.
 * @returns `[N, C, P, Q]` with `P = floor((H + 2 padding - dilation (KH - 1) - 1) / stride) + 1`, and `Q` alike. With
 * `ceilMode` it is `ceil`, and one less where the last window would start at the end of `x` or beyond.
 * @throws {ShapeError} when `x` is not of rank 4 or the window is larger than the padded `x`.
 * @throws {ValueError} when a size is not an integer or too small, or the padding is more than half of the kernel.
 * @throws {DTypeError} when `x` is int32.
 *
 * @example
 * ```ts
 * const x = tensor([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 2, 4]);
 * await maxPool2d(x, 2).data(); // [6, 8]
 * await maxPool2d(x, 3, { ceilMode: true }).data(); // [7, 8]
 * ```
 */
export function maxPool2d(x: Tensor, kernelSize: PairLike, options?: MaxPoolOptions): Tensor {
  const checked = checkOptions("maxPool2d(x, kernelSize)", maxPoolOptions, options, arguments);
  return apply(maxPool2dOp, [x], windowsOfPool("maxPool2d", kernelSize, checked));
}

export const maxPool2dOp: Op<PoolWindows> = {
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

  gpu({ attrs, inShapes: [xShape], outShape }) {
    if (!allHoldPixels(xShape, outShape, attrs)) return null; // not every GPU has -Infinity
    return [findStep(0, xShape, outShape, attrs), takeStep(0, 1, xShape, outShape)];
  },
};

/** `dx` from `dy`: puts each pixel of dy where x is largest in its window. */
export const maxPool2dInputOp: Op<PoolWindows> = {
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

  gpu({ attrs, inShapes: [dyShape, xShape] }) {
    const [, , H, W] = xShape;
    const [, , P, Q] = dyShape;
    const [strideH, strideW] = attrs.stride;
    const [paddingH, paddingW] = attrs.padding;
    const [mostH, mostW] = extent(attrs).map((pixels, axis) => Math.ceil(pixels / attrs.stride[axis]));
    const integers = { H, W, P, Q, strideH, strideW, paddingH, paddingW, mostH, mostW };
    return [
      findStep(1, xShape, dyShape, attrs),
      { kernel: putLargestKernel, inputs: [0, 2], size: size(xShape), integers },
    ];
  },
};

/** Takes the pixels of `d` from where x is largest in each window: the transpose of `maxPool2dInput`. */
export const takeLargestOp: Op<PoolWindows> = {
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

  gpu: ({ attrs, inShapes: [, xShape], outShape }) => [
    findStep(1, xShape, outShape, attrs),
    takeStep(0, 2, xShape, outShape),
  ],
};

/** Marks a window that holds no pixel: with dilation all of its elements can lie in the padding. Its maximum is -Infinity. */
const nowhere = -1;

/** For each window the index of its largest pixel in x: the first of equal ones; the last NaN, as in PyTorch. */
function findLargest(
  x: Values,
  [N, C, H, W]: Shape,
  [, , P, Q]: Shape,
  { kernel, stride, padding, dilation }: PoolWindows,
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

/** The step that finds, for each window, where x (slot `from`) is largest: the number of the pixel in its channel, or `nowhere`. */
function findStep(
  from: number,
  [, , H, W]: Shape,
  outShape: Shape,
  { kernel, stride, padding, dilation }: PoolWindows,
): GpuStep {
  const [, , P, Q] = outShape;
  const [KH, KW] = kernel;
  const [strideH, strideW] = stride;
  const [paddingH, paddingW] = padding;
  const [dilationH, dilationW] = dilation;
  const integers = { H, W, P, Q, KH, KW, strideH, strideW, paddingH, paddingW, dilationH, dilationW };
  return { kernel: findLargestKernel, inputs: [from], size: size(outShape), integers, functions: [isNanKernel] };
}

/** The step that takes the pixels of `from` that slot `at` tells. */
function takeStep(from: number, at: number, [, , H, W]: Shape, outShape: Shape): GpuStep {
  const [, , P, Q] = outShape;
  return { kernel: takeLargestKernel, inputs: [from, at], size: size(outShape), integers: { HW: H * W, PQ: P * Q } };
}

function allHoldPixels(
  [, , H, W]: Shape,
  [, , P, Q]: Shape,
  { kernel, stride, padding, dilation }: PoolWindows,
): boolean {
  const along = (axis: 0 | 1, pixels: number, windows: number): boolean => {
    const held = new Set<number>();
    for (let k = 0; k < kernel[axis]; k++) {
      const [from, to] = windowsInside(pixels, windows, stride[axis], k * dilation[axis] - padding[axis]);
      for (let window = from; window < to; window++) held.add(window);
    }
    return held.size === windows;
  };
  return along(0, H, P) && along(1, W, Q);
}

/** Thread (n, c, p, q) walks through its window: the number, in its channel, of the largest pixel, or `nowhere`. */
function findLargestKernel(
  this: Thread<
    "H" | "W" | "P" | "Q" | "KH" | "KW" | "strideH" | "strideW" | "paddingH" | "paddingW" | "dilationH" | "dilationW"
  >,
  x: Values,
): number {
  const i = this.thread.x;
  const row = quotient(i, this.constants.Q);
  const q = i - row * this.constants.Q;
  const channel = quotient(row, this.constants.P);
  const p = row - channel * this.constants.P;
  const top = p * this.constants.strideH - this.constants.paddingH;
  const left = q * this.constants.strideW - this.constants.paddingW;
  const xAt = channel * this.constants.H * this.constants.W;
  let best = -1;
  let largest = 0;
  for (let kh = 0; kh < this.constants.KH; kh++) {
    const h = top + kh * this.constants.dilationH;
    if (h >= 0 && h < this.constants.H) {
      for (let kw = 0; kw < this.constants.KW; kw++) {
        const w = left + kw * this.constants.dilationW;
        if (w >= 0 && w < this.constants.W) {
          const here = h * this.constants.W + w;
          const value = x[xAt + here];
          if (best < 0 || value > largest || isNanKernel(value) > 0) {
            best = here;
            largest = value;
          }
        }
      }
    }
  }
  return best;
}

/** Thread (n, c, p, q) takes the pixel of d where x is largest. */
function takeLargestKernel(this: Thread<"HW" | "PQ">, d: Values, at: Values): number {
  const i = this.thread.x;
  const here = at[i];
  if (here < 0) {
    return 0;
  }
  return d[quotient(i, this.constants.PQ) * this.constants.HW + here];
}

/**
 * Thread (n, c, h, w) adds up dy of the windows in which it is the largest. They are among those that span it: the last one that starts at
 * or before it, and at most `most` in all, backwards.
 */
function putLargestKernel(
  this: Thread<"H" | "W" | "P" | "Q" | "strideH" | "strideW" | "paddingH" | "paddingW" | "mostH" | "mostW">,
  dy: Values,
  at: Values,
): number {
  const i = this.thread.x;
  const row = quotient(i, this.constants.W);
  const w = i - row * this.constants.W;
  const channel = quotient(row, this.constants.H);
  const h = row - channel * this.constants.H;
  const here = h * this.constants.W + w;
  const lastP = quotient(h + this.constants.paddingH, this.constants.strideH);
  const lastQ = quotient(w + this.constants.paddingW, this.constants.strideW);
  let total = 0;
  for (let j = 0; j < this.constants.mostH; j++) {
    const p = lastP - j;
    if (p >= 0 && p < this.constants.P) {
      for (let k = 0; k < this.constants.mostW; k++) {
        const q = lastQ - k;
        if (q >= 0 && q < this.constants.Q) {
          const window = (channel * this.constants.P + p) * this.constants.Q + q;
          if (at[window] === here) {
            total += dy[window];
          }
        }
      }
    }
  }
  return total;
}

/** 1 for NaN, else 0. Some GPUs take `value !== value` to be never true. */
function isNanKernel(value: number): number {
  if (Math.abs(value) <= 3.4028234663852886e38) {
    return 0;
  }
  if (value > 0) {
    return 0;
  }
  if (value < 0) {
    return 0;
  }
  return 1;
}

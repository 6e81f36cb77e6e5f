/**
 * @file Windows: what a kernel that slides over an image reads. Convolutions and pooling share it.
 *
 *     h = p stride - padding + kh dilation        0 <= kh < KH, 0 <= p < P
 *     P = floor((H + 2 padding - dilation (KH - 1) - 1) / stride) + 1
 *
 * and the same along the width. Whatever lies outside of [0, H) is padding. Pooling with `ceilMode` rounds P up: a
 * last window may reach over the padding, unless it would start at the end of the image, (P - 1) stride = H + padding,
 * or beyond.
 *
 * Source: torch.nn.Conv2d and torch.nn.MaxPool2d, "Shape"; Dumoulin and Visin, "A guide to convolution arithmetic for
 * deep learning", 2016.
 */

import { formatShape, type Shape, ShapeError, ValueError } from "@gridgrad/core";

/** A number for both axes, or one per axis. */
export type PairLike = number | readonly [h: number, w: number];

/** Height first, as in shapes. */
export type Pair = readonly [h: number, w: number];

export interface Windows {
  /** Rows and columns of the kernel. */
  readonly kernel: Pair;
  /** Pixels from one window to the next. */
  readonly stride: Pair;
  /** Pixels added on each side. */
  readonly padding: Pair;
  /** Pixels from one kernel element to the next. */
  readonly dilation: Pair;
}

/** The windows of a pooling op. */
export interface PoolWindows extends Windows {
  /** Whether there is a last window that reaches over the padding's end. */
  readonly ceilMode: boolean;
}

/** What kernels count with: integers of 32 bits. */
export const largest = 2 ** 31 - 1;

/** As many as a picture can have. A window is walked through once for each of its places, also where nothing of it lies inside of x. */
const mostPixels = 2 ** 28;

/** An argument that is a number or a pair, as a pair of integers of at least `least`. */
export function pairOf(op: string, argument: string, value: PairLike, least: number): Pair {
  const pair = typeof value === "number" ? [value, value] : value;
  if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((n) => Number.isInteger(n) && n >= least)) {
    const rule = `${argument} must be an integer of at least ${least}, or a pair [h, w] of them`;
    throw new ValueError(op, rule, Array.isArray(value) ? formatShape(value) : String(value));
  }
  if (pair.some((n) => n > largest)) {
    throw new ValueError(
      op,
      `${argument} must be at most ${largest}`,
      Array.isArray(value) ? formatShape(value) : String(value),
    );
  }
  return [pair[0], pair[1]];
}

/** How many windows fit, `[P, Q]`. Throws when none does; `got` are the shapes for the message. */
export function countWindows(
  op: string,
  [H, W]: Pair,
  windows: Windows & Partial<PoolWindows>,
  got: Readonly<Record<string, Shape>>,
): Pair {
  const { stride, padding, ceilMode = false } = windows;
  const [KH, KW] = extent(windows);
  const along = (axis: 0 | 1, pixels: number, span: number): number => {
    const beyond = ceilMode ? stride[axis] - 1 : 0; // how far the last window may reach over
    const count = Math.floor((pixels + 2 * padding[axis] - span + beyond) / stride[axis]) + 1;
    return ceilMode && (count - 1) * stride[axis] >= pixels + padding[axis] ? count - 1 : count;
  };
  const counts: Pair = [along(0, H, KH), along(1, W, KW)];
  if (counts[0] < 1 || counts[1] < 1) {
    const padded = `x, padded to ${H + 2 * padding[0]}x${W + 2 * padding[1]}`;
    const reach = ceilMode ? ` and at most ${stride[0] - 1}x${stride[1] - 1} pixels more` : "";
    throw new ShapeError(op, `windows of ${KH}x${KW} pixels must fit into ${padded}${reach}`, got);
  }
  return counts;
}

/** Pixels that one window spans. */
export function extent({ kernel, dilation }: Pick<Windows, "kernel" | "dilation">): Pair {
  return [dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1];
}

/**
 * The windows `[from, to)` of `count` whose element at `offset` pixels from their start, padding included, lies inside `size`
 * pixels: 0 <= p stride + offset < size. Solved once per row, so that the loops over pixels test nothing.
 */
export function windowsInside(size: number, count: number, stride: number, offset: number): [from: number, to: number] {
  const from = Math.min(count, Math.max(0, Math.ceil(-offset / stride)));
  const to = Math.min(count, Math.max(from, Math.ceil((size - offset) / stride)));
  return [from, to];
}

/**
 * The windows of a pooling op. Its padding may be at most half of the kernel, so that, but for dilation, every window holds a pixel.
 *
 * @throws {ValueError} when a size is not an integer or too small, or the padding is too large.
 */
export function windowsOfPool(
  op: string,
  kernelSize: PairLike,
  options: {
    readonly stride?: PairLike;
    readonly padding?: PairLike;
    readonly dilation?: PairLike;
    readonly ceilMode?: boolean;
  },
): PoolWindows {
  const kernel = pairOf(op, "kernelSize", kernelSize, 1);
  const stride = pairOf(op, "stride", options.stride ?? kernelSize, 1);
  const padding = pairOf(op, "padding", options.padding ?? 0, 0);
  const dilation = pairOf(op, "dilation", options.dilation ?? 1, 1);
  if (padding.some((n, axis) => 2 * n > kernel[axis])) {
    const rule = `padding must be at most half of kernelSize ${formatShape(kernel)}`;
    throw new ValueError(op, rule, formatShape(padding));
  }
  const spans = extent({ kernel, dilation });
  if (kernel[0] * kernel[1] > mostPixels || spans.some((pixels) => pixels > largest)) {
    const rule = `a window must have at most ${mostPixels} pixels, and span at most ${largest} along each axis`;
    throw new ValueError(op, rule, `${kernel.join("x")} pixels over ${spans.join("x")}`);
  }
  return { kernel, stride, padding, dilation, ceilMode: options.ceilMode ?? false };
}

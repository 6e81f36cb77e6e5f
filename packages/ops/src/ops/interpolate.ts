/**
 * @file Interpolate: resize images on a regular grid.
 *
 *     y[n, c, p, q] = Σ_i Σ_j wy_i[p] wx_j[q] x[n, c, row_i[p], column_j[q]]
 *
 * Along an axis, with ratio = in / out, or 1 / scaleFactor where that was given, output pixel i reads
 *
 *     nearest     the pixel floor(i ratio)
 *     bilinear    the position (i + 0.5) ratio - 0.5, or i (in - 1) / (out - 1) with alignCorners, clamped to the image:
 *                 the two pixels around it, weighted by how close they are
 *     bicubic     the same position, not clamped: the four pixels around it, weighted by cubic convolution (interpolationKernels.ts),
 *                 with the outermost pixel in place of those outside the image
 *
 * It is linear in x, so this op and its transpose are each other's gradient.
 *
 * Source: torch.nn.functional.interpolate with recompute_scale_factor and antialias unset, also where it does what one would not
 * expect: nearest computes i ratio in float32, which can fall just below an integer, and a scaleFactor is passed over along an axis
 * that keeps its size, in nearest also along one that exactly doubles, in bicubic never. What it does not do is to copy dy where
 * bicubic keeps both sizes under a scaleFactor above 1, as PyTorch does although its output is no copy: the gradient is the transpose.
 */

import {
  apply,
  checkOptions,
  type GpuStep,
  type Op,
  type OptionNames,
  quotient,
  type Shape,
  ShapeError,
  size,
  type Tensor,
  type Thread,
  ValueError,
  type Values,
} from "@gridgrad/core";

import { largest } from "../windows.ts";
import { axisMap, axisTaps } from "./axisTaps.ts";
import { tapsOf } from "./gridSampleTaps.ts";
import { weightKernel } from "./weightKernel.ts";

export type InterpolateMode = "nearest" | "bilinear" | "bicubic";

export interface InterpolateOptions {
  /** Height and width of the output; one number for both. Either this or `scaleFactor`. */
  readonly size?: number | readonly [number, number];
  /** Factors for height and width; one number for both. The output has floor(in * factor) pixels. */
  readonly scaleFactor?: number | readonly [number, number];
  /** Default `"nearest"`. */
  readonly mode?: InterpolateMode;
  /** For bilinear and bicubic: whether the centres of the outermost pixels stay in place, not their outer edges. Default false. */
  readonly alignCorners?: boolean;
}

const interpolateOptions: OptionNames<InterpolateOptions> = { size: 1, scaleFactor: 1, mode: 1, alignCorners: 1 };

/** Pairs are for height and width. */
export interface InterpolateAttrs {
  readonly mode: InterpolateMode;
  readonly alignCorners: boolean;
  readonly size: readonly number[] | null;
  readonly scaleFactor: readonly number[] | null;
}

/**
 * Resizes images to `size`, or by `scaleFactor`.
 *
 * @param x - `[N, C, H, W]`, floating.
 * @param options.size - height and width of the output in pixels, or one number for both.
 * @param options.scaleFactor - instead of `size`: the output has floor(H * factor) by floor(W * factor) pixels.
 * @param options.mode - `"nearest"` (default; takes the pixel on the upper left), `"bilinear"` or `"bicubic"` (can overshoot).
 * @param options.alignCorners - for bilinear and bicubic: the centres of the outermost pixels stay in place, not their outer edges.
 * @returns `[N, C, P, Q]`
 * @throws {ShapeError} when `x` is not `[N, C, H, W]` with at least one pixel.
 * @throws {ValueError} when not exactly one of `size` and `scaleFactor` is given, or it leaves no pixels, there is no such mode, or
 *   `alignCorners` is given to nearest.
 * @throws {DTypeError} when `x` is int32.
 *
 * @example
 * ```ts
 * const x = tensor([[[[0, 4]]]]);
 * await interpolate(x, { size: [1, 4] }).data(); // [0, 0, 4, 4]
 * await interpolate(x, { scaleFactor: [1, 2], mode: "bilinear" }).data(); // [0, 1, 3, 4]
 * await interpolate(x, { size: [1, 5], mode: "bilinear", alignCorners: true }).data(); // [0, 1, 2, 3, 4]
 * await interpolate(x, { scaleFactor: [1, 2], mode: "bicubic" }).data(); // [-0.421875, 0.90625, 3.09375, 4.421875]
 * ```
 */
export function interpolate(x: Tensor, options?: InterpolateOptions): Tensor {
  const checked = checkOptions("interpolate(x)", interpolateOptions, options, arguments);
  const { size, scaleFactor, mode = "nearest", alignCorners = false } = checked;
  return apply(interpolateOp, [x], { mode, alignCorners, size: pair(size), scaleFactor: pair(scaleFactor) });
}

export const interpolateOp: Op<InterpolateAttrs> = {
  name: "interpolate",

  shape([x], { mode, alignCorners, size, scaleFactor }) {
    if (mode !== "nearest" && mode !== "bilinear" && mode !== "bicubic") {
      throw new ValueError("interpolate", 'mode must be "nearest", "bilinear" or "bicubic"', JSON.stringify(mode));
    }
    if (mode === "nearest" && alignCorners) {
      const rule = 'alignCorners goes with mode "bilinear" or "bicubic"';
      throw new ValueError("interpolate", rule, '"nearest" with alignCorners true');
    }
    if (x.length !== 4 || x[2] === 0 || x[3] === 0) {
      throw new ShapeError("interpolate", "x must be [N, C, H, W] with at least one pixel", { x });
    }
    return [x[0], x[1], ...outputSize(x, size, scaleFactor)];
  },

  dtype: "float",

  vjp: (dy, [x], attrs) => [apply(interpolateInputOp, [dy], { ...attrs, height: x.shape[2], width: x.shape[3] })],

  loops(y, [x], { attrs, inShapes: [[N, C, H, W]], outShape: [, , P, Q] }) {
    if (N * C === 0) return;
    const rows = axisTaps(H, P, attrs, 0);
    const columns = axisTaps(W, Q, attrs, 1);
    const between = new Float64Array(W); // one row of the output, not yet resized along its width
    const line = new Float64Array(Q);
    for (let plane = 0; plane < N * C; plane++) {
      for (let p = 0; p < P; p++) {
        between.fill(0);
        for (const { index, weight } of rows) {
          const from = (plane * H + index[p]) * W;
          const wy = weight[p];
          for (let w = 0; w < W; w++) between[w] += wy * x[from + w];
        }
        line.fill(0);
        for (const { index, weight } of columns) {
          for (let q = 0; q < Q; q++) line[q] += weight[q] * between[index[q]];
        }
        y.set(line, (plane * P + p) * Q);
      }
    }
  },

  gpu({ attrs, inShapes: [[N, C, H, W]], outShape: [, , P, Q] }) {
    const rows = positionSteps(H, P, attrs, 0, 1);
    const columns = positionSteps(W, Q, attrs, 1, 1 + rows.length);
    if (attrs.mode === "bicubic") {
      const ofRows = rows.length + columns.length + 1;
      return [
        ...rows,
        ...columns,
        cubicStep([0, rows.length], [N * C, H, W], P),
        cubicStep([ofRows, ofRows - 1], [N * C * P, W, 1], Q),
      ];
    }
    const sample: GpuStep = {
      kernel: attrs.mode === "nearest" ? nearestKernel : bilinearKernel,
      inputs: [0, rows.length, rows.length + columns.length],
      size: N * C * P * Q,
      integers: { H, W, P, Q, ownH: ownNeighbour(H, P, attrs), ownW: ownNeighbour(W, Q, attrs) },
    };
    return [...rows, ...columns, sample];
  },

  macs: ({ attrs, outShape }) => tapsOf(attrs) * size(outShape),
};

/** The transpose of interpolate: every output pixel gives its dy back to the pixels that it read. */
export const interpolateInputOp: Op<InterpolateAttrs & { readonly height: number; readonly width: number }> = {
  name: "interpolateInput",

  shape: ([dy], { height, width }) => [dy[0], dy[1], height, width],

  dtype: "float",

  vjp: (dx, _inputs, { mode, alignCorners, size, scaleFactor }) => [
    apply(interpolateOp, [dx], { mode, alignCorners, size, scaleFactor }),
  ],

  loops(dx, [dy], { attrs, inShapes: [[N, C, P, Q]], outShape: [, , H, W] }) {
    const rows = axisTaps(H, P, attrs, 0);
    const columns = axisTaps(W, Q, attrs, 1);
    const between = new Float64Array(W);
    const image = new Float64Array(H * W);
    for (let plane = 0; plane < N * C; plane++) {
      image.fill(0);
      for (let p = 0; p < P; p++) {
        const from = (plane * P + p) * Q;
        between.fill(0);
        for (const { index, weight } of columns) {
          for (let q = 0; q < Q; q++) between[index[q]] += weight[q] * dy[from + q];
        }
        for (const { index, weight } of rows) {
          const to = index[p] * W;
          const wy = weight[p];
          for (let w = 0; w < W; w++) image[to + w] += wy * between[w];
        }
      }
      dx.set(image, plane * H * W);
    }
  },

  gpu({ attrs, inShapes: [[N, C, P, Q]], outShape: [, , H, W] }) {
    const rows = positionSteps(H, P, attrs, 0, 1);
    const columns = positionSteps(W, Q, attrs, 1, 1 + rows.length);
    const tables = rows.length + columns.length;
    return [
      ...rows,
      ...columns,
      gatherStep([0, rows.length], [N * C, P, Q], H, attrs, 0),
      gatherStep([tables + 1, tables], [N * C * H, Q, 1], W, attrs, 1),
    ];
  },

  macs: ({ attrs, inShapes: [dy] }) => tapsOf(attrs) * size(dy),
};

function pair(value: number | readonly number[] | undefined): readonly number[] | null {
  if (value === undefined) return null;
  return typeof value === "number" ? [value, value] : value;
}

/** Height and width of the output. */
function outputSize(
  [, , H, W]: Shape,
  size: readonly number[] | null,
  scaleFactor: readonly number[] | null,
): readonly number[] {
  if ((size === null) === (scaleFactor === null)) {
    const given = size === null ? "neither" : "both";
    throw new ValueError("interpolate", "exactly one of size and scaleFactor must be given", given);
  }
  const wanted = size ?? [H, W].map((dim, axis) => Math.floor(dim * scaleFactor![axis]));
  if ((size ?? scaleFactor)!.length !== 2 || !wanted.every((dim) => Number.isInteger(dim) && dim >= 1)) {
    const option = size ? `size [${size.join(", ")}]` : `scaleFactor [${scaleFactor!.join(", ")}]`;
    const rule = "the output must have a height and a width, integers of at least 1";
    throw new ValueError("interpolate", rule, `${option} for an image of ${H} by ${W}`);
  }
  if (wanted.some((dim) => dim > largest)) {
    throw new ValueError("interpolate", `the output must have sides of at most ${largest}`, wanted.join(" by "));
  }
  return wanted;
}

/**
 * The pixel of an axis from which on bilinear reads the pixel itself in place of the next one: the last, or where the size stays the first.
 * The other modes do not.
 */
function ownNeighbour(inSize: number, outSize: number, { mode }: InterpolateAttrs): number {
  if (mode !== "bilinear") return inSize;
  return outSize === inSize ? 0 : inSize - 1;
}

/**
 * Steps that find where the output pixels along an axis read: [outSize], not below 0 except in bicubic, and in nearest whole.
 *
 * @param next - the number of the first step's result.
 */
function positionSteps(inSize: number, outSize: number, attrs: InterpolateAttrs, axis: 0 | 1, next: number): GpuStep[] {
  const { part, whole, centre } = axisMap(inSize, outSize, attrs, axis);
  const last = inSize - 1;
  if (attrs.mode === "nearest") {
    // In two steps: a stored product is rounded to float32 on every backend, which is what nearest rounds down.
    const floats = { ratio: Math.fround(part / whole), last };
    return [
      { kernel: productKernel, inputs: [], size: outSize, floats },
      { kernel: pixelKernel, inputs: [next], size: outSize },
    ];
  }
  // Further out than half a pixel there is no position.
  const limits = { lowest: attrs.mode === "bilinear" ? 0 : -0.5, highest: last + 0.5 };
  const floats = { part, whole: Math.fround(whole), centre, ...limits };
  return [{ kernel: positionKernel, inputs: [], size: outSize, floats }];
}

/** The step from [outer, size, inner] to [outer, count, inner]: bicubic along one axis. */
function cubicStep(
  inputs: readonly [x: number, positions: number],
  [outer, size, inner]: readonly [outer: number, size: number, inner: number],
  count: number,
): GpuStep {
  return {
    kernel: cubicKernel,
    inputs,
    size: outer * count * inner,
    integers: { size, count, inner },
    functions: [weightKernel],
  };
}

/** The step from [outer, count, inner] to [outer, size, inner]: along the axis each pixel gathers from what read it. */
function gatherStep(
  inputs: readonly [dy: number, positions: number],
  [outer, count, inner]: readonly [outer: number, count: number, inner: number],
  size: number,
  attrs: InterpolateAttrs,
  axis: 0 | 1,
): GpuStep {
  const { part, whole, centre } = axisMap(size, count, attrs, axis);
  const ratio = part / whole;
  const cubic = attrs.mode === "bicubic";
  // What reads pixel h has its position within `reach` of it, so it is in a window of 2 reach / ratio, or half a pixel more where positions
  // are clamped. It may start one early.
  const reach = cubic ? 2 : 1;
  const own = ownNeighbour(size, count, attrs);
  const before = attrs.mode === "nearest" || own === 0 ? 0 : reach; // pixels that are read behind a position
  const window = ratio === 0 ? count : Math.min(Math.ceil((2 * reach + 0.5) / ratio) + 3, count);
  return {
    kernel: cubic ? cubicGatherKernel : gatherKernel,
    inputs,
    size: outer * size * inner,
    integers: { size, count, inner, window, before, own },
    floats: { perPixel: ratio === 0 ? 0 : 1 / ratio, centre },
    functions: cubic ? [weightKernel] : [],
  };
}

/** One output pixel of an axis: the position that it reads. */
function positionKernel(this: Thread<"part" | "whole" | "centre" | "lowest" | "highest">): number {
  const product = (this.thread.x + this.constants.centre) * this.constants.part;
  const position = product / this.constants.whole - this.constants.centre;
  if (position < this.constants.lowest) {
    return this.constants.lowest;
  }
  if (position > this.constants.highest) {
    return this.constants.highest;
  }
  return position;
}

/** The same for nearest, before it is rounded down. */
function productKernel(this: Thread<"ratio" | "last">): number {
  const position = this.thread.x * this.constants.ratio;
  if (position > this.constants.last) {
    return this.constants.last;
  }
  return position;
}

/** And then: the pixel. */
function pixelKernel(this: Thread, positions: Values): number {
  return Math.floor(positions[this.thread.x]);
}

/** One output pixel: the pixel at its position. */
function nearestKernel(this: Thread<"H" | "W" | "P" | "Q">, x: Values, rows: Values, columns: Values): number {
  const i = this.thread.x;
  const line = quotient(i, this.constants.Q);
  const q = i - line * this.constants.Q;
  const plane = quotient(line, this.constants.P);
  const p = line - plane * this.constants.P;
  return x[(plane * this.constants.H + rows[p]) * this.constants.W + columns[q]];
}

/** One output pixel: between the four pixels around its position, or fewer where they are their own neighbours. */
function bilinearKernel(
  this: Thread<"H" | "W" | "P" | "Q" | "ownH" | "ownW">,
  x: Values,
  rows: Values,
  columns: Values,
): number {
  const i = this.thread.x;
  const line = quotient(i, this.constants.Q);
  const q = i - line * this.constants.Q;
  const plane = quotient(line, this.constants.P);
  const p = line - plane * this.constants.P;
  const top = Math.floor(rows[p]);
  const left = Math.floor(columns[q]);
  const ty = rows[p] - top;
  const tx = columns[q] - left;
  const at = (plane * this.constants.H + top) * this.constants.W + left;
  let right = 0;
  if (left < this.constants.ownW) {
    right = 1;
  }
  let below = 0;
  if (top < this.constants.ownH) {
    below = this.constants.W;
  }
  const upper = (1 - tx) * x[at] + tx * x[at + right];
  const lower = (1 - tx) * x[at + below] + tx * x[at + below + right];
  return (1 - ty) * upper + ty * lower;
}

/** One output pixel of an axis, bicubic: of the four pixels around its position, those outside replaced by the outermost one. */
function cubicKernel(this: Thread<"size" | "count" | "inner">, x: Values, positions: Values): number {
  const i = this.thread.x;
  const line = quotient(i, this.constants.inner);
  const column = i - line * this.constants.inner;
  const outer = quotient(line, this.constants.count);
  const position = positions[line - outer * this.constants.count];
  const first = Math.floor(position) - 1;
  let y = 0;
  for (let k = 0; k < 4; k++) {
    let h = first + k;
    if (h < 0) {
      h = 0;
    }
    if (h > this.constants.size - 1) {
      h = this.constants.size - 1;
    }
    const weight = weightKernel(position - first - k, 0, 1);
    y += weight * x[(outer * this.constants.size + h) * this.constants.inner + column];
  }
  return y;
}

/**
 * One pixel of an axis: the sum of what read it, weighted by how close it read. It is up to `before` pixels behind their positions, or less than
 * one in front of them; from pixel `own` on it was read in place of the next one, too.
 */
function gatherKernel(
  this: Thread<"size" | "count" | "inner" | "window" | "before" | "own" | "perPixel" | "centre">,
  dy: Values,
  positions: Values,
): number {
  const i = this.thread.x;
  const line = quotient(i, this.constants.inner);
  const column = i - line * this.constants.inner;
  const outer = quotient(line, this.constants.size);
  const h = line - outer * this.constants.size;
  let start = Math.floor((h - 1 + this.constants.centre) * this.constants.perPixel - this.constants.centre);
  if (start < 0 || h < 2) {
    start = 0; // the second pixel is beside the first one, on which positions are clamped
  }
  const first = -this.constants.before;
  let dx = 0;
  for (let k = 0; k < this.constants.window; k++) {
    const p = start + k;
    if (p >= this.constants.count) {
      break;
    }
    const u = positions[p] - h;
    if (u >= 1) {
      break;
    }
    if (u >= first) {
      const value = dy[(outer * this.constants.count + p) * this.constants.inner + column];
      dx += (1 - Math.abs(u)) * value;
      if (u >= 0 && h >= this.constants.own) {
        dx += u * value;
      }
    }
  }
  return dx;
}

/** The same for bicubic, where the outermost pixels were read in place of two more on their outer sides. */
function cubicGatherKernel(
  this: Thread<"size" | "count" | "inner" | "window" | "before" | "perPixel" | "centre">,
  dy: Values,
  positions: Values,
): number {
  const i = this.thread.x;
  const line = quotient(i, this.constants.inner);
  const column = i - line * this.constants.inner;
  const outer = quotient(line, this.constants.size);
  const h = line - outer * this.constants.size;
  let start = Math.floor((h - 2 + this.constants.centre) * this.constants.perPixel - this.constants.centre);
  if (start < 0) {
    start = 0;
  }
  const first = -this.constants.before;
  let dx = 0;
  for (let k = 0; k < this.constants.window; k++) {
    const p = start + k;
    if (p >= this.constants.count) {
      break;
    }
    const u = positions[p] - h;
    if (u >= this.constants.before) {
      break;
    }
    if (u >= first) {
      const value = dy[(outer * this.constants.count + p) * this.constants.inner + column];
      dx += weightKernel(u, 0, 1) * value;
      if (h < 1) {
        if (u < 1) {
          dx += weightKernel(u + 1, 0, 1) * value;
        }
        if (u < 0) {
          dx += weightKernel(u + 2, 0, 1) * value;
        }
      }
      if (h > this.constants.size - 2) {
        if (u >= -1) {
          dx += weightKernel(u - 1, 0, 1) * value;
        }
        if (u >= 0) {
          dx += weightKernel(u - 2, 0, 1) * value;
        }
      }
    }
  }
  return dx;
}

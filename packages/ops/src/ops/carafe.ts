/**
 * @file Content-aware reassembly: each fine pixel is a sum of the coarse pixels around it, with a kernel of its own. And its
 * two companions. All three are partial derivatives of one form, trilinear in a fine image dy, kernels w and a coarse image x:
 *
 *     T(dy, w, x) = Σ_n,c,p,q,i,j  dy[n, c, p, q]  w[n, (g k + i) k + j, p, q]  x[n, c, floor(p/s) + i - r, floor(q/s) + j - r]
 *
 *     y  = ∂T/∂dy     carafe                            r = (k - 1) / 2; g is the group of channel c
 *     dx = ∂T/∂x      carafeInput                       what lies outside of x does not count
 *     dw = ∂T/∂w      carafeKernels: windowSimilarity
 *
 * So the gradients of each are the other two, to every order. Windows of coarse pixels become simple in X, x enlarged to the fine
 * pixels by repeating each s times: floor(q/s) + j - r is pixel q + (j - r) s of X, so that along a row of fine pixels everything lies
 * side by side.
 *
 * Source: Wang et al., "CARAFE: Content-Aware ReAssembly of FEatures", ICCV 2019, arXiv:1905.02188; mmcv.ops.carafe, whose order
 * of channels this is. Lu et al., "SAPA: Similarity-Aware Point Affiliation for Feature Upsampling", NeurIPS 2022, arXiv:2209.12866,
 * for the similarities, which its `sim` has with channels last.
 */

import {
  apply,
  checkOptions,
  type Op,
  type OptionNames,
  quotient,
  sameShape,
  type Shape,
  ShapeError,
  size,
  sumInParts,
  type Tensor,
  type Thread,
  ValueError,
  type Values,
} from "@gridgrad/core";

import { windowsInside } from "../windows.ts";
import { longestSum } from "./conv1x1.ts";

export interface CarafeOptions {
  /** k, the rows and the columns of a window, in coarse pixels: odd. */
  readonly kernelSize: number;
  /** G, into which the channels fall; each has kernels of its own. Default 1. */
  readonly groups?: number;
}

const carafeOptions: OptionNames<CarafeOptions> = { kernelSize: 1, groups: 1 };

interface Attrs {
  readonly kernelSize: number;
  readonly groups: number;
}

/**
 * Upsamples images by kernels that are given for each pixel of the result: the weights of the k by k pixels of `x` around it.
 *
 * The kernels are taken as they are; CARAFE normalises them beforehand, by softmax over the k*k weights.
 *
 * @param x - `[N, C, H, W]`, floating.
 * @param kernels - `[N, G*k*k, s*H, s*W]`, with an integer s of at least 1: of each group of C/G channels the rows of its
 *   kernel, one after the other.
 * @param options - `kernelSize` k in pixels of `x`, and `groups` G, which divides C.
 * @returns `[N, C, s*H, s*W]`
 * @throws {ShapeError} when the shapes do not fit each other, or an image has no pixels.
 * @throws {ValueError} when `kernelSize` is not an odd integer of at least 1, or `groups` not an integer of at least 1.
 * @throws {DTypeError} when the element types differ or are int32.
 *
 * @example
 * ```ts
 * const x = tensor([1, 2, 4], [1, 1, 1, 3]);
 * await carafe(x, ones([1, 9, 1, 3]), { kernelSize: 3 }).data(); // [3, 7, 6], sums of neighbours
 * await carafe(x, ones([1, 1, 2, 6]), { kernelSize: 1 }).array(); // [[[[1, 1, 2, 2, 4, 4], [1, 1, 2, 2, 4, 4]]]]
 * ```
 */
export function carafe(x: Tensor, kernels: Tensor, options: CarafeOptions): Tensor {
  const { kernelSize, groups = 1 } = checkOptions("carafe(x, kernels)", carafeOptions, options, arguments);
  return apply(carafeOp, [x, kernels], { kernelSize, groups });
}

/**
 * How much each pixel of `query` resembles the k by k pixels of `key` around it: dot products over the channels of each group, 0 with
 * what lies outside. Softmax over the k*k makes them kernels for `carafe`: that is SAPA.
 *
 * @param query - `[N, C, s*H, s*W]`, floating, with an integer s of at least 1.
 * @param key - `[N, C, H, W]`
 * @param options - `kernelSize` k in pixels of `key`, and `groups` G, which divides C.
 * @returns `[N, G*k*k, s*H, s*W]`, the layout of `carafe`'s kernels.
 * @throws {ShapeError} when the shapes do not fit each other, or an image has no pixels.
 * @throws {ValueError} when `kernelSize` is not an odd integer of at least 1, or `groups` not an integer of at least 1.
 * @throws {DTypeError} when the element types differ or are int32.
 *
 * @example
 * ```ts
 * const query = tensor([1, 2, 3], [1, 1, 1, 3]);
 * const key = tensor([10, 100, 1000], [1, 1, 1, 3]);
 * const similarity = windowSimilarity(query, key, { kernelSize: 3 });
 * similarity.shape; // [1, 9, 1, 3]
 * await slice(similarity, [null, [3, 6]]).data(); // [0, 20, 300, 10, 200, 3000, 100, 2000, 0], with the left, own and right one
 * ```
 */
export function windowSimilarity(query: Tensor, key: Tensor, options: CarafeOptions): Tensor {
  const { kernelSize, groups = 1 } = checkOptions("windowSimilarity(query, key)", carafeOptions, options, arguments);
  return apply(carafeKernelsOp, [query, key], { kernelSize, groups });
}

export const carafeOp: Op<Attrs> = {
  name: "carafe",

  shape([x, kernels], attrs) {
    checkAttrs("carafe", attrs);
    const { kernelSize: k, groups: G } = attrs;
    const fine = [kernels[0], x[1], ...kernels.slice(2)];
    if (kernels[1] !== G * k * k || !areFineAndCoarse(fine, x, G)) {
      const rule = `x must be [N, C, H, W] with at least one pixel and a C that groups = ${G} divides, and kernels [N, G*k*k, s*H, s*W] with G*k*k = ${G * k * k}`;
      throw new ShapeError("carafe", rule, { x, kernels });
    }
    return fine;
  },

  dtype: "float",

  vjp: (dy, [x, kernels], attrs) => [
    apply(carafeInputOp, [dy, kernels], { ...attrs, scale: scaleOf(x, dy) }),
    apply(carafeKernelsOp, [dy, x], attrs),
  ],

  loops(y, [x, kernels], { attrs, inShapes: [coarse], outShape: fine }) {
    const sizes = sizesOf(coarse, fine, attrs);
    const weights = new Float64Array(kernels);
    const row = new Float64Array(sizes.Q);
    const total = new Float64Array(y.length); // rows of windows come one by one: their sum is rounded once
    visitRows(sizes, (fineAt, kernelAt, coarseAt) => {
      enlarge(row, x, coarseAt, sizes);
      visitColumns(sizes, (j, from, rowFrom, count) => {
        addProducts(total, fineAt + from, weights, kernelAt + j * sizes.area + from, row, rowFrom, count);
      });
    });
    y.set(total);
  },

  gpu({ attrs, inShapes: [coarse], outShape: fine }) {
    const sizes = sizesOf(coarse, fine, attrs);
    const { N, C, P, Q, k } = sizes;
    const step = { kernel: carafeKernel, inputs: [0, 1], integers: constantsOf(sizes) };
    return sumInParts(step, { terms: k, longest: Math.ceil(longestSum / k), outer: N * C, inner: P * Q });
  },

  macs: ({ attrs, outShape: fine }) => attrs.kernelSize ** 2 * size(fine),
};

/** `dx` from `dy` and the kernels: every fine pixel gives its dy back to the pixels of its window. */
export const carafeInputOp: Op<Attrs & { readonly scale: number }> = {
  name: "carafeInput",

  shape: ([dy], { scale: s }) => [dy[0], dy[1], dy[2] / s, dy[3] / s],

  dtype: "float",

  vjp: (v, [dy, kernels], { scale: _, ...attrs }) => [
    apply(carafeOp, [v, kernels], attrs),
    apply(carafeKernelsOp, [dy, v], attrs),
  ],

  loops(dx, [dy, kernels], { attrs, inShapes: [fine], outShape: coarse }) {
    const sizes = sizesOf(coarse, fine, attrs);
    const weights = new Float64Array(kernels);
    const gradients = new Float64Array(dy);
    const row = new Float64Array(sizes.Q);
    const total = new Float64Array(dx.length);
    visitRows(sizes, (fineAt, kernelAt, coarseAt) => {
      row.fill(0);
      visitColumns(sizes, (j, from, rowFrom, count) => {
        addProducts(row, rowFrom, weights, kernelAt + j * sizes.area + from, gradients, fineAt + from, count);
      });
      addShrunk(total, coarseAt, row, sizes);
    });
    dx.set(total);
  },

  gpu({ attrs, inShapes: [fine], outShape: coarse }) {
    const sizes = sizesOf(coarse, fine, attrs);
    const { N, C, H, W, k, s } = sizes;
    const step = { kernel: carafeInputKernel, inputs: [0, 1], integers: constantsOf(sizes) };
    const longest = Math.ceil(longestSum / (k * s * s));
    return sumInParts(step, { terms: k, longest, outer: N * C, inner: H * W });
  },

  macs: ({ attrs, inShapes: [fine] }) => attrs.kernelSize ** 2 * size(fine),
};

/** `dw` from `dy` and `x`, which are also a query and its key. */
export const carafeKernelsOp: Op<Attrs> = {
  name: "carafeKernels",

  shape([query, key], attrs) {
    checkAttrs("windowSimilarity", attrs);
    const { kernelSize: k, groups: G } = attrs;
    if (!areFineAndCoarse(query, key, G)) {
      const rule = `query must be [N, C, s*H, s*W] and key [N, C, H, W], with at least one pixel and a C that groups = ${G} divides`;
      throw new ShapeError("windowSimilarity", rule, { query, key });
    }
    return [query[0], G * k * k, query[2], query[3]];
  },

  dtype: "float",

  vjp: (v, [dy, x], attrs) => [
    apply(carafeOp, [x, v], attrs),
    apply(carafeInputOp, [dy, v], { ...attrs, scale: scaleOf(x, dy) }),
  ],

  loops(dw, [dy, x], { attrs, inShapes: [fine, coarse] }) {
    const sizes = sizesOf(coarse, fine, attrs);
    const gradients = new Float64Array(dy);
    const row = new Float64Array(sizes.Q);
    const total = new Float64Array(dw.length);
    visitRows(sizes, (fineAt, kernelAt, coarseAt) => {
      enlarge(row, x, coarseAt, sizes);
      visitColumns(sizes, (j, from, rowFrom, count) => {
        addProducts(total, kernelAt + j * sizes.area + from, gradients, fineAt + from, row, rowFrom, count);
      });
    });
    dw.set(total);
  },

  gpu({ attrs, inShapes: [fine, coarse] }) {
    const sizes = sizesOf(coarse, fine, attrs);
    const { N, C, P, Q, G, k } = sizes;
    const step = { kernel: carafeKernelsKernel, inputs: [0, 1], integers: constantsOf(sizes) };
    return sumInParts(step, { terms: C / G, longest: longestSum, outer: N * G * k * k, inner: P * Q });
  },

  macs: ({ attrs, inShapes: [fine] }) => attrs.kernelSize ** 2 * size(fine),
};

function checkAttrs(op: string, { kernelSize, groups }: Attrs): void {
  if (!Number.isInteger(kernelSize) || kernelSize < 1 || kernelSize % 2 === 0) {
    throw new ValueError(op, "kernelSize must be an odd integer of at least 1", String(kernelSize));
  }
  if (!Number.isInteger(groups) || groups < 1) {
    throw new ValueError(op, "groups must be an integer of at least 1", String(groups));
  }
}

/** Whether they are [N, C, s H, s W] and [N, C, H, W] with an integer s, pixels, and groups of channels. */
function areFineAndCoarse(fine: Shape, coarse: Shape, groups: number): boolean {
  const [N, C, H, W] = coarse;
  const s = fine[2] / H;
  const wanted = [N, C, s * H, s * W];
  return coarse.length === 4 && Number.isInteger(s) && s * W > 0 && C % groups === 0 && sameShape(fine, wanted);
}

/** s, fine pixels per coarse pixel along each axis. */
function scaleOf(coarse: Tensor, fine: Tensor): number {
  return fine.shape[2] / coarse.shape[2];
}

/** x is [N, C, H, W], dy [N, C, P, Q], a kernel k by k; it reaches r pixels far. */
function sizesOf([N, C, H, W]: Shape, [, , P, Q]: Shape, { kernelSize: k, groups: G }: Attrs) {
  return { N, C, H, W, P, Q, G, k, r: (k - 1) / 2, s: P / H, area: P * Q };
}

type Sizes = ReturnType<typeof sizesOf>;

/**
 * Visits the products of rows that T consists of: row i of the windows of a row of fine pixels, in one channel. They are in fine images from element
 * `fineAt` on, and in a coarse image they see the row from `coarseAt` on, with weights from `kernelAt` on for j = 0, and a plane of
 * kernels further on for each other j. Rows outside of the image are not visited.
 */
function visitRows(
  { N, C, H, W, P, Q, G, k, r, s }: Sizes,
  visit: (fineAt: number, kernelAt: number, coarseAt: number) => void,
): void {
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++) {
      const g = Math.floor((c * G) / C);
      for (let p = 0; p < P; p++)
        for (let i = 0; i < k; i++) {
          const h = Math.floor(p / s) + i - r;
          if (h < 0 || h >= H) continue;
          const plane = (n * G + g) * k * k + i * k;
          visit(((n * C + c) * P + p) * Q, (plane * P + p) * Q, ((n * C + c) * H + h) * W);
        }
    }
}

/**
 * Visits the columns of windows: in column j, `count` fine pixels of a row from `from` on see the pixels of an enlarged row from `rowFrom` on. The
 * others see none.
 */
function visitColumns(
  { W, k, r, s }: Sizes,
  visit: (j: number, from: number, rowFrom: number, count: number) => void,
): void {
  for (let j = 0; j < k; j++) {
    const [from, to] = windowsInside(W, W, 1, j - r);
    visit(j, from * s, (from + j - r) * s, (to - from) * s);
  }
}

/** Repeats each pixel of the row from `at` on s times. */
function enlarge(row: Float64Array, x: Values, at: number, { W, s }: Sizes): void {
  for (let w = 0, q = 0; w < W; w++) for (let b = 0; b < s; b++, q++) row[q] = x[at + w];
}

/** The transpose: each pixel of the row from `at` on gets the s that stand for it. */
function addShrunk(total: Float64Array, at: number, row: Float64Array, { W, s }: Sizes): void {
  for (let w = 0, q = 0; w < W; w++) for (let b = 0; b < s; b++, q++) total[at + w] += row[q];
}

/** y += a b, element by element, of stretches of `count`. */
function addProducts(
  y: Float64Array,
  yAt: number,
  a: Float64Array,
  aAt: number,
  b: Float64Array,
  bAt: number,
  count: number,
): void {
  for (let q = 0; q < count; q++) y[yAt + q] += a[aAt + q] * b[bAt + q];
}

/** What the kernels know: `channels` are those of one group. */
function constantsOf({ C, H, W, P, Q, G, k, r, s, area }: Sizes) {
  return { C, H, W, P, Q, G, k, r, s, area, channels: C / G };
}

type Constant = keyof ReturnType<typeof constantsOf> | "T" | "count";

/** Thread (n, c, t, p, q) adds up what the window of a fine pixel holds, weighted, over part t of the window's rows. */
function carafeKernel(this: Thread<Constant>, x: Values, kernels: Values): number {
  const row = quotient(this.thread.x, this.constants.Q);
  const q = this.thread.x - row * this.constants.Q;
  const part = quotient(row, this.constants.P);
  const p = row - part * this.constants.P;
  const image = quotient(part, this.constants.T);
  const first = (part - image * this.constants.T) * this.constants.count;
  const n = quotient(image, this.constants.C);
  const group = n * this.constants.G + quotient(image - n * this.constants.C, this.constants.channels);
  const top = quotient(p, this.constants.s) - this.constants.r;
  const left = quotient(q, this.constants.s) - this.constants.r;
  let total = 0;
  for (let m = 0; m < this.constants.count; m++) {
    const i = first + m;
    const h = top + i;
    if (i < this.constants.k && h >= 0 && h < this.constants.H) {
      const xAt = (image * this.constants.H + h) * this.constants.W + left;
      const plane = (group * this.constants.k + i) * this.constants.k;
      const kernelAt = (plane * this.constants.P + p) * this.constants.Q + q;
      for (let j = 0; j < this.constants.k; j++) {
        if (left + j >= 0 && left + j < this.constants.W) {
          total += kernels[kernelAt + j * this.constants.area] * x[xAt + j];
        }
      }
    }
  }
  return total;
}

/**
 * Thread (n, c, t, h, w) adds up what the fine pixels whose windows hold a coarse pixel send back to it, over part t of the windows' rows. In row i
 * and column j it is for the s by s fine pixels of coarse pixel (h - i + r, w - j + r).
 */
function carafeInputKernel(this: Thread<Constant>, dy: Values, kernels: Values): number {
  const row = quotient(this.thread.x, this.constants.W);
  const w = this.thread.x - row * this.constants.W;
  const part = quotient(row, this.constants.H);
  const h = row - part * this.constants.H;
  const image = quotient(part, this.constants.T);
  const first = (part - image * this.constants.T) * this.constants.count;
  const n = quotient(image, this.constants.C);
  const group = n * this.constants.G + quotient(image - n * this.constants.C, this.constants.channels);
  let total = 0;
  for (let m = 0; m < this.constants.count; m++) {
    const i = first + m;
    const cellRow = h - i + this.constants.r;
    if (i < this.constants.k && cellRow >= 0 && cellRow < this.constants.H) {
      for (let j = 0; j < this.constants.k; j++) {
        const cellColumn = w - j + this.constants.r;
        if (cellColumn >= 0 && cellColumn < this.constants.W) {
          const plane = (group * this.constants.k + i) * this.constants.k + j;
          for (let a = 0; a < this.constants.s; a++) {
            const p = cellRow * this.constants.s + a;
            const dyAt = (image * this.constants.P + p) * this.constants.Q + cellColumn * this.constants.s;
            const kernelAt = (plane * this.constants.P + p) * this.constants.Q + cellColumn * this.constants.s;
            for (let b = 0; b < this.constants.s; b++) {
              total += kernels[kernelAt + b] * dy[dyAt + b];
            }
          }
        }
      }
    }
  }
  return total;
}

/** Thread (n, g, i, j, t, p, q) adds up the products of a fine pixel with pixel (i, j) of its window, over part t of the group's channels. */
function carafeKernelsKernel(this: Thread<Constant>, dy: Values, x: Values): number {
  const row = quotient(this.thread.x, this.constants.Q);
  const q = this.thread.x - row * this.constants.Q;
  const part = quotient(row, this.constants.P);
  const p = row - part * this.constants.P;
  const plane = quotient(part, this.constants.T);
  const first = (part - plane * this.constants.T) * this.constants.count;
  const kernelRow = quotient(plane, this.constants.k);
  const j = plane - kernelRow * this.constants.k;
  const group = quotient(kernelRow, this.constants.k);
  const i = kernelRow - group * this.constants.k;
  const h = quotient(p, this.constants.s) + i - this.constants.r;
  const w = quotient(q, this.constants.s) + j - this.constants.r;
  let total = 0;
  if (h >= 0 && h < this.constants.H && w >= 0 && w < this.constants.W) {
    for (let m = 0; m < this.constants.count; m++) {
      if (first + m < this.constants.channels) {
        const image = group * this.constants.channels + first + m; // of the batch: G * channels are C
        const dyAt = (image * this.constants.P + p) * this.constants.Q + q;
        total += dy[dyAt] * x[(image * this.constants.H + h) * this.constants.W + w];
      }
    }
  }
  return total;
}

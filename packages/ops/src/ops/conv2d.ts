/**
 * @file 2-d convolution (cross-correlation, as everywhere in deep learning).
 *
 *     y[n, o, p, q]    = Σ_c,kh,kw   w[o, c, kh, kw] x[n, c, h, w]           h = p stride - padding + kh dilation, w alike
 *     dx[n, c, h, w]   = Σ_o,kh,kw   w[o, c, kh, kw] dy[n, o, p, q]          over the (p, q) that read (h, w)
 *     dw[o, c, kh, kw] = Σ_n,p,q     dy[n, o, p, q] x[n, c, h, w]
 *
 * Each of the three is linear in both of its arguments, and each one's gradients are the other two, so there is no end to how
 * often a convolution can be differentiated. With groups, the channels of x and y fall into as many independent convolutions.
 *
 * The loops unfold: they write down, for a band of rows of y, the matrix whose column (n, p, q) is the window that this pixel
 * sees. What is left is conv1x1, a matrix product, with C*KH*KW channels. On a GPU each thread walks through its window instead.
 *
 * Source: torch.nn.functional.conv2d; Chellapilla, Puri and Simard, "High performance convolutional neural networks for document
 * processing", 2006, for the unfolding.
 */

import {
  apply,
  checkOptions,
  checkTensors,
  formatShape,
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

import {
  addProduct,
  addProductOfRows,
  type Band,
  cutBands,
  type Image,
  loadBand,
  loadMatrix,
  makePanel,
  type Matrix,
  type Panel,
  storeBand,
  storeMatrix,
  transposed,
  upToFour,
} from "../panels.ts";
import { countWindows, type Pair, type PairLike, pairOf, type Windows, windowsInside } from "../windows.ts";
import { addBias, conv1x1, longestPixels, longestSum } from "./conv1x1.ts";

export interface ConvOptions {
  /** Pixels from one window to the next. Default 1. */
  readonly stride?: PairLike;
  /** Zeros added on each side, in pixels. Default 0. */
  readonly padding?: PairLike;
  /** Pixels from one kernel element to the next. Default 1. */
  readonly dilation?: PairLike;
  /** Independent convolutions that the channels fall into. Default 1. */
  readonly groups?: number;
}

const convOptions: OptionNames<ConvOptions> = { stride: 1, padding: 1, dilation: 1, groups: 1 };

/** The options, resolved. */
export interface ConvAttrs extends Omit<Windows, "kernel"> {
  readonly groups: number;
}

/**
 * Convolves `x` with a kernel per output channel.
 *
 * @param x - `[N, C, H, W]`
 * @param weight - `[O, C/groups, KH, KW]`
 * @param bias - `[O]`, added to every pixel. Default: none.
 * @param options - each a number or `[h, w]`, in pixels; `groups` divides `C` and `O`.
 * @returns `[N, O, P, Q]` with `P = floor((H + 2 padding - dilation (KH - 1) - 1) / stride) + 1`, and `Q` alike.
 * @throws {ShapeError} when the channels do not fit, the bias has not one number per output channel, or the kernel is larger than the
 *   padded `x`.
 * @throws {ValueError} when an option is not an integer, or too small.
 * @throws {DTypeError} when the element types differ or are int32.
 *
 * @example
 * ```ts
 * const x = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 3, 3]);
 * const corners = tensor([1, 0, 0, 1], [1, 1, 2, 2]);
 * await conv2d(x, corners).data(); // [6, 8, 12, 14]
 * await conv2d(x, corners, null, { stride: 2, padding: 1 }).data(); // [1, 3, 7, 14]
 * ```
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor | null, options?: ConvOptions): Tensor {
  checkTensors("conv2d", { x, weight }, { bias });
  const attrs = convAttrs("conv2d", checkOptions("conv2d(x, weight, bias)", convOptions, options, arguments));
  conv2dOp.shape([x.shape, weight.shape], attrs); // here, so that a 1x1 kernel that does not fit is told so by conv2d
  const y = isPointwise(weight.shape, attrs) ? conv1x1(x, weight) : apply(conv2dOp, [x, weight], attrs);
  return addBias("conv2d", y, bias);
}

/** Resolves and checks the options. */
export function convAttrs(op: string, { stride = 1, padding = 0, dilation = 1, groups = 1 }: ConvOptions): ConvAttrs {
  if (!Number.isInteger(groups) || groups < 1) {
    throw new ValueError(op, "groups must be an integer of at least 1", String(groups));
  }
  return {
    stride: pairOf(op, "stride", stride, 1),
    padding: pairOf(op, "padding", padding, 0),
    dilation: pairOf(op, "dilation", dilation, 1),
    groups,
  };
}

/** Whether each pixel of y sees one pixel of x, the one at its own place. */
function isPointwise([, , KH, KW]: Shape, { stride, padding, groups }: ConvAttrs): boolean {
  return (
    KH === 1 && KW === 1 && groups === 1 && [...stride].every((n) => n === 1) && [...padding].every((n) => n === 0)
  );
}

export const conv2dOp: Op<ConvAttrs> = {
  name: "conv2d",

  shape([x, weight], attrs) {
    const { groups } = attrs;
    if (x.length !== 4 || weight.length !== 4 || weight[2] < 1 || weight[3] < 1) {
      const rule = "x must be [N, C, H, W] and weight [O, C/groups, KH, KW], with KH and KW at least 1";
      throw new ShapeError("conv2d", rule, { x, weight });
    }
    if (x[1] !== weight[1] * groups) {
      const rule = `x must have weight.shape[1] * groups = ${weight[1]} * ${groups} = ${weight[1] * groups} channels`;
      throw new ShapeError("conv2d", rule, { x, weight });
    }
    if (weight[0] % groups !== 0) {
      throw new ShapeError("conv2d", `weight.shape[0] = ${weight[0]} must be divisible by groups = ${groups}`, {
        weight,
      });
    }
    const windows = { ...attrs, kernel: [weight[2], weight[3]] as Pair };
    return [x[0], weight[0], ...countWindows("conv2d", [x[2], x[3]], windows, { x, weight })];
  },

  dtype: "float",

  vjp: (dy, [x, weight], attrs) => [
    apply(conv2dInputOp, [dy, weight], { ...attrs, size: [x.shape[2], x.shape[3]] }),
    apply(conv2dWeightOp, [x, dy], { ...attrs, kernel: [weight.shape[2], weight.shape[3]] }),
  ],

  loops(y, [x, w], { attrs, inShapes: [xShape, wShape], outShape }) {
    const conv = sizesOf(xShape, wShape, outShape, attrs);
    const { bands, width } = bandsOf(conv);
    const windows = makePanel(conv.K, width);
    const sums = makePanel(conv.O / conv.G, width);
    for (let g = 0; g < conv.G; g++) {
      const weight = loadMatrix(w, weightOf(conv, g));
      for (const band of bands) {
        unfold(windows, x, conv, g, band);
        sums.values.fill(0);
        addProduct(sums, weight, windows);
        storeBand(y, outputOf(conv, g), sums, band);
      }
    }
  },

  gpu({ attrs, inShapes: [xShape, wShape], outShape }) {
    const conv = sizesOf(xShape, wShape, outShape, attrs);
    const { N, C, O, P, Q, KH, KW, G } = conv;
    const step = { kernel: conv2dKernel, inputs: [0, 1], integers: constantsOf(conv) };
    const longest = Math.ceil(longestSum / (KH * KW));
    return sumInParts(step, { terms: C / G, longest, outer: N * O, inner: P * Q });
  },

  macs: ({ inShapes: [, weight], outShape }) => macsOfWindows(outShape, weight),
};

/** `dx` from `dy` and `w`, which is also the transposed convolution. `size` is `[H, W]`, which strides leave open. */
export const conv2dInputOp: Op<ConvAttrs & { readonly size: Pair }> = {
  name: "conv2dInput",

  shape([dy, weight], { size, ...attrs }) {
    const x = [dy[0], weight[1] * attrs.groups, ...size];
    checkOutput("conv2dInput", dy, conv2dOp.shape([x, weight], attrs));
    return x;
  },

  dtype: "float",

  vjp: (d, [dy, weight], { size: _, ...attrs }) => [
    apply(conv2dOp, [d, weight], attrs),
    apply(conv2dWeightOp, [d, dy], { ...attrs, kernel: [weight.shape[2], weight.shape[3]] }),
  ],

  loops(dx, [dy, w], { attrs, inShapes: [dyShape, wShape], outShape }) {
    const conv = sizesOf(outShape, wShape, dyShape, attrs);
    const { bands, width } = bandsOf(conv);
    const gradients = makePanel(conv.O / conv.G, width);
    const windows = makePanel(conv.K, width);
    const total = new Float64Array(dx.length); // windows overlap: their sum is rounded once
    for (let g = 0; g < conv.G; g++) {
      const weight = transposed(loadMatrix(w, weightOf(conv, g)));
      for (const band of bands) {
        loadBand(gradients, dy, outputOf(conv, g), band);
        windows.values.fill(0);
        addProduct(windows, weight, gradients);
        fold(total, windows, conv, g, band);
      }
    }
    dx.set(total);
  },

  gpu({ attrs, inShapes: [dyShape, wShape], outShape }) {
    const conv = sizesOf(outShape, wShape, dyShape, attrs);
    const { N, C, H, W, O, KH, KW, G } = conv;
    const step = { kernel: conv2dInputKernel, inputs: [0, 1], integers: constantsOf(conv) };
    const longest = Math.ceil(longestSum / (KH * KW));
    return sumInParts(step, { terms: O / G, longest, outer: N * C, inner: H * W });
  },

  macs: ({ inShapes: [dy, weight] }) => macsOfWindows(dy, weight),
};

/** `dw` from `x` and `dy`. `kernel` is `[KH, KW]`, which strides leave open. */
export const conv2dWeightOp: Op<ConvAttrs & { readonly kernel: Pair }> = {
  name: "conv2dWeight",

  shape([x, dy], { kernel, ...attrs }) {
    const weight = [dy[1], x[1] / attrs.groups, ...kernel];
    checkOutput("conv2dWeight", dy, conv2dOp.shape([x, weight], attrs));
    return weight;
  },

  dtype: "float",

  vjp: (d, [x, dy], { kernel: _, ...attrs }) => [
    apply(conv2dInputOp, [dy, d], { ...attrs, size: [x.shape[2], x.shape[3]] }),
    apply(conv2dOp, [x, d], attrs),
  ],

  loops(dw, [x, dy], { attrs, inShapes: [xShape, dyShape], outShape }) {
    const conv = sizesOf(xShape, outShape, dyShape, attrs);
    const { bands, width } = bandsOf(conv);
    const gradients = makePanel(conv.O / conv.G, width);
    const windows = makePanel(conv.K, width);
    for (let g = 0; g < conv.G; g++) {
      const total = makePanel(conv.O / conv.G, upToFour(conv.K));
      for (const band of bands) {
        loadBand(gradients, dy, outputOf(conv, g), band);
        unfold(windows, x, conv, g, band);
        addProductOfRows(total, gradients, windows);
      }
      storeMatrix(dw, weightOf(conv, g), total);
    }
  },

  gpu({ attrs, inShapes: [xShape, dyShape], outShape }) {
    const conv = sizesOf(xShape, outShape, dyShape, attrs);
    const { N, O, P, Q, K } = conv;
    const S = Math.ceil(Q / longestPixels);
    const L = Math.ceil(Q / S);
    const edge = Math.ceil(conv.padding[1] / conv.stride[1]); // pixels of y at an end of a row that read padding, at most
    const integers = { ...constantsOf(conv), S, L, edge, stretches: N * P * S };
    const step = { kernel: conv2dWeightKernel, inputs: [0, 1], integers };
    return sumInParts(step, { terms: N * P * S, longest: Math.ceil(longestPixels / L), outer: 1, inner: O * K });
  },

  macs: ({ inShapes: [, dy], outShape }) => macsOfWindows(dy, outShape),
};

/** Every element of y is the sum of a window, the channels of one group: the same in all three ops. */
function macsOfWindows(y: Shape, weight: Shape): number {
  return size(y) * size(weight.slice(1));
}

function checkOutput(op: string, dy: Shape, y: Shape): void {
  if (sameShape(dy, y)) return;
  throw new ShapeError(op, `dy must have the shape of the convolution's output, ${formatShape(y)}`, { dy });
}

/** What the loops know: x is [N, C, H, W], w [O, C/G, KH, KW], y [N, O, P, Q]; a window has K elements, the channels of one group. */
function sizesOf([N, C, H, W]: Shape, [O, , KH, KW]: Shape, [, , P, Q]: Shape, { groups: G, ...attrs }: ConvAttrs) {
  return { N, C, H, W, O, P, Q, KH, KW, G, K: (C / G) * KH * KW, ...attrs };
}

type Sizes = ReturnType<typeof sizesOf>;

function bandsOf({ N, O, P, Q, G, K }: Sizes) {
  return cutBands(N * P, Q, K + O / G);
}

/** The kernels of a group, one a row. */
function weightOf({ O, G, K }: Sizes, g: number): Matrix {
  return { offset: (g * O * K) / G, rows: O / G, columns: K };
}

/** The output channels of a group. */
function outputOf({ O, P, Q, G }: Sizes, g: number): Image {
  return { C: O, H: P, W: Q, channel: (g * O) / G };
}

/** Writes down the windows that a band of rows of y sees in a group of x: row (c, kh, kw), column (n, p, q). */
function unfold(windows: Panel, x: Values, conv: Sizes, g: number, band: Band): void {
  const { values, columns } = windows;
  const step = conv.stride[1];
  values.fill(0); // the padding
  visitStretches(conv, g, band, columns, (at, xAt, n) => {
    for (let i = 0; i < n; i++) values[at + i] = x[xAt + i * step];
  });
}

/** Adds windows up in the image that they come from: the transpose of `unfold`. */
function fold(total: Float64Array, windows: Panel, conv: Sizes, g: number, band: Band): void {
  const { values, columns } = windows;
  const step = conv.stride[1];
  visitStretches(conv, g, band, columns, (at, xAt, n) => {
    for (let i = 0; i < n; i++) total[xAt + i * step] += values[at + i];
  });
}

/**
 * Visits the windows stretch by stretch: `n` neighbours in a row of the panel, from element `at`, whose pixels lie in one row of x, from
 * element `xAt`, a stride apart. What is in the padding is not visited.
 */
function visitStretches(
  { C, H, W, P, Q, KH, KW, G, stride, padding, dilation }: Sizes,
  g: number,
  { first, last }: Band,
  columns: number,
  visit: (at: number, xAt: number, n: number) => void,
): void {
  let row = 0;
  for (let c = (g * C) / G; c < ((g + 1) * C) / G; c++)
    for (let kh = 0; kh < KH; kh++)
      for (let kw = 0; kw < KW; kw++, row++) {
        const left = kw * dilation[1] - padding[1];
        const [from, to] = windowsInside(W, Q, stride[1], left);
        if (from === to) continue;
        for (let r = first; r < last; r++) {
          const n = Math.floor(r / P);
          const h = (r % P) * stride[0] + kh * dilation[0] - padding[0];
          if (h < 0 || h >= H) continue;
          const at = row * columns + (r - first) * Q + from;
          visit(at, ((n * C + c) * H + h) * W + from * stride[1] + left, to - from);
        }
      }
}

/** What the kernels know: `channels` and `outputs` are those of one group. */
function constantsOf({ C, H, W, O, P, Q, KH, KW, G, stride, padding, dilation }: Sizes) {
  const [strideH, strideW] = stride;
  const [paddingH, paddingW] = padding;
  const [dilationH, dilationW] = dilation;
  const perGroup = { channels: C / G, outputs: O / G };
  return { C, H, W, O, P, Q, KH, KW, ...perGroup, strideH, strideW, paddingH, paddingW, dilationH, dilationW };
}

type Constant = keyof ReturnType<typeof constantsOf>;

/** Thread (n, o, t, p, q) adds up the window of a pixel of y, over part t of the channels. */
function conv2dKernel(this: Thread<Constant | "T" | "count">, x: Values, weight: Values): number {
  const i = this.thread.x;
  const row = quotient(i, this.constants.Q);
  const q = i - row * this.constants.Q;
  const part = quotient(row, this.constants.P);
  const p = row - part * this.constants.P;
  const image = quotient(part, this.constants.T);
  const first = (part - image * this.constants.T) * this.constants.count;
  const n = quotient(image, this.constants.O);
  const o = image - n * this.constants.O;
  const g = quotient(o, this.constants.outputs);
  const top = p * this.constants.strideH - this.constants.paddingH;
  const left = q * this.constants.strideW - this.constants.paddingW;
  const bottom = top + (this.constants.KH - 1) * this.constants.dilationH;
  const right = left + (this.constants.KW - 1) * this.constants.dilationW;
  let inside = 0;
  if (top >= 0 && bottom < this.constants.H && left >= 0 && right < this.constants.W) {
    inside = 1;
  }
  let total = 0;
  for (let k = 0; k < this.constants.count; k++) {
    const c = first + k;
    if (c < this.constants.channels) {
      const xAt = (n * this.constants.C + g * this.constants.channels + c) * this.constants.H;
      const weightAt = (o * this.constants.channels + c) * this.constants.KH;
      if (inside > 0.5) {
        for (let kh = 0; kh < this.constants.KH; kh++) {
          const rowAt = (xAt + top + kh * this.constants.dilationH) * this.constants.W + left;
          for (let kw = 0; kw < this.constants.KW; kw++) {
            total += weight[(weightAt + kh) * this.constants.KW + kw] * x[rowAt + kw * this.constants.dilationW];
          }
        }
      } else {
        for (let a = 0; a < this.constants.KH; a++) {
          const h = top + a * this.constants.dilationH;
          for (let b = 0; b < this.constants.KW; b++) {
            const w = left + b * this.constants.dilationW;
            let pixel = 0; // of the padding
            if (h >= 0 && h < this.constants.H && w >= 0 && w < this.constants.W) {
              pixel = x[(xAt + h) * this.constants.W + w];
            }
            total += weight[(weightAt + a) * this.constants.KW + b] * pixel;
          }
        }
      }
    }
  }
  return total;
}

/**
 * Thread (n, c, t, h, w) adds up what the pixels of y that read a pixel of x send back, over part t of the output channels. Kernel
 * element kh reads row h for the p with p stride = h + padding - kh dilation, if there is one.
 */
function conv2dInputKernel(this: Thread<Constant | "T" | "count">, dy: Values, weight: Values): number {
  const i = this.thread.x;
  const row = quotient(i, this.constants.W);
  const w = i - row * this.constants.W;
  const part = quotient(row, this.constants.H);
  const h = row - part * this.constants.H;
  const image = quotient(part, this.constants.T);
  const first = (part - image * this.constants.T) * this.constants.count;
  const n = quotient(image, this.constants.C);
  const channel = image - n * this.constants.C;
  const g = quotient(channel, this.constants.channels);
  const c = channel - g * this.constants.channels;
  let total = 0;
  for (let kh = 0; kh < this.constants.KH; kh++) {
    const down = h + this.constants.paddingH - kh * this.constants.dilationH;
    const p = quotient(down, this.constants.strideH);
    if (down >= 0 && p * this.constants.strideH === down && p < this.constants.P) {
      for (let kw = 0; kw < this.constants.KW; kw++) {
        const right = w + this.constants.paddingW - kw * this.constants.dilationW;
        const q = quotient(right, this.constants.strideW);
        if (right >= 0 && q * this.constants.strideW === right && q < this.constants.Q) {
          for (let k = 0; k < this.constants.count; k++) {
            if (first + k < this.constants.outputs) {
              const o = g * this.constants.outputs + first + k;
              const dyAt = ((n * this.constants.O + o) * this.constants.P + p) * this.constants.Q + q;
              const weightAt = ((o * this.constants.channels + c) * this.constants.KH + kh) * this.constants.KW + kw;
              total += weight[weightAt] * dy[dyAt];
            }
          }
        }
      }
    }
  }
  return total;
}

/**
 * Thread (t, o, c, kh, kw) adds up the products of the pixels of y and the pixels of x that this element of the kernel reads for them,
 * over part t of the rows of y. Each row is S stretches of L pixels, the last one shorter, and each part `count` stretches.
 */
function conv2dWeightKernel(
  this: Thread<Constant | "S" | "L" | "edge" | "stretches" | "T" | "count">,
  x: Values,
  dy: Values,
): number {
  const i = this.thread.x;
  const row = quotient(i, this.constants.KW);
  const kw = i - row * this.constants.KW;
  const kernel = quotient(row, this.constants.KH);
  const kh = row - kernel * this.constants.KH;
  const pair = quotient(kernel, this.constants.channels);
  const c = kernel - pair * this.constants.channels;
  const t = quotient(pair, this.constants.O);
  const o = pair - t * this.constants.O;
  const g = quotient(o, this.constants.outputs);
  const top = kh * this.constants.dilationH - this.constants.paddingH;
  const left = kw * this.constants.dilationW - this.constants.paddingW;
  let total = 0;
  for (let k = 0; k < this.constants.count; k++) {
    const stretch = t * this.constants.count + k;
    const line = quotient(stretch, this.constants.S);
    const n = quotient(line, this.constants.P);
    const p = line - n * this.constants.P;
    const h = p * this.constants.strideH + top;
    if (stretch < this.constants.stretches) {
      const first = (stretch - line * this.constants.S) * this.constants.L;
      const xAt = ((n * this.constants.C + g * this.constants.channels + c) * this.constants.H + h) * this.constants.W;
      const dyAt = ((n * this.constants.O + o) * this.constants.P + p) * this.constants.Q;
      let part = 0; // of its own: short sums lose fewer digits
      if (h >= 0 && h < this.constants.H) {
        for (let j = 0; j < this.constants.L; j++) {
          const q = first + j;
          const w = q * this.constants.strideW + left;
          if (q < this.constants.Q && w >= 0 && w < this.constants.W) {
            part += dy[dyAt + q] * x[xAt + w];
          }
        }
        for (let e = 0; e < this.constants.edge; e++) {
          const near = first + e;
          if (near < this.constants.Q && near * this.constants.strideW + left < 0) {
            part += dy[dyAt + near] * 0;
          }
          const far = this.constants.Q - 1 - e;
          if (
            far >= first &&
            far < first + this.constants.L &&
            far * this.constants.strideW + left >= this.constants.W
          ) {
            part += dy[dyAt + far] * 0;
          }
        }
      } else {
        for (let l = 0; l < this.constants.L; l++) {
          if (first + l < this.constants.Q) {
            part += dy[dyAt + first + l] * 0;
          }
        }
      }
      total += part;
    }
  }
  return total;
}

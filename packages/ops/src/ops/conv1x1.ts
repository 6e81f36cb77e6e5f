/**
 * @file 1x1 convolution: one matrix product at every pixel.
 *
 *     y[n, o, p]  = Σ_c   w[o, c] x[n, c, p]            p runs over the H*W pixels
 *     dx[n, c, p] = Σ_o   w[o, c] dy[n, o, p]           that is conv1x1(dy, transpose(w))
 *     dw[o, c]    = Σ_n,p dy[n, o, p] x[n, c, p]
 *
 * Source: torch.nn.functional.conv2d with a kernel of size 1.
 */

import {
  add,
  apply,
  DTypeError,
  type GpuStep,
  type Op,
  quotient,
  reduceMiddle,
  reshape,
  ShapeError,
  sumKernel,
  type Tensor,
  type Thread,
  transpose,
  type Values,
} from "@gridgrad/core";

import {
  addProduct,
  addProductOfRows,
  cutBands,
  loadBand,
  loadMatrix,
  makePanel,
  storeBand,
  storeMatrix,
  upToFour,
} from "../panels.ts";

/**
 * Mixes channels at each pixel; space is untouched.
 *
 * @param x - `[N, C, H, W]`
 * @param weight - `[O, C, 1, 1]`
 * @param bias - `[O]`, added to every pixel. Default: none.
 * @returns `[N, O, H, W]`
 * @throws {ShapeError} when the channels of `x` and `weight` differ, or the bias has not one number per output channel.
 * @throws {DTypeError} when the element types differ or are int32.
 *
 * @example
 * ```ts
 * const x = tensor([1, 2, 10, 20], [1, 2, 1, 2]); // two channels of two pixels
 * await conv1x1(x, tensor([1, 3], [1, 2, 1, 1])).data(); // [31, 62]
 * ```
 */
export function conv1x1(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  return addBias("conv1x1", apply(conv1x1Op, [x, weight], {}), bias);
}

export const conv1x1Op: Op = {
  name: "conv1x1",

  shape([x, weight]) {
    if (x.length !== 4 || weight.length !== 4 || weight[2] !== 1 || weight[3] !== 1 || x[1] !== weight[1]) {
      throw new ShapeError("conv1x1", "x must be [N, C, H, W] and weight [O, C, 1, 1] with one C", { x, weight });
    }
    return [x[0], weight[0], x[2], x[3]];
  },

  dtype: "float",

  vjp: (dy, [x, weight]) => [conv1x1(dy, transpose(weight, 0, 1)), apply(conv1x1WeightOp, [x, dy], {})],

  loops(y, [x, w], { inShapes: [[N, C, H, W], [O]] }) {
    const weight = loadMatrix(w, { offset: 0, rows: O, columns: C });
    const { bands, width } = cutBands(N * H, W, C + O);
    const pixels = makePanel(C, width);
    const mixed = makePanel(O, width);
    for (const band of bands) {
      loadBand(pixels, x, { C, H, W, channel: 0 }, band);
      mixed.values.fill(0);
      addProduct(mixed, weight, pixels);
      storeBand(y, { C: O, H, W, channel: 0 }, mixed, band);
    }
  },

  gpu({ inShapes: [[N, C, H, W], [O]] }) {
    const P = H * W;
    const step = { kernel: conv1x1Kernel, inputs: [0, 1], integers: { C, O, P } };
    return sumInParts(step, { terms: C, longest: 4096, outer: N * O, inner: P });
  },
};

/** `dw` from `x` and `dy`. */
export const conv1x1WeightOp: Op = {
  name: "conv1x1Weight",

  shape([x, dy]) {
    if (x.length !== 4 || dy.length !== 4 || [0, 2, 3].some((axis) => x[axis] !== dy[axis])) {
      throw new ShapeError("conv1x1Weight", "x must be [N, C, H, W] and dy [N, O, H, W]", { x, dy });
    }
    return [dy[1], x[1], 1, 1];
  },

  dtype: "float",

  // It is linear in both, so the gradients are conv1x1 again, with `d` as the weight.
  vjp: (d, [x, dy]) => [conv1x1(dy, transpose(d, 0, 1)), conv1x1(x, d)],

  loops(dw, [x, dy], { inShapes: [[N, C, H, W], [, O]] }) {
    const { bands, width } = cutBands(N * H, W, C + O);
    const pixels = makePanel(C, width);
    const gradients = makePanel(O, width);
    const products = makePanel(O, upToFour(C));
    for (const band of bands) {
      loadBand(pixels, x, { C, H, W, channel: 0 }, band);
      loadBand(gradients, dy, { C: O, H, W, channel: 0 }, band);
      addProductOfRows(products, gradients, pixels);
    }
    storeMatrix(dw, { offset: 0, rows: O, columns: C }, products);
  },

  gpu({ inShapes: [[N, C, H, W], [, O]] }) {
    const P = H * W;
    const S = Math.ceil(P / longestStretch);
    const L = Math.ceil(P / S);
    const step = { kernel: conv1x1WeightKernel, inputs: [0, 1], integers: { C, O, P, S, L, stretches: N * S } };
    return sumInParts(step, { terms: N * S, longest: Math.ceil(longestStretch / L), outer: 1, inner: O * C });
  },
};

/** Neighbouring pixels that a thread of a weight's gradient adds up in one go; of shorter stretches it takes several. */
export const longestStretch = 1024;

/**
 * The steps of a sum of many terms per output element, [outer, inner]. The first one cuts it into T parts of `count` neighbouring
 * terms, [outer, T, inner], so that there is work for many threads and float32 sums stay short; the others add the parts up. There
 * are fewer and longer parts where they would make a tensor too large for the device.
 *
 * @param first - the first step, whose kernel takes `T` and `count`.
 * @param options.longest - terms of a part.
 */
export function sumInParts(
  first: Omit<GpuStep, "size">,
  { terms, longest, outer, inner }: { terms: number; longest: number; outer: number; inner: number },
): GpuStep[] {
  const T = Math.max(1, Math.min(Math.ceil(terms / longest), Math.floor(2 ** 24 / (outer * inner))));
  const integers = { ...first.integers, T, count: Math.ceil(terms / T) };
  const step = { ...first, integers, size: outer * T * inner };
  const parts = first.inputs.length;
  return T === 1 ? [step] : [step, ...reduceMiddle(sumKernel, parts, parts + 1, [outer, T, inner])];
}

/** Thread (n, o, t, p) mixes part t of the channels of a pixel. */
function conv1x1Kernel(this: Thread<"C" | "O" | "P" | "T" | "count">, x: Values, weight: Values): number {
  const i = this.thread.x;
  const row = quotient(i, this.constants.P);
  const p = i - row * this.constants.P;
  const image = quotient(row, this.constants.T);
  const first = (row - image * this.constants.T) * this.constants.count;
  const n = quotient(image, this.constants.O);
  const o = image - n * this.constants.O;
  const xAt = n * this.constants.C * this.constants.P + p;
  const weightAt = o * this.constants.C;
  let total = 0;
  for (let k = 0; k < this.constants.count; k++) {
    const c = first + k;
    if (c < this.constants.C) {
      total += weight[weightAt + c] * x[xAt + c * this.constants.P];
    }
  }
  return total;
}

/**
 * Thread (t, o, c) adds up the products of channel c of x and o of dy over part t of the pixels. Each image is S stretches of L pixels,
 * the last one shorter, and each part `count` stretches, perhaps of several images.
 */
function conv1x1WeightKernel(
  this: Thread<"C" | "O" | "P" | "S" | "L" | "stretches" | "T" | "count">,
  x: Values,
  dy: Values,
): number {
  const i = this.thread.x;
  const row = quotient(i, this.constants.C);
  const c = i - row * this.constants.C;
  const t = quotient(row, this.constants.O);
  const o = row - t * this.constants.O;
  let total = 0;
  for (let k = 0; k < this.constants.count; k++) {
    const stretch = t * this.constants.count + k;
    if (stretch < this.constants.stretches) {
      const n = quotient(stretch, this.constants.S);
      const first = (stretch - n * this.constants.S) * this.constants.L;
      const xAt = (n * this.constants.C + c) * this.constants.P;
      const dyAt = (n * this.constants.O + o) * this.constants.P;
      let part = 0; // of its own: short sums lose fewer digits
      for (let j = 0; j < this.constants.L; j++) {
        const p = first + j;
        if (p < this.constants.P) {
          part += dy[dyAt + p] * x[xAt + p];
        }
      }
      total += part;
    }
  }
  return total;
}

/** Adds a bias per channel of `y`, `[N, O, P, Q]`. All convolutions share it. */
export function addBias(op: string, y: Tensor, bias: Tensor | null | undefined): Tensor {
  if (!bias) return y;
  const O = y.shape[1];
  if (bias.shape.length !== 1 || bias.shape[0] !== O) {
    throw new ShapeError(op, `bias must have one number per output channel, shape [${O}]`, { bias: bias.shape });
  }
  if (bias.dtype !== y.dtype) {
    throw new DTypeError(op, `bias must have the dtype of x, ${y.dtype} (cast converts)`, bias.dtype);
  }
  return add(y, reshape(bias, [1, O, 1, 1]));
}

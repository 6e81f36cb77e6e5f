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
  checkTensors,
  DTypeError,
  type Op,
  quotient,
  reshape,
  ShapeError,
  size,
  sumInParts,
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
  checkTensors("conv1x1", { x, weight }, { bias });
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
    const [kernel, width] = C % 4 === 0 ? [conv1x1FoursKernel, 4] : [conv1x1Kernel, 1];
    const step = { kernel, inputs: [0, 1], integers: { C, O, P } };
    return sumInParts(step, { terms: C / width, longest: longestSum / width, outer: N * O, inner: P });
  },

  macs: ({ inShapes: [, [, C]], outShape }) => size(outShape) * C,
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
    const step = { kernel: conv1x1WeightKernel, inputs: [0, 1], integers: { N, C, O, P } };
    return sumInParts(step, { terms: P, longest: Math.ceil(longestPixels / N), outer: O * C, inner: 1 });
  },

  macs: ({ inShapes: [, dy], outShape: [, C] }) => size(dy) * C,
};

/** Terms that a thread of y or dx adds up, about: as many as the windows of nearly all networks have. Also for pooling. */
export const longestSum = 4096;

/** Pixels that a thread of a weight's gradient adds up, about. Weights are few, so that there are threads for short sums. */
export const longestPixels = 1024;

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

/** The same with four channels at a time, for which WebAssembly takes a third less time: `count` counts fours. */
function conv1x1FoursKernel(this: Thread<"C" | "O" | "P" | "T" | "count">, x: Values, weight: Values): number {
  const i = this.thread.x;
  const row = quotient(i, this.constants.P);
  const p = i - row * this.constants.P;
  const image = quotient(row, this.constants.T);
  const first = (row - image * this.constants.T) * this.constants.count;
  const n = quotient(image, this.constants.O);
  const o = image - n * this.constants.O;
  let total = 0;
  for (let k = 0; k < this.constants.count; k++) {
    const c = (first + k) * 4;
    if (c < this.constants.C) {
      const xAt = (n * this.constants.C + c) * this.constants.P + p;
      const weightAt = o * this.constants.C + c;
      total +=
        weight[weightAt] * x[xAt] +
        weight[weightAt + 1] * x[xAt + this.constants.P] +
        weight[weightAt + 2] * x[xAt + 2 * this.constants.P] +
        weight[weightAt + 3] * x[xAt + 3 * this.constants.P];
    }
  }
  return total;
}

/** Thread (o, c, t) adds up the products of channel o of dy and c of x at the pixels t, t + T, t + 2T, .. of all images. */
function conv1x1WeightKernel(this: Thread<"N" | "C" | "O" | "P" | "T" | "count">, x: Values, dy: Values): number {
  const i = this.thread.x;
  const pair = quotient(i, this.constants.T);
  const t = i - pair * this.constants.T;
  const o = quotient(pair, this.constants.C);
  const c = pair - o * this.constants.C;
  let total = 0;
  for (let n = 0; n < this.constants.N; n++) {
    const xAt = (n * this.constants.C + c) * this.constants.P;
    const dyAt = (n * this.constants.O + o) * this.constants.P;
    let part = 0; // of its own: short sums lose fewer digits
    for (let k = 0; k < this.constants.count; k++) {
      const p = t + k * this.constants.T;
      if (p < this.constants.P) {
        part += dy[dyAt + p] * x[xAt + p];
      }
    }
    total += part;
  }
  return total;
}

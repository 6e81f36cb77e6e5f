/**
 * @file Sample at offsets: the sampling step of DySample, in one go.
 *
 * Sub-pixel (i, j) of pixel (h, w) reads the image, bilinearly and clamped to the border, at
 *
 *     (w + offset_x, h + offset_y)        in pixels; 0 is the centre of the first one
 *
 * Channel (((xy G + g) s + i) s + j) of the offsets belongs to axis xy (0 is x), group g, row i and column j of the cell. Channels
 * come in G groups, each with offsets of its own.
 *
 * It is gridSample on a grid that is made of the offsets (`toGrid`). Without that grid, positions come straight from the offsets:
 * nothing is normalised and shuffled on the way, forward or backward. With S the sampling at the offsets and S_x, S_y its
 * derivatives by the positions,
 *
 *     dx = Sᵀ dy                                         sampleAtOffsetsInput
 *     doffset = Σ_c dy (S_x x) for x, Σ_c dy (S_y x) for y    sampleAtOffsetsOffset, of a group's channels c
 *
 * The latter's own gradient needs second derivatives, for which it takes the way by the grid.
 *
 * Source: Liu, Lu, Fu and Cao, "Learning to Upsample by Learning to Sample", ICCV 2023, arXiv:2308.15085.
 */

import {
  add,
  apply,
  type GpuStep,
  mul,
  type Op,
  permute,
  quotient,
  reshape,
  type Shape,
  ShapeError,
  size,
  sub,
  type Tensor,
  tensor,
  type Thread,
  ValueError,
  type Values,
} from "@gridgrad/core";

import type { OpsPlanner } from "../devices/gpu/opsPlanner.ts";
import { gridSampleGridOp } from "./gridSample.ts";
import type { SamplingSizes } from "./gridSampleKernels.ts";
import { PaddedImage, sampleRow, scatterRow, slopeRow } from "./gridSampleRows.ts";
import { GridSampleTaps, type SamplingAttrs, tapsOf } from "./gridSampleTaps.ts";
import { pixelShuffle, pixelUnshuffle } from "./pixelShuffle.ts";

interface Attrs {
  /** Samples per pixel along each axis. */
  readonly scale: number;
}

const sampling: SamplingAttrs = {
  mode: "bilinear",
  paddingMode: "border",
  alignCorners: false,
  orderX: 0,
  orderY: 0,
};

/**
 * Upsamples images by sampling them bilinearly at the centres of their pixels moved by `offsets`, each group of channels at its own
 * points, clamped to the border.
 *
 * Gradients by the offsets: 0 at and beyond the border; on the centre of a pixel, the slope of the cell that begins there.
 *
 * @param x - `[N, C, H, W]`, floating.
 * @param offsets - `[N, 2 G s², H, W]` in pixels, to the right and down: first those along x, of each group, of each row and column
 *   of a cell of s by s samples, then those along y. G must divide C.
 * @param scale - s, output pixels per pixel along each axis.
 * @returns `[N, C, s H, s W]`
 * @throws {ShapeError} when the channels of `offsets` are not 2 G s² with a G that divides C, or the sizes differ, or an image has
 *   no pixels.
 * @throws {ValueError} when the scale is not an integer of at least 1.
 * @throws {DTypeError} when the element types differ or are int32.
 *
 * @example
 * ```ts
 * const x = tensor([10, 20, 40], [1, 1, 1, 3]);
 * const offsets = tensor([0.5, 0.25, -9, 0, 0, 0], [1, 2, 1, 3]); // along x, then along y
 * await sampleAtOffsets(x, offsets, 1).data(); // [15, 25, 10]
 * ```
 */
export function sampleAtOffsets(x: Tensor, offsets: Tensor, scale: number): Tensor {
  return apply(sampleAtOffsetsOp, [x, offsets], { scale });
}

export const sampleAtOffsetsOp: Op<Attrs> = {
  name: "sampleAtOffsets",

  shape([x, offsets], { scale }) {
    if (!Number.isInteger(scale) || scale < 1) {
      throw new ValueError("sampleAtOffsets", "scale must be an integer of at least 1", String(scale));
    }
    const [N, C, H, W] = x;
    const G = offsets[1] / (2 * scale ** 2);
    const same = x.length === 4 && offsets.length === 4 && [0, 2, 3].every((axis) => x[axis] === offsets[axis]);
    if (!same || H === 0 || W === 0 || !Number.isInteger(G) || C % G !== 0) {
      const rule = `x must be [N, C, H, W] with at least one pixel, and offsets [N, 2*G*s*s, H, W] with s = ${scale} and a G that divides C`;
      throw new ShapeError("sampleAtOffsets", rule, { x, offsets });
    }
    return [N, C, scale * H, scale * W];
  },

  dtype: "float",

  vjp: (dy, [x, offsets], { scale }) => [
    apply(sampleAtOffsetsInputOp, [dy, offsets], { scale }),
    apply(sampleAtOffsetsOffsetOp, [dy, x, offsets], { scale }),
  ],

  loops(y, [x, offsets], { attrs: { scale }, inShapes: [shape, offsetShape] }) {
    const sizes = sizesOf(shape, offsetShape, scale);
    const image = new PaddedImage(imageShape(sizes));
    const rows = new OffsetRows([sampling], offsets, offsetShape, sizes, scale);
    for (let n = 0; n < sizes.N; n++) {
      image.read(x, n);
      for (let p = 0; p < sizes.P; p++) {
        rows.locate(n, p);
        sampleRow(y, (n * sizes.C * sizes.P + p) * sizes.Q, sizes.area, image, rows.taps);
      }
    }
  },

  gpu({ attrs: { scale }, inShapes: [shape, offsetShape] }, _, { gridSampling }: OpsPlanner) {
    if (!gridSampling) return null;
    const sizes = sizesOf(shape, offsetShape, scale);
    const steps = new gridSampling.Steps(2);
    const positions = steps.add(positionStep(1, sizes, offsetShape, scale));
    steps.add(gridSampling.bilinearStep(0, positions, sizes));
    return steps.list;
  },

  macs: ({ outShape }) => tapsOf(sampling) * size(outShape),
};

/** Sᵀ dy: every sample gives its dy back to the pixels that it read. */
export const sampleAtOffsetsInputOp: Op<Attrs> = {
  name: "sampleAtOffsetsInput",

  shape: ([dy, offsets]) => [dy[0], dy[1], offsets[2], offsets[3]],

  dtype: "float",

  vjp: (dx, [dy, offsets], { scale }) => [
    apply(sampleAtOffsetsOp, [dx, offsets], { scale }),
    apply(sampleAtOffsetsOffsetOp, [dy, dx, offsets], { scale }),
  ],

  loops(dx, [dy, offsets], { attrs: { scale }, inShapes: [, offsetShape], outShape: shape }) {
    const sizes = sizesOf(shape, offsetShape, scale);
    const image = new PaddedImage(imageShape(sizes));
    const rows = new OffsetRows([sampling], offsets, offsetShape, sizes, scale);
    for (let n = 0; n < sizes.N; n++) {
      image.values.fill(0);
      for (let p = 0; p < sizes.P; p++) {
        rows.locate(n, p);
        scatterRow(image, dy, (n * sizes.C * sizes.P + p) * sizes.Q, sizes.area, rows.taps);
      }
      image.write(dx, n);
    }
  },

  gpu({ attrs: { scale }, inShapes: [, offsetShape], outShape: shape }, _, { gridSampling }: OpsPlanner) {
    if (!gridSampling) return null;
    const sizes = sizesOf(shape, offsetShape, scale);
    const steps = new gridSampling.Steps(2);
    const positions = steps.add(positionStep(1, sizes, offsetShape, scale));
    gridSampling.addBilinearInput(steps, 0, positions, sizes);
    return steps.list;
  },

  macs: ({ inShapes: [dy] }) => tapsOf(sampling) * size(dy),
};

/** Σ_c dy (S_x x) and Σ_c dy (S_y x), in the layout of the offsets. */
export const sampleAtOffsetsOffsetOp: Op<Attrs> = {
  name: "sampleAtOffsetsOffset",

  shape: ([, , offsets]) => offsets,

  dtype: "float",

  vjp(v, [dy, x, offsets], { scale }) {
    // It is gridSampleGrid between toGrid and the transpose of toGrid's linear part, so v goes the way of an offset.
    const [N, C, H, W] = x.shape;
    const G = offsets.shape[1] / (2 * scale ** 2);
    const grouped = [N * G, C / G, H, W];
    const inputs = [reshape(dy, [N * G, C / G, scale * H, scale * W]), reshape(x, grouped), toGrid(offsets, scale)];
    const slopes = apply(gridSampleGridOp, inputs, sampling);
    const moves = mul(toSamples(v, scale), perPixel(offsets));
    const [ddy, dx, dgrid] = gridSampleGridOp.vjp(moves, inputs, sampling, slopes);
    const doffsets = fromSamples(mul(dgrid!, perPixel(offsets)), offsets.shape, scale);
    return [reshape(ddy!, dy.shape), reshape(dx!, x.shape), doffsets];
  },

  loops(doffsets, [dy, x, offsets], { attrs: { scale }, inShapes: [, shape, offsetShape] }) {
    const sizes = sizesOf(shape, offsetShape, scale);
    const image = new PaddedImage(imageShape(sizes));
    const byXAndByY = [
      { ...sampling, orderX: 1 },
      { ...sampling, orderY: 1 },
    ];
    const rows = new OffsetRows(byXAndByY, offsets, offsetShape, sizes, scale);
    const slopes = new Float64Array(sizes.Q * 2);
    for (let n = 0; n < sizes.N; n++) {
      image.read(x, n);
      for (let p = 0; p < sizes.P; p++) {
        rows.locate(n, p);
        slopeRow(slopes, 0, dy, (n * sizes.C * sizes.P + p) * sizes.Q, sizes.area, image, rows.taps);
        rows.store(slopes, doffsets, n, p);
      }
    }
  },

  gpu({ attrs: { scale }, inShapes: [, shape, offsetShape] }, _, { gridSampling }: OpsPlanner) {
    if (!gridSampling) return null;
    const sizes = sizesOf(shape, offsetShape, scale);
    const steps = new gridSampling.Steps(3);
    const positions = steps.add(positionStep(2, sizes, offsetShape, scale));
    const sums = steps.add(gridSampling.bilinearSumsStep(0, 1, positions, sizes));
    steps.add({
      kernel: offsetSlopeKernel,
      inputs: [sums, positions],
      size: sizes.N * sizes.area * 2,
      integers: offsetIntegers(sizes, offsetShape, scale),
    });
    return steps.list;
  },

  macs: ({ inShapes: [dy, , offsets] }) => tapsOf(sampling) * (size(dy) + size(offsets)), // as gridSampleGrid's
};

/** The sizes as gridSample sees them: each group of channels is an image. */
function sizesOf([N, C, H, W]: Shape, [, channels]: Shape, scale: number): SamplingSizes {
  const G = channels / (2 * scale ** 2);
  const [P, Q] = [scale * H, scale * W];
  return { N: N * G, C: C / G, H, W, P, Q, area: P * Q };
}

function imageShape({ N, C, H, W }: SamplingSizes): Shape {
  return [N, C, H, W];
}

/** Finds the taps of a row of samples out of the offsets, and stores slopes of a row where the offsets of its samples are. */
class OffsetRows {
  readonly taps: GridSampleTaps;
  readonly #offsets: Values;
  readonly #offsetShape: Shape;
  readonly #scale: number;
  /** x and y of each sample, in pixels. */
  readonly #positions: Float64Array;

  constructor(
    attrs: readonly SamplingAttrs[],
    offsets: Values,
    offsetShape: Shape,
    sizes: SamplingSizes,
    scale: number,
  ) {
    this.taps = new GridSampleTaps(attrs, imageShape(sizes), sizes.Q, { inPixels: true });
    this.#offsets = offsets;
    this.#offsetShape = offsetShape;
    this.#scale = scale;
    this.#positions = new Float64Array(2 * sizes.Q);
  }

  /** Of row p of image n, which stands for a group of channels. */
  locate(n: number, p: number): void {
    const [, , H, W] = this.#offsetShape;
    const s = this.#scale;
    const h = Math.floor(p / s);
    for (let axis = 0; axis < 2; axis++) {
      for (let j = 0; j < s; j++) {
        const from = this.#startOf(n, p, axis) + j * H * W;
        for (let w = 0; w < W; w++) {
          this.#positions[2 * (w * s + j) + axis] = (axis === 0 ? w : h) + this.#offsets[from + w];
        }
      }
    }
    this.taps.locate(this.#positions, 0);
  }

  store(slopes: Float64Array, doffsets: Values, n: number, p: number): void {
    const [, , H, W] = this.#offsetShape;
    const s = this.#scale;
    for (let axis = 0; axis < 2; axis++) {
      for (let j = 0; j < s; j++) {
        const to = this.#startOf(n, p, axis) + j * H * W;
        for (let w = 0; w < W; w++) doffsets[to + w] = slopes[2 * (w * s + j) + axis];
      }
    }
  }

  /** Where the offsets along an axis start for column 0 of the cells that row p crosses. */
  #startOf(n: number, p: number, axis: number): number {
    const [, channels, H, W] = this.#offsetShape;
    const s = this.#scale;
    const G = channels / (2 * s * s);
    const i = p % s;
    const channel = ((axis * G + (n % G)) * s + i) * s;
    return ((Math.floor(n / G) * channels + channel) * H + (p - i) / s) * W;
  }
}

/** The grid of normalised positions, [N G, s H, s W, 2], at which gridSample gives the same. */
function toGrid(offsets: Tensor, scale: number): Tensor {
  const [, , H, W] = offsets.shape;
  const centres = [];
  for (let p = 0; p < scale * H; p++) {
    for (let q = 0; q < scale * W; q++) centres.push(Math.floor(q / scale) + 0.5, Math.floor(p / scale) + 0.5);
  }
  const cells = tensor(centres, [1, scale * H, scale * W, 2], { dtype: offsets.dtype });
  return sub(mul(add(toSamples(offsets, scale), cells), perPixel(offsets)), 1);
}

/** How far the grid's x and y move with a position, [2]: the image is 2 wide and 2 high. */
function perPixel({ shape: [, , H, W], dtype }: Tensor): Tensor {
  return tensor([2 / W, 2 / H], [2], { dtype });
}

/** Values in the layout of the offsets in that of a grid: [N, 2 G s², H, W] to [N G, s H, s W, 2]. */
function toSamples(v: Tensor, scale: number): Tensor {
  const [N, channels, H, W] = v.shape;
  const G = channels / (2 * scale ** 2);
  const [P, Q] = [scale * H, scale * W];
  const perAxis = reshape(pixelShuffle(v, scale), [N, 2, G, P, Q]);
  return reshape(permute(perAxis, [0, 2, 3, 4, 1]), [N * G, P, Q, 2]);
}

/** And back. */
function fromSamples(v: Tensor, [N, channels, H, W]: Shape, scale: number): Tensor {
  const G = channels / (2 * scale ** 2);
  const [P, Q] = [scale * H, scale * W];
  const perAxis = permute(reshape(v, [N, G, P, Q, 2]), [0, 4, 1, 2, 3]);
  return pixelUnshuffle(reshape(perAxis, [N, 2 * G, P, Q]), scale);
}

/** Offsets to positions [N, P, Q, 2] in pixels, inside the image, as the kernels of gridSample read them. */
function positionStep(offsets: number, sizes: SamplingSizes, offsetShape: Shape, scale: number): GpuStep {
  return {
    kernel: offsetPositionKernel,
    inputs: [offsets],
    size: sizes.N * sizes.area * 2,
    integers: offsetIntegers(sizes, offsetShape, scale),
  };
}

function offsetIntegers(sizes: SamplingSizes, [, channels]: Shape, scale: number): Readonly<Record<string, number>> {
  return { ...sizes, G: channels / (2 * scale ** 2), s: scale };
}

/** One coordinate of one sample: the pixel's own, moved by the offset and clamped. */
function offsetPositionKernel(this: Thread<"G" | "s" | "H" | "W" | "P" | "Q">, offsets: Values): number {
  const i = this.thread.x;
  const sample = quotient(i, 2);
  const axis = i - 2 * sample;
  const line = quotient(sample, this.constants.Q);
  const q = sample - line * this.constants.Q;
  const image = quotient(line, this.constants.P);
  const p = line - image * this.constants.P;
  const w = quotient(q, this.constants.s);
  const column = q - w * this.constants.s;
  const h = quotient(p, this.constants.s);
  const row = p - h * this.constants.s;
  const n = quotient(image, this.constants.G);
  const group = (2 * n + axis) * this.constants.G + (image - n * this.constants.G);
  const channel = (group * this.constants.s + row) * this.constants.s + column;
  const offset = offsets[(channel * this.constants.H + h) * this.constants.W + w];
  let position = w + offset;
  let last = this.constants.W - 1;
  if (axis > 0.5) {
    position = h + offset;
    last = this.constants.H - 1;
  }
  if (position > 0) {
    if (position < last) {
      return position;
    }
    return last;
  }
  return 0; // NaN, too
}

/** One offset: the slope of the plane through its sample's taps, 0 where the position is clamped. */
function offsetSlopeKernel(this: Thread<"G" | "s" | "H" | "W" | "P" | "Q">, sums: Values, positions: Values): number {
  const i = this.thread.x;
  const line = quotient(i, this.constants.W);
  const w = i - line * this.constants.W;
  const channel = quotient(line, this.constants.H);
  const h = line - channel * this.constants.H;
  const cellRow = quotient(channel, this.constants.s);
  const column = channel - cellRow * this.constants.s;
  const group = quotient(cellRow, this.constants.s);
  const row = cellRow - group * this.constants.s;
  const half = quotient(group, this.constants.G);
  const n = quotient(half, 2);
  const axis = half - 2 * n;
  const image = n * this.constants.G + (group - half * this.constants.G);
  const p = h * this.constants.s + row;
  const sample = (image * this.constants.P + p) * this.constants.Q + w * this.constants.s + column;
  const px = positions[2 * sample];
  const py = positions[2 * sample + 1];
  const left = sums[4 * sample];
  const right = sums[4 * sample + 1];
  const lowerLeft = sums[4 * sample + 2];
  const lowerRight = sums[4 * sample + 3];
  let moves = 0; // by how much the position moves with the offset
  if (axis < 0.5) {
    if (px > 0 && px < this.constants.W - 1) {
      moves = 1;
    }
    const ty = py - Math.floor(py);
    return moves * ((1 - ty) * (right - left) + ty * (lowerRight - lowerLeft));
  }
  if (py > 0 && py < this.constants.H - 1) {
    moves = 1;
  }
  const tx = px - Math.floor(px);
  return moves * ((1 - tx) * (lowerLeft - left) + tx * (lowerRight - right));
}

/**
 * @file The kernels of gridSample, and the plans that its ops make of them.
 *
 * First the positions of all samples are found, in pixels, in the layout of the grid; of nearest ones, rounded. Bilinear and nearest samples
 * need no more: that is the short way. Bicubic and whatever is differentiated by the grid goes by way of
 * tables of the taps, a pixel (-1: outside) and a weight for each tap of each sample and axis; the kernels of that way have tap in their names.
 *
 * What is not finite goes where the loops bring it: a tap counts also with a weight of 0, as on the centre of a pixel, and outside, where
 * it reads 0; other pixels are not read.
 *
 * The loops of gridSampleInput scatter, which threads cannot do: two may add to one pixel at once. Here each pixel gathers from the
 * samples that read it. They lie around it in a window as far as the farthest sample of the image strays from a regular grid, the
 * one whose sample q is at (q + 0.5) W / Q - 0.5. How far that is, its reach, is found on the device, for both axes of each image.
 * So the gradient costs little on grids that nearly follow the pixels, which are those that upsamplers learn, and up to P Q steps per
 * pixel on others.
 */

import {
  type GpuStep,
  type KernelFunction,
  maxKernel,
  type OpInfo,
  quotient,
  reduceMiddle,
  type Shape,
  type Thread,
  type Values,
} from "@gridgrad/core";

import type { GridSampleInputAttrs } from "./gridSample.ts";
import type { PaddingMode, SamplingAttrs } from "./gridSampleTaps.ts";
import { weightKernel } from "./weightKernel.ts";

/** Sizes of images [N, C, H, W] and of their samples, [N, P, Q], which all of their kernels take as constants. */
export interface SamplingSizes extends Readonly<Record<string, number>> {
  readonly N: number;
  readonly C: number;
  readonly H: number;
  readonly W: number;
  readonly P: number;
  readonly Q: number;
  /** P Q */
  readonly area: number;
}

/** The steps of a plan, each added with the number of its result as answer. */
export class Steps {
  readonly list: GpuStep[] = [];
  readonly #inputs: number;

  /** @param inputs - how many the op has. */
  constructor(inputs: number) {
    this.#inputs = inputs;
  }

  /** The number that the next step's result will have. */
  get next(): number {
    return this.#inputs + this.list.length;
  }

  /** Adds steps, and gives the number of the last one's result. */
  add(...steps: readonly GpuStep[]): number {
    this.list.push(...steps);
    return this.next - 1;
  }
}

/** S_ab x */
export function gridSamplePlan({ attrs, inShapes: [x, grid] }: OpInfo<SamplingAttrs>): readonly GpuStep[] {
  const sizes = sizesOf(x, grid);
  const steps = new Steps(2);
  const positions = steps.add(positionStep(1, attrs, sizes));
  if (isDirect(attrs)) {
    steps.add(attrs.mode === "nearest" ? nearestStep(0, positions, sizes) : bilinearStep(0, positions, sizes));
  } else {
    const taps = addTaps(steps, 1, positions, attrs, sizes);
    const { N, C, P, Q } = sizes;
    steps.add({
      kernel: tapsKernel,
      inputs: [0, taps.pixels, taps.weights],
      size: N * C * P * Q,
      integers: { ...sizes, K: taps.K },
    });
  }
  return steps.list;
}

/** S_abᵀ dy */
export function gridSampleInputPlan(info: OpInfo<GridSampleInputAttrs>): readonly GpuStep[] {
  const { sampling } = info.attrs;
  const sizes = sizesOf(info.outShape, info.inShapes[1]);
  const steps = new Steps(2);
  const positions = steps.add(positionStep(1, sampling, sizes));
  if (isDirect(sampling)) {
    addPositionInput(steps, 0, positions, sizes, sampling.mode === "nearest" ? 0 : 1);
  } else {
    const taps = addTaps(steps, 1, positions, sampling, sizes);
    const reach = addReach(steps, tapsReachKernel, taps.pixels, sizes, { K: taps.K });
    const step = inputStep(tapsInputKernel, [0, taps.pixels, taps.weights, reach], sizes);
    steps.add({ ...step, integers: { ...sizes, K: taps.K } });
  }
  return steps.list;
}

/** [Σ_c dy (S_{a+1,b} x), Σ_c dy (S_{a,b+1} x)] */
export function gridSampleGridPlan({ attrs, inShapes: [, x, grid] }: OpInfo<SamplingAttrs>): readonly GpuStep[] {
  const sizes = sizesOf(x, grid);
  const samples = sizes.N * sizes.P * sizes.Q;
  const steps = new Steps(3);
  const positions = steps.add(positionStep(2, attrs, sizes));
  if (isDirect(attrs)) {
    const slopes = steps.add(slopeStep(2, attrs, sizes));
    const sums = steps.add(bilinearSumsStep(0, 1, positions, sizes));
    steps.add({ kernel: bilinearSlopeKernel, inputs: [sums, positions, slopes], size: samples * 2 });
  } else {
    const { K, pixels, weights, slopes } = addTaps(steps, 2, positions, attrs, sizes);
    const orders = { orderX: attrs.orderX + 1, orderY: attrs.orderY + 1 };
    const raised = steps.add(weightStep(positions, slopes, { ...attrs, ...orders }, samples));
    const sums = steps.add({
      kernel: tapsSumsKernel,
      inputs: [0, 1, pixels],
      size: samples * K * K,
      integers: { ...sizes, K },
    });
    steps.add({ kernel: tapsSlopeKernel, inputs: [sums, weights, raised], size: samples * 2, integers: { K } });
  }
  return steps.list;
}

/** Whether it goes the short way. */
function isDirect({ mode, orderX, orderY }: SamplingAttrs): boolean {
  return mode !== "bicubic" && orderX === 0 && orderY === 0;
}

function sizesOf([N, C, H, W]: Shape, [, P, Q]: Shape): SamplingSizes {
  return { N, C, H, W, P, Q, area: P * Q };
}

/** Positions [N, P, Q, 2] to samples [N, C, P, Q]. */
export function bilinearStep(x: number, positions: number, sizes: SamplingSizes): GpuStep {
  const { N, C, P, Q } = sizes;
  return { kernel: bilinearKernel, inputs: [x, positions], size: N * C * P * Q, integers: sizes };
}

/** Whole positions [N, P, Q, 2] to samples [N, C, P, Q]. */
function nearestStep(x: number, positions: number, sizes: SamplingSizes): GpuStep {
  return { ...bilinearStep(x, positions, sizes), kernel: nearestKernel };
}

/** The gradient by the images of bilinear samples: [N, C, H, W]. */
export function addBilinearInput(steps: Steps, dy: number, positions: number, sizes: SamplingSizes): void {
  addPositionInput(steps, dy, positions, sizes, 1);
}

/** The same, of nearest samples too: `before` is how many pixels behind its position a sample reads, 1 or 0. */
function addPositionInput(steps: Steps, dy: number, positions: number, sizes: SamplingSizes, before: number): void {
  const reach = addReach(steps, positionReachKernel, positions, sizes, { before });
  const step = inputStep(bilinearInputKernel, [dy, positions, reach], sizes);
  steps.add({ ...step, integers: { ...sizes, before } });
}

/** A step in which each pixel gathers from the samples in its window. */
function inputStep(kernel: KernelFunction, inputs: readonly number[], sizes: SamplingSizes): GpuStep {
  return {
    kernel,
    inputs,
    size: sizes.N * sizes.C * sizes.H * sizes.W,
    integers: sizes,
    floats: slack(sizes),
    functions: [windowStartKernel, windowEndKernel],
  };
}

/** Σ_c dy x at each of a sample's four pixels: [N, P, Q, 4]. */
export function bilinearSumsStep(dy: number, x: number, positions: number, sizes: SamplingSizes): GpuStep {
  const { N, P, Q } = sizes;
  return {
    kernel: bilinearSumsKernel,
    inputs: [dy, x, positions],
    size: N * P * Q * 4,
    integers: sizes,
  };
}

/** Reaches [N, 2], in pixels: how far from a regular grid's samples their taps are at most, along x and along y. */
function addReach(
  steps: Steps,
  kernel: KernelFunction,
  from: number,
  sizes: SamplingSizes,
  more: Readonly<Record<string, number>> = {},
): number {
  const { N, P, Q } = sizes;
  const reaches = steps.add({ kernel, inputs: [from], size: N * P * Q * 2, integers: { ...sizes, ...more } });
  return steps.add(...reduceMiddle(maxKernel, reaches, steps.next, [N, P * Q, 2]));
}

/** By how many samples windows are wider than they would be without roundings. */
function slack({ P, Q }: SamplingSizes): Readonly<Record<string, number>> {
  // A few roundings, 2^-24 each, of numbers of up to P and Q.
  return { slackX: 0.01 + 1e-6 * Q, slackY: 0.01 + 1e-6 * P };
}

/** What the scalar kernels need to know of an axis: p = ((g + 1) extent - shift) / 2, and the last pixel is extent - shift. */
function axisFloats({ alignCorners }: SamplingAttrs, { H, W }: SamplingSizes): Readonly<Record<string, number>> {
  const shift = alignCorners ? 0 : 1;
  return { extentX: W - 1 + shift, extentY: H - 1 + shift, shift };
}

const paddings: Readonly<Record<PaddingMode, number>> = { zeros: 0, border: 1, reflection: 2 };

/** Positions [N, P, Q, 2] in pixels; border and reflection bring them into the image, except for bicubic, whose taps they move. */
function positionStep(grid: number, attrs: SamplingAttrs, sizes: SamplingSizes): GpuStep {
  const { mode, paddingMode } = attrs;
  return {
    kernel: positionKernel,
    inputs: [grid],
    size: sizes.N * sizes.P * sizes.Q * 2,
    floats: {
      ...axisFloats(attrs, sizes),
      padding: mode === "bicubic" ? paddings.zeros : paddings[paddingMode],
      nearest: mode === "nearest" ? 1 : 0,
    },
    functions: [insideKernel, roundKernel],
  };
}

/** dp/dg, [N, P, Q, 2]. */
function slopeStep(grid: number, attrs: SamplingAttrs, sizes: SamplingSizes): GpuStep {
  return {
    kernel: slopeKernel,
    inputs: [grid],
    size: sizes.N * sizes.P * sizes.Q * 2,
    floats: {
      ...axisFloats(attrs, sizes),
      padding: attrs.mode === "bicubic" ? paddings.zeros : paddings[attrs.paddingMode],
    },
    functions: [insideKernel, directionKernel],
  };
}

/** The tables: pixels and weights [N, P, Q, 2, K] of K taps per axis. */
function addTaps(steps: Steps, grid: number, positions: number, attrs: SamplingAttrs, sizes: SamplingSizes) {
  const cubic = attrs.mode === "bicubic";
  const K = cubic ? 4 : 2;
  const samples = sizes.N * sizes.P * sizes.Q;
  const slopes = steps.add(slopeStep(grid, attrs, sizes));
  const pixels = steps.add({
    kernel: tapPixelKernel,
    inputs: [positions],
    size: samples * 2 * K,
    integers: { K },
    floats: {
      ...axisFloats(attrs, sizes),
      first: cubic ? -1 : 0,
      padding: cubic ? paddings[attrs.paddingMode] : paddings.zeros, // else the position was moved
    },
    functions: [insideKernel],
  });
  const weights = steps.add(weightStep(positions, slopes, attrs, samples));
  return { K, pixels, weights, slopes };
}

function weightStep(positions: number, slopes: number, attrs: SamplingAttrs, samples: number): GpuStep {
  const cubic = attrs.mode === "bicubic";
  const K = cubic ? 4 : 2;
  return {
    kernel: tapWeightKernel,
    inputs: [positions, slopes],
    size: samples * 2 * K,
    integers: { K },
    floats: { first: cubic ? -1 : 0, cubic: cubic ? 1 : 0, orderX: attrs.orderX, orderY: attrs.orderY },
    functions: [weightKernel],
  };
}

/** The position in the image that is read instead of p. NaN reads the first pixel; so does, in reflection, what is not finite. */
function insideKernel(p: number, padding: number, extent: number, shift: number): number {
  if (padding < 0.5) {
    return p;
  }
  let inside = p;
  if (padding > 1.5) {
    inside = 0;
    if (extent > 0 && Math.abs(p) < 1.7014118346046923e38) {
      // Mirrors stand at -shift / 2 and every `extent` from there; past an odd number of them, pixels run backwards.
      const fromMirror = p + shift / 2;
      const turns = Math.floor(fromMirror / extent);
      let way = fromMirror - turns * extent;
      if (turns - 2 * Math.floor(turns / 2) > 0.5) {
        way = extent - way;
      }
      inside = way - shift / 2;
    }
  }
  const last = extent - shift;
  if (inside > 0) {
    if (inside < last) {
      return inside;
    }
    return last;
  }
  return 0;
}

/** The slope of insideKernel: 1, -1 where reflection runs backwards, 0 where it is clipped. */
function directionKernel(p: number, padding: number, extent: number, shift: number): number {
  if (padding < 0.5) {
    return 1;
  }
  const inside = insideKernel(p, padding, extent, shift);
  const last = extent - shift;
  if (inside > 0 && inside < last) {
    if (padding > 1.5) {
      const turns = Math.floor((p + shift / 2) / extent);
      if (turns - 2 * Math.floor(turns / 2) > 0.5) {
        return -1;
      }
    }
    return 1;
  }
  return 0;
}

/** The nearest pixel, of two as near the even one; a pixel outside for what is not finite. */
function roundKernel(p: number): number {
  if (Math.abs(p) <= 3.4028234663852886e38) {
    const below = Math.floor(p);
    const t = p - below;
    if (t > 0.5) {
      return below + 1;
    }
    if (t < 0.5) {
      return below;
    }
    return 2 * Math.floor((below + 1) / 2);
  }
  return -2;
}

/** The first of `count` samples, at (q + 0.5) size / count - 0.5, within `reach` of pixel w; not below 0. */
function windowStartKernel(w: number, reach: number, size: number, count: number, slack: number): number {
  const start = Math.ceil(((w + 0.5 - reach) * count) / size - 0.5 - slack);
  if (start > 0) {
    return start;
  }
  return 0;
}

/** The sample behind the last of them; not above `count`. */
function windowEndKernel(w: number, reach: number, size: number, count: number, slack: number): number {
  const end = Math.floor(((w + 0.5 + reach) * count) / size - 0.5 + slack) + 1;
  if (end < count) {
    return end;
  }
  return count;
}

/** One coordinate of one sample: the position in pixels. */
function positionKernel(this: Thread<"extentX" | "extentY" | "shift" | "padding" | "nearest">, grid: Values): number {
  const i = this.thread.x;
  const axis = i - 2 * quotient(i, 2);
  let extent = this.constants.extentX;
  if (axis > 0.5) {
    extent = this.constants.extentY;
  }
  let p = ((grid[i] + 1) * extent - this.constants.shift) / 2;
  if (Math.abs(p) >= 1.7014118346046923e38) {
    p = p * 2; // infinite in float32, on a backend that does not compute in it too
  }
  const inside = insideKernel(p, this.constants.padding, extent, this.constants.shift);
  if (this.constants.nearest > 0.5) {
    return roundKernel(inside);
  }
  return inside;
}

/** One coordinate of one sample: how far the position moves with it. */
function slopeKernel(this: Thread<"extentX" | "extentY" | "shift" | "padding">, grid: Values): number {
  const i = this.thread.x;
  const axis = i - 2 * quotient(i, 2);
  let extent = this.constants.extentX;
  if (axis > 0.5) {
    extent = this.constants.extentY;
  }
  const p = ((grid[i] + 1) * extent - this.constants.shift) / 2;
  return (directionKernel(p, this.constants.padding, extent, this.constants.shift) * extent) / 2;
}

/** One sample of one channel: the four pixels around its position, of which those outside count 0. */
function bilinearKernel(this: Thread<"C" | "H" | "W" | "area">, x: Values, positions: Values): number {
  const i = this.thread.x;
  const plane = quotient(i, this.constants.area);
  const n = quotient(plane, this.constants.C);
  const sample = i - (plane - n) * this.constants.area;
  const px = positions[2 * sample];
  const py = positions[2 * sample + 1];
  const left = Math.floor(px);
  const top = Math.floor(py);
  const tx = px - left;
  const ty = py - top;
  if (tx + ty <= 2) {
    const at = (plane * this.constants.H + top) * this.constants.W + left;
    let upper = 0;
    let lower = 0;
    if (left >= 0 && left < this.constants.W) {
      if (top >= 0 && top < this.constants.H) {
        upper = (1 - tx) * x[at];
      }
      if (top >= -1 && top < this.constants.H - 1) {
        lower = (1 - tx) * x[at + this.constants.W];
      }
    }
    if (left >= -1 && left < this.constants.W - 1) {
      if (top >= 0 && top < this.constants.H) {
        upper = upper + tx * x[at + 1];
      }
      if (top >= -1 && top < this.constants.H - 1) {
        lower = lower + tx * x[at + this.constants.W + 1];
      }
    }
    return (1 - ty) * upper + ty * lower;
  }
  return tx + ty; // NaN: a coordinate is not finite
}

/** One sample of one channel: the pixel at its position, 0 outside. */
function nearestKernel(this: Thread<"C" | "H" | "W" | "area">, x: Values, positions: Values): number {
  const i = this.thread.x;
  const plane = quotient(i, this.constants.area);
  const n = quotient(plane, this.constants.C);
  const sample = i - (plane - n) * this.constants.area;
  const column = positions[2 * sample];
  const row = positions[2 * sample + 1];
  if (column >= 0 && column < this.constants.W && row >= 0 && row < this.constants.H) {
    return x[(plane * this.constants.H + row) * this.constants.W + column];
  }
  return 0;
}

/** Tap number i mod 4 of one sample (left and right, upper before lower): the sum of dy x over the channels; outside, x is 0. */
function bilinearSumsKernel(this: Thread<"C" | "H" | "W" | "area">, dy: Values, x: Values, positions: Values): number {
  const i = this.thread.x;
  const sample = quotient(i, 4);
  const tap = i - 4 * sample;
  const down = quotient(tap, 2);
  const column = Math.floor(positions[2 * sample]) + (tap - 2 * down);
  const row = Math.floor(positions[2 * sample + 1]) + down;
  const n = quotient(sample, this.constants.area);
  const plane = n * this.constants.C;
  const yAt = sample + (plane - n) * this.constants.area;
  let total = 0;
  if (column >= 0 && column < this.constants.W && row >= 0 && row < this.constants.H) {
    const xAt = (plane * this.constants.H + row) * this.constants.W + column;
    for (let c = 0; c < this.constants.C; c++) {
      total += dy[yAt + c * this.constants.area] * x[xAt + c * this.constants.H * this.constants.W];
    }
  } else {
    for (let channel = 0; channel < this.constants.C; channel++) {
      total += dy[yAt + channel * this.constants.area] * 0;
    }
  }
  return total;
}

/** One coordinate of one sample: the slope of the plane through its taps' sums. */
function bilinearSlopeKernel(this: Thread, sums: Values, positions: Values, slopes: Values): number {
  const i = this.thread.x;
  const sample = quotient(i, 2);
  const px = positions[2 * sample];
  const py = positions[2 * sample + 1];
  const tx = px - Math.floor(px);
  const ty = py - Math.floor(py);
  const left = sums[4 * sample];
  const right = sums[4 * sample + 1];
  const lowerLeft = sums[4 * sample + 2];
  const lowerRight = sums[4 * sample + 3];
  if (i - 2 * sample < 0.5) {
    return slopes[i] * ((1 - ty) * (right - left) + ty * (lowerRight - lowerLeft));
  }
  return slopes[i] * ((1 - tx) * (lowerLeft - left) + tx * (lowerRight - right));
}

/** One coordinate of one sample: how far it is from the regular grid's, and `before` more for its taps; 0 if it reads nothing. */
function positionReachKernel(this: Thread<"H" | "W" | "P" | "Q" | "before">, positions: Values): number {
  const i = this.thread.x;
  const sample = quotient(i, 2);
  const px = positions[2 * sample];
  const py = positions[2 * sample + 1];
  let reach = 0;
  const first = -this.constants.before;
  if (px >= first && px < this.constants.W && py >= first && py < this.constants.H) {
    const line = quotient(sample, this.constants.Q);
    const q = sample - line * this.constants.Q;
    const p = line - quotient(line, this.constants.P) * this.constants.P;
    reach = Math.abs(px - (((q + 0.5) * this.constants.W) / this.constants.Q - 0.5)) + this.constants.before;
    if (i - 2 * sample > 0.5) {
      reach = Math.abs(py - (((p + 0.5) * this.constants.H) / this.constants.P - 0.5)) + this.constants.before;
    }
  }
  return reach;
}

/**
 * One pixel of one channel gathers from the samples in its window, weighted as they weight it: it is `before` pixels or fewer behind them, or
 * less than one before them. On the centre of a pixel a sample reads the next one too, with weight 0.
 */
function bilinearInputKernel(
  this: Thread<"C" | "H" | "W" | "P" | "Q" | "before" | "slackX" | "slackY">,
  dy: Values,
  positions: Values,
  reach: Values,
): number {
  const i = this.thread.x;
  const line = quotient(i, this.constants.W);
  const w = i - line * this.constants.W;
  const plane = quotient(line, this.constants.H);
  const h = line - plane * this.constants.H;
  const n = quotient(plane, this.constants.C);
  const reachX = reach[2 * n];
  const reachY = reach[2 * n + 1];
  const startX = windowStartKernel(w, reachX, this.constants.W, this.constants.Q, this.constants.slackX);
  const startY = windowStartKernel(h, reachY, this.constants.H, this.constants.P, this.constants.slackY);
  const countX = windowEndKernel(w, reachX, this.constants.W, this.constants.Q, this.constants.slackX) - startX;
  const countY = windowEndKernel(h, reachY, this.constants.H, this.constants.P, this.constants.slackY) - startY;
  const first = -this.constants.before;
  let dx = 0;
  for (let p = 0; p < this.constants.P; p++) {
    if (p >= countY) {
      break;
    }
    const sample = (n * this.constants.P + startY + p) * this.constants.Q + startX;
    const yAt = (plane * this.constants.P + startY + p) * this.constants.Q + startX;
    let ofRow = 0; // row by row, float32 sums stay short
    for (let q = 0; q < this.constants.Q; q++) {
      if (q >= countX) {
        break;
      }
      const y = positions[2 * (sample + q) + 1] - h;
      if (y >= first && y < 1) {
        const x = positions[2 * (sample + q)] - w;
        if (x >= first && x < 1) {
          ofRow += (1 - Math.abs(y)) * (1 - Math.abs(x)) * dy[yAt + q];
        }
      }
    }
    dx += ofRow;
  }
  return dx;
}

/** One tap of one coordinate: its pixel, or -1. */
function tapPixelKernel(
  this: Thread<"K" | "extentX" | "extentY" | "shift" | "first" | "padding">,
  positions: Values,
): number {
  const i = this.thread.x;
  const coordinate = quotient(i, this.constants.K);
  const k = i - coordinate * this.constants.K;
  let extent = this.constants.extentX;
  if (coordinate - 2 * quotient(coordinate, 2) > 0.5) {
    extent = this.constants.extentY;
  }
  const tap = Math.floor(positions[coordinate]) + this.constants.first + k;
  const pixel = insideKernel(tap, this.constants.padding, extent, this.constants.shift);
  if (pixel >= 0 && pixel <= extent - this.constants.shift) {
    return pixel;
  }
  return -1;
}

/** One tap of one coordinate: its weight, differentiated by the coordinate. */
function tapWeightKernel(
  this: Thread<"K" | "first" | "cubic" | "orderX" | "orderY">,
  positions: Values,
  slopes: Values,
): number {
  const i = this.thread.x;
  const coordinate = quotient(i, this.constants.K);
  const k = i - coordinate * this.constants.K;
  let order = this.constants.orderX;
  if (coordinate - 2 * quotient(coordinate, 2) > 0.5) {
    order = this.constants.orderY;
  }
  const t = positions[coordinate] - Math.floor(positions[coordinate]);
  const slope = slopes[coordinate];
  let weight = weightKernel(t - this.constants.first - k, order, this.constants.cubic);
  if (order > 0.5) {
    weight = weight * slope;
  }
  if (order > 1.5) {
    weight = weight * slope;
  }
  if (order > 2.5) {
    weight = weight * slope;
  }
  return weight;
}

/** One sample of one channel: the sum over its taps. */
function tapsKernel(this: Thread<"C" | "H" | "W" | "area" | "K">, x: Values, pixels: Values, weights: Values): number {
  const i = this.thread.x;
  const plane = quotient(i, this.constants.area);
  const n = quotient(plane, this.constants.C);
  const columns = (i - (plane - n) * this.constants.area) * 2 * this.constants.K;
  const rows = columns + this.constants.K;
  const ends = weights[rows] + weights[columns];
  let y = 0;
  for (let k = 0; k < this.constants.K; k++) {
    const row = pixels[rows + k];
    if (row >= 0) {
      const from = (plane * this.constants.H + row) * this.constants.W;
      const wy = weights[rows + k];
      for (let l = 0; l < this.constants.K; l++) {
        const column = pixels[columns + l];
        if (column >= 0) {
          y += wy * weights[columns + l] * x[from + column];
        }
      }
    }
  }
  if (Math.abs(ends) <= 3.4028234663852886e38) {
    return y;
  }
  return ends; // NaN: a coordinate is not finite, and maybe no tap inside
}

/** Tap number i mod K² of one sample (row by row): the sum of dy x over the channels; outside, x is 0. */
function tapsSumsKernel(this: Thread<"C" | "H" | "W" | "area" | "K">, dy: Values, x: Values, pixels: Values): number {
  const i = this.thread.x;
  const sampleRow = quotient(i, this.constants.K);
  const l = i - sampleRow * this.constants.K;
  const sample = quotient(sampleRow, this.constants.K);
  const k = sampleRow - sample * this.constants.K;
  const column = pixels[2 * sample * this.constants.K + l];
  const row = pixels[(2 * sample + 1) * this.constants.K + k];
  const n = quotient(sample, this.constants.area);
  const plane = n * this.constants.C;
  const yAt = sample + (plane - n) * this.constants.area;
  let total = 0;
  if (column >= 0 && row >= 0) {
    const xAt = (plane * this.constants.H + row) * this.constants.W + column;
    for (let c = 0; c < this.constants.C; c++) {
      total += dy[yAt + c * this.constants.area] * x[xAt + c * this.constants.H * this.constants.W];
    }
  } else {
    for (let channel = 0; channel < this.constants.C; channel++) {
      total += dy[yAt + channel * this.constants.area] * 0;
    }
  }
  return total;
}

/** One coordinate of one sample: its taps' sums, weighted by weights that are differentiated once more along this axis. */
function tapsSlopeKernel(this: Thread<"K">, sums: Values, weights: Values, raised: Values): number {
  const i = this.thread.x;
  const sample = quotient(i, 2);
  const columns = 2 * sample * this.constants.K;
  const rows = columns + this.constants.K;
  let slope = 0;
  for (let k = 0; k < this.constants.K; k++) {
    for (let l = 0; l < this.constants.K; l++) {
      let weight = weights[rows + k] * raised[columns + l];
      if (i - 2 * sample > 0.5) {
        weight = raised[rows + k] * weights[columns + l];
      }
      slope += weight * sums[(sample * this.constants.K + k) * this.constants.K + l];
    }
  }
  return slope;
}

/** One coordinate of one sample: how far its farthest tap is from where the regular grid has the sample; 0 if it reads nothing. */
function tapsReachKernel(this: Thread<"H" | "W" | "P" | "Q" | "K">, pixels: Values): number {
  const i = this.thread.x;
  const sample = quotient(i, 2);
  const line = quotient(sample, this.constants.Q);
  const q = sample - line * this.constants.Q;
  const p = line - quotient(line, this.constants.P) * this.constants.P;
  let regular = ((q + 0.5) * this.constants.W) / this.constants.Q - 0.5;
  if (i - 2 * sample > 0.5) {
    regular = ((p + 0.5) * this.constants.H) / this.constants.P - 0.5;
  }
  const own = i * this.constants.K;
  const other = (4 * sample + 1 - i) * this.constants.K;
  let reach = 0;
  let reads = -1;
  for (let k = 0; k < this.constants.K; k++) {
    const pixel = pixels[own + k];
    if (pixel >= 0) {
      const distance = Math.abs(pixel - regular);
      if (distance > reach) {
        reach = distance;
      }
    }
    if (pixels[other + k] >= 0) {
      reads = pixels[other + k];
    }
  }
  if (reads < 0) {
    return 0;
  }
  return reach;
}

/** One pixel of one channel gathers from the samples in its window whose taps it is. */
function tapsInputKernel(
  this: Thread<"C" | "H" | "W" | "P" | "Q" | "K" | "slackX" | "slackY">,
  dy: Values,
  pixels: Values,
  weights: Values,
  reach: Values,
): number {
  const i = this.thread.x;
  const line = quotient(i, this.constants.W);
  const w = i - line * this.constants.W;
  const plane = quotient(line, this.constants.H);
  const h = line - plane * this.constants.H;
  const n = quotient(plane, this.constants.C);
  const reachX = reach[2 * n];
  const reachY = reach[2 * n + 1];
  const startX = windowStartKernel(w, reachX, this.constants.W, this.constants.Q, this.constants.slackX);
  const startY = windowStartKernel(h, reachY, this.constants.H, this.constants.P, this.constants.slackY);
  const countX = windowEndKernel(w, reachX, this.constants.W, this.constants.Q, this.constants.slackX) - startX;
  const countY = windowEndKernel(h, reachY, this.constants.H, this.constants.P, this.constants.slackY) - startY;
  let dx = 0;
  for (let p = 0; p < this.constants.P; p++) {
    if (p >= countY) {
      break;
    }
    const sample = (n * this.constants.P + startY + p) * this.constants.Q + startX;
    const yAt = (plane * this.constants.P + startY + p) * this.constants.Q + startX;
    let ofRow = 0; // row by row, float32 sums stay short
    for (let q = 0; q < this.constants.Q; q++) {
      if (q >= countX) {
        break;
      }
      const columns = 2 * (sample + q) * this.constants.K;
      const rows = columns + this.constants.K;
      let wx = 0;
      let wy = 0;
      let hitsX = 0;
      let hitsY = 0;
      for (let k = 0; k < this.constants.K; k++) {
        if (pixels[columns + k] === w) {
          wx += weights[columns + k];
          hitsX += 0.5;
        }
        if (pixels[rows + k] === h) {
          wy += weights[rows + k];
          hitsY += 0.5;
        }
      }
      if (hitsX > 0 && hitsY > 0) {
        const value = dy[yAt + q];
        let term = wy * wx * value;
        if (Math.abs(value) > 3.4028234663852886e38) {
          // Padding can put several taps on one pixel: infinity is NaN by weights of both signs, and not by their sum.
          term = 0;
          for (let l = 0; l < this.constants.K; l++) {
            for (let m = 0; m < this.constants.K; m++) {
              if (pixels[rows + l] === h && pixels[columns + m] === w) {
                term += weights[rows + l] * weights[columns + m] * value;
              }
            }
          }
        }
        ofRow += term;
      }
    }
    dx += ofRow;
  }
  return dx;
}

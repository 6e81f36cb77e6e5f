/**
 * @file Which pixels a sample of gridSample reads, and with which weights.
 *
 * The two axes work alike, each on its own. Along an axis of `size` pixels the grid's coordinate g means the position
 *
 *     p = ((g + 1) size - 1) / 2        alignCorners false: -1 and 1 are the outer edges of the outermost pixels
 *     p = (g + 1) / 2 (size - 1)        alignCorners true: -1 and 1 are their centres
 *
 * in pixels; 0 is the centre of the first one. A sample is Σ_k w_k(t) x[floor(p) + first + k], t = p - floor(p), with polynomials w_k
 * that depend on the mode (interpolationKernels.ts). So its derivative by g, of any order, is the same sum with the weights
 * w_k^(order)(t) (dp/dg)^order.
 *
 * Outside the image, `zeros` reads 0. `border` and `reflection` bring the position inside, which makes dp/dg 0 where it is clipped
 * and negative where it runs backwards; bicubic brings each of its taps inside instead, and dp/dg stays.
 *
 * Where p is not finite, or at least 2^127 in magnitude (its numerator overflows float32, so devices could not agree): border reads
 * the last pixel for +Inf and the first one for -Inf and NaN, reflection the first one; with zeros the sample is NaN, or 0 in mode
 * nearest, whose weight is 1 for any t; bicubic is NaN whatever the padding. The gradient by such a coordinate is 0, in bicubic NaN.
 *
 * Source: torch.nn.functional.grid_sample, for what is not finite as it computes on a CPU.
 */

import type { Shape, Values } from "@gridgrad/core";

import { interpolationKernels } from "./interpolationKernels.ts";

export type GridSampleMode = "bilinear" | "nearest" | "bicubic";
export type PaddingMode = "zeros" | "border" | "reflection";

/** Attributes of the ops: how to sample, and how often the weights are differentiated by the grid's x and by its y. */
export interface SamplingAttrs {
  readonly mode: GridSampleMode;
  readonly paddingMode: PaddingMode;
  readonly alignCorners: boolean;
  readonly orderX: number;
  readonly orderY: number;
}

/** How often the weights of a mode can be differentiated along an axis before they are all 0. */
export function weightDegree(mode: GridSampleMode): number {
  return interpolationKernels[mode].weights[0].length - 1;
}

/** Products that a sample is the sum of: none in mode nearest, which copies. */
export function tapsOf({ mode }: { readonly mode: GridSampleMode }): number {
  return mode === "nearest" ? 0 : interpolationKernels[mode].weights.length ** 2;
}

/**
 * The taps of a row of Q samples: `locate` the row, then read the arrays, which have an entry for each sample.
 *
 * The number of taps is a multiple of four, so that loops over them can be unrolled; taps that mode nearest lacks have weight 0.
 */
export class GridSampleTaps {
  /** Per tap, its pixel: an offset into a channel of (H + 1) (W + 1) values, in which the last row and the last column are zeros. */
  readonly offsets: readonly Int32Array[];
  /** Per entry of `attrs`, per tap: its weight. */
  readonly weights: readonly (readonly Float64Array[])[];
  readonly #rows: AxisTaps;
  readonly #columns: AxisTaps;
  readonly #width: number;

  /**
   * @param attrs - one entry or several, which differ in their orders only: the weights to find.
   * @param options.inPixels - coordinates are the positions p themselves, and derivatives are by p. Default false.
   */
  constructor(attrs: readonly SamplingAttrs[], [, , H, W]: Shape, Q: number, { inPixels = false } = {}) {
    const perAxis = interpolationKernels[attrs[0].mode].weights.length;
    const taps = Array.from({ length: Math.max(4, perAxis * perAxis) });
    this.offsets = taps.map(() => new Int32Array(Q).fill(H * (W + 1))); // on a zero
    this.weights = attrs.map(() => taps.map(() => new Float64Array(Q)));
    const ordersX = attrs.map(({ orderX }) => orderX);
    const ordersY = attrs.map(({ orderY }) => orderY);
    this.#columns = new AxisTaps(attrs[0], W, Q, ordersX, inPixels);
    this.#rows = new AxisTaps(attrs[0], H, Q, ordersY, inPixels);
    this.#width = W + 1;
  }

  /** Finds the taps of the samples at grid[from], grid[from + 1] and so on. */
  locate(grid: Values, from: number): void {
    this.#columns.locate(grid, from);
    this.#rows.locate(grid, from + 1);
    const width = this.#width;
    const perAxis = this.#rows.indices.length;
    for (let i = 0; i < perAxis; i++) {
      for (let j = 0; j < perAxis; j++) {
        const tap = i * perAxis + j;
        const offset = this.offsets[tap];
        const row = this.#rows.indices[i];
        const column = this.#columns.indices[j];
        for (let q = 0; q < offset.length; q++) offset[q] = row[q] * width + column[q];
        for (let o = 0; o < this.weights.length; o++) {
          const weight = this.weights[o][tap];
          const wy = this.#rows.weights[o][i];
          const wx = this.#columns.weights[o][j];
          for (let q = 0; q < weight.length; q++) weight[q] = wy[q] * wx[q];
        }
      }
    }
  }
}

/** The same along one axis: every array has an entry per sample of the row. */
class AxisTaps {
  /** Per tap, its pixel; `size`, the zero behind the last one, for a tap outside. */
  readonly indices: readonly Int32Array[];
  /** Per entry of `orders`, per tap: its weight. */
  readonly weights: readonly (readonly Float64Array[])[];
  readonly #attrs: SamplingAttrs;
  readonly #size: number;
  readonly #orders: readonly number[];
  readonly #inPixels: boolean;
  /** Per entry of `orders`, per tap: the coefficients of the weight's derivative, highest first. */
  readonly #coefficients: readonly (readonly (readonly number[])[])[];
  readonly #floor: Float64Array;
  readonly #t: Float64Array;
  /** dp/dg */
  readonly #slope: Float64Array;
  /** Which way `#inside` last ran: d(its result)/dp. */
  #direction = 1;

  constructor(attrs: SamplingAttrs, size: number, Q: number, orders: readonly number[], inPixels: boolean) {
    const taps = interpolationKernels[attrs.mode].weights;
    this.indices = taps.map(() => new Int32Array(Q));
    this.weights = orders.map(() => taps.map(() => new Float64Array(Q)));
    this.#attrs = attrs;
    this.#size = size;
    this.#orders = orders;
    this.#inPixels = inPixels;
    this.#coefficients = orders.map((order) => taps.map((tap) => [...derivative(tap, order)].reverse()));
    this.#floor = new Float64Array(Q);
    this.#t = new Float64Array(Q);
    this.#slope = new Float64Array(Q);
  }

  /** Finds the taps at the coordinates grid[from], grid[from + 2] and so on. */
  locate(grid: Values, from: number): void {
    this.#findPositions(grid, from);
    this.#findIndices();
    this.#findWeights();
  }

  #findPositions(grid: Values, from: number): void {
    const { mode, paddingMode, alignCorners } = this.#attrs;
    const nearest = mode === "nearest";
    const movesPosition = paddingMode !== "zeros" && mode !== "bicubic";
    const size = this.#size;
    const inPixels = this.#inPixels;
    const scale = inPixels ? 1 : (alignCorners ? size - 1 : size) / 2;
    const floor = this.#floor;
    const t = this.#t;
    const slope = this.#slope;
    for (let q = 0; q < t.length; q++) {
      const g = grid[from + 2 * q];
      let p = g;
      if (!inPixels) p = alignCorners ? ((g + 1) / 2) * (size - 1) : ((g + 1) * size - 1) / 2;
      if (!(Math.abs(p) < 2 ** 127)) p *= Infinity;
      this.#direction = 1;
      if (movesPosition) p = this.#inside(p);
      slope[q] = scale * this.#direction;
      const pixel = nearest ? roundHalfToEven(p) : Math.floor(p);
      floor[q] = pixel;
      t[q] = p - pixel;
    }
  }

  #findIndices(): void {
    const { mode, paddingMode } = this.#attrs;
    const movesTaps = paddingMode !== "zeros" && mode === "bicubic";
    const size = this.#size;
    const floor = this.#floor;
    for (let k = 0; k < this.indices.length; k++) {
      const index = this.indices[k];
      const shift = interpolationKernels[mode].first + k;
      for (let q = 0; q < index.length; q++) {
        const pixel = movesTaps ? this.#inside(floor[q] + shift) : floor[q] + shift;
        index[q] = pixel >= 0 && pixel < size ? pixel : size; // NaN is outside
      }
    }
  }

  #findWeights(): void {
    const t = this.#t;
    const slope = this.#slope;
    for (let o = 0; o < this.weights.length; o++) {
      for (let k = 0; k < this.indices.length; k++) {
        const weight = this.weights[o][k];
        const [highest, ...lower] = this.#coefficients[o][k];
        weight.fill(highest);
        for (const coefficient of lower) {
          for (let q = 0; q < weight.length; q++) weight[q] = weight[q] * t[q] + coefficient;
        }
        for (let i = 0; i < this.#orders[o]; i++) {
          for (let q = 0; q < weight.length; q++) weight[q] *= slope[q];
        }
      }
    }
  }

  /** The position in [0, size - 1] that border or reflection reads instead of p; NaN counts as -Inf. */
  #inside(p: number): number {
    const last = this.#size - 1;
    this.#direction = 1;
    if (this.#attrs.paddingMode === "reflection") {
      // Mirrors stand at `low` and `low + span`: the centres or the outer edges of the outermost pixels.
      const low = this.#attrs.alignCorners ? 0 : -0.5;
      const span = last - 2 * low;
      const way = Math.abs(p - low) % (2 * span);
      const returning = way >= span;
      if (p < low !== returning) this.#direction = -1;
      p = low + (returning ? 2 * span - way : way);
    }
    if (p > 0 && p < last) return p;
    this.#direction = 0; // at the clip too, not only beyond it
    return p >= last ? last : 0;
  }
}

/** The polynomial with these coefficients of 1, t, t², .., differentiated `order` times. */
function derivative(coefficients: readonly number[], order: number): readonly number[] {
  if (order === 0) return coefficients;
  if (coefficients.length === 1) return [0];
  const once = coefficients.slice(1).map((coefficient, i) => coefficient * (i + 1));
  return derivative(once, order - 1);
}

function roundHalfToEven(p: number): number {
  const rounded = Math.round(p); // a half goes up
  return rounded - p === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

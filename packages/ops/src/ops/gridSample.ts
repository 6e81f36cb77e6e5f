/**
 * @file Grid sample: read an image at real-valued positions.
 *
 *     y[n, c, p, q] = Σ_i Σ_j wy_i wx_j x[n, c, row_i, column_j]
 *
 * with one (nearest), two (bilinear) or four (bicubic) taps per axis, whose pixels and weights gridSampleTaps.ts finds.
 *
 * Let S_ab be this sum with the wx differentiated a times by the grid's x and the wy b times by its y. The op gridSample computes
 * S_ab x; a and b are its attributes orderX and orderY, 0 and 0 in a call. Two more ops close it under differentiation of any order:
 *
 *     dx = S_abᵀ dy                                                        gridSampleInput
 *     dgrid = [Σ_c dy (S_{a+1,b} x), Σ_c dy (S_{a,b+1} x)]                 gridSampleGrid
 *
 * Both are linear in dy and in x, and differentiating by the grid only raises an order. What is identically 0, because an order is
 * above the degree of the weights (0, 1 and 3), is not recorded.
 *
 * Source: torch.nn.functional.grid_sample; Jaderberg et al. 2015, arXiv:1506.02025, eq. 5 to 7.
 */

import {
  add,
  apply,
  checkOptions,
  mul,
  type Op,
  type OptionNames,
  reshape,
  type Shape,
  ShapeError,
  size,
  slice,
  type Tensor,
  ValueError,
  zeros,
} from "@gridgrad/core";

import type { OpsPlanner } from "../devices/gpu/opsPlanner.ts";
import { PaddedImage, sampleRow, scatterRow, slopeRow } from "./gridSampleRows.ts";
import {
  type GridSampleMode,
  GridSampleTaps,
  type PaddingMode,
  type SamplingAttrs,
  tapsOf,
  weightDegree,
} from "./gridSampleTaps.ts";

export interface GridSampleOptions {
  /** Default `"bilinear"`. */
  readonly mode?: GridSampleMode;
  /** What is outside the image. Default `"zeros"`. */
  readonly paddingMode?: PaddingMode;
  /** Default false. */
  readonly alignCorners?: boolean;
}

const gridSampleOptions: OptionNames<GridSampleOptions> = { mode: 1, paddingMode: 1, alignCorners: 1 };

/**
 * Samples images at the positions of a grid.
 *
 * Gradients by the grid: 0 in mode nearest and where border or reflection clips a position; on the centre of a pixel, bilinear has
 * the slope of the cell that begins there. A coordinate that is not finite gives NaN with zeros (nearest: 0) and in bicubic, else a
 * pixel of the edge, as gridSampleTaps.ts lists.
 *
 * @param x - `[N, C, H, W]`, floating.
 * @param grid - `[N, P, Q, 2]`: positions (x, y) in half image widths and heights, from the image's centre to the right and down.
 * @param options.mode - `"bilinear"`, `"nearest"` (a half goes to the even pixel) or `"bicubic"` (can overshoot).
 * @param options.paddingMode - outside the image are `"zeros"`, its outermost pixels (`"border"`) or its mirror images (`"reflection"`).
 * @param options.alignCorners - whether -1 and 1 are the centres of the outermost pixels, not their outer edges.
 * @returns `[N, C, P, Q]`
 * @throws {ShapeError} when a rank, the batch or the trailing 2 does not fit, or an image has no pixels.
 * @throws {ValueError} when there is no such mode or padding.
 * @throws {DTypeError} when the element types differ or are int32.
 *
 * @example
 * ```ts
 * const x = tensor([[[[1, 2], [3, 4]]]]);
 * const grid = tensor([[[[0, 0], [0.5, -0.5], [2, 0]]]]); // the centre, the upper right pixel, far to the right
 * await gridSample(x, grid).data(); // [2.5, 2, 0]
 * await gridSample(x, grid, { paddingMode: "border" }).data(); // [2.5, 2, 3]
 * ```
 */
export function gridSample(x: Tensor, grid: Tensor, options?: GridSampleOptions): Tensor {
  const checked = checkOptions("gridSample(x, grid)", gridSampleOptions, options, arguments);
  const { mode = "bilinear", paddingMode = "zeros", alignCorners = false } = checked;
  return apply(gridSampleOp, [x, grid], { mode, paddingMode, alignCorners, orderX: 0, orderY: 0 });
}

/** S_ab x */
export const gridSampleOp: Op<SamplingAttrs> = {
  name: "gridSample",

  shape([x, grid], { mode, paddingMode }) {
    oneOf("mode", ["bilinear", "nearest", "bicubic"], mode);
    oneOf("paddingMode", ["zeros", "border", "reflection"], paddingMode);
    const fits = x.length === 4 && grid.length === 4 && x[0] === grid[0] && grid[3] === 2;
    if (!fits || x[2] === 0 || x[3] === 0) {
      const rule =
        "x must be [N, C, H, W] with at least one pixel, and grid [N, P, Q, 2] with the same N and (x, y) last";
      throw new ShapeError("gridSample", rule, { x, grid });
    }
    return [x[0], x[1], grid[1], grid[2]];
  },

  dtype: "float",

  vjp: (dy, [x, grid], sampling) => [
    gridSampleInput(dy, grid, sampling, x.shape),
    gridSampleGrid(dy, x, grid, sampling),
  ],

  loops(y, [x, grid], { attrs, inShapes: [shape], outShape: [N, C, P, Q] }) {
    const taps = new GridSampleTaps([attrs], shape, Q);
    const image = new PaddedImage(shape);
    for (let n = 0; n < N; n++) {
      image.read(x, n);
      for (let p = 0; p < P; p++) {
        taps.locate(grid, (n * P + p) * Q * 2);
        sampleRow(y, (n * C * P + p) * Q, P * Q, image, taps);
      }
    }
  },

  gpu: (info, _, { gridSampling }: OpsPlanner) => gridSampling?.gridSamplePlan(info) ?? null,

  macs: ({ attrs, outShape }) => tapsOf(attrs) * size(outShape),
};

/** Of gridSampleInput: the size of the image that it gives, too. */
export interface GridSampleInputAttrs {
  readonly sampling: SamplingAttrs;
  readonly height: number;
  readonly width: number;
}

/** S_abᵀ dy: every sample gives its dy back to the pixels that it read. One loop, one order: the sums are the same on every run. */
export const gridSampleInputOp: Op<GridSampleInputAttrs> = {
  name: "gridSampleInput",

  shape: ([dy], { height, width }) => [dy[0], dy[1], height, width],

  dtype: "float",

  vjp: (dx, [dy, grid], { sampling }) => [
    apply(gridSampleOp, [dx, grid], sampling),
    gridSampleGrid(dy, dx, grid, sampling),
  ],

  loops(dx, [dy, grid], { attrs, inShapes: [[N, C, P, Q]], outShape: shape }) {
    const taps = new GridSampleTaps([attrs.sampling], shape, Q);
    const image = new PaddedImage(shape);
    for (let n = 0; n < N; n++) {
      image.values.fill(0);
      for (let p = 0; p < P; p++) {
        taps.locate(grid, (n * P + p) * Q * 2);
        scatterRow(image, dy, (n * C * P + p) * Q, P * Q, taps);
      }
      image.write(dx, n);
    }
  },

  gpu: (info, _, { gridSampling }: OpsPlanner) => gridSampling?.gridSampleInputPlan(info) ?? null,

  macs: ({ attrs, inShapes: [dy] }) => tapsOf(attrs.sampling) * size(dy),
};

/** [Σ_c dy (S_{a+1,b} x), Σ_c dy (S_{a,b+1} x)] */
export const gridSampleGridOp: Op<SamplingAttrs> = {
  name: "gridSampleGrid",

  shape: ([, , grid]) => grid,

  dtype: "float",

  vjp(v, [dy, x, grid], sampling) {
    const [N, , P, Q] = dy.shape;
    const terms = byXAndByY(sampling).flatMap((raised, axis) => {
      if (vanishes(raised)) return [];
      const along = reshape(slice(v, [null, null, null, [axis, axis + 1]]), [N, 1, P, Q]);
      const weighted = mul(dy, along);
      const ddy = mul(apply(gridSampleOp, [x, grid], raised), along);
      return [[ddy, gridSampleInput(weighted, grid, raised, x.shape), gridSampleGrid(weighted, x, grid, raised)]];
    });
    return terms.reduce((total, term) => total.map((gradient, i) => add(gradient, term[i])));
  },

  loops(dgrid, [dy, x, grid], { attrs, inShapes: [[N, C, P, Q], shape] }) {
    const taps = new GridSampleTaps(byXAndByY(attrs), shape, Q);
    const image = new PaddedImage(shape);
    for (let n = 0; n < N; n++) {
      image.read(x, n);
      for (let p = 0; p < P; p++) {
        const at = (n * P + p) * Q * 2;
        taps.locate(grid, at);
        slopeRow(dgrid, at, dy, (n * C * P + p) * Q, P * Q, image, taps);
      }
    }
  },

  gpu: (info, _, { gridSampling }: OpsPlanner) => gridSampling?.gridSampleGridPlan(info) ?? null,

  macs: ({ attrs, inShapes: [dy, , grid] }) => tapsOf(attrs) * (size(dy) + size(grid)), // Σ_c dy x at each tap, weighted for x and y
};

function gridSampleInput(dy: Tensor, grid: Tensor, sampling: SamplingAttrs, [, , height, width]: Shape): Tensor {
  return apply(gridSampleInputOp, [dy, grid], { sampling, height, width });
}

function gridSampleGrid(dy: Tensor, x: Tensor, grid: Tensor, sampling: SamplingAttrs): Tensor {
  if (byXAndByY(sampling).every(vanishes)) return zeros(grid.shape, { dtype: grid.dtype });
  return apply(gridSampleGridOp, [dy, x, grid], sampling);
}

/** The attributes after differentiating once by the grid's x, and once by its y. */
function byXAndByY(sampling: SamplingAttrs): SamplingAttrs[] {
  return [
    { ...sampling, orderX: sampling.orderX + 1 },
    { ...sampling, orderY: sampling.orderY + 1 },
  ];
}

function vanishes({ mode, orderX, orderY }: SamplingAttrs): boolean {
  return Math.max(orderX, orderY) > weightDegree(mode);
}

function oneOf(option: string, known: readonly string[], given: string): void {
  if (known.includes(given)) return;
  const names = known.map((name) => JSON.stringify(name)).join(" or ");
  throw new ValueError("gridSample", `${option} must be ${names}`, JSON.stringify(given));
}

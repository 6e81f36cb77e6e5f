/**
 * @file The taps of nearest, bilinear and bicubic along one axis, with their weights: polynomials of t = p - floor(p) at position p.
 *
 * Source: Keys 1981, "Cubic Convolution Interpolation for Digital Image Processing", for the cubic ones, with PyTorch's a = -0.75.
 */

import type { GridSampleMode } from "./gridSampleTaps.ts";

/** The taps of a mode along one axis. */
export interface InterpolationKernel {
  /** Where the first tap is, from floor(p). */
  readonly first: number;
  /** Per tap, the coefficients of 1, t, t², .. in its weight. */
  readonly weights: readonly (readonly number[])[];
}

const a = -0.75;

/** What the modes read, of interpolate too. */
export const interpolationKernels: Readonly<Record<GridSampleMode, InterpolationKernel>> = {
  nearest: { first: 0, weights: [[1]] }, // of round(p), in place of floor(p)
  bilinear: {
    first: 0,
    weights: [
      [1, -1], // 1 - t
      [0, 1], // t
    ],
  },
  bicubic: {
    first: -1,
    weights: [
      [0, a, -2 * a, a],
      [1, 0, -(a + 3), a + 2],
      [0, -a, 2 * a + 3, -(a + 2)], // the tap before it with 1 - t for t
      [0, 0, a, -a], // likewise the first
    ],
  },
};

/** The weight of a tap at t. */
export function weightAt(coefficients: readonly number[], t: number): number {
  return coefficients.reduceRight((sum, coefficient) => sum * t + coefficient);
}

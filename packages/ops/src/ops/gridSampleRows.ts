/**
 * @file The loops of gridSample and sampleAtOffsets over one row of samples whose taps were found: forward, back to the image, and
 * back to the positions.
 */

import type { Shape, Values } from "@gridgrad/core";

import type { GridSampleTaps } from "./gridSampleTaps.ts";

/**
 * One image in float64, each channel with a row and a column of zeros behind its last ones: a tap outside reads and writes there, so
 * no loop asks where a tap is, and no pixel that is NaN or infinite reaches a sample that does not read it. Costs a copy per image.
 */
export class PaddedImage {
  readonly values: Float64Array;
  readonly channels: number;
  readonly channelSize: number;
  readonly #shape: Shape;

  constructor(shape: Shape) {
    const [, C, H, W] = shape;
    this.#shape = shape;
    this.channels = C;
    this.channelSize = (H + 1) * (W + 1);
    this.values = new Float64Array(C * this.channelSize);
  }

  /** Copies image n of x; the padding stays 0. */
  read(x: Values, n: number): void {
    const [, C, H, W] = this.#shape;
    for (let row = 0; row < C * H; row++) {
      const to = this.#startOf(row);
      const from = (n * C * H + row) * W;
      for (let w = 0; w < W; w++) this.values[to + w] = x[from + w];
    }
  }

  /** Copies itself, without the padding, to image n of x. */
  write(x: Values, n: number): void {
    const [, C, H, W] = this.#shape;
    for (let row = 0; row < C * H; row++) {
      const from = this.#startOf(row);
      const to = (n * C * H + row) * W;
      for (let w = 0; w < W; w++) x[to + w] = this.values[from + w];
    }
  }

  /** Where a row starts; rows are counted through the channels. */
  #startOf(row: number): number {
    const [, , H, W] = this.#shape;
    return Math.floor(row / H) * this.channelSize + (row % H) * (W + 1);
  }
}

/** Samples all channels of `image`: y[at + c step + q] is channel c of sample q. */
export function sampleRow(y: Values, at: number, step: number, image: PaddedImage, taps: GridSampleTaps): void {
  const { offsets } = taps;
  const [weights] = taps.weights;
  const [offset0, offset1, offset2, offset3] = offsets;
  const [weight0, weight1, weight2, weight3] = weights;
  const { values, channels, channelSize } = image;
  for (let q = 0; q < offset0.length; q++) {
    // The channels share the taps: the first four stay in registers, and only bicubic has more.
    const at0 = offset0[q];
    const at1 = offset1[q];
    const at2 = offset2[q];
    const at3 = offset3[q];
    const w0 = weight0[q];
    const w1 = weight1[q];
    const w2 = weight2[q];
    const w3 = weight3[q];
    let yAt = at + q;
    let from = 0;
    for (let c = 0; c < channels; c++) {
      let sample =
        w0 * values[from + at0] + w1 * values[from + at1] + w2 * values[from + at2] + w3 * values[from + at3];
      for (let k = 4; k < offsets.length; k++) sample += weights[k][q] * values[from + offsets[k][q]];
      y[yAt] = sample;
      yAt += step;
      from += channelSize;
    }
  }
}

/** The transpose of `sampleRow`: every sample gives its dy back to the pixels that it read, in the order of the samples. */
export function scatterRow(image: PaddedImage, dy: Values, at: number, step: number, taps: GridSampleTaps): void {
  const { offsets } = taps;
  const [weights] = taps.weights;
  const [offset0, offset1, offset2, offset3] = offsets;
  const [weight0, weight1, weight2, weight3] = weights;
  const { values, channels, channelSize } = image;
  for (let q = 0; q < offset0.length; q++) {
    const at0 = offset0[q];
    const at1 = offset1[q];
    const at2 = offset2[q];
    const at3 = offset3[q];
    const w0 = weight0[q];
    const w1 = weight1[q];
    const w2 = weight2[q];
    const w3 = weight3[q];
    let yAt = at + q;
    let to = 0;
    for (let c = 0; c < channels; c++) {
      const g = dy[yAt];
      values[to + at0] += w0 * g;
      values[to + at1] += w1 * g;
      values[to + at2] += w2 * g;
      values[to + at3] += w3 * g;
      for (let k = 4; k < offsets.length; k++) values[to + offsets[k][q]] += weights[k][q] * g;
      yAt += step;
      to += channelSize;
    }
  }
}

/**
 * Adds up over the channels what each sample's dy says of where it reads: slopes[slopesAt + 2 q] and the one behind it, for x and y.
 *
 * @param taps - with two sets of weights, differentiated by x and by y.
 */
export function slopeRow(
  slopes: Values,
  slopesAt: number,
  dy: Values,
  at: number,
  step: number,
  image: PaddedImage,
  taps: GridSampleTaps,
): void {
  const { offsets } = taps;
  const [weightsX, weightsY] = taps.weights;
  const { values, channels, channelSize } = image;
  for (let q = 0; q < offsets[0].length; q++) {
    let slopeX = 0;
    let slopeY = 0;
    for (let k = 0; k < offsets.length; k += 4) {
      const at0 = offsets[k][q];
      const at1 = offsets[k + 1][q];
      const at2 = offsets[k + 2][q];
      const at3 = offsets[k + 3][q];
      // Both slopes weight the same sums over the channels, Σ_c dy x at each tap.
      let sum0 = 0;
      let sum1 = 0;
      let sum2 = 0;
      let sum3 = 0;
      let yAt = at + q;
      let from = 0;
      for (let c = 0; c < channels; c++) {
        const g = dy[yAt];
        sum0 += g * values[from + at0];
        sum1 += g * values[from + at1];
        sum2 += g * values[from + at2];
        sum3 += g * values[from + at3];
        yAt += step;
        from += channelSize;
      }
      slopeX += weightsX[k][q] * sum0 + weightsX[k + 1][q] * sum1;
      slopeX += weightsX[k + 2][q] * sum2 + weightsX[k + 3][q] * sum3;
      slopeY += weightsY[k][q] * sum0 + weightsY[k + 1][q] * sum1;
      slopeY += weightsY[k + 2][q] * sum2 + weightsY[k + 3][q] * sum3;
    }
    slopes[slopesAt + 2 * q] = slopeX;
    slopes[slopesAt + 2 * q + 1] = slopeY;
  }
}

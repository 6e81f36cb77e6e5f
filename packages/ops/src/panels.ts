/**
 * @file Panels: parts of tensors as float64 matrices, and the two matrix products in which convolutions spend their time.
 *
 * A plain triple loop reads and writes memory for each product it adds. The products here take several rows in one pass, so that a
 * number, once read, is used two to four times: four times the speed, still plain loops. That needs rows in multiples of four;
 * a panel has rows of zeros behind its own to make it so. And its values are always float64: sums are rounded once, when they
 * are stored, and the inner loops are compiled for one type of array also where a process mixes float32 and float64.
 *
 * Source: Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008.
 */

import type { Values } from "@gridgrad/core";

/** A matrix in row-major order, with rows of zeros behind its own up to a multiple of four. */
export interface Panel {
  readonly values: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/** Zeros. */
export function makePanel(rows: number, columns: number): Panel {
  return { values: new Float64Array(upToFour(rows) * columns), rows, columns };
}

/** A row-major matrix inside of a tensor. */
export interface Matrix {
  readonly offset: number;
  readonly rows: number;
  readonly columns: number;
}

/** A copy of a matrix, with columns of zeros up to a multiple of four. */
export function loadMatrix(x: Values, { offset, rows, columns }: Matrix): Panel {
  const panel = makePanel(rows, upToFour(columns));
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) panel.values[i * panel.columns + j] = x[offset + i * columns + j];
  return panel;
}

/** Rounds a panel into a matrix, without its columns of zeros. */
export function storeMatrix(y: Values, { offset, rows, columns }: Matrix, panel: Panel): void {
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) y[offset + i * columns + j] = panel.values[i * panel.columns + j];
}

/** Rows for columns. */
export function transposed(panel: Panel): Panel {
  const result = makePanel(panel.columns, upToFour(panel.rows));
  for (let i = 0; i < panel.rows; i++)
    for (let j = 0; j < panel.columns; j++) result.values[j * result.columns + i] = panel.values[i * panel.columns + j];
  return result;
}

/**
 * y += a b, of shapes [I, K] [K, J].
 *
 * Two rows of y and four of b a pass: eight products for six numbers read and two written.
 */
export function addProduct(y: Panel, a: Panel, b: Panel): void {
  const yValues = y.values;
  const aValues = a.values;
  const bValues = b.values;
  const J = y.columns;
  for (let i = 0; i < y.rows; i += 2)
    for (let k = 0; k < b.rows; k += 4) {
      const a0 = i * a.columns + k;
      const a00 = aValues[a0];
      const a01 = aValues[a0 + 1];
      const a02 = aValues[a0 + 2];
      const a03 = aValues[a0 + 3];
      const a1 = a0 + a.columns;
      const a10 = aValues[a1];
      const a11 = aValues[a1 + 1];
      const a12 = aValues[a1 + 2];
      const a13 = aValues[a1 + 3];
      const y0 = i * J;
      const y1 = y0 + J;
      const b0 = k * J;
      const b1 = b0 + J;
      const b2 = b1 + J;
      const b3 = b2 + J;
      for (let j = 0; j < J; j++) {
        const v0 = bValues[b0 + j];
        const v1 = bValues[b1 + j];
        const v2 = bValues[b2 + j];
        const v3 = bValues[b3 + j];
        yValues[y0 + j] += a00 * v0 + a01 * v1 + a02 * v2 + a03 * v3;
        yValues[y1 + j] += a10 * v0 + a11 * v1 + a12 * v2 + a13 * v3;
      }
    }
}

/**
 * y += a bᵀ, of shapes [I, K] [J, K]: dot products of rows.
 *
 * Two rows of a and four of b a pass: eight products for six numbers read.
 */
export function addProductOfRows(y: Panel, a: Panel, b: Panel): void {
  const yValues = y.values;
  const aValues = a.values;
  const bValues = b.values;
  const K = a.columns;
  for (let i = 0; i < a.rows; i += 2)
    for (let j = 0; j < b.rows; j += 4) {
      const a0 = i * K;
      const a1 = a0 + K;
      const b0 = j * K;
      const b1 = b0 + K;
      const b2 = b1 + K;
      const b3 = b2 + K;
      let y00 = 0;
      let y01 = 0;
      let y02 = 0;
      let y03 = 0;
      let y10 = 0;
      let y11 = 0;
      let y12 = 0;
      let y13 = 0;
      for (let k = 0; k < K; k++) {
        const u0 = aValues[a0 + k];
        const u1 = aValues[a1 + k];
        const v0 = bValues[b0 + k];
        const v1 = bValues[b1 + k];
        const v2 = bValues[b2 + k];
        const v3 = bValues[b3 + k];
        y00 += u0 * v0;
        y01 += u0 * v1;
        y02 += u0 * v2;
        y03 += u0 * v3;
        y10 += u1 * v0;
        y11 += u1 * v1;
        y12 += u1 * v2;
        y13 += u1 * v3;
      }
      const yAt = i * y.columns + j;
      const yNext = yAt + y.columns;
      yValues[yAt] += y00;
      yValues[yAt + 1] += y01;
      yValues[yAt + 2] += y02;
      yValues[yAt + 3] += y03;
      yValues[yNext] += y10;
      yValues[yNext + 1] += y11;
      yValues[yNext + 2] += y12;
      yValues[yNext + 3] += y13;
    }
}

/** The rows of pixels `[first, last)` of a batch of images, counted through: row r is row r % H of image floor(r / H). */
export interface Band {
  readonly first: number;
  readonly last: number;
}

/** Elements of the largest panel of a band: 2^15 float64 are 256 KB, so a band's panels stay in the second-level cache. */
const bandElements = 2 ** 15;

/** Cuts `rows` rows of `W` pixels into bands of one height, but for a shorter last one, so low that `channels` channels of one fit into the cache. */
export function cutBands(rows: number, W: number, channels: number): { bands: Band[]; width: number } {
  const most = Math.max(1, Math.floor(bandElements / Math.max(1, W * channels)));
  const height = Math.ceil(rows / Math.ceil(rows / most));
  const bands: Band[] = [];
  for (let first = 0; first < rows; first += height) bands.push({ first, last: Math.min(first + height, rows) });
  return { bands, width: rows === 0 ? 0 : height * W };
}

/** Which channels of an image tensor `[N, C, H, W]` a panel holds: as many as it has rows, from `channel` on. */
export interface Image {
  readonly C: number;
  readonly H: number;
  readonly W: number;
  readonly channel: number;
}

/** Fills a panel with a band of pixels: a row per channel, zeros where the band is shorter than the panel. */
export function loadBand(panel: Panel, x: Values, { C, H, W, channel }: Image, { first, last }: Band): void {
  const { values, rows, columns } = panel;
  values.fill(0);
  for (let c = 0; c < rows; c++)
    for (let r = first, stop; r < last; r = stop) {
      const n = Math.floor(r / H);
      stop = Math.min(last, (n + 1) * H); // up to there rows lie one behind the other in x too
      const to = c * columns + (r - first) * W;
      const from = ((n * C + channel + c) * H + r - n * H) * W;
      const count = (stop - r) * W;
      for (let i = 0; i < count; i++) values[to + i] = x[from + i];
    }
}

/** Rounds a panel's band of pixels into `y`: the reverse of `loadBand`. */
export function storeBand(
  y: Values,
  { C, H, W, channel }: Image,
  { values, rows, columns }: Panel,
  { first, last }: Band,
): void {
  for (let c = 0; c < rows; c++)
    for (let r = first, stop; r < last; r = stop) {
      const n = Math.floor(r / H);
      stop = Math.min(last, (n + 1) * H);
      const from = c * columns + (r - first) * W;
      const to = ((n * C + channel + c) * H + r - n * H) * W;
      const count = (stop - r) * W;
      for (let i = 0; i < count; i++) y[to + i] = values[from + i];
    }
}

export function upToFour(n: number): number {
  return Math.ceil(n / 4) * 4;
}

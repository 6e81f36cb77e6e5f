/**
 * @file Matrix products: conv1x1, conv2d with its two gradients, matmul.
 *
 * All of them are one product of a matrix of weights with a matrix whose columns are what the pixels of the result see:
 *
 *     y[n, r, i, j] = Σ_plane,t  weight[r, plane, t]  x[n, plane, i step_h + a_t, j step_w + b_t]        0 outside of the image
 *
 * The taps (a_t, b_t) make it a convolution, its input gradient, or, with the single tap (0, 0), a matrix product. Columns are written down for some
 * hundred pixels at a time (a panel, which stays in the second-level cache), and multiplied by four rows of weights at a
 * time, eight columns in registers: 4 x 8 sums in 8 registers, 3 more for what is multiplied, which is what 16 registers have room for
 * without spilling. (5 x 8 runs as fast, 4 x 12 and 6 x 8 spill and are a quarter slower.)
 *
 * The gradient by the weights is the same product summed over the pixels: dot products of rows of pixels, vectors along the pixels.
 *
 * Source: Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008.
 */

import { requireFinite } from "./finite";

/** Int32 numbers of a tap: a, b, and its place in the weight of a plane. */
const TAP: i32 = 3;

/** Pixels whose products one accumulator adds up before its sum goes to the total: short sums lose fewer digits. */
const BLOCK: i32 = 512;

/** Rows of the panel of `multiplyRows`. */
const ROWS: i32 = 8;

/**
 * Weights in the order in which `correlate` reads them: packed[tile][k][4], k = plane T + t, for tiles of four rows, with zeros behind the last
 * row. An item is a tile.
 *
 * @param flag - raised where a weight is not finite; 0 where that makes no difference.
 */
export function packWeights(
  from: i32,
  to: i32,
  packed: usize,
  weight: usize,
  rows: i32,
  planes: i32,
  rowStep: i32,
  planeStep: i32,
  taps: usize,
  T: i32,
  flag: usize,
): void {
  const K = planes * T;
  for (let tile = from; tile < to; tile++) {
    const start = packed + ((tile * K) << 4);
    let at = start;
    for (let plane = 0; plane < planes; plane++) {
      for (let t = 0; t < T; t++) {
        const column = weight + ((plane * planeStep + load<i32>(taps + ((t * TAP + 2) << 2))) << 2);
        for (let row = tile << 2; row < (tile << 2) + 4; row++, at += 4) {
          store<f32>(at, row < rows ? load<f32>(column + ((row * rowStep) << 2)) : 0);
        }
      }
    }
    if (flag != 0) requireFinite(flag, start, K << 2);
  }
}

/**
 * The product above. An item is a panel: `panelWidth` pixels (i, j), counted through, of one image; a multiple of 8. Pixel (i, j) of row r
 * goes to y[n, r, i spreadH + shiftH, j spreadW + shiftW] in an image of `yHeight` by `yWidth`.
 */
export function correlate(
  from: i32,
  to: i32,
  panel: usize,
  panelWidth: i32,
  y: usize,
  packed: usize,
  x: usize,
  taps: usize,
  T: i32,
  planes: i32,
  imageStep: i32,
  height: i32,
  width: i32,
  stepH: i32,
  stepW: i32,
  rows: i32,
  P: i32,
  Q: i32,
  yImageStep: i32,
  yHeight: i32,
  yWidth: i32,
  spreadH: i32,
  spreadW: i32,
  shiftH: i32,
  shiftW: i32,
): void {
  const pixels = P * Q;
  const panels = (pixels + panelWidth - 1) / panelWidth;
  const K = planes * T;
  const sums = panel + ((K * panelWidth) << 2); // a tile that does not fit y is computed there
  // A product at each pixel: what it sees are the pixels themselves, in one row.
  const pointwise = T == 1 && height == 1 && P == 1 && Q == width && seesItself(taps, stepW, Q);
  for (let item = from; item < to; item++) {
    const n = item / panels;
    const first = (item - n * panels) * panelWidth;
    const count = min(panelWidth, pixels - first);
    const image = x + ((n * imageStep) << 2);
    if (pointwise && (planes & 3) == 0) copyPixels(panel, image + (first << 2), planes, width, count);
    else fillPanel(panel, image, taps, T, planes, height, width, stepH, stepW, Q, first, count);
    const yImage = y + ((n * yImageStep) << 2);
    const step = (yHeight * yWidth) << 2;
    const dense = spreadH == 1 && spreadW == 1;
    // What is used over and over, eight columns of the panel or four rows of weights, is to stay in the nearest cache.
    const columnsFirst = K > rows;
    const end = ((rows + 3) >> 2) * ((count + 7) >> 3);
    let row = 0;
    let column = 0;
    for (let tile = 0; tile < end; tile++) {
      const weights = packed + ((row * K) << 2);
      const part = panel + ((column * K) << 2);
      const corner = yImage + row * step;
      if (dense && row + 4 <= rows && column + 8 <= count) {
        multiply(corner + ((first + column) << 2), step, weights, part, K);
      } else if (dense && column + 8 <= count) {
        multiply(sums, 32, weights, part, K);
        memory.copy(corner + ((first + column) << 2), sums, 32);
        if (row + 1 < rows) memory.copy(corner + step + ((first + column) << 2), sums + 32, 32);
        if (row + 2 < rows) memory.copy(corner + 2 * step + ((first + column) << 2), sums + 64, 32);
      } else {
        multiply(sums, 32, weights, part, K);
        const columns = min(8, count - column);
        const tileRows = min(4, rows - row);
        let i = (first + column) / Q;
        let j = first + column - i * Q;
        for (let c = 0; c < columns; c++) {
          let to = corner + (((i * spreadH + shiftH) * yWidth + j * spreadW + shiftW) << 2);
          for (let r = 0; r < tileRows; r++, to += step) store<f32>(to, load<f32>(sums + (((r << 3) + c) << 2)));
          if (++j == Q) {
            j = 0;
            i++;
          }
        }
      }
      if (columnsFirst) {
        row += 4;
        if (row >= rows) {
          row = 0;
          column += 8;
        }
      } else {
        column += 8;
        if (column >= count) {
          column = 0;
          row += 4;
        }
      }
    }
  }
}

/** Writes down what `count` pixels see, panel[column / 8][k][column % 8], with zeros outside of the image. */
function fillPanel(
  panel: usize,
  x: usize,
  taps: usize,
  T: i32,
  planes: i32,
  height: i32,
  width: i32,
  stepH: i32,
  stepW: i32,
  Q: i32,
  first: i32,
  count: i32,
): void {
  const K = planes * T;
  const firstRow = first / Q;
  for (let plane = 0, k = 0; plane < planes; plane++, x += (height * width) << 2) {
    for (let t = 0; t < T; t++, k++) {
      const a = load<i32>(taps + ((t * TAP) << 2));
      const b = load<i32>(taps + ((t * TAP + 1) << 2));
      const to = panel + ((k << 3) << 2);
      // Pixel by pixel row: a stretch of columns whose values lie a step apart in one row of x.
      let i = firstRow;
      let j = first - firstRow * Q;
      for (let column = 0; column < count; i++, j = 0) {
        const n = min(Q - j, count - column);
        const h = i * stepH + a;
        const row = x + ((h * width) << 2);
        if (<u32>h >= <u32>height) {
          for (let c = column; c < column + n; c++) store<f32>(place(to, K, c), 0);
        } else {
          let w = j * stepW + b;
          let c = column;
          const stop = column + n;
          for (; c < stop && w < 0; c++, w += stepW) store<f32>(place(to, K, c), 0);
          // Four columns at a time where they lie in one half of a block of eight.
          if (stepW <= 2) {
            for (; c < stop && (c & 3) != 0 && w < width; c++, w += stepW) {
              store<f32>(place(to, K, c), load<f32>(row + (w << 2)));
            }
            const last = width - 3 * stepW;
            let at = place(to, K, c);
            let from = row + (w << 2);
            for (; c + 4 <= stop && w < last; c += 4, w += stepW << 2, from += stepW << 4) {
              let v = v128.load(from);
              if (stepW == 2) v = v128.shuffle<f32>(v, v128.load(from, 16), 0, 2, 4, 6);
              v128.store(at, v);
              at += (c & 4) == 0 ? 16 : (K << 5) - 16;
            }
          }
          for (; c < stop && w < width; c++, w += stepW) store<f32>(place(to, K, c), load<f32>(row + (w << 2)));
          for (; c < stop; c++) store<f32>(place(to, K, c), 0);
        }
        column += n;
      }
    }
  }
}

/**
 * The panel of `count` pixels that see themselves. Four planes at a time, each a stream of its own from far apart in memory: waiting for one
 * of them is then waiting for all. Reads up to seven pixels too many, into columns that nobody uses.
 */
function copyPixels(panel: usize, x: usize, planes: i32, plane: usize, count: i32): void {
  plane <<= 2;
  const jump = (planes - 4) << 5;
  for (let k = 0; k < planes; k += 4, panel += 128, x += plane << 2) {
    let to = panel;
    let x0 = x;
    let x2 = x + 2 * plane;
    for (let column = 0; column < count; column += 8) {
      const x1 = x0 + plane;
      const x3 = x2 + plane;
      v128.store(to, v128.load(x0));
      v128.store(to, v128.load(x0, 16), 16);
      v128.store(to, v128.load(x1), 32);
      v128.store(to, v128.load(x1, 16), 48);
      v128.store(to, v128.load(x2), 64);
      v128.store(to, v128.load(x2, 16), 80);
      v128.store(to, v128.load(x3), 96);
      v128.store(to, v128.load(x3, 16), 112);
      x0 += 32;
      x2 += 32;
      to += 128 + jump;
    }
  }
}

/** The address of a column in a row of the panel that starts at `row`. */
function place(row: usize, K: i32, column: i32): usize {
  return row + (((column >> 3) * K * 8 + (column & 7)) << 2);
}

/** y[4][8] = weights[K][4]ᵀ part[K][8]; `step` bytes between the rows of y. */
function multiply(y: usize, step: usize, weights: usize, part: usize, K: i32): void {
  let s00 = f32x4.splat(0);
  let s01 = f32x4.splat(0);
  let s10 = f32x4.splat(0);
  let s11 = f32x4.splat(0);
  let s20 = f32x4.splat(0);
  let s21 = f32x4.splat(0);
  let s30 = f32x4.splat(0);
  let s31 = f32x4.splat(0);
  const end = weights + (K << 4);
  while (weights < end) {
    const x0 = v128.load(part);
    const x1 = v128.load(part, 16);
    const w0 = v128.load32_splat(weights);
    s00 = f32x4.add(s00, f32x4.mul(w0, x0));
    s01 = f32x4.add(s01, f32x4.mul(w0, x1));
    const w1 = v128.load32_splat(weights, 4);
    s10 = f32x4.add(s10, f32x4.mul(w1, x0));
    s11 = f32x4.add(s11, f32x4.mul(w1, x1));
    const w2 = v128.load32_splat(weights, 8);
    s20 = f32x4.add(s20, f32x4.mul(w2, x0));
    s21 = f32x4.add(s21, f32x4.mul(w2, x1));
    const w3 = v128.load32_splat(weights, 12);
    s30 = f32x4.add(s30, f32x4.mul(w3, x0));
    s31 = f32x4.add(s31, f32x4.mul(w3, x1));
    weights += 16;
    part += 32;
  }
  v128.store(y, s00);
  v128.store(y, s01, 16);
  y += step;
  v128.store(y, s10);
  v128.store(y, s11, 16);
  y += step;
  v128.store(y, s20);
  v128.store(y, s21, 16);
  y += step;
  v128.store(y, s30);
  v128.store(y, s31, 16);
}

/** Whether the only tap is the pixel itself, at every column. */
function seesItself(taps: usize, stepW: i32, Q: i32): bool {
  return load<i32>(taps) == 0 && load<i32>(taps, 4) == 0 && (stepW == 1 || Q == 1);
}

/**
 * The gradient by the weights, dw[r, k] = Σ_n,i,j dy[n, r, i, j] x[n, plane, i stepH + a_t, j stepW + b_t], k = plane T + t. An item is
 * eight k.
 */
export function correlateWeights(
  from: i32,
  to: i32,
  scratch: usize,
  dw: usize,
  dy: usize,
  x: usize,
  taps: usize,
  T: i32,
  planes: i32,
  N: i32,
  imageStep: i32,
  height: i32,
  width: i32,
  stepH: i32,
  stepW: i32,
  rows: i32,
  P: i32,
  Q: i32,
  yImageStep: i32,
): void {
  const K = planes * T;
  const pixels = P * Q;
  const panel = scratch;
  const total = panel + ((ROWS * BLOCK) << 2); // [rows up to a multiple of 4][8]
  const totalBytes = (((rows + 3) & ~3) * ROWS) << 2;
  const pointwise = T == 1 && height == 1 && P == 1 && Q == width && seesItself(taps, stepW, Q);
  for (let item = from; item < to; item++) {
    const k0 = item * ROWS;
    const ks = min(ROWS, K - k0);
    memory.fill(total, 0, totalBytes);
    for (let n = 0; n < N; n++) {
      const dyImage = dy + ((n * yImageStep) << 2);
      for (let first = 0; first < pixels; first += BLOCK) {
        const count = min(BLOCK, pixels - first);
        // At each pixel itself nothing has to be written down: rows of x are what the weights see.
        const xRows = pointwise ? x + ((n * imageStep + k0 * pixels + first) << 2) : panel;
        const xStep = (pointwise ? pixels : BLOCK) << 2;
        for (let k = pointwise ? ks : 0; k < ks; k++) {
          const plane = (k0 + k) / T;
          const tap = taps + (((k0 + k - plane * T) * TAP) << 2);
          const image = x + ((n * imageStep + plane * height * width) << 2);
          fillRow(
            panel + ((k * BLOCK) << 2),
            image,
            load<i32>(tap),
            load<i32>(tap, 4),
            height,
            width,
            stepH,
            stepW,
            Q,
            first,
            count,
          );
        }
        for (let row = 0; row < rows; row += 4) {
          // Behind the last row, the last one once more: its sums go to rows of `total` that nobody reads.
          const dy0 = dyImage + ((row * pixels + first) << 2);
          const dy1 = dyImage + ((min(row + 1, rows - 1) * pixels + first) << 2);
          const dy2 = dyImage + ((min(row + 2, rows - 1) * pixels + first) << 2);
          const dy3 = dyImage + ((min(row + 3, rows - 1) * pixels + first) << 2);
          for (let k = 0; k < ks; k += 2) {
            const x0 = xRows + k * xStep;
            const x1 = k + 1 < ks ? x0 + xStep : x0; // of an odd last one, once more
            multiplyRows(total + ((row * ROWS + k) << 2), dy0, dy1, dy2, dy3, x0, x1, count);
          }
        }
      }
    }
    for (let row = 0; row < rows; row++) {
      for (let k = 0; k < ks; k++) {
        store<f32>(dw + ((row * K + k0 + k) << 2), load<f32>(total + ((row * ROWS + k) << 2)));
      }
    }
  }
}

/** Writes down what one weight sees at `count` pixels. */
function fillRow(
  to: usize,
  x: usize,
  a: i32,
  b: i32,
  height: i32,
  width: i32,
  stepH: i32,
  stepW: i32,
  Q: i32,
  first: i32,
  count: i32,
): void {
  let i = first / Q;
  let j = first - i * Q;
  const end = to + (count << 2);
  while (to < end) {
    const stop = min(to + ((Q - j) << 2), end);
    const h = i * stepH + a;
    if (<u32>h >= <u32>height) {
      memory.fill(to, 0, stop - to);
    } else {
      let w = j * stepW + b;
      for (; to < stop && w < 0; to += 4, w += stepW) store<f32>(to, 0);
      let at = x + ((h * width + w) << 2);
      const rowEnd = x + (((h + 1) * width) << 2);
      if (stepW == 1) {
        for (; to + 16 <= stop && at + 16 <= rowEnd; to += 16, at += 16) v128.store(to, v128.load(at));
      } else if (stepW == 2) {
        for (; to + 16 <= stop && at + 28 <= rowEnd; to += 16, at += 32) {
          v128.store(to, v128.shuffle<f32>(v128.load(at), v128.load(at, 16), 0, 2, 4, 6));
        }
      }
      for (; to < stop && at < rowEnd; to += 4, at += stepW << 2) store<f32>(to, load<f32>(at));
      for (; to < stop; to += 4) store<f32>(to, 0);
    }
    to = stop;
    i++;
    j = 0;
  }
}

/** total[4][2] += four rows of dy times two rows of what weights see, over `count` pixels. */
function multiplyRows(
  total: usize,
  dy0: usize,
  dy1: usize,
  dy2: usize,
  dy3: usize,
  x0: usize,
  x1: usize,
  count: i32,
): void {
  let s00 = f32x4.splat(0);
  let s01 = f32x4.splat(0);
  let s10 = f32x4.splat(0);
  let s11 = f32x4.splat(0);
  let s20 = f32x4.splat(0);
  let s21 = f32x4.splat(0);
  let s30 = f32x4.splat(0);
  let s31 = f32x4.splat(0);
  const whole = x0 + ((count & ~3) << 2);
  while (x0 < whole) {
    const v0 = v128.load(x0);
    const v1 = v128.load(x1);
    const d0 = v128.load(dy0);
    s00 = f32x4.add(s00, f32x4.mul(d0, v0));
    s01 = f32x4.add(s01, f32x4.mul(d0, v1));
    const d1 = v128.load(dy1);
    s10 = f32x4.add(s10, f32x4.mul(d1, v0));
    s11 = f32x4.add(s11, f32x4.mul(d1, v1));
    const d2 = v128.load(dy2);
    s20 = f32x4.add(s20, f32x4.mul(d2, v0));
    s21 = f32x4.add(s21, f32x4.mul(d2, v1));
    const d3 = v128.load(dy3);
    s30 = f32x4.add(s30, f32x4.mul(d3, v0));
    s31 = f32x4.add(s31, f32x4.mul(d3, v1));
    x0 += 16;
    x1 += 16;
    dy0 += 16;
    dy1 += 16;
    dy2 += 16;
    dy3 += 16;
  }
  for (let rest = count & 3; rest > 0; rest--) {
    // Single pixels, in the first lane.
    const v0 = v128.load32_zero(x0);
    const v1 = v128.load32_zero(x1);
    const d0 = v128.load32_zero(dy0);
    const d1 = v128.load32_zero(dy1);
    const d2 = v128.load32_zero(dy2);
    const d3 = v128.load32_zero(dy3);
    s00 = f32x4.add(s00, f32x4.mul(d0, v0));
    s01 = f32x4.add(s01, f32x4.mul(d0, v1));
    s10 = f32x4.add(s10, f32x4.mul(d1, v0));
    s11 = f32x4.add(s11, f32x4.mul(d1, v1));
    s20 = f32x4.add(s20, f32x4.mul(d2, v0));
    s21 = f32x4.add(s21, f32x4.mul(d2, v1));
    s30 = f32x4.add(s30, f32x4.mul(d3, v0));
    s31 = f32x4.add(s31, f32x4.mul(d3, v1));
    x0 += 4;
    x1 += 4;
    dy0 += 4;
    dy1 += 4;
    dy2 += 4;
    dy3 += 4;
  }
  // The sums over the lanes: of two rows at a time.
  const upper = sumsOfLanes(s00, s01, s10, s11);
  const lower = sumsOfLanes(s20, s21, s30, s31);
  addPair(total, upper);
  addPair(total + (ROWS << 2), v128.shuffle<f64>(upper, upper, 1, 1));
  addPair(total + (ROWS << 3), lower);
  addPair(total + ROWS * 12, v128.shuffle<f64>(lower, lower, 1, 1));
}

/** [Σ a, Σ b, Σ c, Σ d] */
function sumsOfLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

/** Adds the first two lanes to two numbers. */
function addPair(at: usize, v: v128): void {
  v128.store_lane<f64>(at, f32x4.add(v128.load64_zero(at), v), 0);
}

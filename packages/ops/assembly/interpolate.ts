/**
 * @file The kernel of interpolate and of its gradient: a product with a band matrix along each axis of an image,
 *
 *     y[p, q] = Σ_s Σ_t rows[p, s] columns[q, t] x[firstRow[p] + s, firstColumn[q] + t]        0 <= s < S, 0 <= t < T
 *
 * The transpose of a band matrix is one again, so the gradient takes the same kernel and other tables. What doubling the width, or its
 * transpose, needs is known beforehand and goes without a table.
 *
 * The band has zeros where a row of the matrix is shorter than others, and taps on one pixel are one. That is right for numbers. Where a row of
 * pixels, mixed, is not finite, the kernel raises a flag.
 *
 * Tables: of the rows firstRow[P], then rows[P][S]; of the columns firstColumn[Q'], then columns[T][Q'], Q' = Q up to a multiple of 4,
 * with any pixel and weights of 0 behind the last column.
 */

import { addTraces, isRaised, isTraced, raise } from "./finite";

/** Bytes in front of a row in scratch memory, for two pixels to the left of it. There must be as many behind it, and a vector more. */
const MARGIN: usize = 16;

/** How columns are computed. */
const BY_TABLE: i32 = 0;
const NEAREST: i32 = 1;
const BILINEAR: i32 = 2;
const BICUBIC: i32 = 3;
const NEAREST_TRANSPOSED: i32 = 4;

/**
 * An item is a row of y, counted through the images of all channels.
 *
 * @param flag - raised where a number is not finite; 0 where pixels are copied, whatever they are.
 */
export function resample(
  from: i32,
  to: i32,
  scratch: usize,
  y: usize,
  x: usize,
  H: i32,
  W: i32,
  P: i32,
  Q: i32,
  rows: usize,
  S: i32,
  columns: usize,
  T: i32,
  way: i32,
  flag: usize,
): void {
  const line = scratch + MARGIN;
  const end = line + (W << 2);
  for (let row = from; row < to; row++) {
    const image = row / P;
    const p = row - image * P;
    const top = x + (((image * H + load<i32>(rows + (p << 2))) * W) << 2);
    if (flag != 0) {
      if (isTraced(mixRows(line, top, W, rows + ((P + p * S) << 2), S))) raise(flag);
      if (isRaised(flag)) return; // the result will be another
    } else {
      copyRow(line, top, W);
    }
    store<f32>(line - 4, load<f32>(line));
    store<f32>(end, load<f32>(end - 4));
    let yAt = y + ((row * Q) << 2);
    const yEnd = yAt + (Q << 2);
    if (way == BY_TABLE) byTable(yAt, yEnd, line, columns, Q, T);
    else if (way == BICUBIC) doubleCubic(yAt, yEnd, line, end);
    else if (way == NEAREST || way == BILINEAR) double(yAt, yEnd, line, way);
    else halve(yAt, yEnd, line, way);
  }
}

/** line[w] = x[w], up to three elements more behind the last one. */
function copyRow(line: usize, x: usize, W: i32): void {
  for (const end = line + (W << 2); line < end; line += 16, x += 16) v128.store(line, v128.load(x));
}

/** line[w] = Σ_s weights[s] x[s][w] for S rows, up to three elements more behind the last one. Returns the traces of the W elements. */
function mixRows(line: usize, x: usize, W: i32, weights: usize, S: i32): v128 {
  const step = W << 2;
  let traces = f32x4.splat(0);
  let s = 0;
  for (; s + 4 <= S; s += 4) traces = v128.or(traces, addFour(line, x + s * step, W, weights + (s << 2), s > 0));
  if (s + 2 <= S) {
    traces = v128.or(traces, addTwo(line, x + s * step, W, weights + (s << 2), s > 0));
    s += 2;
  }
  return s < S ? v128.or(traces, addOne(line, x + s * step, W, weights + (s << 2), s > 0)) : traces;
}

/** Adds four rows to a line, if it has `any` already. Returns the traces of the line. */
function addFour(line: usize, x: usize, W: i32, weights: usize, any: bool): v128 {
  const step = W << 2;
  const end = line + step;
  const w0 = v128.load32_splat(weights);
  const w1 = v128.load32_splat(weights, 4);
  const w2 = v128.load32_splat(weights, 8);
  const w3 = v128.load32_splat(weights, 12);
  let lower = x + 2 * step;
  let traces = f32x4.splat(0);
  let sum = f32x4.splat(0);
  for (; line < end; line += 16, x += 16, lower += 16) {
    traces = addTraces(traces, sum); // of the one before: the last one has elements behind the row
    sum = f32x4.add(f32x4.mul(w0, v128.load(x)), f32x4.mul(w1, v128.load(x + step)));
    if (any) sum = f32x4.add(v128.load(line), sum);
    sum = f32x4.add(sum, f32x4.add(f32x4.mul(w2, v128.load(lower)), f32x4.mul(w3, v128.load(lower + step))));
    v128.store(line, sum);
  }
  return addTraces(traces, onlyElements(sum, W));
}

/** The same with two rows, and two vectors at a time. */
function addTwo(line: usize, x: usize, W: i32, weights: usize, any: bool): v128 {
  const step = W << 2;
  const end = line + step;
  const w0 = v128.load32_splat(weights);
  const w1 = v128.load32_splat(weights, 4);
  let lower = x + step;
  let traces = f32x4.splat(0);
  for (; line + 32 <= end; line += 32, x += 32, lower += 32) {
    let even = f32x4.add(f32x4.mul(w0, v128.load(x)), f32x4.mul(w1, v128.load(lower)));
    let odd = f32x4.add(f32x4.mul(w0, v128.load(x, 16)), f32x4.mul(w1, v128.load(lower, 16)));
    if (any) {
      even = f32x4.add(v128.load(line), even);
      odd = f32x4.add(v128.load(line, 16), odd);
    }
    traces = addTraces(addTraces(traces, even), odd);
    v128.store(line, even);
    v128.store(line, odd, 16);
  }
  let sum = f32x4.splat(0);
  for (; line < end; line += 16, x += 16, lower += 16) {
    traces = addTraces(traces, sum);
    sum = f32x4.add(f32x4.mul(w0, v128.load(x)), f32x4.mul(w1, v128.load(lower)));
    if (any) sum = f32x4.add(v128.load(line), sum);
    v128.store(line, sum);
  }
  return addTraces(traces, onlyElements(sum, W));
}

/** And with one row. */
function addOne(line: usize, x: usize, W: i32, weights: usize, any: bool): v128 {
  const end = line + (W << 2);
  const w0 = v128.load32_splat(weights);
  let traces = f32x4.splat(0);
  let sum = f32x4.splat(0);
  for (; line < end; line += 16, x += 16) {
    traces = addTraces(traces, sum);
    sum = f32x4.mul(w0, v128.load(x));
    if (any) sum = f32x4.add(v128.load(line), sum);
    v128.store(line, sum);
  }
  return addTraces(traces, onlyElements(sum, W));
}

/** The last vector of a row of W, with zeros for what is behind. */
function onlyElements(v: v128, W: i32): v128 {
  return v128.and(v, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(((W - 1) & 3) + 1)));
}

function byTable(y: usize, yEnd: usize, line: usize, columns: usize, Q: i32, T: i32): void {
  const step = ((Q + 3) & ~3) << 2;
  for (; y < yEnd; y += 16, columns += 16) {
    let at0 = line + (load<i32>(columns) << 2);
    let at1 = line + (load<i32>(columns, 4) << 2);
    let at2 = line + (load<i32>(columns, 8) << 2);
    let at3 = line + (load<i32>(columns, 12) << 2);
    let weights = columns + step;
    let total = f32x4.splat(0);
    for (let t = 0; t < T; t++, weights += step, at0 += 4, at1 += 4, at2 += 4, at3 += 4) {
      let v = v128.load32_zero(at0);
      v = v128.load32_lane(at1, v, 1);
      v = v128.load32_lane(at2, v, 2);
      v = v128.load32_lane(at3, v, 3);
      const term = f32x4.mul(v, v128.load(weights));
      total = t == 0 ? term : f32x4.add(total, term);
    }
    storeUpTo(y, yEnd, total);
  }
}

/** Stores four elements, but none from `end` on. */
function storeUpTo(at: usize, end: usize, v: v128): void {
  if (at + 16 <= end) {
    v128.store(at, v);
    return;
  }
  if (at < end) v128.store32_lane(at, v, 0);
  if (at + 4 < end) v128.store32_lane(at, v, 1, 4);
  if (at + 8 < end) v128.store32_lane(at, v, 2, 8);
}

/** Every pixel becomes two: itself twice, or a quarter of the way to either neighbour. */
function double(y: usize, yEnd: usize, line: usize, way: i32): void {
  const quarter = f32x4.splat(0.25);
  for (; y < yEnd; y += 32, line += 16) {
    const x = v128.load(line);
    let even = x;
    let odd = x;
    if (way == BILINEAR) {
      const own = f32x4.mul(x, f32x4.splat(0.75));
      even = f32x4.add(f32x4.mul(v128.load(line - 4), quarter), own);
      odd = f32x4.add(own, f32x4.mul(v128.load(line, 4), quarter));
    }
    storeUpTo(y, yEnd, v128.shuffle<f32>(even, odd, 0, 4, 1, 5));
    storeUpTo(y + 16, yEnd, v128.shuffle<f32>(even, odd, 2, 6, 3, 7));
  }
}

/**
 * The same by cubic convolution, for which `line` gets a second pixel on either side. A quarter of the way from one pixel to the next,
 * the four around it have these weights, in this order.
 */
function doubleCubic(y: usize, yEnd: usize, line: usize, end: usize): void {
  store<f32>(line - 8, load<f32>(line));
  store<f32>(end, load<f32>(end - 4), 4);
  const w0 = f32x4.splat(-27.0 / 256.0);
  const w1 = f32x4.splat(225.0 / 256.0);
  const w2 = f32x4.splat(67.0 / 256.0);
  const w3 = f32x4.splat(-9.0 / 256.0);
  for (; y < yEnd; y += 32, line += 16) {
    const x0 = v128.load(line - 4);
    const x1 = v128.load(line);
    const x2 = v128.load(line, 4);
    const inner = f32x4.mul(w1, x1);
    const even = f32x4.add(
      f32x4.add(inner, f32x4.mul(w2, x0)),
      f32x4.add(f32x4.mul(w0, x2), f32x4.mul(w3, v128.load(line - 8))),
    );
    const odd = f32x4.add(
      f32x4.add(inner, f32x4.mul(w2, x2)),
      f32x4.add(f32x4.mul(w0, x0), f32x4.mul(w3, v128.load(line, 8))),
    );
    storeUpTo(y, yEnd, v128.shuffle<f32>(even, odd, 0, 4, 1, 5));
    storeUpTo(y + 16, yEnd, v128.shuffle<f32>(even, odd, 2, 6, 3, 7));
  }
}

/** The transpose of `double`: from 2 Q pixels those that read pixel q, weighted as they read it. */
function halve(y: usize, yEnd: usize, line: usize, way: i32): void {
  const quarter = f32x4.splat(0.25);
  for (; y < yEnd; y += 16, line += 32) {
    const a = v128.load(line);
    const b = v128.load(line, 16);
    let total = f32x4.add(v128.shuffle<f32>(a, b, 0, 2, 4, 6), v128.shuffle<f32>(a, b, 1, 3, 5, 7));
    if (way != NEAREST_TRANSPOSED) {
      const before = v128.shuffle<f32>(v128.load(line - 4), v128.load(line, 12), 0, 2, 4, 6);
      const behind = v128.shuffle<f32>(v128.load(line, 4), v128.load(line, 20), 1, 3, 5, 7);
      const outer = f32x4.mul(f32x4.add(before, behind), quarter);
      total = f32x4.add(f32x4.mul(total, f32x4.splat(0.75)), outer);
    }
    storeUpTo(y, yEnd, total);
  }
}

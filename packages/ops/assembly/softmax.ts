/**
 * @file Kernels of softmax, logSoftmax and the labels of crossEntropy.
 *
 * The axis of the classes is the middle one of [outer, count, inner]. With inner > 1 vectors run along the contiguous inner axis, so
 * that lanes never meet; with inner = 1 along the classes.
 *
 * Two vectors go at a time: the constants of e^x are loaded once for both, which takes a third off its time. pmax(a, b) passes over a
 * NaN in b, which is in the sum all the same, and so in every result.
 */

import { expVector, logVector } from "./maths";

/** Inner elements of an item: a cache line. */
const LINE: i32 = 16;

/** The first n of four lanes; the others hold `rest`. */
function loadLanes(at: usize, n: i32, rest: f32): v128 {
  if (n >= 4) return v128.load(at);
  let v = f32x4.splat(rest);
  v = v128.load32_lane(at, v, 0);
  if (n > 1) v = v128.load32_lane(at, v, 1, 4);
  if (n > 2) v = v128.load32_lane(at, v, 2, 8);
  return v;
}

function storeLanes(at: usize, n: i32, v: v128): void {
  if (n >= 4) {
    v128.store(at, v);
    return;
  }
  v128.store32_lane(at, v, 0);
  if (n > 1) v128.store32_lane(at, v, 1, 4);
  if (n > 2) v128.store32_lane(at, v, 2, 8);
}

/** e^(x - largest) of up to four elements, which goes to y too unless the logarithm is wanted; 0 in the other lanes. */
function power(y: usize, x: usize, n: i32, largest: v128, logarithm: i32): v128 {
  const v = expVector(f32x4.sub(loadLanes(x, n, -Infinity), largest));
  if (!logarithm) storeLanes(y, n, v);
  return v;
}

/** The result, from x or from what `power` left in y. */
function share(y: usize, x: usize, largest: v128, total: v128, logarithm: i32): v128 {
  return logarithm ? f32x4.sub(f32x4.sub(v128.load(x), largest), total) : f32x4.div(v128.load(y), total);
}

/**
 * Softmax, or its logarithm, with inner > 1. An item is sixteen neighbours along the inner axis, or fewer at its end: a line of each class,
 * copied to `block` [count, 16], so that lines of x and y are touched once, and those at the end need no code of their own.
 */
export function softmaxColumns(
  from: i32,
  to: i32,
  block: usize,
  y: usize,
  x: usize,
  count: i32,
  inner: i32,
  logarithm: i32,
): void {
  const strips = (inner + LINE - 1) / LINE;
  const step = inner << 2;
  const end = block + (count << 6);
  for (let item = from; item < to; item++) {
    const outer = item / strips;
    const start = (item - outer * strips) * LINE;
    const n = min(LINE, inner - start);
    let at = (outer * count * inner + start) << 2;
    for (let row = block, from = x + at; row < end; row += 64, from += step) copyLine(row, from, n);
    for (let i = 0; i < n; i += 8) eightColumns(block + (i << 2), end, logarithm);
    for (let row = block, to = y + at; row < end; row += 64, to += step) copyLine(to, row, n);
  }
}

/** Copies n <= 16 elements. */
function copyLine(to: usize, from: usize, n: i32): void {
  if (n == LINE) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    v128.store(to, v128.load(from, 32), 32);
    v128.store(to, v128.load(from, 48), 48);
  } else {
    for (let end = from + (n << 2); from < end; from += 4, to += 4) store<f32>(to, load<f32>(from));
  }
}

/** Softmax of eight columns of the block, in place. */
function eightColumns(first: usize, end: usize, logarithm: i32): void {
  let largest0 = f32x4.splat(-Infinity);
  let largest1 = largest0;
  for (let at = first; at < end; at += 64) {
    largest0 = f32x4.pmax(largest0, v128.load(at));
    largest1 = f32x4.pmax(largest1, v128.load(at, 16));
  }
  let total0 = f32x4.splat(0);
  let total1 = total0;
  for (let at = first; at < end; at += 64) {
    const x0 = f32x4.sub(v128.load(at), largest0);
    const x1 = f32x4.sub(v128.load(at, 16), largest1);
    const power0 = expVector(x0);
    const power1 = expVector(x1);
    total0 = f32x4.add(total0, power0);
    total1 = f32x4.add(total1, power1);
    v128.store(at, logarithm ? x0 : power0);
    v128.store(at, logarithm ? x1 : power1, 16);
  }
  if (logarithm) {
    total0 = logVector(total0);
    total1 = logVector(total1);
  }
  for (let at = first; at < end; at += 64) {
    const v0 = v128.load(at);
    const v1 = v128.load(at, 16);
    v128.store(at, logarithm ? f32x4.sub(v0, total0) : f32x4.div(v0, total0));
    v128.store(at, logarithm ? f32x4.sub(v1, total1) : f32x4.div(v1, total1), 16);
  }
}

/** The same with inner = 1. An item is a row. */
export function softmaxRows(from: i32, to: i32, y: usize, x: usize, count: i32, logarithm: i32): void {
  for (let row = from; row < to; row++) {
    const xRow = x + ((row * count) << 2);
    const yRow = y + ((row * count) << 2);
    let largest = f32x4.splat(-Infinity);
    let c = 0;
    for (; c + 4 <= count; c += 4) largest = f32x4.pmax(largest, v128.load(xRow + (c << 2)));
    if (c < count) largest = f32x4.pmax(largest, loadLanes(xRow + (c << 2), count - c, -Infinity));
    largest = f32x4.pmax(largest, v128.shuffle<f32>(largest, largest, 2, 3, 0, 1));
    largest = f32x4.pmax(largest, v128.shuffle<f32>(largest, largest, 1, 0, 3, 2));

    let total = f32x4.splat(0);
    for (c = 0; c + 8 <= count; c += 8) {
      const power0 = expVector(f32x4.sub(v128.load(xRow + (c << 2)), largest));
      const power1 = expVector(f32x4.sub(v128.load(xRow + (c << 2), 16), largest));
      total = f32x4.add(total, f32x4.add(power0, power1));
      if (!logarithm) {
        v128.store(yRow + (c << 2), power0);
        v128.store(yRow + (c << 2), power1, 16);
      }
    }
    for (; c < count; c += 4) {
      total = f32x4.add(total, power(yRow + (c << 2), xRow + (c << 2), count - c, largest, logarithm));
    }
    total = f32x4.add(total, v128.shuffle<f32>(total, total, 2, 3, 0, 1));
    total = f32x4.add(total, v128.shuffle<f32>(total, total, 1, 0, 3, 2));
    if (logarithm) total = logVector(total);

    for (c = 0; c < count; c += 4) {
      const v = share(yRow + (c << 2), xRow + (c << 2), largest, total, logarithm);
      if (c + 4 <= count) v128.store(yRow + (c << 2), v);
      else storeLanes(yRow + (c << 2), count - c, v);
    }
  }
}

/** y[n, p] = x at class target[n, p] of position (n, p), 0 where that is `ignored`. An item is an n. Steps in elements. */
export function takeClasses(
  from: i32,
  to: i32,
  y: usize,
  x: usize,
  target: usize,
  ignored: i32,
  positions: i32,
  rowStep: i32,
  classStep: i32,
  step: i32,
): void {
  for (let n = from; n < to; n++) {
    for (let p = 0; p < positions; p++) {
      const at = (n * positions + p) << 2;
      const label = load<i32>(target + at);
      store<f32>(y + at, label == ignored ? 0 : load<f32>(x + ((n * rowStep + label * classStep + p * step) << 2)));
    }
  }
}

/** Its transpose, into zeros of shape [N, classes, positions]. An item is an n. */
export function putClasses(
  from: i32,
  to: i32,
  dx: usize,
  dy: usize,
  target: usize,
  ignored: i32,
  positions: i32,
  classes: i32,
): void {
  for (let n = from; n < to; n++) {
    for (let p = 0; p < positions; p++) {
      const at = (n * positions + p) << 2;
      const label = load<i32>(target + at);
      if (label != ignored) store<f32>(dx + (((n * classes + label) * positions + p) << 2), load<f32>(dy + at));
    }
  }
}

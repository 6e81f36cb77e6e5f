/**
 * @file Kernels of softmax, logSoftmax and the labels of crossEntropy.
 *
 * The axis of the classes is the middle one of [outer, count, inner]. With inner > 1 vectors run along the contiguous inner axis, so
 * that lanes never meet; with inner = 1 along the classes.
 */

import { expVector, logVector } from "./maths";

/** Inner elements of an item: a cache line. */
const LINE: i32 = 16;

/** The first n of four lanes; the others hold `rest`. */
function loadLanes(at: usize, n: i32, rest: f32): v128 {
  if (n >= 4) return v128.load(at);
  let v = v128.load32_lane(at, f32x4.splat(rest), 0);
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

/** Softmax, or its logarithm, with inner > 1. An item is sixteen neighbours along the inner axis, or fewer at its end. */
export function softmaxColumns(from: i32, to: i32, y: usize, x: usize, count: i32, inner: i32, logarithm: i32): void {
  const strips = (inner + LINE - 1) / LINE;
  const step = inner << 2;
  for (let item = from; item < to; item++) {
    const outer = item / strips;
    const start = (item - outer * strips) * LINE;
    const stop = min(start + LINE, inner);
    for (let i = start; i < stop; i += 4) {
      const n = stop - i;
      const first = (outer * count * inner + i) << 2;
      const end = first + count * step;
      let largest = f32x4.splat(-Infinity);
      for (let at = first; at != end; at += step) largest = f32x4.max(largest, loadLanes(x + at, n, 0));
      let total = f32x4.splat(0);
      for (let at = first; at != end; at += step) {
        const power = expVector(f32x4.sub(loadLanes(x + at, n, 0), largest));
        total = f32x4.add(total, power);
        if (!logarithm) storeLanes(y + at, n, power);
      }
      if (logarithm) total = logVector(total);
      for (let at = first; at != end; at += step) {
        const v = logarithm
          ? f32x4.sub(f32x4.sub(loadLanes(x + at, n, 0), largest), total)
          : f32x4.div(loadLanes(y + at, n, 0), total);
        storeLanes(y + at, n, v);
      }
    }
  }
}

/** The same with inner = 1. An item is a row. */
export function softmaxRows(from: i32, to: i32, y: usize, x: usize, count: i32, logarithm: i32): void {
  for (let row = from; row < to; row++) {
    const xRow = x + ((row * count) << 2);
    const yRow = y + ((row * count) << 2);
    let largest = f32x4.splat(-Infinity);
    for (let c = 0; c < count; c += 4) {
      largest = f32x4.max(largest, loadLanes(xRow + (c << 2), count - c, -Infinity));
    }
    largest = f32x4.max(largest, v128.shuffle<f32>(largest, largest, 2, 3, 0, 1));
    largest = f32x4.max(largest, v128.shuffle<f32>(largest, largest, 1, 0, 3, 2));
    let total = f32x4.splat(0);
    for (let c = 0; c < count; c += 4) {
      const power = expVector(f32x4.sub(loadLanes(xRow + (c << 2), count - c, -Infinity), largest));
      total = f32x4.add(total, power);
      if (!logarithm) storeLanes(yRow + (c << 2), count - c, power);
    }
    total = f32x4.add(total, v128.shuffle<f32>(total, total, 2, 3, 0, 1));
    total = f32x4.add(total, v128.shuffle<f32>(total, total, 1, 0, 3, 2));
    if (logarithm) total = logVector(total);
    for (let c = 0; c < count; c += 4) {
      const v = logarithm
        ? f32x4.sub(f32x4.sub(loadLanes(xRow + (c << 2), count - c, 0), largest), total)
        : f32x4.div(loadLanes(yRow + (c << 2), count - c, 0), total);
      storeLanes(yRow + (c << 2), count - c, v);
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
      store<f32>(
        y + at,
        label == ignored ? 0 : load<f32>(x + ((n * rowStep + label * classStep + p * step) << 2)),
      );
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

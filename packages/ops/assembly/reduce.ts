/**
 * @file Sums, largest and smallest elements.
 *
 * One launch reduces the middle axis of [outer, R, inner], and a longer one in parts of at most L: [outer, parts, inner] partial
 * results, for a further launch. The parts depend on the sizes alone, and each is added up in one fixed order, so threads change
 * nothing. A part has several running sums, and parts are short, so that the error of a sum grows with the root of its length only.
 */

/** Columns of an item: their running results stay in the first cache. */
const STRIP: i32 = 256;

class Sum {
  start(): v128 {
    return f32x4.splat(0);
  }
  join(a: v128, b: v128): v128 {
    return f32x4.add(a, b);
  }
}
class Max {
  start(): v128 {
    return f32x4.splat(-Infinity);
  }
  join(a: v128, b: v128): v128 {
    return f32x4.max(a, b); // NaN if either is
  }
}
class Min {
  start(): v128 {
    return f32x4.splat(Infinity);
  }
  join(a: v128, b: v128): v128 {
    return f32x4.min(a, b);
  }
}

/** With inner = 1: y[outer, part] of x[outer, R]. An item is a part. */
function rows<F>(from: i32, to: i32, y: usize, x: usize, R: i32, L: i32, parts: i32): void {
  for (let item = from; item < to; item++) {
    const outer = item / parts;
    const first = (item - outer * parts) * L;
    let at = x + ((outer * R + first) << 2);
    const end = at + (min(L, R - first) << 2);
    let r0 = changetype<F>(0).start();
    let r1 = r0;
    let r2 = r0;
    let r3 = r0;
    for (; at < end - 63; at += 64) {
      r0 = changetype<F>(0).join(r0, v128.load(at));
      r1 = changetype<F>(0).join(r1, v128.load(at, 16));
      r2 = changetype<F>(0).join(r2, v128.load(at, 32));
      r3 = changetype<F>(0).join(r3, v128.load(at, 48));
    }
    for (; at < end - 15; at += 16) r0 = changetype<F>(0).join(r0, v128.load(at));
    let r = changetype<F>(0).join(changetype<F>(0).join(r0, r1), changetype<F>(0).join(r2, r3));
    r = changetype<F>(0).join(r, v128.shuffle<f32>(r, r, 2, 3, 0, 1));
    r = changetype<F>(0).join(r, v128.shuffle<f32>(r, r, 1, 0, 3, 2));
    for (; at < end; at += 4) r = changetype<F>(0).join(r, v128.load32_splat(at));
    v128.store32_lane(y + (item << 2), r, 0);
  }
}

/** y[outer, part, inner] of x[outer, R, inner]. An item is a strip of columns of a part. */
function columns<F>(from: i32, to: i32, y: usize, x: usize, R: i32, inner: i32, L: i32, parts: i32): void {
  const strips = (inner + STRIP - 1) / STRIP;
  const step = inner << 2;
  for (let item = from; item < to; item++) {
    const partial = item / strips;
    const column = (item - partial * strips) * STRIP;
    const outer = partial / parts;
    const first = (partial - outer * parts) * L;
    const bytes = min(STRIP, inner - column) << 2;
    const yAt = y + ((partial * inner + column) << 2);
    let row = x + (((outer * R + first) * inner + column) << 2);
    let left = min(L, R - first) - 1;
    memory.copy(yAt, row, bytes);
    row += step;
    for (; left >= 4; left -= 4, row += step << 2) joinFour<F>(yAt, row, step, bytes);
    for (; left > 0; left--, row += step) joinOne<F>(yAt, row, bytes);
  }
}

/** Joins four rows, `step` bytes apart, to the running results. */
function joinFour<F>(y: usize, x: usize, step: usize, bytes: usize): void {
  const end = y + bytes;
  for (; y < end - 15; y += 16, x += 16) {
    const a = changetype<F>(0).join(v128.load(x), v128.load(x + step));
    const b = changetype<F>(0).join(v128.load(x + 2 * step), v128.load(x + 3 * step));
    v128.store(y, changetype<F>(0).join(v128.load(y), changetype<F>(0).join(a, b)));
  }
  for (; y < end; y += 4, x += 4) {
    const a = changetype<F>(0).join(v128.load32_splat(x), v128.load32_splat(x + step));
    const b = changetype<F>(0).join(v128.load32_splat(x + 2 * step), v128.load32_splat(x + 3 * step));
    v128.store32_lane(y, changetype<F>(0).join(v128.load32_splat(y), changetype<F>(0).join(a, b)), 0);
  }
}

function joinOne<F>(y: usize, x: usize, bytes: usize): void {
  const end = y + bytes;
  for (; y < end - 15; y += 16, x += 16) v128.store(y, changetype<F>(0).join(v128.load(y), v128.load(x)));
  for (; y < end; y += 4, x += 4) {
    v128.store32_lane(y, changetype<F>(0).join(v128.load32_splat(y), v128.load32_splat(x)), 0);
  }
}

export function sumRows(from: i32, to: i32, y: usize, x: usize, R: i32, L: i32, parts: i32): void {
  rows<Sum>(from, to, y, x, R, L, parts);
}
export function maxRows(from: i32, to: i32, y: usize, x: usize, R: i32, L: i32, parts: i32): void {
  rows<Max>(from, to, y, x, R, L, parts);
}
export function minRows(from: i32, to: i32, y: usize, x: usize, R: i32, L: i32, parts: i32): void {
  rows<Min>(from, to, y, x, R, L, parts);
}
export function sumColumns(from: i32, to: i32, y: usize, x: usize, R: i32, inner: i32, L: i32, parts: i32): void {
  columns<Sum>(from, to, y, x, R, inner, L, parts);
}
export function maxColumns(from: i32, to: i32, y: usize, x: usize, R: i32, inner: i32, L: i32, parts: i32): void {
  columns<Max>(from, to, y, x, R, inner, L, parts);
}
export function minColumns(from: i32, to: i32, y: usize, x: usize, R: i32, inner: i32, L: i32, parts: i32): void {
  columns<Min>(from, to, y, x, R, inner, L, parts);
}

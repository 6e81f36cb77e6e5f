/**
 * @file Kernels that move values: permute, slice, pad, concat, flip, pixelShuffle. They copy 32-bit words, whatever those mean.
 *
 * What is walked is cut into rows; a table tells where row `index` starts:
 *
 *     [rank, then per axis, from the innermost one out: its size, its step in y, its step in x]        int32, steps in elements
 */

import { storeTransposed } from "./transpose";

/** Words of an item of `fillWords`. */
const LINE: i32 = 16;

/** Copies of at least this many words are left to the machine's own copy, which costs a call. */
const LONG: i32 = 64;

/** Rows and columns of a tile of `transpose`: a vector of each of its columns fits the first cache. */
const TILE: i32 = 128;

/** Bytes of an axis in a table. */
const AXIS: i32 = 12;

/** Sets y to one 32-bit word. An item is a cache line. */
export function fillWords(from: i32, to: i32, y: usize, word: i32): void {
  const value = i32x4.splat(word);
  const end = y + ((to * LINE) << 2);
  for (y += (from * LINE) << 2; y < end; y += 16) v128.store(y, value);
}

/**
 * Copies rows of `n` words, `yStep` and `xStep` words apart. An item is a row. With `total` > 0 the innermost axis of the table cuts a
 * long row of so many words into rows of `n`, of which the last one may be shorter.
 */
export function copyRows(
  from: i32,
  to: i32,
  y: usize,
  x: usize,
  n: i32,
  yStep: i32,
  xStep: i32,
  total: i32,
  table: usize,
): void {
  const dim = load<i32>(table, 4);
  const yNext = load<i32>(table, 8) << 2;
  const xNext = load<i32>(table, 12) << 2;
  for (let item = from; item < to;) {
    let i = item % dim;
    let yAt = y + (offsetOf(item, table, 4) << 2);
    let xAt = x + (offsetOf(item, table, 8) << 2);
    const stop = min(to, item - i + dim);
    for (; item < stop; item++, i++) {
      copyRow(yAt, xAt, total > 0 ? min(n, total - i * n) : n, yStep, xStep);
      yAt += yNext;
      xAt += xNext;
    }
  }
}

function copyRow(y: usize, x: usize, n: i32, yStep: i32, xStep: i32): void {
  const end = x + ((n * xStep) << 2); // behind the last one; before the first one when x runs backwards
  if (yStep == 1 && xStep == 1) {
    if (n >= LONG) {
      memory.copy(y, x, n << 2);
      return;
    }
    for (; x + 16 <= end; x += 16, y += 16) v128.store(y, v128.load(x));
  }
  if (yStep == 1 && xStep == -1) {
    for (; x >= end + 16; x -= 16, y += 16) {
      const v = v128.load(x - 12);
      v128.store(y, v128.shuffle<f32>(v, v, 3, 2, 1, 0));
    }
  }
  for (; x != end; x += xStep << 2, y += yStep << 2) store<i32>(y, load<i32>(x));
}

/** Where row `index` starts, in elements of the operand whose steps are at `operand` bytes in each axis of the table. */
function offsetOf(index: i32, table: usize, operand: usize): i32 {
  const end = table + 4 + load<i32>(table) * AXIS;
  let offset = 0;
  for (let axis = table + 4; axis < end; axis += AXIS) {
    const outer = index / load<i32>(axis);
    offset += (index - outer * load<i32>(axis)) * load<i32>(axis + operand);
    index = outer;
  }
  return offset;
}

/**
 * Swaps two axes: y[.., a, b] = x[.., b, a] with A by B elements, b contiguous in y and a in x. `yStep` words from a to a + 1 in y,
 * `xStep` words from b to b + 1 in x. An item is a tile.
 */
export function transpose(
  from: i32,
  to: i32,
  y: usize,
  x: usize,
  A: i32,
  B: i32,
  yStep: i32,
  xStep: i32,
  table: usize,
): void {
  const tilesA = (A + TILE - 1) / TILE;
  const tilesB = (B + TILE - 1) / TILE;
  for (let item = from; item < to; item++) {
    const outer = item / (tilesA * tilesB);
    const tile = item - outer * tilesA * tilesB;
    const a0 = (tile % tilesA) * TILE;
    const b0 = (tile / tilesA) * TILE;
    const a1 = min(A, a0 + TILE);
    const b1 = min(B, b0 + TILE);
    const yAt = y + (offsetOf(outer, table, 4) << 2);
    const xAt = x + (offsetOf(outer, table, 8) << 2);
    // Four rows of y at a time: written from their beginning to their end, while the columns of x that they are stay in the cache.
    for (let a = a0; a < a1; a += 4) {
      let b = b0;
      if (a + 4 <= a1) {
        for (; b + 4 <= b1; b += 4) {
          transpose4(yAt + ((a * yStep + b) << 2), yStep << 2, xAt + ((b * xStep + a) << 2), xStep << 2);
        }
      }
      for (; b < b1; b++) {
        for (let k = a; k < min(a + 4, a1); k++) {
          store<i32>(yAt + ((k * yStep + b) << 2), load<i32>(xAt + ((b * xStep + k) << 2)));
        }
      }
    }
  }
}

/** A block of 4 by 4. Steps in bytes. */
function transpose4(y: usize, yStep: usize, x: usize, xStep: usize): void {
  const c = x + 2 * xStep;
  storeTransposed(y, yStep, v128.load(x), v128.load(x + xStep), v128.load(c), v128.load(c + xStep));
}

/** pixelShuffle by 2: y[c, 2h + i, 2w + j] = x[c, i, j, h, w], with c counted through the batch. An item is a row of y. */
export function shuffle2(from: i32, to: i32, y: usize, x: usize, H: i32, W: i32): void {
  for (let row = from; row < to; row++) {
    let fine = y + ((row * W) << 3);
    let even = x + (coarseRow(row, H, W) << 2);
    const plane = (H * W) << 2;
    const end = even + (W << 2);
    for (; even + 16 <= end; even += 16, fine += 32) {
      const a = v128.load(even);
      const b = v128.load(even + plane);
      v128.store(fine, v128.shuffle<f32>(a, b, 0, 4, 1, 5));
      v128.store(fine, v128.shuffle<f32>(a, b, 2, 6, 3, 7), 16);
    }
    for (; even < end; even += 4, fine += 8) {
      store<i32>(fine, load<i32>(even));
      store<i32>(fine, load<i32>(even + plane), 4);
    }
  }
}

/** pixelUnshuffle by 2, the same the other way round. An item is a row of x. */
export function unshuffle2(from: i32, to: i32, y: usize, x: usize, H: i32, W: i32): void {
  for (let row = from; row < to; row++) {
    let fine = x + ((row * W) << 3);
    let even = y + (coarseRow(row, H, W) << 2);
    const plane = (H * W) << 2;
    const end = even + (W << 2);
    for (; even + 16 <= end; even += 16, fine += 32) {
      const a = v128.load(fine);
      const b = v128.load(fine, 16);
      v128.store(even, v128.shuffle<f32>(a, b, 0, 2, 4, 6));
      v128.store(even + plane, v128.shuffle<f32>(a, b, 1, 3, 5, 7));
    }
    for (; even < end; even += 4, fine += 8) {
      store<i32>(even, load<i32>(fine));
      store<i32>(even + plane, load<i32>(fine, 4));
    }
  }
}

/** Where the even pixels of a fine row, counted through all images, lie among the coarse ones: channel (c, i, 0), row h. */
function coarseRow(row: i32, H: i32, W: i32): i32 {
  const h = row >> 1;
  const c = h / H;
  return ((((c << 1) + (row & 1)) << 1) * H + h - c * H) * W;
}

/**
 * @file Content-aware reassembly and both of its gradients: carafe, carafeInput, carafeKernels. An item of each is a row of coarse pixels of an image.
 *
 * With x enlarged to the fine pixels, by repeating each s times, all that belongs to a fine pixel q of a row lies at q, or a constant further:
 *
 *     y[c, a, q]  = Σ_ij  w[i, j, a, q]  X[c, i, q + j s]               a is the row of fine pixels within the item
 *     L[c, j, q]  = Σ_ia  w[i, j, a, q]  dy[c, i, a, q]                 of which dx is a sum, along q + j s
 *     dw[i, j, a, q] = Σ_c  dy[c, a, q]  X[c, i, q + j s]
 *
 * So each is Σ_m left[u, m, q] right[v, m, q], for some u and v, and one loop does all: `sumProducts`, with four pixels q in a vector and 2 by 4
 * sums in registers, each number read serving two or four of them. What it reads is brought together first, x enlarged, with zeros beside it
 * (a weight of what lies beside the image is multiplied by 0): where planes are a power of 2 apart, they would push one another out of the cache.
 * Where such a weight is not finite, the product is not 0: then carafe and carafeKernels raise a flag. carafeInput has no such products.
 */

import { addTraces, isRaised, isTraced, raise } from "./finite";

/** Rows u and v of a pass of `sumProducts`. */
const LEFT: i32 = 2;
const RIGHT: i32 = 4;

/** Channels that carafeKernels enlarges, and adds up, at a time. */
const SIMILARITY_CHANNELS: i32 = 16;

/**
 * y, from x and the kernels.
 *
 * @param scratch - k k s lines, 4 k enlarged rows, 8 lines.
 * @param flag - raised where what would be multiplied by zeros beside the image is not finite.
 */
export function carafe(
  from: i32,
  to: i32,
  scratch: usize,
  y: usize,
  x: usize,
  kernels: usize,
  C: i32,
  G: i32,
  H: i32,
  W: i32,
  k: i32,
  s: i32,
  flag: usize,
): void {
  const Q = W * s;
  const r = k >> 1;
  const channels = C / G;
  const area = (H * s * Q) << 2;
  const line = lineBytes(Q);
  const row = rowBytes(Q, k, s);
  const rows = scratch + k * k * s * line;
  const sums = rows + RIGHT * k * row;
  memory.fill(rows, 0, RIGHT * k * row);
  for (let item = from; item < to; item++) {
    if (isRaised(flag)) return; // the result will be another
    const n = item / H;
    const h = item - n * H;
    const first = max(0, r - h); // the rows of windows that lie in the image
    const last = min(k, H + r - h);
    const top = (h * s * Q) << 2;
    for (let g = 0; g < G; g++) {
      const weights = kernels + (n * G + g) * k * k * area + top;
      for (let t = first * k; t < last * k; t++) {
        copyLines(scratch + t * s * line, line, weights + t * area, Q, s);
      }
      requireFiniteEnds(flag, scratch + first * k * s * line, line, Q, (last - first) * k * s, r * s);
      for (let c = 0; c < channels; c += RIGHT) {
        const image = n * C + g * channels + c;
        const count = min(RIGHT, channels - c);
        for (let v = 0; v < count; v++) {
          enlarge(rows + v * k * row, row, x + ((((image + v) * H + h - r) * W) << 2), first, last, W, r, s);
        }
        for (let a = 0; a < s; a += LEFT) {
          const pair = min(LEFT, s - a);
          sumProducts(
            sums,
            line,
            pair,
            scratch + (first * k * s + a) * line,
            line,
            s * line,
            rows + first * row,
            rows + (min(1, count - 1) * k + first) * row,
            rows + (min(2, count - 1) * k + first) * row,
            rows + (min(3, count - 1) * k + first) * row,
            s << 2,
            row,
            k,
            last - first,
          );
          for (let u = 0; u < pair; u++) {
            const toY = y + image * area + top + (((a + u) * Q) << 2);
            for (let v = 0; v < count; v++) storeLine(toY + v * area, sums + (u * RIGHT + v) * line, Q);
          }
        }
      }
    }
  }
}

/**
 * dx, from dy and the kernels.
 *
 * @param scratch - k k s lines, 8 lines, 4 enlarged rows.
 */
export function carafeInput(
  from: i32,
  to: i32,
  scratch: usize,
  dx: usize,
  dy: usize,
  kernels: usize,
  C: i32,
  G: i32,
  H: i32,
  W: i32,
  k: i32,
  s: i32,
): void {
  const Q = W * s;
  const r = k >> 1;
  const channels = C / G;
  const area = (H * s * Q) << 2;
  const line = lineBytes(Q);
  const row = rowBytes(Q, k, s);
  const sums = scratch + k * k * s * line;
  const rows = sums + LEFT * RIGHT * line;
  for (let item = from; item < to; item++) {
    const n = item / H;
    const h = item - n * H;
    const first = max(0, h - r); // the coarse pixels that see this row
    const last = min(H, h + r + 1);
    const top = (first * s * Q) << 2;
    for (let g = 0; g < G; g++) {
      const weights = kernels + (n * G + g) * k * k * area;
      for (let cell = first; cell < last; cell++) {
        const i = h + r - cell;
        for (let a = 0; a < s; a++) {
          const p = cell * s + a;
          for (let j = 0; j < k; j++) {
            const to = scratch + (((cell - first) * s + a) * k + j) * line;
            copyLines(to, line, weights + (i * k + j) * area + ((p * Q) << 2), Q, 1);
          }
        }
      }
      for (let c = 0; c < channels; c += RIGHT) {
        const image = n * C + g * channels + c;
        const count = min(RIGHT, channels - c);
        memory.fill(rows, 0, RIGHT * row);
        const fromY = dy + image * area + top;
        for (let j = 0; j < k; j += LEFT) {
          const pair = min(LEFT, k - j);
          sumProducts(
            sums,
            line,
            pair,
            scratch + j * line,
            line,
            k * line,
            fromY,
            fromY + min(1, count - 1) * area,
            fromY + min(2, count - 1) * area,
            fromY + min(3, count - 1) * area,
            Q << 2,
            0,
            (last - first) * s,
            1,
          );
          for (let u = 0; u < pair; u++) {
            for (let v = 0; v < count; v++) {
              addLine(rows + v * row + (((j + u) * s) << 2), sums + (u * RIGHT + v) * line, Q);
            }
          }
        }
        for (let v = 0; v < count; v++) {
          shrink(dx + ((((image + v) * H + h) * W) << 2), rows + v * row + ((r * s) << 2), W, s);
        }
      }
    }
  }
}

/**
 * dw, from dy and x.
 *
 * @param scratch - 16 s lines, 16 k enlarged rows, 8 lines.
 * @param flag - raised where what would be multiplied by zeros beside the image is not finite.
 */
export function carafeKernels(
  from: i32,
  to: i32,
  scratch: usize,
  dw: usize,
  dy: usize,
  x: usize,
  C: i32,
  G: i32,
  H: i32,
  W: i32,
  k: i32,
  s: i32,
  flag: usize,
): void {
  const Q = W * s;
  const r = k >> 1;
  const channels = C / G;
  const area = (H * s * Q) << 2;
  const line = lineBytes(Q);
  const row = rowBytes(Q, k, s);
  const rows = scratch + SIMILARITY_CHANNELS * s * line;
  const sums = rows + SIMILARITY_CHANNELS * k * row;
  memory.fill(rows, 0, SIMILARITY_CHANNELS * k * row);
  for (let item = from; item < to; item++) {
    if (isRaised(flag)) return; // the result will be another
    const n = item / H;
    const h = item - n * H;
    const first = max(0, r - h);
    const last = min(k, H + r - h);
    const top = (h * s * Q) << 2;
    for (let g = 0; g < G; g++) {
      const weights = dw + (n * G + g) * k * k * area + top;
      for (let t = 0; t < k * k; t++) {
        if (t < first * k || t >= last * k || channels == 0) memory.fill(weights + t * area, 0, (s * Q) << 2);
      }
      for (let c = 0; c < channels; c += SIMILARITY_CHANNELS) {
        const count = min(SIMILARITY_CHANNELS, channels - c);
        for (let m = 0; m < count; m++) {
          const image = n * C + g * channels + c + m;
          copyLines(scratch + m * s * line, line, dy + image * area + top, Q, s);
          enlarge(rows + m * k * row, row, x + (((image * H + h - r) * W) << 2), first, last, W, r, s);
        }
        requireFiniteEnds(flag, scratch, line, Q, count * s, r * s);
        for (let t = first * k; t < last * k; t += RIGHT) {
          const taps = min(RIGHT, last * k - t);
          for (let a = 0; a < s; a += LEFT) {
            const pair = min(LEFT, s - a);
            sumProducts(
              sums,
              line,
              pair,
              scratch + a * line,
              line,
              s * line,
              tap(rows, row, t, k, s),
              tap(rows, row, t + min(1, taps - 1), k, s),
              tap(rows, row, t + min(2, taps - 1), k, s),
              tap(rows, row, t + min(3, taps - 1), k, s),
              k * row,
              0,
              count,
              1,
            );
            for (let u = 0; u < pair; u++) {
              for (let v = 0; v < taps; v++) {
                const toW = weights + (t + v) * area + (((a + u) * Q) << 2);
                const sum = sums + (u * RIGHT + v) * line;
                if (c == 0) storeLine(toW, sum, Q);
                else addLine(toW, sum, Q);
              }
            }
          }
        }
      }
    }
  }
}

/** Where in enlarged rows pixel (i, j) of the first window is, of tap i k + j. */
function tap(rows: usize, row: i32, t: i32, k: i32, s: i32): usize {
  const i = t / k;
  return rows + i * row + (((t - i * k) * s) << 2);
}

/**
 * sums[u, v, q] = Σ_m left[u, m, q] right[v, m, q] for a line of q. The m lie leftStep and rightStep bytes apart; where there are `runs` of `count`
 * of them, those of right start rightRun bytes apart.
 *
 * @param pair - how many u there are, 1 or 2: leftOther bytes apart.
 */
function sumProducts(
  sums: usize,
  line: i32,
  pair: i32,
  left: usize,
  leftOther: i32,
  leftStep: i32,
  right0: usize,
  right1: usize,
  right2: usize,
  right3: usize,
  rightStep: i32,
  rightRun: i32,
  count: i32,
  runs: i32,
): void {
  const back = rightRun - count * rightStep;
  for (let q = 0; q < line; q += 16) {
    let at = left + q;
    let b0 = right0 + q;
    let b1 = right1 + q;
    let b2 = right2 + q;
    let b3 = right3 + q;
    let s00 = f32x4.splat(0);
    let s01 = f32x4.splat(0);
    let s02 = f32x4.splat(0);
    let s03 = f32x4.splat(0);
    const sum = sums + q;
    if (pair > 1) {
      let s10 = f32x4.splat(0);
      let s11 = f32x4.splat(0);
      let s12 = f32x4.splat(0);
      let s13 = f32x4.splat(0);
      for (let run = runs; run > 0; run--) {
        for (let m = count; m > 0; m--) {
          const a0 = v128.load(at);
          const a1 = v128.load(at + leftOther);
          const v0 = v128.load(b0);
          s00 = f32x4.add(s00, f32x4.mul(a0, v0));
          s10 = f32x4.add(s10, f32x4.mul(a1, v0));
          const v1 = v128.load(b1);
          s01 = f32x4.add(s01, f32x4.mul(a0, v1));
          s11 = f32x4.add(s11, f32x4.mul(a1, v1));
          const v2 = v128.load(b2);
          s02 = f32x4.add(s02, f32x4.mul(a0, v2));
          s12 = f32x4.add(s12, f32x4.mul(a1, v2));
          const v3 = v128.load(b3);
          s03 = f32x4.add(s03, f32x4.mul(a0, v3));
          s13 = f32x4.add(s13, f32x4.mul(a1, v3));
          at += leftStep;
          b0 += rightStep;
          b1 += rightStep;
          b2 += rightStep;
          b3 += rightStep;
        }
        b0 += back;
        b1 += back;
        b2 += back;
        b3 += back;
      }
      v128.store(sum + 4 * line, s10);
      v128.store(sum + 5 * line, s11);
      v128.store(sum + 6 * line, s12);
      v128.store(sum + 7 * line, s13);
    } else {
      for (let run = runs; run > 0; run--) {
        for (let m = count; m > 0; m--) {
          const a0 = v128.load(at);
          s00 = f32x4.add(s00, f32x4.mul(a0, v128.load(b0)));
          s01 = f32x4.add(s01, f32x4.mul(a0, v128.load(b1)));
          s02 = f32x4.add(s02, f32x4.mul(a0, v128.load(b2)));
          s03 = f32x4.add(s03, f32x4.mul(a0, v128.load(b3)));
          at += leftStep;
          b0 += rightStep;
          b1 += rightStep;
          b2 += rightStep;
          b3 += rightStep;
        }
        b0 += back;
        b1 += back;
        b2 += back;
        b3 += back;
      }
    }
    v128.store(sum, s00);
    v128.store(sum + line, s01);
    v128.store(sum + 2 * line, s02);
    v128.store(sum + 3 * line, s03);
  }
}

/** Bytes of a line of Q pixels: whole vectors. */
function lineBytes(Q: i32): i32 {
  return ((Q + 3) & ~3) << 2;
}

/** Bytes of an enlarged row: r s pixels on either side, and room for two vectors behind the last one. */
function rowBytes(Q: i32, k: i32, s: i32): i32 {
  return lineBytes(Q + (k - 1) * s) + 32;
}

/**
 * Rows [first, last) of a window, enlarged, between the zeros that are there: r s before them, and behind. Pixels of whole vectors are stored, the next
 * over what was too many, and behind the last one the zeros again.
 */
function enlarge(rows: usize, row: i32, x: usize, first: i32, last: i32, W: i32, r: i32, s: i32): void {
  const step = s << 2;
  const zero = f32x4.splat(0);
  for (let i = first; i < last; i++) {
    const start = rows + i * row + r * step;
    const end = start + W * step;
    let at = start;
    let pixel = x + ((i * W) << 2);
    if (s == 2) {
      for (; at < end; at += 32, pixel += 16) {
        const v = v128.load(pixel);
        v128.store(at, v128.shuffle<f32>(v, v, 0, 0, 1, 1));
        v128.store(at, v128.shuffle<f32>(v, v, 2, 2, 3, 3), 16);
      }
    } else {
      for (; at < end; at += step, pixel += 4) {
        const v = v128.load32_splat(pixel);
        for (let b = 0; b < step; b += 16) v128.store(at + b, v);
      }
    }
    v128.store(end, zero);
    v128.store(end, zero, 16);
  }
}

/** The transpose, of one row: each pixel is the sum of the s that stand for it. */
function shrink(dx: usize, row: usize, W: i32, s: i32): void {
  const step = s << 2;
  if (s == 2) {
    for (; W >= 4; W -= 4, dx += 16, row += 32) {
      const a = v128.load(row);
      const b = v128.load(row, 16);
      v128.store(dx, f32x4.add(v128.shuffle<f32>(a, b, 0, 2, 4, 6), v128.shuffle<f32>(a, b, 1, 3, 5, 7)));
    }
  }
  for (; W > 0; W--, dx += 4, row += step) {
    let sum = load<f32>(row);
    for (let b = 4; b < step; b += 4) sum += load<f32>(row + b);
    store<f32>(dx, sum);
  }
}

/** Copies `count` lines that lie side by side, as whole vectors. */
function copyLines(to: usize, line: i32, from: usize, Q: i32, count: i32): void {
  for (let a = 0; a < count; a++, to += line, from += Q << 2) {
    for (let q = 0; q < line; q += 16) v128.store(to + q, v128.load(from + q));
  }
}

/**
 * Raises the flag unless the first and the last `reach` pixels of lines, whose windows reach over the edges, are finite; and, as these are whole
 * vectors, up to three more.
 */
function requireFiniteEnds(flag: usize, lines: usize, line: i32, Q: i32, count: i32, reach: i32): void {
  const bytes = min(reach, Q) << 2;
  const end = Q << 2;
  let traces = f32x4.splat(0);
  for (let a = 0; a < count; a++, lines += line) {
    for (let b = 0; b < bytes; b += 16) {
      if (Q < 4) {
        for (let q = 0; q < end; q += 4) traces = addTraces(traces, v128.load32_splat(lines + q));
      } else {
        traces = addTraces(traces, v128.load(lines + min(b, end - 16)));
        traces = addTraces(traces, v128.load(lines + max(0, end - 16 - b)));
      }
    }
  }
  if (isTraced(traces)) raise(flag);
}

/** Stores the Q pixels of a line, and nothing behind them. */
function storeLine(to: usize, line: usize, Q: i32): void {
  for (; Q >= 4; Q -= 4, to += 16, line += 16) v128.store(to, v128.load(line));
  for (; Q > 0; Q--, to += 4, line += 4) store<f32>(to, load<f32>(line));
}

function addLine(to: usize, line: usize, Q: i32): void {
  for (; Q >= 4; Q -= 4, to += 16, line += 16) v128.store(to, f32x4.add(v128.load(to), v128.load(line)));
  for (; Q > 0; Q--, to += 4, line += 4) store<f32>(to, load<f32>(to) + load<f32>(line));
}

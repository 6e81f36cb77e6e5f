/**
 * @file Kernels of variance, standardize and its gradient.
 *
 * They see x as [A, B, C, D] and take a group of B D elements for each (a, c): B runs of D neighbours. That is batch norm (A = 1),
 * layer norm and group norm (B = C = 1). What a group needs are two sums, in float64:
 *
 *     Σ u, Σ u v        u = v = x - its first element, for mean and variance; u = dy, v = y for the gradient
 *
 * Less the first element, so that the sum of squares loses no digits where the mean is large: an element that is off by K deviations
 * costs K² / (B D), at most 1, of the digits that float64 has above float32. So one pass over x finds both.
 *
 * A large group is cut into `parts`, per run as many as have `length` elements, whose sums are added up in the order of the parts. With
 * one part the group is an item, and is still in the cache when its elements are computed.
 */

/** Columns of an item of the kernels for groups of columns: a cache line. */
const COLUMNS: i32 = 16;

/** Where the second sums of COLUMNS columns are, behind the first ones, in bytes, and what else is needed of each column. */
const SECOND: usize = 128;
const THIRD: usize = 256;

/** Bytes of the two sums of a group. */
const PAIR: i32 = 16;

/** What u and v are, two lanes at a time. */
class Deviations {
  u(a: usize, shift: v128): v128 {
    return f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(a)), shift);
  }
  v(u: v128, b: usize): v128 {
    return u;
  }
}

class Products {
  u(a: usize, shift: v128): v128 {
    return f64x2.promote_low_f32x4(v128.load64_zero(a));
  }
  v(u: v128, b: usize): v128 {
    return f64x2.promote_low_f32x4(v128.load64_zero(b));
  }
}

/** Both sums over `n` neighbours. */
function sumRun<T>(a: usize, b: usize, n: i32, first: f32): v128 {
  const shift = f64x2.splat(<f64>first);
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  let s2 = f64x2.splat(0);
  let s3 = f64x2.splat(0);
  let p0 = f64x2.splat(0);
  let p1 = f64x2.splat(0);
  let p2 = f64x2.splat(0);
  let p3 = f64x2.splat(0);
  const end = a + (n << 2);
  for (; a + 32 <= end; a += 32, b += 32) {
    const u0 = changetype<T>(0).u(a, shift);
    const u1 = changetype<T>(0).u(a + 8, shift);
    const u2 = changetype<T>(0).u(a + 16, shift);
    const u3 = changetype<T>(0).u(a + 24, shift);
    s0 = f64x2.add(s0, u0);
    s1 = f64x2.add(s1, u1);
    s2 = f64x2.add(s2, u2);
    s3 = f64x2.add(s3, u3);
    p0 = f64x2.add(p0, f64x2.mul(u0, changetype<T>(0).v(u0, b)));
    p1 = f64x2.add(p1, f64x2.mul(u1, changetype<T>(0).v(u1, b + 8)));
    p2 = f64x2.add(p2, f64x2.mul(u2, changetype<T>(0).v(u2, b + 16)));
    p3 = f64x2.add(p3, f64x2.mul(u3, changetype<T>(0).v(u3, b + 24)));
  }
  const one = i64x2(-1, 0);
  for (; a < end; a += 4, b += 4) {
    const u = changetype<T>(0).u(a, shift);
    s0 = f64x2.add(s0, v128.and(u, one));
    p0 = f64x2.add(p0, v128.and(f64x2.mul(u, changetype<T>(0).v(u, b)), one));
  }
  const s = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
  const p = f64x2.add(f64x2.add(p0, p1), f64x2.add(p2, p3));
  return f64x2.add(v128.shuffle<f64>(s, p, 0, 2), v128.shuffle<f64>(s, p, 1, 3));
}

/** Elements of part `part` of a group that was cut, and where it starts. */
function partStart(part: i32, length: i32, C: i32, D: i32): i32 {
  const perRun = (D + length - 1) / length;
  const run = part / perRun;
  return run * C * D + (part - run * perRun) * length;
}

function partLength(part: i32, length: i32, D: i32): i32 {
  const perRun = (D + length - 1) / length;
  return min(length, D - (part % perRun) * length);
}

/** Where group g = a C + c starts. */
function groupStart(g: i32, B: i32, C: i32, D: i32): i32 {
  const a = g / C;
  return (a * B * C + g - a * C) * D;
}

/** Both sums over a whole group, or over the sums of its parts. */
function sumGroup<T>(a: usize, b: usize, sums: usize, parts: i32, B: i32, C: i32, D: i32): v128 {
  let total = f64x2.splat(0);
  if (parts == 1) {
    const first = load<f32>(a);
    for (let run = 0; run < B; run++, a += (C * D) << 2, b += (C * D) << 2) {
      total = f64x2.add(total, sumRun<T>(a, b, D, first));
    }
  } else {
    for (let part = 0; part < parts; part++, sums += PAIR) total = f64x2.add(total, v128.load(sums));
  }
  return total;
}

function sumParts<T>(
  from: i32,
  to: i32,
  sums: usize,
  a: usize,
  b: usize,
  parts: i32,
  length: i32,
  B: i32,
  C: i32,
  D: i32,
): void {
  for (let item = from; item < to; item++) {
    const g = item / parts;
    const group = groupStart(g, B, C, D) << 2;
    const part = item - g * parts;
    const at = group + (partStart(part, length, C, D) << 2);
    const sum = sumRun<T>(a + at, b + at, partLength(part, length, D), load<f32>(a + group));
    v128.store(sums + (item << 4), sum);
  }
}

/** The sums of the parts of x less its first element. An item is a part of a group. */
export function sumDeviations(
  from: i32,
  to: i32,
  sums: usize,
  x: usize,
  parts: i32,
  length: i32,
  B: i32,
  C: i32,
  D: i32,
): void {
  sumParts<Deviations>(from, to, sums, x, x, parts, length, B, C, D);
}

/** The sums of the parts of dy and dy y. An item is a part of a group. */
export function sumProducts(
  from: i32,
  to: i32,
  sums: usize,
  dy: usize,
  y: usize,
  parts: i32,
  length: i32,
  B: i32,
  C: i32,
  D: i32,
): void {
  sumParts<Products>(from, to, sums, dy, y, parts, length, B, C, D);
}

/** From the sum of n deviations and that of their squares. */
function varianceOf(total: f64, squares: f64, n: f64): f64 {
  const mean = total / n;
  return max(0, squares / n - mean * mean);
}

function groupVariance(sums: v128, n: f64): f64 {
  return varianceOf(f64x2.extract_lane(sums, 0), f64x2.extract_lane(sums, 1), n);
}

/** An item is a group. */
export function variance(
  from: i32,
  to: i32,
  v: usize,
  x: usize,
  sums: usize,
  parts: i32,
  B: i32,
  C: i32,
  D: i32,
): void {
  for (let g = from; g < to; g++) {
    const group = x + (groupStart(g, B, C, D) << 2);
    const total = sumGroup<Deviations>(group, group, sums + g * parts * PAIR, parts, B, C, D);
    store<f32>(v + (g << 2), <f32>groupVariance(total, <f64>B * <f64>D));
  }
}

/** An item is a group, or a part of one where `parts` > 1; then `sums` holds the sums of the parts. */
export function standardize(
  from: i32,
  to: i32,
  y: usize,
  x: usize,
  sums: usize,
  parts: i32,
  length: i32,
  B: i32,
  C: i32,
  D: i32,
  eps: f32,
): void {
  for (let item = from; item < to; item++) {
    const g = item / parts;
    const group = groupStart(g, B, C, D) << 2;
    const total = sumGroup<Deviations>(x + group, x + group, sums + g * parts * PAIR, parts, B, C, D);
    const n = <f64>B * <f64>D;
    const mean = <f64>load<f32>(x + group) + f64x2.extract_lane(total, 0) / n;
    const scale = <f32>(1 / sqrt(groupVariance(total, n) + <f64>eps));
    const part = item - g * parts;
    if (parts == 1) {
      for (let run = 0; run < B; run++) {
        const at = group + ((run * C * D) << 2);
        standardizeRun(y + at, x + at, D, mean, scale);
      }
    } else {
      const at = group + (partStart(part, length, C, D) << 2);
      standardizeRun(y + at, x + at, partLength(part, length, D), mean, scale);
    }
  }
}

/** The mean is taken off in two pieces, since float32 does not hold it: a large mean would be off by more than the deviations. */
function standardizeRun(y: usize, x: usize, n: i32, mean: f64, scale: f32): void {
  const high = <f32>mean;
  const low = <f32>(mean - <f64>high);
  const end = x + (n << 2);
  for (; x + 16 <= end; x += 16, y += 16) {
    const d = f32x4.sub(f32x4.sub(v128.load(x), f32x4.splat(high)), f32x4.splat(low));
    v128.store(y, f32x4.mul(d, f32x4.splat(scale)));
  }
  for (; x < end; x += 4, y += 4) store<f32>(y, (load<f32>(x) - high - low) * scale);
}

/** dx = r (dy - mean(dy) - y mean(dy y)). Items as those of `standardize`. */
export function standardizeInput(
  from: i32,
  to: i32,
  dx: usize,
  dy: usize,
  y: usize,
  r: usize,
  sums: usize,
  parts: i32,
  length: i32,
  B: i32,
  C: i32,
  D: i32,
): void {
  for (let item = from; item < to; item++) {
    const g = item / parts;
    const group = groupStart(g, B, C, D) << 2;
    const total = sumGroup<Products>(dy + group, y + group, sums + g * parts * PAIR, parts, B, C, D);
    const means = f64x2.div(total, f64x2.splat(<f64>B * <f64>D));
    const scale = load<f32>(r + (g << 2));
    const part = item - g * parts;
    if (parts == 1) {
      for (let run = 0; run < B; run++) {
        const at = group + ((run * C * D) << 2);
        standardizeInputRun(dx + at, dy + at, y + at, D, means, scale);
      }
    } else {
      const at = group + (partStart(part, length, C, D) << 2);
      standardizeInputRun(dx + at, dy + at, y + at, partLength(part, length, D), means, scale);
    }
  }
}

function standardizeInputRun(dx: usize, dy: usize, y: usize, n: i32, means: v128, scale: f32): void {
  const along1 = <f32>f64x2.extract_lane(means, 0);
  const alongY = <f32>f64x2.extract_lane(means, 1);
  const end = dy + (n << 2);
  for (; dy + 16 <= end; dx += 16, dy += 16, y += 16) {
    const rest = f32x4.sub(v128.load(dy), f32x4.splat(along1));
    const d = f32x4.sub(rest, f32x4.mul(v128.load(y), f32x4.splat(alongY)));
    v128.store(dx, f32x4.mul(d, f32x4.splat(scale)));
  }
  for (; dy < end; dx += 4, dy += 4, y += 4) {
    store<f32>(dx, scale * (load<f32>(dy) - along1 - load<f32>(y) * alongY));
  }
}

/** Both sums of each of `n` columns of B elements, `step` elements apart, row by row: [COLUMNS], [COLUMNS], float64. */
function sumColumns<T>(sums: usize, a: usize, b: usize, n: i32, B: i32, step: i32): void {
  memory.fill(sums, 0, SECOND * 2);
  for (let i = 0; i < n; i += 2) {
    v128.store(sums + (i << 3), f64x2.promote_low_f32x4(v128.load64_zero(a + (i << 2))), THIRD);
  }
  for (let row = 0; row < B; row++, a += step << 2, b += step << 2) {
    for (let i = 0; i < n; i += 2) {
      const at = sums + (i << 3);
      const u = changetype<T>(0).u(a + (i << 2), v128.load(at, THIRD));
      const v = changetype<T>(0).v(u, b + (i << 2));
      v128.store(at, f64x2.add(v128.load(at), u));
      v128.store(at, f64x2.add(v128.load(at, SECOND), f64x2.mul(u, v)), SECOND);
    }
  }
}

/** Stores two columns as float32, or one if n is 1. */
function storeColumns(at: usize, n: i32, v: v128): void {
  const narrow = f32x4.demote_f64x2_zero(v);
  if (n == 1) v128.store32_lane(at, narrow, 0);
  else v128.store64_lane(at, narrow, 0);
}

/** The variance of columns, D = 1. An item is sixteen neighbouring columns, or fewer at the end of a row. */
export function varianceColumns(from: i32, to: i32, sums: usize, v: usize, x: usize, B: i32, C: i32): void {
  const strips = (C + COLUMNS - 1) / COLUMNS;
  for (let item = from; item < to; item++) {
    const a = item / strips;
    const c = (item - a * strips) * COLUMNS;
    const n = min(COLUMNS, C - c);
    const at = x + ((a * B * C + c) << 2);
    sumColumns<Deviations>(sums, at, at, n, B, C);
    for (let i = 0; i < n; i++) {
      const at = sums + (i << 3);
      store<f32>(v + ((a * C + c + i) << 2), <f32>varianceOf(load<f64>(at), load<f64>(at, SECOND), <f64>B));
    }
  }
}

/** The same for standardize. */
export function standardizeColumns(
  from: i32,
  to: i32,
  sums: usize,
  y: usize,
  x: usize,
  B: i32,
  C: i32,
  eps: f32,
): void {
  const strips = (C + COLUMNS - 1) / COLUMNS;
  for (let item = from; item < to; item++) {
    const a = item / strips;
    const c = (item - a * strips) * COLUMNS;
    const n = min(COLUMNS, C - c);
    const start = (a * B * C + c) << 2;
    sumColumns<Deviations>(sums, x + start, x + start, n, B, C);
    for (let i = 0; i < n; i++) {
      const at = sums + (i << 3);
      const variance = varianceOf(load<f64>(at), load<f64>(at, SECOND), <f64>B);
      store<f64>(at, load<f64>(at, THIRD) + load<f64>(at) / <f64>B); // the mean
      store<f64>(at, 1 / sqrt(variance + <f64>eps), SECOND);
    }
    for (let row = 0; row < B; row++) {
      for (let i = 0; i < n; i += 2) {
        const at = start + ((row * C + i) << 2);
        const d = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(x + at)), v128.load(sums + (i << 3)));
        storeColumns(y + at, n - i, f64x2.mul(d, v128.load(sums + (i << 3), SECOND)));
      }
    }
  }
}

/** The same for the gradient of standardize. */
export function standardizeInputColumns(
  from: i32,
  to: i32,
  sums: usize,
  dx: usize,
  dy: usize,
  y: usize,
  r: usize,
  B: i32,
  C: i32,
): void {
  const strips = (C + COLUMNS - 1) / COLUMNS;
  const count = f64x2.splat(<f64>B);
  for (let item = from; item < to; item++) {
    const a = item / strips;
    const c = (item - a * strips) * COLUMNS;
    const n = min(COLUMNS, C - c);
    const start = (a * B * C + c) << 2;
    sumColumns<Products>(sums, dy + start, y + start, n, B, C);
    for (let i = 0; i < n; i += 2) {
      const at = sums + (i << 3);
      v128.store(at, f64x2.div(v128.load(at), count));
      v128.store(at, f64x2.div(v128.load(at, SECOND), count), SECOND);
      v128.store(at, f64x2.promote_low_f32x4(v128.load64_zero(r + ((a * C + c + i) << 2))), THIRD);
    }
    for (let row = 0; row < B; row++) {
      for (let i = 0; i < n; i += 2) {
        const at = start + ((row * C + i) << 2);
        const means = sums + (i << 3);
        const alongY = f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(y + at)), v128.load(means, SECOND));
        const rest = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(dy + at)), v128.load(means));
        storeColumns(dx + at, n - i, f64x2.mul(f64x2.sub(rest, alongY), v128.load(means, THIRD)));
      }
    }
  }
}

/** @file What Adam does with each element. An item is 16 elements, a cache line. */

/** y = decay a + rest b */
export function runningAverage(from: i32, to: i32, y: usize, a: usize, b: usize, decay: f32, rest: f32): void {
  const d = f32x4.splat(decay);
  const r = f32x4.splat(rest);
  for (let at: usize = (<usize>from) << 6; at < (<usize>to) << 6; at += 16) {
    v128.store(y + at, f32x4.add(f32x4.mul(d, v128.load(a + at)), f32x4.mul(r, v128.load(b + at))));
  }
}

/** y = decay a + rest b² */
export function runningSquare(from: i32, to: i32, y: usize, a: usize, b: usize, decay: f32, rest: f32): void {
  const d = f32x4.splat(decay);
  const r = f32x4.splat(rest);
  for (let at: usize = (<usize>from) << 6; at < (<usize>to) << 6; at += 16) {
    const value = v128.load(b + at);
    v128.store(y + at, f32x4.add(f32x4.mul(d, v128.load(a + at)), f32x4.mul(r, f32x4.mul(value, value))));
  }
}

/** y = p - rate m / (√v / correction + eps), with rate and correction in memory. */
export function adamUpdate(
  from: i32,
  to: i32,
  y: usize,
  p: usize,
  m: usize,
  v: usize,
  rate: usize,
  correction: usize,
  eps: f32,
): void {
  const r = v128.load32_splat(rate);
  const c = v128.load32_splat(correction);
  const e = f32x4.splat(eps);
  for (let at: usize = (<usize>from) << 6; at < (<usize>to) << 6; at += 16) {
    const deviation = f32x4.add(f32x4.div(f32x4.sqrt(v128.load(v + at)), c), e);
    const step = f32x4.div(f32x4.mul(r, v128.load(m + at)), deviation);
    v128.store(y + at, f32x4.sub(v128.load(p + at), step));
  }
}

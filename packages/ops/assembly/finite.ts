/**
 * @file Whether numbers are finite, for kernels that multiply zeros of their own by what they read: a filler beside a weight, a pixel beside
 * an image. With numbers that adds 0. With NaN and infinities it makes NaN out of what the op does not read; so such a kernel raises a flag,
 * a word of memory, and the op takes the plain loops instead.
 */

/** Raises the flag unless all `count` numbers from `at` on are finite. */
export function requireFinite(flag: usize, at: usize, count: i32): void {
  let even = f32x4.splat(0);
  let odd = f32x4.splat(0);
  for (; count >= 8; count -= 8, at += 32) {
    even = addTraces(even, v128.load(at));
    odd = addTraces(odd, v128.load(at, 16));
  }
  for (; count > 0; count--, at += 4) odd = addTraces(odd, v128.load32_splat(at));
  if (isTraced(v128.or(even, odd))) raise(flag);
}

/** What numbers leave that are not finite, with what others have left: v - v is 0 for a finite one, without a bit that is set, and else NaN. */
export function addTraces(traces: v128, v: v128): v128 {
  return v128.or(traces, f32x4.sub(v, v));
}

export function isTraced(traces: v128): bool {
  return v128.any_true(traces);
}

/** Threads may raise it at the same time. */
export function raise(flag: usize): void {
  store<i32>(flag, 1);
}

export function isRaised(flag: usize): bool {
  return load<i32>(flag) != 0;
}

/**
 * @file Whether numbers are finite, for kernels that multiply zeros of their own by what they read: a filler beside a weight, a pixel beside
 * an image. With numbers that adds 0. With NaN and infinities it makes NaN out of what the op does not read; so such a kernel raises a flag,
 * a word of memory, and the op takes the plain loops instead.
 */

/** All bits but the sign: as an integer it is larger, the larger the magnitude. */
const MAGNITUDE: i32 = 0x7fffffff;

/** That of infinity. Of NaN it is larger. */
const INFINITE: i32 = 0x7f800000;

/** Raises the flag unless all `count` numbers from `at` on are finite. */
export function requireFinite(flag: usize, at: usize, count: i32): void {
  let even = i32x4.splat(0);
  let odd = i32x4.splat(0);
  for (; count >= 8; count -= 8, at += 32) {
    even = largerMagnitude(even, v128.load(at));
    odd = largerMagnitude(odd, v128.load(at, 16));
  }
  let finite = areFinite(i32x4.max_s(even, odd));
  for (; count > 0; count--, at += 4) finite = finite && (load<i32>(at) & MAGNITUDE) < INFINITE;
  if (!finite) raise(flag);
}

/** The larger of magnitudes, as integers, and those of more numbers. It begins with zeros. */
export function largerMagnitude(magnitudes: v128, numbers: v128): v128 {
  return i32x4.max_s(magnitudes, v128.and(numbers, i32x4.splat(MAGNITUDE)));
}

/** Whether magnitudes, as integers, are those of finite numbers. */
export function areFinite(magnitudes: v128): bool {
  return !v128.any_true(i32x4.ge_s(magnitudes, i32x4.splat(INFINITE)));
}

/** Threads may raise it at the same time. */
export function raise(flag: usize): void {
  store<i32>(flag, 1);
}

export function isRaised(flag: usize): bool {
  return load<i32>(flag) != 0;
}

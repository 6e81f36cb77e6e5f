/**
 * @file exp, log, tanh, sigmoid, erf and pow of four float32 numbers at a time, for every float32 there is: subnormal ones, zeros of
 * either sign, infinities and NaN, which stays NaN.
 *
 * Each reduces its argument to a short interval, and has a polynomial there: a minimax polynomial for the relative error, found with
 * Remez's algorithm, its coefficients rounded to float32. One ulp is the distance of neighbouring float32 numbers; the bounds are
 * tested against float64 in src/devices/cpu/maths.test.ts.
 *
 * Source: Muller, "Elementary Functions: Algorithms and Implementation", chapters 3 and 11; Cody and Waite, "Software Manual for the
 * Elementary Functions", 1980, for splitting ln 2 in two, so that a multiple of its first part is exact.
 */

/** ln 2 = LN2_HIGH + LN2_LOW; LN2_HIGH has 9 significant bits, so its multiples up to 2^15 are exact. */
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -0.00021219444;

/** Added to a small number, it leaves the nearest integer in the lowest bits: 1.5 * 2^23. */
const ROUND: f32 = 12582912;

function splat(value: f32): v128 {
  return f32x4.splat(value);
}

/** One step of Horner's rule: sum * x + c. */
function step(sum: v128, x: v128, c: f32): v128 {
  return f32x4.add(f32x4.mul(sum, x), splat(c));
}

/** 2^n for integers -126 <= n <= 127. */
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/**
 * e^x, within 1 ulp: x = n ln 2 + r with |r| <= ln 2 / 2, and e^r = 1 + r + r² P(r). 2^n comes as two factors, since n goes from -150 to
 * 128 and beyond the range of float32.
 */
export function expVector(x: v128): v128 {
  const bounded = f32x4.pmax(f32x4.pmin(x, splat(89)), splat(-104.5)); // e^x is infinite and 0 there; NaN stays
  const shifted = f32x4.add(f32x4.mul(bounded, splat(1.442695)), splat(ROUND));
  const n = f32x4.sub(shifted, splat(ROUND));
  const r = f32x4.sub(f32x4.sub(bounded, f32x4.mul(n, splat(LN2_HIGH))), f32x4.mul(n, splat(LN2_LOW)));
  let p = splat(0.0013813145);
  p = step(p, r, 0.008369419);
  p = step(p, r, 0.041668456);
  p = step(p, r, 0.16666515);
  p = step(p, r, 0.49999994);
  p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(r, r), p), r), splat(1));
  const whole = i32x4.sub(shifted, i32x4.splat(reinterpret<i32>(ROUND)));
  const half = i32x4.shr_s(whole, 1);
  return f32x4.mul(f32x4.mul(p, powerOfTwo(half)), powerOfTwo(i32x4.sub(whole, half)));
}

/**
 * ln x, within 1 ulp: x = 2^n (1 + f) with √½ <= 1 + f < √2, and ln(1 + f) = f - f²/2 + f³ P(f). -Infinity for zeros, NaN for negative
 * numbers.
 */
export function logVector(x: v128): v128 {
  const tiny = f32x4.lt(x, splat(1.17549435e-38));
  const scaled = v128.bitselect(f32x4.mul(x, splat(8388608)), x, tiny); // 2^23 times: no longer subnormal
  const rootHalf = i32x4.splat(0x3f3504f3);
  const above = i32x4.sub(scaled, rootHalf);
  const mantissa = i32x4.add(v128.and(above, i32x4.splat(0x7fffff)), rootHalf);
  const exponent = i32x4.sub(i32x4.shr_s(above, 23), v128.and(tiny, i32x4.splat(23)));
  const n = f32x4.convert_i32x4_s(exponent);
  const f = f32x4.sub(mantissa, splat(1));
  let p = splat(0.06746598);
  p = step(p, f, -0.11679653);
  p = step(p, f, 0.118903235);
  p = step(p, f, -0.124051355);
  p = step(p, f, 0.14219224);
  p = step(p, f, -0.16668007);
  p = step(p, f, 0.20002134);
  p = step(p, f, -0.25000009);
  p = step(p, f, 0.33333313);
  const square = f32x4.mul(f, f);
  let rest = f32x4.mul(f32x4.mul(square, f), p);
  rest = f32x4.add(rest, f32x4.mul(n, splat(LN2_LOW)));
  rest = f32x4.sub(rest, f32x4.mul(square, splat(0.5)));
  const y = f32x4.add(f32x4.mul(n, splat(LN2_HIGH)), f32x4.add(f, rest));
  // An infinity and NaN are their own roots and their own logarithms; a negative number has neither.
  const special = v128.bitselect(splat(-Infinity), f32x4.sqrt(x), f32x4.eq(x, splat(0)));
  const ordinary = v128.and(f32x4.gt(x, splat(0)), f32x4.lt(x, splat(Infinity)));
  return v128.bitselect(y, special, ordinary);
}

/** ln(1 + e) for 0 <= e <= 1, within 1 ulp: e + e² P(e). */
export function log1pVector(e: v128): v128 {
  let p = splat(-0.0033184767);
  p = step(p, e, 0.020204604);
  p = step(p, e, -0.05766448);
  p = step(p, e, 0.10680559);
  p = step(p, e, -0.15355398);
  p = step(p, e, 0.19695401);
  p = step(p, e, -0.24958588);
  p = step(p, e, 0.33330512);
  p = step(p, e, -0.4999993);
  return f32x4.add(e, f32x4.mul(f32x4.mul(e, e), p));
}

/** 1 / (1 + e^-x), within 3 ulp. */
export function sigmoidVector(x: v128): v128 {
  return logistic(x, expVector(f32x4.neg(f32x4.abs(x))));
}

/**
 * The same, given e = e^-|x|, which cannot overflow: 1 / (1 + e) or e / (1 + e). A caller that finds e itself is small enough for the
 * compiler to move into its loop with all it calls, which makes it half as fast again.
 */
export function logistic(x: v128, e: v128): v128 {
  const top = v128.bitselect(e, splat(1), f32x4.lt(x, splat(0)));
  return f32x4.div(top, f32x4.add(splat(1), e));
}

/** tanh x, within 2 ulp: x + x³ P(x²) for |x| < 0.625, else 1 - 2 / (e^2|x| + 1) with the sign of x. */
export function tanhVector(x: v128): v128 {
  const a = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = splat(-0.0057049873);
  p = step(p, z, 0.020639088);
  p = step(p, z, -0.053739715);
  p = step(p, z, 0.13331442);
  p = step(p, z, -0.3333328);
  const near = f32x4.add(x, f32x4.mul(x, f32x4.mul(z, p)));
  const e = expVector(f32x4.add(a, a));
  const far = f32x4.sub(splat(1), f32x4.div(splat(2), f32x4.add(e, splat(1))));
  return withSign(v128.bitselect(near, far, f32x4.lt(a, splat(0.625))), x); // near is +0 for -0
}

/** |a| with the sign of b. */
export function withSign(a: v128, b: v128): v128 {
  return v128.bitselect(b, a, splat(-0.0));
}

/** erf x, within 3 ulp. */
export function erfVector(x: v128): v128 {
  const a = f32x4.abs(x);
  const far = f32x4.sub(splat(1), erfRest(a, a, splat(1)));
  return v128.bitselect(erfNearZero(x), withSign(far, x), f32x4.le(a, splat(ERF_NEAR)));
}

/** Up to here erf has its polynomial; beyond, the rest that it lacks to 1 has. */
export const ERF_NEAR: f32 = 0.75;

/** erf x for |x| <= ERF_NEAR: x + x P(x²). */
export function erfNearZero(x: v128): v128 {
  const z = f32x4.mul(x, x);
  let p = splat(-0.00067495136);
  p = step(p, z, 0.005114346);
  p = step(p, z, -0.026834624);
  p = step(p, z, 0.11283377);
  p = step(p, z, -0.3761262);
  p = step(p, z, 0.12837917);
  return f32x4.add(x, f32x4.mul(x, p));
}

/**
 * 1 - erf(a) for a >= ERF_NEAR, within 5 ulp where it is not subnormal: e^(-a²) t P(t) with t = 1 / (1 + 0.35 a). The caller gives a² as
 * scale b², in which b may have more digits than a: an error of the exponent is a relative error of the result. For the
 * same reason b² is found with twice the digits of float32.
 */
export function erfRest(a: v128, b: v128, scale: v128): v128 {
  const t = f32x4.div(splat(1), f32x4.add(f32x4.mul(a, splat(0.35)), splat(1)));
  let p = splat(-0.10083455);
  p = step(p, t, 0.25336131);
  p = step(p, t, -0.084730946);
  p = step(p, t, 0.212231);
  p = step(p, t, 0.135326);
  p = step(p, t, 0.1901241);
  p = step(p, t, 0.19698218);
  p = step(p, t, 0.1974873);
  const limited = f32x4.pmin(b, splat(16)); // e^(-b²/2) is 0 there, and infinity less infinity would be NaN
  const square = f32x4.mul(limited, limited);
  const high = v128.and(limited, i32x4.splat(0xfffff000)); // 12 of 24 bits: products of the halves are exact
  const low = f32x4.sub(limited, high);
  const missing = f32x4.add(
    f32x4.add(f32x4.sub(f32x4.mul(high, high), square), f32x4.mul(f32x4.add(high, high), low)),
    f32x4.mul(low, low),
  );
  const e = expVector(f32x4.neg(f32x4.mul(square, scale)));
  const exact = f32x4.sub(e, f32x4.mul(e, f32x4.mul(missing, scale)));
  return f32x4.mul(exact, f32x4.mul(t, p));
}

/**
 * a^b, within 1 ulp: 2^(b log2 |a|) in float64, two numbers at a time, with the sign of a if b is an odd integer. As in IEEE 754-2019,
 * section 9.2.1: 1 to any power and any number to the power of 0 are 1, also where NaN is the other; so is -1 to an infinite
 * power. NaN for a negative a and a fractional b.
 */
export function powVector(a: v128, b: v128): v128 {
  const size = f32x4.abs(a);
  const low = powPair(f64x2.promote_low_f32x4(size), f64x2.promote_low_f32x4(b));
  const high = powPair(
    f64x2.promote_low_f32x4(v128.shuffle<i64>(size, size, 1, 1)),
    f64x2.promote_low_f32x4(v128.shuffle<i64>(b, b, 1, 1)),
  );
  const y = v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
  const half = f32x4.mul(b, splat(0.5));
  const isOdd = v128.andnot(f32x4.eq(b, f32x4.floor(b)), f32x4.eq(half, f32x4.floor(half)));
  const signed = v128.or(y, v128.and(v128.and(a, splat(-0.0)), isOdd));
  const isFraction = v128.and(f32x4.ne(b, f32x4.floor(b)), f32x4.lt(size, splat(Infinity)));
  const isUndefined = v128.and(f32x4.lt(a, splat(0)), isFraction);
  const withNaN = v128.or(signed, isUndefined); // all bits set is NaN
  const infiniteUnits = v128.and(f32x4.eq(size, splat(1)), f32x4.eq(f32x4.abs(b), splat(Infinity)));
  const isOne = v128.or(v128.or(f32x4.eq(a, splat(1)), f32x4.eq(b, splat(0))), infiniteUnits);
  return v128.bitselect(splat(1), withNaN, isOne);
}

/** a^b in float64 for two numbers a >= 0 and b that float32 has; what float32 has no room for may be cut off. */
function powPair(a: v128, b: v128): v128 {
  // a = 2^n m with √½ <= m < √2; log2 m = s P(s²) with s = (m - 1) / (m + 1)
  const rootHalf = i64x2.splat(0x3fe6a09e667f3bcd);
  const above = i64x2.sub(a, rootHalf);
  const m = i64x2.add(v128.and(above, i64x2.splat(0xfffffffffffff)), rootHalf);
  // 1.5 * 2^52 with n in its lowest bits is 1.5 * 2^52 + n
  const round = f64x2.splat(6755399441055744);
  const n = f64x2.sub(i64x2.add(i64x2.shr_s(above, 52), round), round);
  const s = f64x2.div(f64x2.sub(m, f64x2.splat(1)), f64x2.add(m, f64x2.splat(1)));
  const z = f64x2.mul(s, s);
  let p = f64x2.splat(0.2829209061081066);
  p = step64(p, z, 0.3199043218795636);
  p = step64(p, z, 0.412209283890876);
  p = step64(p, z, 0.577077942074501);
  p = step64(p, z, 0.9617966941142608);
  p = step64(p, z, 2.8853900817778495);
  let log2 = f64x2.add(n, f64x2.mul(s, p));
  log2 = v128.bitselect(f64x2.splat(-Infinity), log2, f64x2.eq(a, f64x2.splat(0)));
  log2 = v128.bitselect(log2, a, f64x2.lt(a, f64x2.splat(Infinity))); // infinity and NaN are their own logarithms

  // 2^t = 2^k 2^r with |r| <= 1/2
  const t = f64x2.pmax(f64x2.pmin(f64x2.mul(b, log2), f64x2.splat(200)), f64x2.splat(-200));
  const shifted = f64x2.add(t, round);
  const r = f64x2.sub(t, f64x2.sub(shifted, round));
  p = f64x2.splat(0.000015201901408882864);
  p = step64(p, r, 0.0001546931733210827);
  p = step64(p, r, 0.0013333922854083023);
  p = step64(p, r, 0.009618027172685548);
  p = step64(p, r, 0.055504103528344104);
  p = step64(p, r, 0.24022651198755204);
  p = step64(p, r, 0.6931471807287155);
  p = step64(p, r, 0.9999999999616215);
  return f64x2.mul(p, i64x2.shl(i64x2.add(shifted, i64x2.splat(1023)), 52));
}

/** `step` for float64. */
function step64(sum: v128, x: v128, c: f64): v128 {
  return f64x2.add(f64x2.mul(sum, x), f64x2.splat(c));
}

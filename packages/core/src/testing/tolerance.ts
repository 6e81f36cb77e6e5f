/**
 * @file Every tolerance of the project, with its derivation. A test takes its limit from here; a limit that a
 * test makes up for itself is a guess.
 *
 * u32 = 2^-24 and u64 = 2^-53 are the unit roundoffs: one rounding changes a value by at most that fraction.
 */

/** Relative error of one rounding to float32. */
export const u32 = 2 ** -24;

/** Relative error of one rounding to float64. */
export const u64 = 2 ** -53;

/**
 * Step of the central difference (f(x + h v) - f(x - h v)) / 2h in float64. Its error is h² f'''/6 from the formula and
 * u64 |f| / h from rounding; both are near 1e-10 for h = 1e-5 and f of the order of 1.
 */
export const differenceStep = 1e-5;

/**
 * Largest error of a directional gradient check, relative to the magnitude of what is compared, in float64.
 * The two errors above, 1e-10 each, times 1e3 for third derivatives and sums that are larger than 1 (the arbitraries draw a few
 * dozen values of magnitude up to 2), leave 1e-7; an order of magnitude stays in hand. A gradient of 2.001 for 2 is 500 times over.
 */
export const gradientTolerance = 1e-6;

/**
 * Limit of a golden comparison in float64. The truth was computed in float64 and stored in float32, so it is
 * off by up to u32 of each value; two ways to order float64 sums of up to some 10^4 terms differ by 1e4 u64, about 1e-12, of the
 * largest magnitude in the tensor. 1e-11 of it leaves an order of magnitude.
 */
export function float64GoldenLimit(reference: number, largest: number): number {
  return u32 * Math.abs(reference) + 1e-11 * largest;
}

/**
 * Limit for float32 results of plain loops against the same loops in float64: the loops compute in float64, so only storing
 * rounds, once per kernel on the way: `kernels` roundings of values of magnitude `largest`.
 */
export function float32Limit(kernels: number, largest: number): number {
  return kernels * u32 * largest;
}

/**
 * Limit of a float32 device against the loops in float64, for op tests: inputs are a few dozen numbers of magnitude up to 2, and what
 * is compared are values and gradients of first and second order, whose largest magnitude in the tensor is `largest`.
 *
 * A GPU rounds every operation. A sum of up to 64 terms costs 64 roundings; exp and log cost some 20 (measured on llvmpipe and
 * SwiftShader: 10 ulp; WGSL allows exp 3 + 2|x| ulp); and a gradient of second order passes through up to 8 such kernels: 8 * 64 = 512
 * roundings of intermediate results that are of the order of 1 or of the result itself. A wrong factor of 1.0001 is three times over.
 */
export function deviceLimit(largest: number): number {
  return 512 * u32 * Math.max(1, largest);
}

/**
 * @file Error function.
 *
 *     y = 2/√π ∫_0^x e^(-t²) dt        dx = dy 2/√π e^(-x²)
 *
 * Three rational approximations by the size of |x|. In float64 the result is within 2 units of its last place.
 *
 * Source: W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of Computation 23, 1969, whose
 * formulas and coefficients these are, as his program CALERF (SPECFUN, 1990) has them, written as float64.
 */

import { apply, elementwise, exp, mul, neg, type Op, type Tensor } from "@gridgrad/core";

/**
 * The error function of each element, in [-1, 1].
 *
 * @param x - any shape, floating.
 * @returns the shape of `x`.
 * @throws {DTypeError} when `x` is int32.
 *
 * @example
 * ```ts
 * await erf(tensor([0, Infinity, -Infinity])).data(); // [0, 1, -1]
 * ```
 */
export function erf(x: Tensor): Tensor {
  return apply(erfOp, [x], {});
}

export const erfOp: Op = {
  name: "erf",
  shape: ([x]) => x,
  dtype: "float",
  vjp: (dy, [x]) => [mul(dy, mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI)))],
  loops(y, [x]) {
    for (let i = 0; i < y.length; i++) y[i] = erfOf(x[i]);
  },
  gpu: elementwise(erfKernel, { functions: [erfNearZeroKernel, erfRestKernel] }),
};

/** The error function of a number. */
export function erfOf(x: number): number {
  const a = Math.abs(x);
  if (a <= 0.5) return erfNearZeroKernel(x);
  const rest = a <= 4 ? erfRestKernel(a) : farRest(a);
  return x < 0 ? rest - 1 : 1 - rest; // NaN comes out of farRest as NaN
}

/** 1 - erf(a) for a > 4: e^(-a²) / a (1/√π - P(1/a²) / (a² Q(1/a²))). Below half an ulp of 1 from a = 6 on. */
function farRest(a: number): number {
  const z = 1 / (a * a);
  let p = 0.016315387137302097;
  p = p * z + 0.30532663496123236;
  p = p * z + 0.36034489994980445;
  p = p * z + 0.12578172611122926;
  p = p * z + 0.016083785148742275;
  p = p * z + 0.0006587491615298378;
  let q = z + 2.568520192289822;
  q = q * z + 1.8729528499234604;
  q = q * z + 0.5279051029514285;
  q = q * z + 0.06051834131244132;
  q = q * z + 0.0023352049762686918;
  return (Math.exp(-a * a) / a) * (1 / Math.sqrt(Math.PI) - (z * p) / q);
}

function erfKernel(x: number): number {
  const a = Math.abs(x);
  if (a <= 0.5) {
    return erfNearZeroKernel(x);
  }
  if (x > 0) {
    return 1 - erfRestKernel(a);
  }
  if (x < 0) {
    return erfRestKernel(a) - 1;
  }
  return x; // NaN
}

/**
 * erf(x) for |x| <= 0.5: x P(x²) / Q(x²) as x + x (P - Q) / Q. The correction is small, and so is what rounding does to it.
 * The loops call it, too.
 */
export function erfNearZeroKernel(x: number): number {
  const z = x * x;
  let p = -0.8142222938153968;
  p = p * z - 20.440167208473554;
  p = p * z - 130.16048378339403;
  p = p * z - 905.1312883920702;
  p = p * z + 365.14075569929884;
  let q = z + 23.601290952344122;
  q = q * z + 244.02463793444417;
  q = q * z + 1282.6165260773723;
  q = q * z + 2844.236833439171;
  return x + (x * p) / q;
}

/**
 * 1 - erf(a) for 0.5 <= a <= 4: e^(-a²) P(a) / Q(a). The loops call it, too; float32 cannot tell it from the truth up to 10, where
 * e^(-a²) rounds to 0.
 */
export function erfRestKernel(a: number): number {
  if (a > 10) {
    return 0;
  }
  let p = 2.1531153547440383e-8;
  p = p * a + 0.5641884969886701;
  p = p * a + 8.883149794388377;
  p = p * a + 66.11919063714163;
  p = p * a + 298.6351381974001;
  p = p * a + 881.952221241769;
  p = p * a + 1712.0476126340707;
  p = p * a + 2051.0783778260716;
  p = p * a + 1230.3393547979972;
  let q = a + 15.744926110709835;
  q = q * a + 117.6939508913125;
  q = q * a + 537.1811018620099;
  q = q * a + 1621.3895745666903;
  q = q * a + 3290.7992357334597;
  q = q * a + 4362.619090143247;
  q = q * a + 3439.3676741437216;
  q = q * a + 1230.3393548037495;
  return (Math.exp(-a * a) * p) / q;
}

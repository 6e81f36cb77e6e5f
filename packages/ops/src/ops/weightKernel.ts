/** @file The weights of bilinear and bicubic taps (interpolationKernels.ts), for the kernels of gridSample and interpolate. */

/** The weight of a pixel from which the position is u away (u < 0: it lies behind), differentiated `order` times. */
export function weightKernel(u: number, order: number, cubic: number): number {
  // Even functions of u, made of polynomials c0 + c1 d + c2 d² + c3 d³ of its magnitude.
  let d = Math.abs(u);
  let c0 = 1;
  let c1 = -1;
  let c2 = 0;
  let c3 = 0;
  let curved = 0; // d, if the slopes depend on it: those of bilinear are numbers also where d is NaN
  if (cubic > 0.5) {
    const a = -0.75;
    c1 = 0;
    c2 = -(a + 3);
    c3 = a + 2;
    // On pixels, the right-hand piece.
    if (u < -1 || u >= 1) {
      d = d - 1;
      c0 = 0;
      c1 = a;
      c2 = -2 * a;
      c3 = a;
    }
    curved = d;
  }
  let weight = ((c3 * d + c2) * d + c1) * d + c0;
  if (order > 0.5) {
    weight = (3 * c3 * curved + 2 * c2) * curved + c1;
  }
  if (order > 1.5) {
    weight = 6 * c3 * curved + 2 * c2;
  }
  if (order > 2.5) {
    weight = 6 * c3;
  }
  if (order > 3.5) {
    weight = 0;
  }
  // Odd derivatives of even functions are odd.
  if (u < 0 && order - 2 * Math.floor(order / 2) > 0.5) {
    weight = -weight;
  }
  return weight;
}

/**
 * @file Gaussian error linear unit: x times the probability that a normal variable is below x.
 *
 *     none:  y = x Φ(x)                Φ(x) = (1 + erf(x / √2)) / 2
 *            dx = dy (Φ(x) + x φ(x))   φ(x) = e^(-x²/2) / √(2π)
 *     tanh:  y = x (1 + t) / 2         t = tanh(u),  u = √(2/π) (x + 0.044715 x³)
 *            dx = dy ((1 + t) / 2 + x (1 - t²) u' / 2)
 *
 * Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", arXiv 1606.08415, 2016, also for the tanh form;
 * torch.nn.functional.gelu.
 */

import {
  add,
  apply,
  checkOptions,
  elementwise,
  exp,
  mul,
  type Op,
  sigmoidKernel,
  sub,
  tanh,
  type Tensor,
  ValueError,
} from "@gridgrad/core";

import { erf, erfNearZeroKernel, erfOf, erfRestKernel } from "./erf.ts";
import { geluCubic } from "./geluCubic.ts";

/** `"none"`: the exact function; `"tanh"`: an approximation of it that is off by up to 5e-4. */
export type GeluApproximation = "none" | "tanh";

const tanhScale = Math.sqrt(2 / Math.PI);

const geluOptions = { approximate: 1 } as const;

/**
 * The Gaussian error linear unit of each element.
 *
 * @param x - any shape, floating.
 * @param options.approximate - `"none"` (default) or `"tanh"`.
 * @returns the shape of `x`.
 * @throws {ValueError} when `approximate` is neither.
 * @throws {DTypeError} when `x` is int32.
 *
 * @example
 * ```ts
 * await gelu(tensor([0, 100])).data(); // [0, 100]
 * ```
 */
export function gelu(x: Tensor, options?: { approximate?: GeluApproximation }): Tensor {
  const { approximate = "none" } = checkOptions("gelu(x)", geluOptions, options, arguments);
  return apply(geluOp, [x], { approximate });
}

export const geluOp: Op<{ readonly approximate: GeluApproximation }> = {
  name: "gelu",

  shape([x], { approximate }) {
    if (approximate !== "none" && approximate !== "tanh")
      throw new ValueError("gelu", 'approximate must be "none" or "tanh"', JSON.stringify(approximate));
    return x;
  },

  dtype: "float",

  vjp(dy, [x], { approximate }) {
    const square = mul(x, x);
    if (approximate === "none") {
      const below = mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
      const density = mul(exp(mul(square, -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return [mul(dy, add(below, mul(x, density)))];
    }
    const t = tanh(mul(x, add(mul(square, tanhScale * geluCubic), tanhScale)));
    const uSlope = add(mul(square, 3 * tanhScale * geluCubic), tanhScale);
    const half = mul(dy, 0.5);
    return [mul(half, add(add(t, 1), mul(mul(x, sub(1, mul(t, t))), uSlope)))];
  },

  loops(y, [x], { attrs: { approximate } }) {
    if (approximate === "none") {
      for (let i = 0; i < y.length; i++) y[i] = 0.5 * x[i] * (1 + erfOf(x[i] * Math.SQRT1_2));
    } else {
      for (let i = 0; i < y.length; i++) {
        const u = tanhScale * x[i] * (1 + geluCubic * x[i] * x[i]);
        y[i] = 0.5 * x[i] * (1 + Math.tanh(u));
      }
    }
  },

  gpu: (info, ...rest) => (info.attrs.approximate === "none" ? exactPlan : tanhPlan)(info, ...rest),
};

const exactPlan = elementwise(geluKernel, { functions: [erfNearZeroKernel, erfRestKernel] });
const tanhPlan = elementwise(geluTanhKernel, { floats: () => [tanhScale, geluCubic], functions: [sigmoidKernel] });

/** For negative x, Φ(x) is half the rest that erf lacks to 1: 1 + erf would lose its digits. */
function geluKernel(x: number): number {
  const a = Math.abs(x) * 0.7071067811865476; // 1/√2
  if (a <= 0.5) {
    return 0.5 * x * (1 + erfNearZeroKernel(x * 0.7071067811865476));
  }
  if (x > 0) {
    return x * (1 - 0.5 * erfRestKernel(a));
  }
  if (x < 0) {
    return x * (0.5 * erfRestKernel(a));
  }
  return x; // NaN
}

/** (1 + tanh u) / 2 is sigmoid(2u), which keeps the digits that 1 + tanh loses for negative u. */
function geluTanhKernel(x: number, tanhScale: number, cubic: number): number {
  return x * sigmoidKernel(2 * tanhScale * x * (1 + cubic * x * x));
}

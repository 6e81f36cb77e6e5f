/**
 * @file Leaky rectified linear unit.
 *
 *     y = x where x > 0, else a x        dx = dy where x > 0, else a dy
 *
 * Source: torch.nn.functional.leaky_relu, whose gradient at 0 is that of the negative side.
 */

import { checkOptions, type OptionNames } from "../checkOptions.ts";
import { elementwise } from "../gpu/elementwise.ts";
import type { Op } from "../op.ts";
import { apply } from "../apply.ts";
import { full } from "../leaf.ts";
import type { Tensor } from "../tensor.ts";
import { greater } from "./compare.ts";
import { mul } from "./mul.ts";
import { where } from "./where.ts";

export interface LeakyReluOptions {
  /** Slope of the negative side. Default 0.01. */
  readonly negativeSlope?: number;
}

const leakyReluOptions: OptionNames<LeakyReluOptions> = { negativeSlope: 1 };

/**
 * Multiplies negative elements by a small slope.
 *
 * @param x - any shape, floating.
 * @param options.negativeSlope - the factor on the negative side. Default 0.01.
 * @returns the shape of `x`.
 * @throws {DTypeError} when `x` is int32.
 *
 * @example
 * ```ts
 * await leakyRelu(tensor([-1, 2]), { negativeSlope: 0.25 }).data(); // [-0.25, 2]
 * ```
 */
export function leakyRelu(x: Tensor, options?: LeakyReluOptions): Tensor {
  const { negativeSlope = 0.01 } = checkOptions("leakyRelu(x)", leakyReluOptions, options, arguments);
  return apply(leakyReluOp, [x], { negativeSlope });
}

export const leakyReluOp: Op<{ readonly negativeSlope: number }> = {
  name: "leakyRelu",

  shape: ([x]) => x,

  dtype: "float",

  vjp(dy, [x], { negativeSlope }) {
    const slope = where(greater(x, 0), full([], 1, { dtype: x.dtype }), full([], negativeSlope, { dtype: x.dtype }));
    return [mul(dy, slope)];
  },

  loops(y, [x], { attrs: { negativeSlope } }) {
    for (let i = 0; i < y.length; i++) y[i] = x[i] > 0 ? x[i] : x[i] * negativeSlope;
  },

  gpu: elementwise(leakyReluKernel, { floats: ({ negativeSlope }) => [negativeSlope] }),
};

function leakyReluKernel(x: number, negativeSlope: number): number {
  if (x > 0) {
    return x;
  }
  return x * negativeSlope;
}

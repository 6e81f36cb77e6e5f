/**
 * @file Power.
 *
 *     y = a^b        da = dy b a^(b-1), which is 0 for b = 0;  db = dy y ln a, which is 0 for a = 0 and b >= 0
 *
 * Source: torch.pow, whose conventions at zero these are; IEEE 754-2019, section 9.2.1: 1 to any power is 1.
 */

import { elementwise } from "../gpu/elementwise.ts";
import type { DType } from "../dtype.ts";
import type { Op } from "../op.ts";
import { broadcastShapes } from "../shape.ts";
import { apply, operands } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { walkBroadcast } from "../walk.ts";
import { abs } from "./abs.ts";
import { equal, greaterEqual, less, notEqual } from "./compare.ts";
import { div } from "./div.ts";
import { sumTo } from "./expand.ts";
import { log } from "./log.ts";
import { maximum } from "./maximum.ts";
import { mul } from "./mul.ts";
import { sub } from "./sub.ts";
import { where } from "./where.ts";

/**
 * Raises to a power element by element, broadcasting. NaN for a negative base with a fractional exponent.
 *
 * @param base - any shape, floating; a number counts as a scalar.
 * @param exponent - a shape that broadcasts with that of `base`; a number counts as a scalar.
 * @returns the broadcast shape.
 * @throws {ShapeError} when the shapes do not broadcast.
 * @throws {DTypeError} when the element types differ or are int32.
 *
 * @example
 * ```ts
 * await pow(tensor([1, 2, 3]), 2).data(); // [1, 4, 9]
 * ```
 */
export function pow<D extends DType>(base: Tensor<D> | number, exponent: Tensor<D> | number): Tensor<D> {
  return apply(powOp, operands("pow", base, exponent), {});
}

export const powOp: Op = {
  name: "pow",

  shape: ([a, b]) => broadcastShapes("pow", { base: a, exponent: b }),

  dtype: "float",

  vjp(dy, [a, b], _attrs, y) {
    // Where a factor of 0 would meet an infinity or NaN, a base of 1 stands in: the slopes are 0 there, and so are their own slopes.
    // 1/a is infinite for the smallest numbers, too.
    const inverts = less(abs(div(1, a)), Infinity);
    const slopeOfBase = mul(b, pow(where(maximum(notEqual(b, 0), inverts), a, 1), sub(b, 1)));
    const slopeOfExponent = mul(y, log(where(mul(equal(a, 0), greaterEqual(b, 0)), 1, a)));
    return [sumTo(mul(dy, slopeOfBase), a.shape), sumTo(mul(dy, slopeOfExponent), b.shape)];
  },

  loops(y, [a, b], { inShapes, outShape }) {
    walkBroadcast(outShape, inShapes, (n, [yAt, aAt, bAt], [, aStep, bStep]) => {
      for (let i = 0; i < n; i++) y[yAt + i] = power(a[aAt + i * aStep], b[bAt + i * bStep]);
    });
  },

  gpu: elementwise(powKernel, { functions: [wholePowerKernel, hugePowerKernel] }),
};

/** a^b by IEEE 754, from which JavaScript departs for 1^NaN and for 1 and -1 to an infinite power. */
function power(a: number, b: number): number {
  return a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b;
}

/**
 * Drivers have powers of positive numbers only, as e^(b ln a), which loses digits for large b. So the whole part of the exponent
 * multiplies, with the sign of a, and the fraction is left to them.
 */
function powKernel(a: number, b: number): number {
  if (a === 1 || b === 0) {
    return 1;
  }
  const size = Math.abs(a);
  const exponent = Math.abs(b);
  if (exponent >= 16777216) {
    return hugePowerKernel(size, b);
  }
  let whole = Math.floor(exponent);
  let fraction = exponent - whole;
  if (b < 0) {
    whole = -whole;
    fraction = -fraction;
  }
  if (fraction === 0) {
    return wholePowerKernel(a, whole);
  }
  if (size === 0) {
    if (b < 0) {
      return 1 / size;
    }
    if (b > 0) {
      return 0;
    }
    return a + b; // NaN
  }
  if (a > 0 || a < -3.4028234663852886e38) {
    if (fraction === 0.5) {
      return wholePowerKernel(size, whole) * Math.sqrt(size);
    }
    if (fraction === -0.5) {
      return wholePowerKernel(size, whole) / Math.sqrt(size);
    }
    if (Math.abs(fraction) > 0) {
      return wholePowerKernel(size, whole) * Math.pow(size, fraction);
    }
    return a + b; // NaN
  }
  if (a < 0) {
    return Math.sqrt(a); // NaN
  }
  return a + b; // NaN
}

/** size^b for |b| >= 2^24, which is even or infinite. */
function hugePowerKernel(size: number, b: number): number {
  if (size === 1) {
    return 1;
  }
  if (size > 1) {
    return Math.pow(size, b);
  }
  if (size < 1) {
    return 1 / Math.pow(1 / size, b);
  }
  return size + b; // NaN
}

/** a to a whole exponent n of less than 2^24, by squaring: a product of the a^(2^k) whose bit k is set in n. */
function wholePowerKernel(a: number, n: number): number {
  let left = Math.abs(n);
  let square = a;
  let product = 1.0;
  for (let k = 0; k < 24; k++) {
    if (left < 1) {
      break;
    }
    const half = Math.floor(left * 0.5);
    if (left > half * 2) {
      product = product * square;
    }
    square = square * square;
    left = half;
  }
  if (n < 0) {
    return 1 / product;
  }
  return product;
}

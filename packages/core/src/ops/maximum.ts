/**
 * @file The larger of two tensors, element by element.
 *
 *     y = max(a, b)        da = dy where a > b, db = dy where b > a, half each where they are equal
 *
 * Source: torch.maximum, whose gradient at ties this is. NaN in either operand gives NaN.
 */

import { elementwise } from "../gpu/elementwise.ts";
import type { DType } from "../dtype.ts";
import type { Op } from "../op.ts";
import { broadcastShapes } from "../shape.ts";
import { apply, operands } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { walkBroadcast } from "../walk.ts";
import { equal, less } from "./compare.ts";
import { sumTo } from "./expand.ts";
import { mul } from "./mul.ts";
import { where } from "./where.ts";

/**
 * The larger of each pair of elements, broadcasting. NaN in either gives NaN.
 *
 * @param a - any shape; a number counts as a scalar.
 * @param b - a shape that broadcasts with that of `a`; a number counts as a scalar.
 * @returns the broadcast shape.
 * @throws {ShapeError} when the shapes do not broadcast.
 * @throws {DTypeError} when the element types differ.
 *
 * @example
 * ```ts
 * await maximum(tensor([1, 5]), 3).data(); // [3, 5]
 * ```
 */
export function maximum<D extends DType>(a: Tensor<D> | number, b: Tensor<D> | number): Tensor<D> {
  return apply(maximumOp, operands("maximum", a, b), {});
}

export const maximumOp: Op = {
  name: "maximum",

  shape: ([a, b]) => broadcastShapes("maximum", { a, b }),

  dtype: "any",

  vjp(dy, [a, b]) {
    const shared = where(equal(a, b), mul(dy, 0.5), dy);
    const toA = where(less(a, b), 0, shared); // a product with a mask would make NaN of an infinite dy
    const toB = where(less(b, a), 0, shared);
    return [sumTo(toA, a.shape), sumTo(toB, b.shape)];
  },

  loops(y, [a, b], { inShapes, outShape }) {
    walkBroadcast(outShape, inShapes, (n, [yAt, aAt, bAt], [, aStep, bStep]) => {
      for (let i = 0; i < n; i++) y[yAt + i] = Math.max(a[aAt + i * aStep], b[bAt + i * bStep]);
    });
  },

  gpu: elementwise(maximumKernel),
};

function maximumKernel(a: number, b: number): number {
  if (a > b) {
    return a;
  }
  if (b >= a) {
    return b;
  }
  return a + b; // NaN, which Math.max may lose
}

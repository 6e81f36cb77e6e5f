/**
 * @file Difference of two tensors.
 *
 *     y = a - b        da = dy, db = -dy, each summed over the axes that broadcasting stretched
 *
 * Source: torch.sub.
 */

import { elementwise } from "../gpu/elementwise.ts";
import type { DType } from "../dtype.ts";
import type { Op } from "../op.ts";
import { broadcastShapes } from "../shape.ts";
import { apply, operands } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { walkBroadcast } from "../walk.ts";
import { sumTo } from "./expand.ts";
import { neg } from "./neg.ts";

/**
 * Subtracts element by element, broadcasting.
 *
 * @param a - any shape; a number counts as a scalar.
 * @param b - a shape that broadcasts with that of `a`; a number counts as a scalar.
 * @returns the broadcast shape.
 * @throws {ShapeError} when the shapes do not broadcast.
 * @throws {DTypeError} when the element types differ.
 *
 * @example
 * ```ts
 * await sub(tensor([1, 2, 3]), 1).data(); // [0, 1, 2]
 * ```
 */
export function sub<D extends DType>(a: Tensor<D> | number, b: Tensor<D> | number): Tensor<D> {
  return apply(subOp, operands("sub", a, b), {});
}

export const subOp: Op = {
  name: "sub",

  shape: ([a, b]) => broadcastShapes("sub", { a, b }),

  dtype: "any",

  vjp: (dy, [a, b]) => [sumTo(dy, a.shape), neg(sumTo(dy, b.shape))],

  loops(y, [a, b], { inShapes, outShape }) {
    walkBroadcast(outShape, inShapes, (n, [yAt, aAt, bAt], [, aStep, bStep]) => {
      for (let i = 0; i < n; i++) y[yAt + i] = a[aAt + i * aStep] - b[bAt + i * bStep];
    });
  },

  gpu: elementwise(subKernel),
};

function subKernel(a: number, b: number): number {
  return a - b;
}

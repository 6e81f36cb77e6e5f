/**
 * @file Sum of two tensors.
 *
 *     y = a + b        da = dy, db = dy, each summed over the axes that broadcasting stretched
 *
 * Source: torch.add.
 */

import { elementwise } from "../gpu/elementwise.ts";
import type { DType } from "../dtype.ts";
import type { Op } from "../op.ts";
import { broadcastShapes } from "../shape.ts";
import { apply, operands } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { walkBroadcast } from "../walk.ts";
import { sumTo } from "./expand.ts";

/**
 * Adds element by element, broadcasting.
 *
 * @param a - any shape; a number counts as a scalar.
 * @param b - a shape that broadcasts with that of `a`; a number counts as a scalar.
 * @returns the broadcast shape.
 * @throws {ShapeError} when the shapes do not broadcast.
 * @throws {DTypeError} when the element types differ.
 *
 * @example
 * ```ts
 * await add(tensor([1, 2, 3]), 10).data(); // [11, 12, 13]
 * ```
 */
export function add<D extends DType>(a: Tensor<D> | number, b: Tensor<D> | number): Tensor<D> {
  return apply(addOp, operands("add", a, b), {});
}

export const addOp: Op = {
  name: "add",

  shape: ([a, b]) => broadcastShapes("add", { a, b }),

  dtype: "any",

  vjp: (dy, [a, b]) => [sumTo(dy, a.shape), sumTo(dy, b.shape)],

  loops(y, [a, b], { inShapes, outShape }) {
    walkBroadcast(outShape, inShapes, (n, [yAt, aAt, bAt], [, aStep, bStep]) => {
      for (let i = 0; i < n; i++) y[yAt + i] = a[aAt + i * aStep] + b[bAt + i * bStep];
    });
  },

  gpu: elementwise(addKernel),
};

function addKernel(a: number, b: number): number {
  return a + b;
}

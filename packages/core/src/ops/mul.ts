/**
 * @file Product of two tensors.
 *
 *     y = a b        da = dy b, db = dy a, each summed over the axes that broadcasting stretched
 *
 * Source: torch.mul.
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
 * Multiplies element by element, broadcasting. Products of int32 wrap around at 32 bits.
 *
 * @param a - any shape; a number counts as a scalar.
 * @param b - a shape that broadcasts with that of `a`; a number counts as a scalar.
 * @returns the broadcast shape.
 * @throws {ShapeError} when the shapes do not broadcast.
 * @throws {DTypeError} when the element types differ.
 *
 * @example
 * ```ts
 * await mul(tensor([1, 2, 3]), tensor([[1], [10]])).array(); // [[1, 2, 3], [10, 20, 30]]
 * ```
 */
export function mul<D extends DType>(a: Tensor<D> | number, b: Tensor<D> | number): Tensor<D> {
  return apply(mulOp, operands("mul", a, b), {});
}

export const mulOp: Op = {
  name: "mul",

  shape: ([a, b]) => broadcastShapes("mul", { a, b }),

  dtype: "any",

  vjp: (dy, [a, b]) => [sumTo(mul(dy, b), a.shape), sumTo(mul(dy, a), b.shape)],

  loops(y, [a, b], { inShapes, outShape, dtype }) {
    walkBroadcast(outShape, inShapes, (n, [yAt, aAt, bAt], [, aStep, bStep]) => {
      if (dtype === "int32") {
        // Products beyond 2^53 would lose the low bits, which are those that stay.
        for (let i = 0; i < n; i++) y[yAt + i] = Math.imul(a[aAt + i * aStep], b[bAt + i * bStep]);
      } else {
        for (let i = 0; i < n; i++) y[yAt + i] = a[aAt + i * aStep] * b[bAt + i * bStep];
      }
    });
  },

  gpu: elementwise(mulKernel),
};

function mulKernel(a: number, b: number): number {
  return a * b;
}

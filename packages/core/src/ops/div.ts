/**
 * @file Quotient of two tensors.
 *
 *     y = a / b        da = dy / b, db = -dy y / b, each summed over the axes that broadcasting stretched
 *
 * Source: torch.div; division by zero follows IEEE 754.
 */

import { elementwise } from "../gpu/elementwise.ts";
import type { DType } from "../dtype.ts";
import type { Op } from "../op.ts";
import { broadcastShapes } from "../shape.ts";
import { apply, operands } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { walkBroadcast } from "../walk.ts";
import { sumTo } from "./expand.ts";
import { mul } from "./mul.ts";
import { neg } from "./neg.ts";

/**
 * Divides element by element, broadcasting. Division by zero gives an infinity or NaN.
 *
 * @param a - any shape; a number counts as a scalar.
 * @param b - a shape that broadcasts with that of `a`; a number counts as a scalar.
 * @returns the broadcast shape.
 * @throws {ShapeError} when the shapes do not broadcast.
 * @throws {DTypeError} when the element types differ or are int32.
 *
 * @example
 * ```ts
 * await div(tensor([1, 2, 3]), 4).data(); // [0.25, 0.5, 0.75]
 * ```
 */
export function div<D extends DType>(a: Tensor<D> | number, b: Tensor<D> | number): Tensor<D> {
  return apply(divOp, operands("div", a, b), {});
}

export const divOp: Op = {
  name: "div",

  shape: ([a, b]) => broadcastShapes("div", { a, b }),

  dtype: "float",

  vjp: (dy, [a, b], _attrs, y) => [sumTo(div(dy, b), a.shape), sumTo(neg(mul(dy, div(y, b))), b.shape)],

  loops(y, [a, b], { inShapes, outShape }) {
    walkBroadcast(outShape, inShapes, (n, [yAt, aAt, bAt], [, aStep, bStep]) => {
      for (let i = 0; i < n; i++) y[yAt + i] = a[aAt + i * aStep] / b[bAt + i * bStep];
    });
  },

  gpu: elementwise(divKernel),
};

function divKernel(a: number, b: number): number {
  return a / b;
}

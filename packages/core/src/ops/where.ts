/**
 * @file Choice between two tensors, element by element.
 *
 *     y = a where condition ≠ 0, else b        da = dy where condition ≠ 0, db = dy elsewhere
 *
 * Source: torch.where.
 */

import { elementwise } from "../gpu/elementwise.ts";
import { DTypeError } from "../errors.ts";
import type { DType } from "../dtype.ts";
import type { Op } from "../op.ts";
import { broadcastShapes } from "../shape.ts";
import { apply, operands } from "../apply.ts";
import { zeros } from "../leaf.ts";
import type { Tensor } from "../tensor.ts";
import { walkBroadcast } from "../walk.ts";
import { sumTo } from "./expand.ts";

/**
 * Takes `a` where `condition` is not 0 and `b` elsewhere, broadcasting all three. What is not taken has no influence, not even
 * a NaN.
 *
 * @param condition - any shape and dtype, such as a comparison gives it.
 * @param a - a shape that broadcasts; a number counts as a scalar.
 * @param b - a shape that broadcasts, of the element type of `a`; a number counts as a scalar.
 * @returns the broadcast shape, in the element type of `a` and `b`.
 * @throws {ShapeError} when the shapes do not broadcast.
 * @throws {DTypeError} when the element types of `a` and `b` differ.
 *
 * @example
 * ```ts
 * const x = tensor([-1, 2, -3]);
 * await where(greater(x, 0), x, 0).data(); // [0, 2, 0]
 * ```
 */
export function where<D extends DType>(condition: Tensor, a: Tensor<D> | number, b: Tensor<D> | number): Tensor<D> {
  return apply(whereOp, [condition, ...operands("where", a, b)], {});
}

export const whereOp: Op = {
  name: "where",

  shape: ([condition, a, b]) => broadcastShapes("where", { condition, a, b }),

  dtype([, a, b]) {
    if (a !== b)
      throw new DTypeError("where", 'a and b must share one dtype (x.cast("float32") converts)', `${a} and ${b}`);
    return a;
  },

  vjp(dy, [condition, a, b]) {
    const none = zeros([], { dtype: dy.dtype });
    return [null, sumTo(where(condition, dy, none), a.shape), sumTo(where(condition, none, dy), b.shape)];
  },

  loops(y, [condition, a, b], { inShapes, outShape }) {
    walkBroadcast(outShape, inShapes, (n, [yAt, cAt, aAt, bAt], [, cStep, aStep, bStep]) => {
      for (let i = 0; i < n; i++)
        y[yAt + i] = condition[cAt + i * cStep] !== 0 ? a[aAt + i * aStep] : b[bAt + i * bStep];
    });
  },

  gpu: elementwise(whereKernel),
};

function whereKernel(condition: number, a: number, b: number): number {
  if (condition === 0) {
    return b;
  }
  return a; // for NaN, too
}

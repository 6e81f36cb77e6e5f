/** @file What the losses share: how a loss per element becomes the result, and that a target matches what it is held against. */

import {
  checkTensors,
  DTypeError,
  isFloat,
  mean,
  sameShape,
  ShapeError,
  sum,
  type Tensor,
  ValueError,
} from "@gridgrad/core";

/** `"mean"` and `"sum"` of all elements give a scalar; `"none"` keeps a loss per element. */
export type Reduction = "mean" | "sum" | "none";

export function reduceLosses(losses: Tensor, reduction: Reduction): Tensor {
  switch (reduction) {
    case "mean":
      return mean(losses);
    case "sum":
      return sum(losses);
    case "none":
      return losses;
  }
}

export function checkReduction(op: string, reduction: string): asserts reduction is Reduction {
  if (!["mean", "sum", "none"].includes(reduction))
    throw new ValueError(op, 'reduction must be "mean", "sum" or "none"', JSON.stringify(reduction));
}

/** Throws unless both have one shape and one element type. Nothing broadcasts: `[N, 1]` against `[N]` would give N² losses. */
export function checkTarget(op: string, x: Tensor, target: Tensor): void {
  checkTensors(op, { x, target });
  if (!sameShape(x.shape, target.shape)) {
    const rule = "x and target must have the same shape (nothing broadcasts; reshape or expand one of them)";
    throw new ShapeError(op, rule, { x: x.shape, target: target.shape });
  }
  if (x.dtype !== target.dtype || !isFloat(x.dtype)) {
    const rule = 'x and target must share one floating dtype (target.cast("float32") converts)';
    throw new DTypeError(op, rule, `${x.dtype} and ${target.dtype}`);
  }
}

/** What a loss takes that has no more than this. */
export const lossOptions = { reduction: 1 } as const;

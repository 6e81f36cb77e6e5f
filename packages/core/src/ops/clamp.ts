/**
 * @file Clamp: limit to an interval.
 *
 *     y = min(max(x, low), high)        dx = dy where low <= x <= high, else 0
 *
 * Source: torch.clamp, whose gradient at the limits is 1.
 */

import { ValueError } from "../errors.ts";
import type { Op } from "../op.ts";
import { apply, type Tensor } from "../tensor.ts";
import { greaterEqual, lessEqual } from "./compare.ts";
import { mul } from "./mul.ts";

/** `null` where there is no limit: attributes are plain data, in which an infinity has no form. */
interface Attrs {
  readonly min: number | null;
  readonly max: number | null;
}

/**
 * Limits each element to an interval; NaN stays NaN.
 *
 * @param x - any shape.
 * @param limits.min - the lower limit. Default: none.
 * @param limits.max - the upper limit. Default: none.
 * @returns the shape of `x`.
 * @throws {ValueError} when neither limit is given, `min` is above `max`, or a limit is NaN.
 *
 * @example
 * ```ts
 * await clamp(tensor([-2, 0.5, 9]), { min: 0, max: 1 }).data(); // [0, 0.5, 1]
 * ```
 */
export function clamp(x: Tensor, { min, max }: { min?: number; max?: number }): Tensor {
  return apply(clampOp, [x], { min: min ?? null, max: max ?? null });
}

export const clampOp: Op<Attrs> = {
  name: "clamp",

  shape([x], { min, max }) {
    const wrong = (min === null && max === null) || (min !== null && max !== null && !(min <= max));
    if (wrong || Number.isNaN(min) || Number.isNaN(max)) {
      throw new ValueError(
        "clamp",
        "min or max must be given, and min must not be above max",
        `min ${min} and max ${max}`,
      );
    }
    return x;
  },

  dtype: "any",

  vjp(dy, [x], { min, max }) {
    let dx = dy;
    if (min !== null) dx = mul(dx, greaterEqual(x, min));
    if (max !== null) dx = mul(dx, lessEqual(x, max));
    return [dx];
  },

  loops(y, [x], { attrs: { min, max } }) {
    const low = min ?? -Infinity;
    const high = max ?? Infinity;
    for (let i = 0; i < y.length; i++) y[i] = Math.min(Math.max(x[i], low), high);
  },
};

/**
 * @file Clamp: limit to an interval.
 *
 *     y = min(max(x, low), high)        dx = dy where low <= x <= high, else 0
 *
 * Source: torch.clamp, whose gradient at the limits is 1.
 */

import { checkOptions, type OptionNames } from "../checkOptions.ts";
import { DTypeError, ValueError } from "../errors.ts";
import type { Op } from "../op.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { greaterEqual, lessEqual } from "./compare.ts";
import { where } from "./where.ts";

/** `null` where there is no limit or an infinite one: attributes are plain data, in which an infinity has no form. */
interface Attrs {
  readonly min: number | null;
  readonly max: number | null;
}

export interface ClampOptions {
  readonly min?: number;
  readonly max?: number;
}

const clampOptions: OptionNames<ClampOptions> = { min: 1, max: 1 };

/**
 * Limits each element to an interval; NaN stays NaN.
 *
 * @param x - any shape.
 * @param options.min - the lower limit. Default: none.
 * @param options.max - the upper limit. Default: none.
 * @returns the shape of `x`.
 * @throws {ValueError} when neither limit is given, `min` is above `max`, or a limit is NaN or an infinity beyond every number.
 * @throws {DTypeError} when `x` is int32 and a limit is not an integer of 32 bits.
 *
 * @example
 * ```ts
 * await clamp(tensor([-2, 0.5, 9]), { min: 0, max: 1 }).data(); // [0, 0.5, 1]
 * ```
 */
export function clamp(x: Tensor, options: ClampOptions): Tensor {
  const { min, max } = checkOptions("clamp(x)", clampOptions, options, arguments);
  const low = min ?? -Infinity;
  const high = max ?? Infinity;
  const given = min !== undefined || max !== undefined;
  if (!given || !(low <= high) || low === Infinity || high === -Infinity) {
    throw new ValueError(
      "clamp",
      "min or max must be given, with min <= max, min < Infinity and max > -Infinity",
      `min ${min} and max ${max}`,
    );
  }
  return apply(clampOp, [x], { min: low === -Infinity ? null : low, max: high === Infinity ? null : high });
}

export const clampOp: Op<Attrs> = {
  name: "clamp",

  shape: ([x]) => x,

  dtype([x], { min, max }) {
    for (const limit of [min, max]) {
      if (x === "int32" && limit !== null && limit !== (limit | 0)) {
        const rule = "the limits of an int32 tensor must be integers of 32 bits; cast the tensor first";
        throw new DTypeError("clamp", rule, String(limit));
      }
    }
    return x;
  },

  vjp(dy, [x], { min, max }) {
    let dx = dy; // selected below: a product with a mask would make NaN of an infinite dy
    if (min !== null) dx = where(greaterEqual(x, min), dx, 0);
    if (max !== null) dx = where(lessEqual(x, max), dx, 0);
    return [dx];
  },

  loops(y, [x], { attrs: { min, max } }) {
    const low = min ?? -Infinity;
    const high = max ?? Infinity;
    for (let i = 0; i < y.length; i++) y[i] = Math.min(Math.max(x[i], low), high);
  },

  gpu(info, _, { elementwisePlan }) {
    const low = Math.fround(info.attrs.min ?? -Infinity);
    const high = Math.fround(info.attrs.max ?? Infinity);
    if (low === Infinity || high === -Infinity) return null; // beyond float32, where a kernel's constants are finite
    const floats = [low, high].filter(Number.isFinite);
    if (floats.length === 0) return 0;
    const oneLimit = low === -Infinity ? atMostKernel : atLeastKernel;
    return elementwisePlan(floats.length === 2 ? clampKernel : oneLimit, info, { floats: () => floats });
  },
};

function atLeastKernel(x: number, min: number): number {
  if (x < min) {
    return min;
  }
  if (x >= min) {
    return x;
  }
  return x + 1; // NaN, which drivers lose if nothing but x stands here: they make a maximum of that
}

function atMostKernel(x: number, max: number): number {
  if (x > max) {
    return max;
  }
  if (x <= max) {
    return x;
  }
  return x + 1; // NaN
}

function clampKernel(x: number, min: number, max: number): number {
  if (x < min) {
    return min;
  }
  if (x > max) {
    return max;
  }
  if (x >= min) {
    return x;
  }
  return x + 1; // NaN
}

/**
 * @file Values that are not finite, and zeros, which multiplied by them give NaN: what to put where in the inputs of a check.
 */

import fc from "fast-check";

import { leaf } from "../leaf.ts";
import type { Tensor } from "../tensor.ts";

/** A special value for `count` elements of a tensor, from element `at` on. Numbers that are too large start again at 0. */
export interface Placement {
  /** Which tensor of a list. */
  readonly tensor: number;
  readonly at: number;
  readonly count: number;
  readonly value: number;
}

/**
 * One to five places, mostly of a single element. Elements side by side are a row that is infinite everywhere, say.
 * What is not among the values stands in finiteExceptions.ts.
 */
export function placements(): fc.Arbitrary<readonly Placement[]> {
  const placement = fc.record({
    tensor: fc.nat(5), // no op has more inputs, the gradient of its output included
    at: fc.nat(999),
    count: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 6 })),
    value: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity) },
      { weight: 1, arbitrary: fc.constantFrom(0, -0) },
    ),
  });
  return fc.array(placement, { minLength: 1, maxLength: 5 });
}

/** `x`, the tensor number `index` of a list of `count`, with the special values that lie in it. */
export function place(x: Tensor, index: number, count: number, places: readonly Placement[]): Tensor {
  const values = x.values!.slice();
  if (values.length === 0) return x;
  for (const { tensor, at, count: length, value } of places) {
    if (tensor % count !== index) continue;
    for (let k = 0; k < length; k++) values[(at + k) % values.length] = value;
  }
  return leaf(x.shape, x.dtype, values);
}

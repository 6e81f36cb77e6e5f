/** @file One result reached in two ways, in float64: equal except for the order of roundings. */

import { type Tensor } from "@gridgrad/core";
import { float64GoldenLimit } from "@gridgrad/core/testing";
import { expect } from "vitest";

/**
 * Expects both tensors to have one shape and, within the limit for two orders of the same float64 sums, the same
 * values. An infinity is the same as itself only, NaN as nothing.
 */
export async function expectSame(got: Tensor, want: Tensor): Promise<void> {
  expect(got.shape).toEqual(want.shape);
  expect([got.dtype, want.dtype]).toEqual(["float64", "float64"]);
  const [a, b] = [await got.data(), await want.data()];
  let largest = 1;
  for (const value of b) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  for (let i = 0; i < a.length; i++) {
    const error = a[i] === b[i] ? 0 : Math.abs(a[i] - b[i]);
    expect(error).toBeLessThanOrEqual(float64GoldenLimit(0, largest));
  }
}

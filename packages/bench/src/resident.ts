/** @file Values on the device before the clock starts, and results off it after it has stopped. */

import { add, realize, release, type Tensor } from "@gridgrad/core";

/** A tensor with the values of `x` on the current device. */
export async function resident(x: Tensor): Promise<Tensor> {
  const y = add(x, 0);
  await realize(y);
  return y;
}

/** Frees results: a benchmark makes them faster than the garbage collector, which does not see a device's memory, takes them away. */
export function freeAll(results: readonly Tensor[]): void {
  for (const t of results) release(t, "it has been timed");
}

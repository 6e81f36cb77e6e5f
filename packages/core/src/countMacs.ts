/**
 * @file Multiply-accumulates: what a graph costs by its formulas, on any device, before anything has run. Papers compare networks by this
 * number, often under the name FLOPs, of which a multiply-accumulate is two.
 */

import { checkTensor } from "./checkTensor.ts";
import { dependencies } from "./graph.ts";
import { isRealized } from "./held.ts";
import type { Recipe, Tensor } from "./tensor.ts";

/**
 * Counts the multiply-accumulates of the kernels that `realize` would run for what `targets` still need. Nothing is computed.
 *
 * Each op has its count beside its formula, such as M*N*K for a matrix product; element-wise ops, layout and sums count nothing.
 *
 * @param targets - several share what they have in common, which is counted once.
 * @returns their number, 0 for what is there already, as each result is in eager mode.
 *
 * @example
 * ```ts
 * const hidden = ones([5, 8]).matmul(ones([8, 3])).relu();
 * countMacs(hidden); // 120
 * countMacs(hidden, hidden.matmul(ones([3, 2]))); // 150
 * ```
 */
export function countMacs(...targets: Tensor[]): number {
  targets.forEach((t, i) => checkTensor("countMacs", `argument ${i}`, t));
  return dependencies(targets, isRealized).reduce((total, t) => total + (t.recipe ? macsOf(t, t.recipe) : 0), 0);
}

/** Those of the one kernel that computes `t`. */
export function macsOf({ shape, dtype }: Tensor, { op, inputs, attrs }: Recipe): number {
  return op.macs?.({ attrs, inShapes: inputs.map((x) => x.shape), outShape: shape, dtype }) ?? 0;
}

/** 1536 as "1.5 kMACs". */
export function formatMacs(macs: number): string {
  const units = ["MACs", "kMACs", "MMACs", "GMACs", "TMACs"];
  let amount = macs;
  let unit = 0;
  for (; Number(amount.toFixed(1)) >= 1000 && unit < units.length - 1; unit++) amount /= 1000;
  return `${unit === 0 ? amount : amount.toFixed(1)} ${units[unit]}`;
}

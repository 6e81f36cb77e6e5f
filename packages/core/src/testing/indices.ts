/**
 * @file Index arithmetic the slow and plain way: the oracle for everything that walks tensors by strides. It shares no code
 * with what it checks.
 */

import type { Shape } from "../shape.ts";

/** Every index of `shape`, row by row: `[2, 2]` gives [0, 0], [0, 1], [1, 0], [1, 1]. */
export function indices(shape: Shape): number[][] {
  let all: number[][] = [[]];
  for (const dim of shape) all = all.flatMap((index) => Array.from({ length: dim }, (_, i) => [...index, i]));
  return all;
}

/** Place of `index` among the values of a row-major tensor of `shape`. */
export function positionOf(index: readonly number[], shape: Shape): number {
  return index.reduce((position, i, axis) => position * shape[axis] + i, 0);
}

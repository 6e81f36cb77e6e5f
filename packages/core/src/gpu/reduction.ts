/**
 * @file Steps that reduce: sums, largest and smallest elements.
 *
 * One stage reduces the middle axis of [outer, R, inner]. Where R is long it leaves several partial results per output element,
 * each of every T-th element, so that there is work for many threads and float32 sums stay short; a further stage reduces those.
 */

import type { Shape } from "../shape.ts";
import { size } from "../shape.ts";
import type { GpuStep, KernelFunction } from "./kernel.ts";
import { isNanKernel, sumKernel } from "./reductionKernels.ts";

/** Longest run of elements that one thread reduces. Its square is 2^18: nearly every reduction takes one or two stages. */
const longest = 512;

/**
 * Steps that reduce `axes` of the value in slot `from`, of `shape`, axis group by axis group.
 *
 * @param kernel - one stage: `sumKernel` or one with its constants.
 * @param from - the slot that holds the values.
 * @param next - the slot of the first step's result: as many as there are inputs and steps before it.
 */
export function reduceAxes(
  kernel: KernelFunction,
  from: number,
  next: number,
  shape: Shape,
  axes: readonly number[],
): GpuStep[] {
  const steps: GpuStep[] = [];
  const left = [...shape];
  // From the back: neighbouring axes that are reduced count as one.
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (!axes.includes(axis)) continue;
    let first = axis;
    while (axes.includes(first - 1)) first--;
    const stages = reduceMiddle(kernel, steps.length === 0 ? from : next + steps.length - 1, next + steps.length, [
      size(left.slice(0, first)),
      size(left.slice(first, axis + 1)),
      size(left.slice(axis + 1)),
    ]);
    steps.push(...stages);
    left.fill(1, first, axis + 1);
    axis = first;
  }
  return steps;
}

/** Steps that reduce [outer, R, inner] to [outer, inner]. */
export function reduceMiddle(
  kernel: KernelFunction,
  from: number,
  next: number,
  [outer, R, inner]: readonly [outer: number, R: number, inner: number],
): GpuStep[] {
  const parts = R > longest ? Math.ceil(Math.sqrt(R)) : 1;
  const stage: GpuStep = {
    kernel,
    inputs: [from],
    size: outer * parts * inner,
    integers: { R, T: parts, inner, count: Math.ceil(R / parts) },
    functions: kernel === sumKernel ? [] : [isNanKernel],
  };
  return parts === 1 ? [stage] : [stage, ...reduceMiddle(kernel, next, next + 1, [outer, parts, inner])];
}

/**
 * The steps of a sum of many terms per output element, [outer, inner]. The first one leaves T partial sums of up to `count` terms,
 * [outer, T, inner], so that there is work for many threads and float32 sums stay short; the others add them up. There are fewer
 * and longer ones where they would make a tensor too large for the device.
 *
 * @param first - the first step, whose kernel takes `T` and `count`.
 * @param options.longest - terms of a partial sum.
 * @param options.slot - the slot of its result: as many as there are inputs of the op and steps before. Default: as many as it reads.
 */
export function sumInParts(
  first: Omit<GpuStep, "size">,
  {
    terms,
    longest,
    outer,
    inner,
    slot = first.inputs.length,
  }: { terms: number; longest: number; outer: number; inner: number; slot?: number },
): GpuStep[] {
  const T = Math.max(1, Math.min(Math.ceil(terms / longest), Math.floor(2 ** 24 / (outer * inner))));
  const integers = { ...first.integers, T, count: Math.ceil(terms / T) };
  const step = { ...first, integers, size: outer * T * inner };
  return T === 1 ? [step] : [step, ...reduceMiddle(sumKernel, slot, slot + 1, [outer, T, inner])];
}

/** @file The powers that softmax and logSoftmax are made of, and their sums. */

import { expKernel } from "../ops/exp.ts";
import type { Shape } from "../shape.ts";
import { elementwiseStep } from "./elementwiseStep.ts";
import type { GpuStep } from "./kernel.ts";
import { reduceAxes } from "./reduction.ts";
import { maxKernel, sumKernel } from "./reductionKernels.ts";

/**
 * Steps from input 0, the only input, and the slots of their results: the largest along `axis`, of shape `groups`; e^(x - largest);
 * and the sum of those along `axis`.
 */
export function powerSteps(
  shape: Shape,
  axis: number,
): { steps: GpuStep[]; largest: number; powers: number; total: number; groups: Shape } {
  const groups = shape.map((dim, k) => (k === axis ? 1 : dim));
  const steps = reduceAxes(maxKernel, 0, 1, shape, [axis]);
  const largest = steps.length; // slot 0 is the input
  const inputs = [
    { from: 0, shape },
    { from: largest, shape: groups },
  ];
  steps.push(elementwiseStep(powerKernel, shape, inputs, { functions: [expKernel] }));
  const powers = steps.length;
  steps.push(...reduceAxes(sumKernel, powers, powers + 1, shape, [axis]));
  return { steps, largest, powers, total: steps.length, groups };
}

function powerKernel(x: number, largest: number): number {
  return expKernel(x - largest);
}

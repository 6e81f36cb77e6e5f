/** @file What Adam keeps and does. */

import { type Shape, size } from "@gridgrad/core";

import type { adamUpdateOp } from "../../../ops/adamUpdate.ts";
import type { runningAverageOp } from "../../../ops/runningAverage.ts";
import { kernelOf, type CpuKernel, type Work } from "../kernel.ts";

/** Items of 16 elements. */
function lines(shape: Shape, cost: number): Work {
  return { items: Math.ceil(size(shape) / 16), cost: 16 * cost };
}

export const adamKernels: readonly CpuKernel[] = [
  kernelOf<typeof runningAverageOp>("runningAverage", (cpu, y, [a, b], { attrs: { decay, power }, outShape }) => {
    cpu.launch(power === 1 ? "runningAverage" : "runningSquare", lines(outShape, 3), y, a, b, decay, 1 - decay);
  }),

  kernelOf<typeof adamUpdateOp>("adamUpdate", (cpu, y, inputs, { attrs: { eps }, outShape }) => {
    cpu.launch("adamUpdate", lines(outShape, 8), y, ...inputs, eps);
  }),
];

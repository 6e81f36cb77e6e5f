/** @file What Adam keeps and does. */

import { type Shape, size } from "@gridgrad/core";

import { adamUpdateOp } from "../../../ops/adamUpdate.ts";
import { runningAverageOp } from "../../../ops/runningAverage.ts";
import { kernelOf, type CpuKernel, type Work } from "../kernel.ts";

/** Items of 16 elements. */
function lines(shape: Shape, cost: number): Work {
  return { items: Math.ceil(size(shape) / 16), cost: 16 * cost };
}

export const adamKernels: readonly CpuKernel[] = [
  kernelOf(runningAverageOp, (cpu, y, [a, b], { attrs: { decay, power }, outShape }) => {
    cpu.launch(power === 1 ? "runningAverage" : "runningSquare", lines(outShape, 3), y, a, b, decay, 1 - decay);
  }),

  kernelOf(adamUpdateOp, (cpu, y, inputs, { attrs: { eps }, outShape }) => {
    cpu.launch("adamUpdate", lines(outShape, 8), y, ...inputs, eps);
  }),
];

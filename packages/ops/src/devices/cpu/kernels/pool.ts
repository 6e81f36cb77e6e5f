/** @file maxPool2d and avgPool2d with their gradients (assembly/pool.ts). */

import type { Shape } from "@gridgrad/core";

import { avgPool2dInputOp, avgPool2dOp } from "../../../ops/avgPool2d.ts";
import { maxPool2dInputOp, maxPool2dOp, takeLargestOp } from "../../../ops/maxPool2d.ts";
import type { Windows } from "../../../windows.ts";
import { kernelOf, type CpuKernel } from "../kernel.ts";

/** The end of the arguments of all kernels of maxPool2d, for images x and their windows y. */
function maxArguments([, , H, W]: Shape, [, , P, Q]: Shape, { kernel, stride, padding, dilation }: Windows): number[] {
  return [H, W, P, Q, ...kernel, ...stride, ...padding, ...dilation];
}

/** The same for avgPool2d: pixels count up to a margin outside of the image. */
function averageArguments(
  [, , H, W]: Shape,
  [, , P, Q]: Shape,
  windows: Windows & { countIncludePad: boolean },
): number[] {
  const { kernel, stride, padding, countIncludePad } = windows;
  return [H, W, P, Q, ...kernel, ...stride, ...padding, ...(countIncludePad ? padding : [0, 0])];
}

/** 1 for windows of 2 by 2, side by side. */
function isHalving({ kernel, stride, padding, dilation }: Windows): 0 | 1 {
  const are = (pair: readonly number[], value: number): boolean => pair.every((n) => n === value);
  return are(kernel, 2) && are(stride, 2) && are(padding, 0) && are(dilation, 1) ? 1 : 0;
}

/** Operations of `count` windows. */
function windowCost({ kernel }: Windows, count: number): number {
  return 4 * count * kernel[0] * kernel[1];
}

export const poolKernels: readonly CpuKernel[] = [
  kernelOf(maxPool2dOp, (cpu, y, [x], { attrs, inShapes: [xShape], outShape }) => {
    const [N, C, P, Q] = outShape;
    const work = { items: N * C * P, cost: windowCost(attrs, Q) };
    const args = maxArguments(xShape, outShape, attrs);
    cpu.launch("takeLargest", work, y, x, x, isHalving(attrs), -Infinity, ...args);
  }),

  kernelOf(takeLargestOp, (cpu, y, [d, x], { attrs, inShapes: [, xShape], outShape }) => {
    const [N, C, P, Q] = outShape;
    const work = { items: N * C * P, cost: windowCost(attrs, Q) };
    cpu.launch("takeLargest", work, y, d, x, isHalving(attrs), 0, ...maxArguments(xShape, outShape, attrs));
  }),

  kernelOf(maxPool2dInputOp, (cpu, dx, [dy, x], { attrs, inShapes: [dyShape, xShape] }) => {
    const [N, C, P, Q] = dyShape;
    const work = { items: N * C, cost: windowCost(attrs, P * Q) };
    cpu.launch("putLargest", work, dx, dy, x, isHalving(attrs), ...maxArguments(xShape, dyShape, attrs));
  }),

  kernelOf(avgPool2dOp, (cpu, y, [x], { attrs, inShapes: [xShape], outShape }) => {
    const [N, C, P, Q] = outShape;
    const work = { items: N * C * P, cost: windowCost(attrs, Q) };
    cpu.launch("averageWindows", work, y, x, isHalving(attrs), ...averageArguments(xShape, outShape, attrs));
  }),

  kernelOf(avgPool2dInputOp, (cpu, dx, [dy], { attrs, inShapes: [dyShape], outShape }) => {
    const [N, C, H, W] = outShape;
    const [strideH, strideW] = attrs.stride;
    const work = { items: N * C * H, cost: Math.ceil((2 * windowCost(attrs, W)) / (strideH * strideW)) };
    cpu.launch("spreadWindows", work, dx, dy, isHalving(attrs), ...averageArguments(outShape, dyShape, attrs));
  }),
];

/** @file maxPool2d and avgPool2d with their gradients (assembly/pool.ts). */

import type { Shape } from "@gridgrad/core";

import type { AvgPoolAttrs, avgPool2dInputOp, avgPool2dOp } from "../../../ops/avgPool2d.ts";
import { marginOf } from "../../../ops/marginOf.ts";
import type { maxPool2dInputOp, maxPool2dOp, takeLargestOp } from "../../../ops/maxPool2d.ts";
import type { Windows } from "../../../windows.ts";
import { kernelOf, type CpuKernel } from "../kernel.ts";

/** The end of the arguments of all kernels of maxPool2d, for images x and their windows y. */
function maxArguments([, , H, W]: Shape, [, , P, Q]: Shape, { kernel, stride, padding, dilation }: Windows): number[] {
  return [H, W, P, Q, ...kernel, ...stride, ...padding, ...dilation];
}

/** The same for avgPool2d: pixels count up to a margin outside of the image. */
function averageArguments([, , H, W]: Shape, [, , P, Q]: Shape, attrs: AvgPoolAttrs): number[] {
  const { kernel, stride, padding, divisorOverride } = attrs;
  return [H, W, P, Q, ...kernel, ...stride, ...padding, ...marginOf(attrs), divisorOverride];
}

/** 1 for windows of 2 by 2, side by side, all inside of the image. */
function isHalving({ kernel, stride, padding, dilation }: Windows, [, , H, W]: Shape, [, , P, Q]: Shape): 0 | 1 {
  const are = (pair: readonly number[], value: number): boolean => pair.every((n) => n === value);
  const areInside = 2 * P <= H && 2 * Q <= W;
  return are(kernel, 2) && are(stride, 2) && are(padding, 0) && are(dilation, 1) && areInside ? 1 : 0;
}

/** The same for means, which halving divides by 4. */
function isAverageHalving(attrs: AvgPoolAttrs, xShape: Shape, yShape: Shape): 0 | 1 {
  return attrs.divisorOverride === 0 ? isHalving(attrs, xShape, yShape) : 0;
}

/** Operations of `count` windows. */
function windowCost({ kernel }: Windows, count: number): number {
  return 4 * count * kernel[0] * kernel[1];
}

export const poolKernels: readonly CpuKernel[] = [
  kernelOf<typeof maxPool2dOp>("maxPool2d", (cpu, y, [x], { attrs, inShapes: [xShape], outShape }) => {
    const [N, C, P, Q] = outShape;
    const work = { items: N * C * P, cost: windowCost(attrs, Q) };
    const args = maxArguments(xShape, outShape, attrs);
    cpu.launch("takeLargest", work, y, x, x, isHalving(attrs, xShape, outShape), -Infinity, ...args);
  }),

  kernelOf<typeof takeLargestOp>("takeLargest", (cpu, y, [d, x], { attrs, inShapes: [, xShape], outShape }) => {
    const [N, C, P, Q] = outShape;
    const work = { items: N * C * P, cost: windowCost(attrs, Q) };
    const args = maxArguments(xShape, outShape, attrs);
    cpu.launch("takeLargest", work, y, d, x, isHalving(attrs, xShape, outShape), 0, ...args);
  }),

  kernelOf<typeof maxPool2dInputOp>("maxPool2dInput", (cpu, dx, [dy, x], { attrs, inShapes: [dyShape, xShape] }) => {
    const [N, C, P, Q] = dyShape;
    const work = { items: N * C, cost: windowCost(attrs, P * Q) };
    const args = maxArguments(xShape, dyShape, attrs);
    cpu.launch("putLargest", work, dx, dy, x, isHalving(attrs, xShape, dyShape), ...args);
  }),

  kernelOf<typeof avgPool2dOp>("avgPool2d", (cpu, y, [x], { attrs, inShapes: [xShape], outShape }) => {
    const [N, C, P, Q] = outShape;
    const work = { items: N * C * P, cost: windowCost(attrs, Q) };
    const args = averageArguments(xShape, outShape, attrs);
    cpu.launch("averageWindows", work, y, x, isAverageHalving(attrs, xShape, outShape), ...args);
  }),

  kernelOf<typeof avgPool2dInputOp>("avgPool2dInput", (cpu, dx, [dy], { attrs, inShapes: [dyShape], outShape }) => {
    const [N, C, H, W] = outShape;
    const [strideH, strideW] = attrs.stride;
    const work = { items: N * C * H, cost: Math.ceil((2 * windowCost(attrs, W)) / (strideH * strideW)) };
    const args = averageArguments(outShape, dyShape, attrs);
    cpu.launch("spreadWindows", work, dx, dy, isAverageHalving(attrs, outShape, dyShape), ...args);
  }),
];

/** @file softmax, logSoftmax and the labels of crossEntropy (assembly/softmax.ts). */

import { aroundAxis, sameShape, size, type softmaxOp } from "@gridgrad/core";

import { checkLabels } from "../../../ops/checkLabels.ts";
import type { logSoftmaxOp } from "../../../ops/logSoftmax.ts";
import type { putClassOp, takeClassOp } from "../../../ops/takeClass.ts";
import { kernelOf, type CpuKernel, type Launch } from "../kernel.ts";
import { fill } from "./layout.ts";

/** Neighbours along the inner axis of an item, as in assembly/softmax.ts. */
const lineFloats = 16;
/** Operations per element, most of them in e^x. */
const elementCost = 30;

function launchSoftmax(logarithm: 0 | 1): Launch<{ readonly axis: number }> {
  return (cpu, y, [x], { attrs: { axis }, outShape }) => {
    const { outer, count, inner } = aroundAxis(outShape, axis);
    if (inner === 1) {
      cpu.launch("softmaxRows", { items: outer, cost: elementCost * count }, y, x, count, logarithm);
    } else {
      const cost = elementCost * count * Math.min(inner, lineFloats);
      const work = { items: outer * Math.ceil(inner / lineFloats), cost, scratch: 4 * count * lineFloats };
      cpu.launch("softmaxColumns", work, y, x, count, inner, logarithm);
    }
  };
}

/** A label that is ignored, as the int32 number that kernels compare with. One that no int32 can be ignores nothing; neither does -1. */
function ignoredLabel(ignoreIndex: number): number {
  return (ignoreIndex | 0) === ignoreIndex ? ignoreIndex : -1;
}

export const softmaxKernels: readonly CpuKernel[] = [
  kernelOf<typeof softmaxOp>("softmax", launchSoftmax(0)),
  kernelOf<typeof logSoftmaxOp>("logSoftmax", launchSoftmax(1)),

  kernelOf<typeof takeClassOp>(
    "takeClass",
    (cpu, y, [x, target], { attrs: { ignoreIndex }, inShapes: [[N, classes, ...own], targetShape] }) => {
      const [rows, ...positions] = targetShape;
      if (!sameShape(own, positions) && size(own) > 1) return "loops"; // where only some of the axes stretch
      checkLabels(cpu.int32(target, size(targetShape)), targetShape, classes, ignoreIndex);
      const P = size(positions);
      const classStep = size(own);
      const rowStep = N === 1 ? 0 : classes * classStep;
      const step = classStep === 1 ? 0 : 1;
      const work = { items: rows, cost: 4 * P };
      cpu.launch("takeClasses", work, y, x, target, ignoredLabel(ignoreIndex), P, rowStep, classStep, step);
    },
    { integers: true },
  ),

  kernelOf<typeof putClassOp>(
    "putClass",
    (cpu, dx, [dy, target], { attrs: { ignoreIndex, classes }, inShapes: [, targetShape], outShape }) => {
      checkLabels(cpu.int32(target, size(targetShape)), targetShape, classes, ignoreIndex);
      fill(cpu, dx, outShape, 0);
      const [rows, ...positions] = targetShape;
      const P = size(positions);
      const work = { items: rows, cost: 4 * P };
      cpu.launch("putClasses", work, dx, dy, target, ignoredLabel(ignoreIndex), P, classes);
    },
    { integers: true },
  ),
];

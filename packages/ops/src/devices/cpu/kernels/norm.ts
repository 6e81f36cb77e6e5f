/** @file variance, standardize and its gradient (assembly/norm.ts). */

import type { Shape } from "@gridgrad/core";

import type { standardizeInputOp, standardizeOp } from "../../../ops/standardize.ts";
import type { varianceOp } from "../../../ops/variance.ts";
import { kernelOf, type CpuKernel, type Launcher } from "../kernel.ts";

/** Columns of an item, and what it keeps of them: three float64 numbers of each, as in assembly/norm.ts. */
const columnsPerItem = 16;
const columnBytes = 3 * 8 * columnsPerItem;
/** Float32 numbers that two float64 sums take. */
const floatsPerPair = 4;

/** Fewer groups than this are cut into parts, if they are at least so large. */
const manyGroups = 32;
const largeGroup = 32768;
/** A group has at most about so many parts, of at least so many elements: every part adds up the sums of all. */
const mostParts = 64;
const leastLength = 4096;

/** x as [A, B, C, D], with a group of B D elements for each (a, c). */
interface Groups {
  readonly A: number;
  readonly B: number;
  readonly C: number;
  readonly D: number;
}

/** `axes` as those of groups, where neighbouring axes of one kind count as one. Null where there are more than two turns. */
function groupsOf(shape: Shape, axes: readonly number[]): Groups | null {
  const merged: { reduced: boolean; dim: number }[] = [];
  shape.forEach((dim, axis) => {
    if (dim === 1) return;
    const reduced = axes.includes(axis);
    if (merged.at(-1)?.reduced === reduced) merged.at(-1)!.dim *= dim;
    else merged.push({ reduced, dim });
  });
  const take = (reduced: boolean): number => (merged[0]?.reduced === reduced ? merged.shift()!.dim : 1);
  const [A, B, C, D] = [take(false), take(true), take(false), take(true)];
  if (merged.length > 0) return null;
  return C === 1 ? { A, B: 1, C, D: B * D } : { A, B, C, D };
}

/** Into how many parts a group is cut, and of how many elements. By the sizes alone, so that results do not depend on threads. */
function partsOf({ A, B, C, D }: Groups): { parts: number; length: number } {
  if (A * C >= manyGroups || B * D < largeGroup || B > mostParts) return { parts: 1, length: D };
  const perRun = Math.floor(mostParts / B);
  const length = Math.min(D, Math.max(leastLength, Math.ceil(D / perRun / 16) * 16));
  return { parts: B * Math.ceil(D / length), length };
}

/** The sums of the parts of all groups, or nothing where a group is one part. */
function sumParts(
  cpu: Launcher,
  kernel: "sumDeviations" | "sumProducts",
  inputs: readonly number[],
  groups: Groups,
): number {
  const { A, B, C, D } = groups;
  const { parts, length } = partsOf(groups);
  if (parts === 1) return 0;
  const sums = cpu.scratch(A * C * parts * floatsPerPair);
  cpu.launch(kernel, { items: A * C * parts, cost: 4 * length }, sums, ...inputs, parts, length, B, C, D);
  return sums;
}

/** Whether a group is a column: its elements lie apart, those of the groups beside it between them. */
function areColumns({ C, D }: Groups): boolean {
  return D === 1 && C > 1;
}

function columnWork({ A, B, C }: Groups): { items: number; cost: number; scratch: number } {
  return {
    items: A * Math.ceil(C / columnsPerItem),
    cost: 8 * B * Math.min(C, columnsPerItem),
    scratch: columnBytes,
  };
}

export const normKernels: readonly CpuKernel[] = [
  kernelOf<typeof varianceOp>("variance", (cpu, v, [x], { attrs: { axes }, inShapes: [shape] }) => {
    const groups = groupsOf(shape, axes);
    if (!groups) return "loops";
    const { A, B, C, D } = groups;
    if (areColumns(groups)) return cpu.launch("varianceColumns", columnWork(groups), v, x, B, C);
    const sums = sumParts(cpu, "sumDeviations", [x], groups);
    const { parts } = partsOf(groups);
    cpu.launch("variance", { items: A * C, cost: parts === 1 ? 4 * B * D : parts }, v, x, sums, parts, B, C, D);
  }),

  kernelOf<typeof standardizeOp>("standardize", (cpu, y, [x], { attrs: { axes, eps }, inShapes: [shape] }) => {
    const groups = groupsOf(shape, axes);
    if (!groups) return "loops";
    const { A, B, C, D } = groups;
    if (areColumns(groups)) return cpu.launch("standardizeColumns", columnWork(groups), y, x, B, C, eps);
    const sums = sumParts(cpu, "sumDeviations", [x], groups);
    const { parts, length } = partsOf(groups);
    const work = { items: A * C * parts, cost: parts === 1 ? 6 * B * D : 2 * length };
    cpu.launch("standardize", work, y, x, sums, parts, length, B, C, D, eps);
  }),

  kernelOf<typeof standardizeInputOp>(
    "standardizeInput",
    (cpu, dx, [dy, y, r], { attrs: { axes }, inShapes: [shape] }) => {
      const groups = groupsOf(shape, axes);
      if (!groups) return "loops";
      const { A, B, C, D } = groups;
      if (areColumns(groups)) return cpu.launch("standardizeInputColumns", columnWork(groups), dx, dy, y, r, B, C);
      const sums = sumParts(cpu, "sumProducts", [dy, y], groups);
      const { parts, length } = partsOf(groups);
      const work = { items: A * C * parts, cost: parts === 1 ? 8 * B * D : 4 * length };
      cpu.launch("standardizeInput", work, dx, dy, y, r, sums, parts, length, B, C, D);
    },
  ),
];

/** @file sum, max and min: launches of assembly/reduce.ts, one or two per run of neighbouring reduced axes, from the back. */

import { type Op, type ReduceAttrs, type Shape, size } from "@gridgrad/core";

import { kernelOf, type CpuKernel, type Launcher } from "../kernel.ts";
import type { KernelName } from "../module.generated.ts";

/** Columns of an item, as in assembly/reduce.ts. */
const strip = 256;

/** Elements that are reduced in one go, and those of a part where there are more. */
const rowLimit = 8192;
const rowPart = 4096;
const columnLimit = 512;
const columnPart = 256;

function reduction(op: string, rows: KernelName, columns: KernelName): CpuKernel {
  return kernelOf<Op<ReduceAttrs>>(op, (cpu, y, [x], { attrs: { axes }, inShapes: [shape] }) => {
    const groups = groupAxes(shape, axes);
    const lastOne = groups.findIndex(({ reduced }) => reduced);
    if (lastOne < 0) {
      cpu.launch("expand", { items: Math.ceil(size(shape) / 16), cost: 16 }, y, 16, x, 0);
      return;
    }
    let outer = size(shape);
    let inner = 1;
    let from = x;
    for (let g = groups.length - 1; g >= lastOne; g--) {
      outer /= groups[g].size;
      if (!groups[g].reduced) inner *= groups[g].size;
      else from = reduceMiddle(cpu, { rows, columns }, from, g === lastOne ? y : null, [outer, groups[g].size, inner]);
    }
  });
}

/** Neighbouring axes that are all reduced, or all kept, as one. Axes of size 1 are neither. */
function groupAxes(shape: Shape, axes: readonly number[]): { size: number; reduced: boolean }[] {
  const groups: { size: number; reduced: boolean }[] = [];
  for (let axis = 0; axis < shape.length; axis++) {
    if (shape[axis] === 1) continue;
    const reduced = axes.includes(axis);
    const last = groups.at(-1);
    if (last?.reduced === reduced) last.size *= shape[axis];
    else groups.push({ size: shape[axis], reduced });
  }
  return groups;
}

/** Reduces [outer, R, inner] at `from` to [outer, inner] at `to`, or in scratch memory; returns where. */
function reduceMiddle(
  cpu: Launcher,
  { rows, columns }: { rows: KernelName; columns: KernelName },
  from: number,
  to: number | null,
  [outer, R, inner]: readonly [outer: number, R: number, inner: number],
): number {
  const [limit, part] = inner === 1 ? [rowLimit, rowPart] : [columnLimit, columnPart];
  const parts = R > limit ? Math.ceil(R / part) : 1;
  const length = parts === 1 ? R : part;
  const partial = parts === 1 && to !== null ? to : cpu.scratch(outer * parts * inner);
  if (inner === 1) {
    cpu.launch(rows, { items: outer * parts, cost: length }, partial, from, R, length, parts);
  } else {
    const work = { items: outer * parts * Math.ceil(inner / strip), cost: length * Math.min(inner, strip) };
    cpu.launch(columns, work, partial, from, R, inner, length, parts);
  }
  return parts === 1 ? partial : reduceMiddle(cpu, { rows, columns }, partial, to, [outer, parts, inner]);
}

export const reduceKernels: readonly CpuKernel[] = [
  reduction("sum", "sumRows", "sumColumns"),
  reduction("max", "maxRows", "maxColumns"),
  reduction("min", "minRows", "minColumns"),
];

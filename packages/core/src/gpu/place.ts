/**
 * @file Kernels that put a part into a larger tensor, the rest of which is one number: pad, and the gradient of slice.
 *
 * A thread looks from its element of the larger tensor back into the part. One step does one axis; axes on which the part is whole
 * need none.
 */

import type { Values } from "../dtype.ts";
import { type Shape, size } from "../shape.ts";
import { type GpuPlan, type GpuStep, quotient, type Thread } from "./kernel.ts";

/**
 * Steps that put input 0, of shape `part`, into a tensor of shape `whole`: along each axis its elements go to start, start + step, ..
 *
 * @param fill - what stands everywhere else.
 */
export function place(
  part: Shape,
  whole: Shape,
  { starts, steps, fill }: { starts: readonly number[]; steps: readonly number[]; fill: number },
): GpuPlan {
  const value = Math.fround(fill);
  if (!Number.isFinite(value)) return null; // a kernel's constants are finite
  const plan: GpuStep[] = [];
  const grown = [...part];
  for (let axis = part.length - 1; axis >= 0; axis--) {
    if (part[axis] === whole[axis]) continue; // so that a start of 0 and a step of 1 is all that fits
    grown[axis] = whole[axis];
    plan.push({
      kernel: placeKernel,
      inputs: [plan.length],
      size: size(grown),
      integers: {
        count: part[axis],
        D: whole[axis],
        inner: size(grown.slice(axis + 1)),
        start: starts[axis],
        step: steps[axis],
      },
      floats: { fill: value },
    });
  }
  return plan.length === 0 ? 0 : plan;
}

/** Thread (o, d, i) of [outer, D, inner] takes element (o, (d - start) / step, i) of the part, if there is one. */
function placeKernel(this: Thread<"count" | "D" | "inner" | "start" | "step" | "fill">, x: Values): number {
  const i = this.thread.x;
  const row = quotient(i, this.constants.inner);
  const column = i - row * this.constants.inner;
  const o = quotient(row, this.constants.D);
  const distance = row - o * this.constants.D - this.constants.start;
  if (distance < 0) {
    return this.constants.fill;
  }
  const k = quotient(distance, this.constants.step);
  if (k >= this.constants.count || k * this.constants.step !== distance) {
    return this.constants.fill;
  }
  return x[(o * this.constants.count + k) * this.constants.inner + column];
}

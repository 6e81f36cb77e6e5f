/**
 * @file The index arithmetic that element-wise, layout and reduction loops share: visit every
 * element of a shape, row by row, with a position in each operand.
 *
 * An operand is read through strides: 0 repeats a value (broadcasting) or gathers into one (a sum), a
 * negative one runs backwards (flip), a permutation of the row-major ones transposes. Axes that every
 * operand walks as if they were one are merged first, so tensors of the same shape are a single row.
 */

import type { Values } from "./dtype.ts";
import { type Shape, stridesOf } from "./shape.ts";

export interface Operand {
  /** Elements to step per axis of the walked shape. */
  readonly strides: readonly number[];
  /** Element to start at. */
  readonly offset?: number;
}

/** Visits one row of `n` elements: operand k's element i of the row is at `at[k] + i * step[k]`. */
export type VisitRow = (n: number, at: readonly number[], step: readonly number[]) => void;

/** A tensor of `shape`, read as if it were stretched to `walked`. */
export function broadcastOperand(shape: Shape, walked: Shape): Operand {
  const lead = walked.length - shape.length;
  const own = stridesOf(shape);
  return { strides: walked.map((_, axis) => (axis < lead || shape[axis - lead] === 1 ? 0 : own[axis - lead])) };
}

/** A row-major tensor of the walked shape itself. */
export function denseOperand(shape: Shape): Operand {
  return { strides: stridesOf(shape) };
}

export function walk(shape: Shape, operands: readonly Operand[], visit: VisitRow): void {
  if (shape.some((dim) => dim === 0)) return;
  const { dims, strides } = mergeAxes(shape, operands);
  const inner = dims.length - 1;
  const n = dims[inner];
  const step = strides.map((s) => s[inner]);
  const at = operands.map((operand) => operand.offset ?? 0);
  const index = new Array<number>(inner).fill(0);
  for (;;) {
    visit(n, at, step);
    // Count up like an odometer, moving every operand along.
    let axis = inner - 1;
    for (; axis >= 0; axis--) {
      index[axis]++;
      for (let k = 0; k < at.length; k++) at[k] += strides[k][axis];
      if (index[axis] < dims[axis]) break;
      for (let k = 0; k < at.length; k++) at[k] -= strides[k][axis] * dims[axis];
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

/** Walks an output of `outShape` beside inputs that broadcast to it: operand 0 is the output, and the inputs follow. */
export function walkBroadcast(outShape: Shape, inShapes: readonly Shape[], visit: VisitRow): void {
  walk(outShape, [denseOperand(outShape), ...inShapes.map((shape) => broadcastOperand(shape, outShape))], visit);
}

/** Fills `y`, of `shape`, with what it reads of `x` through strides: the loops of every op that only moves values. */
export function gatherValues(y: Values, x: Values, shape: Shape, operand: Operand): void {
  walk(shape, [denseOperand(shape), operand], (n, [yAt, xAt], [, xStep]) => {
    for (let i = 0; i < n; i++) y[yAt + i] = x[xAt + i * xStep];
  });
}

/** Drops axes of size 1 and merges neighbours that every operand walks in one stride. */
export function mergeAxes(shape: Shape, operands: readonly Operand[]): { dims: number[]; strides: number[][] } {
  const dims: number[] = [];
  const strides: number[][] = operands.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    if (shape[axis] === 1) continue;
    const last = dims.length - 1;
    if (last >= 0 && operands.every((o, k) => strides[k][last] === o.strides[axis] * shape[axis])) {
      dims[last] *= shape[axis];
      operands.forEach((o, k) => (strides[k][last] = o.strides[axis]));
    } else {
      dims.push(shape[axis]);
      operands.forEach((o, k) => strides[k].push(o.strides[axis]));
    }
  }
  if (dims.length === 0) {
    dims.push(1); // a scalar is one row of one element
    strides.forEach((s) => s.push(0));
  }
  return { dims, strides };
}

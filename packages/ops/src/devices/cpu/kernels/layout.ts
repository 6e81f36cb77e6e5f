/** @file permute, slice, pad, concat, flip and pixelShuffle: copies of rows, or of tiles where axes swap (assembly/layout.ts). */

import {
  type concatOp,
  denseOperand,
  type flipOp,
  mergeAxes,
  type Operand,
  type padOp,
  type permuteOp,
  type Shape,
  size,
  type sliceOp,
  stridesOf,
  type unsliceOp,
} from "@gridgrad/core";

import type { pixelShuffleOp, pixelUnshuffleOp } from "../../../ops/pixelShuffle.ts";
import { kernelOf, type CpuKernel, type Launcher } from "../kernel.ts";

/** As in assembly/layout.ts. */
const tile = 128;
const wordsPerLine = 16;

/** Elements of the rows that a longer row is cut into, so that threads can share it. */
const longestRow = 8192;

/** An axis shorter than a vector is not worth tiles. */
const leastTiled = 4;

/** A tensor in memory, read or written through strides. */
interface Placed {
  readonly address: number;
  readonly operand: Operand;
}

/** An axis that is walked: its size, and elements to step in y and in x. */
interface Axis {
  readonly dim: number;
  readonly y: number;
  readonly x: number;
}

/** y = x at every index of `shape`. */
function copy(cpu: Launcher, shape: Shape, y: Placed, x: Placed): void {
  const { dims, strides } = mergeAxes(shape, [y.operand, x.operand]);
  const axes = dims.map((dim, k): Axis => ({ dim, y: strides[0][k], x: strides[1][k] })).reverse();
  const yAt = y.address + 4 * (y.operand.offset ?? 0);
  const xAt = x.address + 4 * (x.operand.offset ?? 0);
  const b = axes.find((axis) => axis.y === 1);
  const a = axes.find((axis) => axis.x === 1);
  if (a && b && a !== b && Math.min(a.dim, b.dim) >= leastTiled) {
    const outer = axes.filter((axis) => axis !== a && axis !== b);
    const items =
      outer.reduce((product, { dim }) => product * dim, 1) * Math.ceil(a.dim / tile) * Math.ceil(b.dim / tile);
    const cost = Math.min(tile, a.dim) * Math.min(tile, b.dim);
    cpu.launch("transpose", { items, cost }, yAt, xAt, a.dim, b.dim, a.y, b.x, writeAxes(cpu, outer));
    return;
  }
  const candidates = [a, b].filter((axis) => axis !== undefined);
  const inner = candidates.reduce((long, axis) => (axis.dim > long.dim ? axis : long), { dim: 1, y: 1, x: 1 });
  const rest = axes.filter((axis) => axis !== inner);
  const isCut = inner.dim > longestRow;
  const n = isCut ? longestRow : inner.dim;
  const rows = isCut ? [{ dim: Math.ceil(inner.dim / n), y: n * inner.y, x: n * inner.x }, ...rest] : rest;
  const items = rows.reduce((product, { dim }) => product * dim, 1);
  const total = isCut ? inner.dim : 0;
  cpu.launch("copyRows", { items, cost: n }, yAt, xAt, n, inner.y, inner.x, total, writeAxes(cpu, rows));
}

/** Writes down axes, the innermost one first, for the kernels: at least one. */
function writeAxes(cpu: Launcher, axes: readonly Axis[]): number {
  const table = [axes.length, ...axes.flatMap(({ dim, y, x }) => [dim, y, x])];
  if (axes.length === 0) table.push(1, 0, 0);
  const address = cpu.scratch(table.length);
  cpu.int32(address, table.length).set(table);
  return address;
}

/** A tensor of shape `whole`, at the places of a part of it. */
function partOf(whole: Shape, starts: readonly number[], steps?: readonly number[]): Operand {
  const strides = stridesOf(whole);
  return {
    strides: steps ? strides.map((stride, axis) => stride * steps[axis]) : strides,
    offset: strides.reduce((offset, stride, axis) => offset + stride * starts[axis], 0),
  };
}

/** Sets every element of y, of `dtype`, to `value`. */
export function fill(cpu: Launcher, y: number, shape: Shape, value: number, dtype = "float32"): void {
  const word = dtype === "int32" ? value : new Int32Array(Float32Array.of(value).buffer)[0];
  cpu.launch("fillWords", { items: Math.ceil(size(shape) / wordsPerLine), cost: wordsPerLine }, y, word);
}

/** y[n, c, h, i, w, j] = x[n, c, i, j, h, w], `toFine`, or the other way round, for images of H by W and scale s. */
function shuffle(cpu: Launcher, y: number, x: number, [N, C, H, W]: Shape, s: number, toFine: boolean): void {
  if (s === 2) {
    const work = { items: N * C * H * 2, cost: 2 * W };
    cpu.launch(toFine ? "shuffle2" : "unshuffle2", work, y, x, H, W);
    return;
  }
  const [n, c, i, j, h, w] = stridesOf([N, C, s, s, H, W]);
  const shape = [N, C, H, s, W, s];
  const fine = denseOperand(shape);
  const coarse = { strides: [n, c, h, i, w, j] };
  copy(cpu, shape, { address: y, operand: toFine ? fine : coarse }, { address: x, operand: toFine ? coarse : fine });
}

export const layoutKernels: readonly CpuKernel[] = [
  kernelOf<typeof permuteOp>(
    "permute",
    (cpu, y, [x], { attrs: { dims }, inShapes: [shape], outShape }) => {
      const strides = stridesOf(shape);
      const operand = { strides: dims.map((dim) => strides[dim]) };
      copy(cpu, outShape, { address: y, operand: denseOperand(outShape) }, { address: x, operand });
    },
    { integers: true },
  ),
  kernelOf<typeof sliceOp>(
    "slice",
    (cpu, y, [x], { attrs: { starts, steps, part }, inShapes: [whole] }) => {
      copy(
        cpu,
        part,
        { address: y, operand: denseOperand(part) },
        { address: x, operand: partOf(whole, starts, steps) },
      );
    },
    { integers: true },
  ),
  kernelOf<typeof unsliceOp>(
    "unslice",
    (cpu, y, [x], { attrs: { starts, steps, part }, outShape }) => {
      fill(cpu, y, outShape, 0);
      copy(
        cpu,
        part,
        { address: y, operand: partOf(outShape, starts, steps) },
        { address: x, operand: denseOperand(part) },
      );
    },
    { integers: true },
  ),
  kernelOf<typeof padOp>(
    "pad",
    (cpu, y, [x], { attrs: { padding, value }, inShapes: [shape], outShape, dtype }) => {
      fill(cpu, y, outShape, value, dtype);
      const starts = padding.map(([before]) => before);
      copy(cpu, shape, { address: y, operand: partOf(outShape, starts) }, { address: x, operand: denseOperand(shape) });
    },
    { integers: true },
  ),
  kernelOf<typeof concatOp>(
    "concat",
    (cpu, y, xs, { attrs: { dim }, inShapes, outShape }) => {
      const strides = stridesOf(outShape);
      let offset = 0;
      xs.forEach((x, k) => {
        const operand = { strides, offset };
        copy(cpu, inShapes[k], { address: y, operand }, { address: x, operand: denseOperand(inShapes[k]) });
        offset += inShapes[k][dim] * strides[dim];
      });
    },
    { integers: true },
  ),
  kernelOf<typeof flipOp>(
    "flip",
    (cpu, y, [x], { attrs: { dims }, outShape: shape }) => {
      const steps = shape.map((_, axis) => (dims.includes(axis) ? -1 : 1));
      const starts = shape.map((dim, axis) => (dims.includes(axis) ? dim - 1 : 0));
      copy(
        cpu,
        shape,
        { address: y, operand: denseOperand(shape) },
        { address: x, operand: partOf(shape, starts, steps) },
      );
    },
    { integers: true },
  ),
  kernelOf<typeof pixelShuffleOp>(
    "pixelShuffle",
    (cpu, y, [x], { attrs: { scale: s }, inShapes: [[N, channels, H, W]] }) =>
      shuffle(cpu, y, x, [N, channels / (s * s), H, W], s, true),
    { integers: true },
  ),
  kernelOf<typeof pixelUnshuffleOp>(
    "pixelUnshuffle",
    (cpu, y, [x], { attrs: { scale: s }, outShape: [N, channels, H, W] }) =>
      shuffle(cpu, y, x, [N, channels / (s * s), H, W], s, false),
    { integers: true },
  ),
];

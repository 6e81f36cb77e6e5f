/** @file interpolate and its gradient: the same kernel, with tables of what the pixels of an axis read (assembly/interpolate.ts). */

import { axisTaps } from "../../../ops/axisTaps.ts";
import type { interpolateInputOp, InterpolateMode, interpolateOp } from "../../../ops/interpolate.ts";
import { interpolationKernels, weightAt } from "../../../ops/interpolationKernels.ts";
import { kernelOf, type CpuKernel, type Launcher, makeFlag } from "../kernel.ts";

type Taps = ReturnType<typeof axisTaps>;

/** A matrix with zeros beside a band: row i has weights[i], all of one length, from column first[i] on. */
interface Band {
  readonly first: readonly number[];
  readonly weights: readonly (readonly number[])[];
}

/** How the kernel computes columns, as in assembly/interpolate.ts. */
type Way = "byTable" | InterpolateMode | "nearestTransposed" | "bilinearTransposed";
const ways: readonly Way[] = ["byTable", "nearest", "bilinear", "bicubic", "nearestTransposed", "bilinearTransposed"];

/** Bytes of scratch memory around the W pixels of a row: a vector before it, and two behind it. */
const marginBytes = 64;

/** What the `outSize` pixels read of the `inSize` pixels, or the transpose: what reads each of them. */
function bandOf(taps: Taps, inSize: number, outSize: number, transposed: boolean): Band {
  const [rows, columns] = transposed ? [inSize, outSize] : [outSize, inSize];
  const entries = Array.from({ length: rows }, () => new Map<number, number>());
  for (const { index, weight } of taps) {
    for (let i = 0; i < outSize; i++) {
      const [row, column] = transposed ? [index[i], i] : [i, index[i]];
      entries[row].set(column, (entries[row].get(column) ?? 0) + weight[i]);
    }
  }
  const spans = entries.map((row) => (row.size === 0 ? [0, 0] : [Math.min(...row.keys()), Math.max(...row.keys())]));
  const length = Math.max(...spans.map(([from, last]) => last - from + 1));
  const first = spans.map(([from]) => Math.min(from, columns - length));
  return { first, weights: entries.map((row, i) => Array.from({ length }, (_, t) => row.get(first[i] + t) ?? 0)) };
}

/** Writes down first[count], then the weights: row after row, or column after column. `count` rows, the last ones empty. */
function writeBand(cpu: Launcher, { first, weights }: Band, count: number, byColumn: boolean): number {
  const length = weights[0].length;
  const address = cpu.scratch(count * (1 + length));
  cpu.int32(address, count).fill(0).set(first);
  const table = cpu.float32(address + 4 * count, count * length).fill(0);
  weights.forEach((row, i) => row.forEach((weight, t) => (table[byColumn ? t * count + i : i * length + t] = weight)));
  return address;
}

/**
 * y [images, P, Q] from x [images, H, W].
 *
 * @param options.copies - each pixel of y is a pixel of x, whatever that is.
 */
function resample(
  cpu: Launcher,
  y: number,
  x: number,
  sizes: { images: number; H: number; W: number; P: number; Q: number },
  { rows, columns, way, copies }: { rows: Band; columns: Band; way: Way; copies: boolean },
): "not finite" | void {
  const { images, H, W, P, Q } = sizes;
  const S = rows.weights[0].length;
  const T = columns.weights[0].length;
  const rowTable = writeBand(cpu, rows, P, false);
  const columnTable = writeBand(cpu, columns, Math.ceil(Q / 4) * 4, true);
  const work = { items: images * P, cost: 2 * S * W + 4 * T * Q, scratch: 4 * W + marginBytes };
  const flag = copies ? null : makeFlag(cpu);
  const tables = [rowTable, S, columnTable, T, ways.indexOf(way), flag?.address ?? 0];
  cpu.launch("resample", work, y, x, H, W, P, Q, ...tables);
  return flag?.isRaised() ? "not finite" : undefined;
}

/** Whether the pixels of an axis are those of a width that doubles, at the quarters between their neighbours. */
function isDoubling(mode: InterpolateMode, taps: Taps, inSize: number, outSize: number): boolean {
  if (outSize !== 2 * inSize) return false;
  if (outSize === 2 || mode === "nearest") return true;
  return taps[1].weight[1] === weightAt(interpolationKernels[mode].weights[1], 0.25);
}

export const interpolateKernels: readonly CpuKernel[] = [
  kernelOf<typeof interpolateOp>(
    "interpolate",
    (cpu, y, [x], { attrs, inShapes: [[N, C, H, W]], outShape: [, , P, Q] }) => {
      const columns = axisTaps(W, Q, attrs, 1);
      return resample(
        cpu,
        y,
        x,
        { images: N * C, H, W, P, Q },
        {
          rows: bandOf(axisTaps(H, P, attrs, 0), H, P, false),
          columns: bandOf(columns, W, Q, false),
          way: isDoubling(attrs.mode, columns, W, Q) ? attrs.mode : "byTable",
          copies: attrs.mode === "nearest",
        },
      );
    },
  ),

  kernelOf<typeof interpolateInputOp>(
    "interpolateInput",
    (cpu, dx, [dy], { attrs, inShapes: [[N, C, P, Q]], outShape: [, , H, W] }) => {
      const { mode } = attrs;
      const columns = axisTaps(W, Q, attrs, 1);
      return resample(
        cpu,
        dx,
        dy,
        { images: N * C, H: P, W: Q, P: H, Q: W },
        {
          rows: bandOf(axisTaps(H, P, attrs, 0), H, P, true),
          columns: bandOf(columns, W, Q, true),
          way: mode !== "bicubic" && isDoubling(mode, columns, W, Q) ? `${mode}Transposed` : "byTable",
          copies: false,
        },
      );
    },
  ),
];

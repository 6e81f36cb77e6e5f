/**
 * @file Matrix product, of the last two axes; the axes in front are a batch and broadcast.
 *
 *     y[.., m, n] = Σ_k a[.., m, k] b[.., k, n]        da = dy bᵀ, db = aᵀ dy
 *
 * A vector is a matrix of one row (a) or one column (b), whose axis of size 1 is missing in the result as well.
 *
 * Source: torch.matmul.
 */

import { checkTensors } from "../checkTensor.ts";
import type { Values } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import { type GpuStep, quotient, type Thread } from "../gpu/kernel.ts";
import type { Op } from "../op.ts";
import { broadcastShapes, type Shape, size } from "../shape.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { broadcastOperand, walk } from "../walk.ts";
import { sumTo } from "./expand.ts";
import { transpose } from "./permute.ts";
import { reshape } from "./reshape.ts";

/**
 * Multiplies matrices, or vectors.
 *
 * @param a - `[.., M, K]` or `[K]`, floating.
 * @param b - `[.., K, N]`, whose leading axes broadcast with those of `a`, or `[K]`.
 * @returns `[.., M, N]`, without M where `a` is a vector and without N where `b` is one: two vectors give a scalar.
 * @throws {ShapeError} when one is a scalar, the inner sizes differ, or the leading axes do not broadcast.
 * @throws {DTypeError} when the element types differ or are int32.
 *
 * @example
 * ```ts
 * await matmul(tensor([[1, 2], [3, 4]]), tensor([[1], [10]])).array(); // [[21], [43]]
 * await matmul(tensor([[1, 2], [3, 4]]), tensor([1, 10])).array(); // [21, 43]
 * ```
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  checkTensors("matmul", { a, b });
  const [isRow, isColumn] = [a.shape.length === 1, b.shape.length === 1];
  if (!isRow && !isColumn) return apply(matmulOp, [a, b], {});
  checkFactors(a.shape, b.shape);
  const rows = isRow ? reshape(a, [1, ...a.shape]) : a;
  const columns = isColumn ? reshape(b, [...b.shape, 1]) : b;
  const y = apply(matmulOp, [rows, columns], {});
  const [M, N] = y.shape.slice(-2);
  return reshape(y, [...y.shape.slice(0, -2), ...(isRow ? [] : [M]), ...(isColumn ? [] : [N])]);
}

/** Throws unless `a` has as many columns as `b` has rows. */
function checkFactors(a: Shape, b: Shape): void {
  const rows = b.length === 1 ? b[0] : b[b.length - 2];
  if (a.length === 0 || b.length === 0 || a[a.length - 1] !== rows)
    throw new ShapeError("matmul", "a must be [.., M, K] or [K] and b [.., K, N] or [K] with one K", { a, b });
}

export const matmulOp: Op = {
  name: "matmul",

  shape([a, b]) {
    checkFactors(a, b);
    const batch = broadcastShapes("matmul (leading axes)", { a: a.slice(0, -2), b: b.slice(0, -2) });
    return [...batch, a[a.length - 2], b[b.length - 1]];
  },

  dtype: "float",

  vjp: (dy, [a, b]) => [
    sumTo(matmul(dy, transpose(b, -2, -1)), a.shape),
    sumTo(matmul(transpose(a, -2, -1), dy), b.shape),
  ],

  loops(y, [a, b], { inShapes: [aShape, bShape], outShape }) {
    const [M, K] = aShape.slice(-2);
    const N = outShape[outShape.length - 1];
    const batch = outShape.slice(0, -2);
    const row = new Float64Array(N); // float64: rounded once, when it is stored
    const matrices = [aShape, bShape].map((shape) => broadcastOperand(shape.slice(0, -2), batch)); // counted in matrices
    let yAt = 0;
    walk(batch, matrices, (count, [aFrom, bFrom], [aStep, bStep]) => {
      for (let i = 0; i < count; i++) {
        const aAt = (aFrom + i * aStep) * M * K;
        const bAt = (bFrom + i * bStep) * K * N;
        for (let m = 0; m < M; m++, yAt += N) {
          row.fill(0);
          for (let k = 0; k < K; k++) {
            const factor = a[aAt + m * K + k];
            for (let n = 0; n < N; n++) row[n] += factor * b[bAt + k * N + n];
          }
          y.set(row, yAt);
        }
      }
    });
  },

  gpu({ inShapes: [aShape, bShape], outShape }, _, { gather, sumInParts }) {
    const batch = outShape.slice(0, -2);
    const [M, K] = aShape.slice(-2);
    const N = outShape[outShape.length - 1];
    const steps: GpuStep[] = [];
    // Where the kernel finds the matrices of an operand: one for the whole batch, or one after the other. What broadcasts along some
    // axes of the batch only is written out.
    const [a, b] = [aShape, bShape].map((shape, slot) => {
      const matrix = shape.slice(-2);
      const count = size(shape) / size(matrix);
      if (count === 1) return { slot, step: 0 };
      if (count === size(batch)) return { slot, step: size(matrix) };
      const whole = [...batch, ...matrix];
      steps.push(gather("matmul", whole, broadcastOperand(shape, whole), slot));
      return { slot: 1 + steps.length, step: size(matrix) };
    });
    const step = {
      kernel: matmulKernel,
      inputs: [a.slot, b.slot],
      integers: { M, K, N, aStep: a.step, bStep: b.step },
    };
    const sum = { terms: K, longest, outer: size(batch) * M, inner: N, slot: 2 + steps.length };
    return [...steps, ...sumInParts(step, sum)];
  },

  macs: ({ inShapes: [, b], outShape }) => size(outShape) * b[b.length - 2],
};

/** Products that one thread adds up. */
const longest = 1024;

/** Thread (batch, m, t, n) adds up the products of part t of a row of a and a column of b: `count` neighbours. */
function matmulKernel(this: Thread<"M" | "K" | "N" | "T" | "count" | "aStep" | "bStep">, a: Values, b: Values): number {
  const i = this.thread.x;
  const row = quotient(i, this.constants.N);
  const n = i - row * this.constants.N;
  const outer = quotient(row, this.constants.T);
  const first = (row - outer * this.constants.T) * this.constants.count;
  const batch = quotient(outer, this.constants.M);
  const m = outer - batch * this.constants.M;
  const aAt = batch * this.constants.aStep + m * this.constants.K;
  const bAt = batch * this.constants.bStep + n;
  let total = 0;
  for (let j = 0; j < this.constants.count; j++) {
    const k = first + j;
    if (k < this.constants.K) {
      total += a[aAt + k] * b[bAt + k * this.constants.N];
    }
  }
  return total;
}

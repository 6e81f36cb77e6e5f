/**
 * @file Matrix product, of the last two axes; the axes in front are a batch and broadcast.
 *
 *     y[.., m, n] = Σ_k a[.., m, k] b[.., k, n]        da = dy bᵀ, db = aᵀ dy
 *
 * Source: torch.matmul, for operands of at least two axes.
 */

import { ShapeError } from "../errors.ts";
import type { Op } from "../op.ts";
import { broadcastShapes } from "../shape.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { broadcastOperand, walk } from "../walk.ts";
import { sumTo } from "./expand.ts";
import { transpose } from "./permute.ts";

/**
 * Multiplies matrices.
 *
 * @param a - `[.., M, K]`, floating.
 * @param b - `[.., K, N]`, whose leading axes broadcast with those of `a`.
 * @returns `[.., M, N]`
 * @throws {ShapeError} when a rank is below 2, the inner sizes differ, or the leading axes do not broadcast.
 * @throws {DTypeError} when the element types differ or are int32.
 *
 * @example
 * ```ts
 * await matmul(tensor([[1, 2], [3, 4]]), tensor([[1], [10]])).array(); // [[21], [43]]
 * ```
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  return apply(matmulOp, [a, b], {});
}

export const matmulOp: Op = {
  name: "matmul",

  shape([a, b]) {
    if (a.length < 2 || b.length < 2 || a[a.length - 1] !== b[b.length - 2]) {
      throw new ShapeError("matmul", "a must be [.., M, K] and b [.., K, N] with one K", { a, b });
    }
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
};

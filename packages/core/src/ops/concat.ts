/**
 * @file Concat: tensors one after another along an axis.
 *
 *     y = [x_0 | x_1 | ..]        dx_k = the part of dy where x_k went
 *
 * Source: torch.cat.
 */

import { checkTensorList } from "../checkTensor.ts";
import type { Values } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import { type GpuStep, quotient, type Thread } from "../gpu/kernel.ts";
import type { Op } from "../op.ts";
import { normalizeAxis, type Shape, size, stridesOf } from "../shape.ts";
import { apply } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { denseOperand, walk } from "../walk.ts";
import { slice } from "./slice.ts";

/**
 * Joins tensors along an axis.
 *
 * @param xs - one or more, of equal shapes except along `dim`.
 * @param dim - the axis, negative ones from the back. Default 0.
 * @returns the common shape, with the sizes along `dim` added.
 * @throws {ValueError} when `xs` is empty or there is no axis `dim`.
 * @throws {ShapeError} when another axis differs.
 *
 * @example
 * ```ts
 * await concat([tensor([1, 2]), tensor([3])]).data(); // [1, 2, 3]
 * ```
 */
export function concat(xs: readonly Tensor[], dim = 0): Tensor {
  checkTensorList("concat", xs);
  return apply(concatOp, xs, { dim: normalizeAxis("concat", dim, xs[0].shape) });
}

export const concatOp: Op<{ readonly dim: number }> = {
  name: "concat",

  shape(shapes, { dim }) {
    const [first] = shapes;
    const fits = (shape: Shape): boolean =>
      shape.length === first.length && shape.every((size, axis) => axis === dim || size === first[axis]);
    if (!shapes.every(fits)) {
      const named = Object.fromEntries(shapes.map((shape, k) => [`xs[${k}]`, shape]));
      throw new ShapeError("concat", `all must have the same shape, except along axis ${dim}`, named);
    }
    return first.map((size, axis) => (axis === dim ? shapes.reduce((total, shape) => total + shape[dim], 0) : size));
  },

  dtype: "any",

  vjp(dy, xs, { dim }) {
    let start = 0;
    return xs.map((x) => {
      const stop = start + x.shape[dim];
      const part = slice(
        dy,
        dy.shape.map((_, axis) => (axis === dim ? [start, stop] : null)),
      );
      start = stop;
      return part;
    });
  },

  loops(y, xs, { attrs: { dim }, inShapes, outShape }) {
    const strides = stridesOf(outShape);
    let offset = 0;
    xs.forEach((x, k) => {
      walk(inShapes[k], [{ strides, offset }, denseOperand(inShapes[k])], (n, [yAt, xAt], [yStep]) => {
        for (let i = 0; i < n; i++) y[yAt + i * yStep] = x[xAt + i];
      });
      offset += inShapes[k][dim] * strides[dim];
    });
  },

  gpu({ attrs: { dim }, inShapes, outShape }) {
    const outer = size(outShape.slice(0, dim));
    const steps: GpuStep[] = [];
    let parts = inShapes.map((shape, slot) => ({ slot, length: size(shape) / outer }));
    while (parts.length > 1) {
      const joined: typeof parts = [];
      for (let k = 0; k < parts.length; k += mostJoined) {
        const group = parts.slice(k, k + mostJoined);
        if (group.length > 1) steps.push(join(group, outer));
        joined.push(
          group.length === 1
            ? group[0]
            : {
                slot: inShapes.length + steps.length - 1,
                length: group.reduce((total, { length }) => total + length, 0),
              },
        );
      }
      parts = joined;
    }
    return steps.length === 0 ? 0 : steps;
  },
};

/** Inputs of one kernel, of the seven arrays that every WebGPU device takes. More are joined group by group. */
const mostJoined = 6;

/** One step that joins up to `mostJoined` values of shape [outer, length]. */
function join(parts: readonly { slot: number; length: number }[], outer: number): GpuStep {
  const ends: number[] = [];
  for (const { length } of parts) ends.push((ends.at(-1) ?? 0) + length);
  const L = ends.at(-1)!;
  if (parts.length === 2) {
    const [a, b] = parts;
    return {
      kernel: concatPairKernel,
      inputs: [a.slot, b.slot],
      size: outer * L,
      integers: { L, end0: ends[0] },
    };
  }
  const slots = Array.from({ length: mostJoined }, (_, k) => (parts[k] ?? parts[0]).slot); // an input that is not there is not read
  return {
    kernel: concatKernel,
    inputs: slots,
    size: outer * L,
    integers: {
      L,
      ...Object.fromEntries(Array.from({ length: mostJoined - 1 }, (_, k) => [`end${k}`, ends[k] ?? L])),
    },
  };
}

/** Thread (o, r) of [outer, L] copies from the input that element r of the row comes from; input k ends before `end<k>`. */
function concatPairKernel(this: Thread<"L" | "end0">, x0: Values, x1: Values): number {
  const o = quotient(this.thread.x, this.constants.L);
  const r = this.thread.x - o * this.constants.L;
  if (r < this.constants.end0) {
    return x0[o * this.constants.end0 + r];
  }
  return x1[o * (this.constants.L - this.constants.end0) + r - this.constants.end0];
}

/** The same for six inputs. */
function concatKernel(
  this: Thread<"L" | "end0" | "end1" | "end2" | "end3" | "end4">,
  x0: Values,
  x1: Values,
  x2: Values,
  x3: Values,
  x4: Values,
  x5: Values,
): number {
  const o = quotient(this.thread.x, this.constants.L);
  const r = this.thread.x - o * this.constants.L;
  if (r < this.constants.end0) {
    return x0[o * this.constants.end0 + r];
  }
  if (r < this.constants.end1) {
    return x1[o * (this.constants.end1 - this.constants.end0) + r - this.constants.end0];
  }
  if (r < this.constants.end2) {
    return x2[o * (this.constants.end2 - this.constants.end1) + r - this.constants.end1];
  }
  if (r < this.constants.end3) {
    return x3[o * (this.constants.end3 - this.constants.end2) + r - this.constants.end2];
  }
  if (r < this.constants.end4) {
    return x4[o * (this.constants.end4 - this.constants.end3) + r - this.constants.end3];
  }
  return x5[o * (this.constants.L - this.constants.end4) + r - this.constants.end4];
}

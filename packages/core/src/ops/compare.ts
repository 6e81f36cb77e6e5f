/**
 * @file Comparisons, element by element: 1 where they hold, 0 where they do not, in the element type of the operands,
 * so that a mask can be multiplied with what it masks. NaN compares as false, except that it is not equal to itself.
 *
 * Steps have no slope: the gradient is none.
 *
 * Source: torch.eq, ne, lt, le, gt, ge (which return booleans).
 */

import { elementwise } from "../gpu/elementwise.ts";
import type { Values } from "../dtype.ts";
import type { Op, OpInfo } from "../op.ts";
import { broadcastShapes } from "../shape.ts";
import { apply, operands } from "../apply.ts";
import type { Tensor } from "../tensor.ts";
import { walkBroadcast } from "../walk.ts";

/**
 * 1 where `a = b`, else 0.
 *
 * @param a - any shape; a number counts as a scalar.
 * @param b - a shape that broadcasts with that of `a`; a number counts as a scalar.
 * @returns the broadcast shape, in the element type of the operands.
 * @throws {ShapeError} when the shapes do not broadcast.
 * @throws {DTypeError} when the element types differ.
 *
 * @example
 * ```ts
 * await equal(tensor([1, 2, 3]), 2).data(); // [0, 1, 0]
 * ```
 */
export function equal(a: Tensor | number, b: Tensor | number): Tensor {
  return apply(equalOp, operands("equal", a, b), {});
}

/**
 * 1 where `a ≠ b`, else 0.
 *
 * @param a - any shape; a number counts as a scalar.
 * @param b - a shape that broadcasts with that of `a`; a number counts as a scalar.
 * @returns the broadcast shape, in the element type of the operands.
 * @throws {ShapeError} when the shapes do not broadcast.
 * @throws {DTypeError} when the element types differ.
 *
 * @example
 * ```ts
 * await notEqual(tensor([1, 2, 3]), 2).data(); // [1, 0, 1]
 * ```
 */
export function notEqual(a: Tensor | number, b: Tensor | number): Tensor {
  return apply(notEqualOp, operands("notEqual", a, b), {});
}

/**
 * 1 where `a < b`, else 0.
 *
 * @param a - any shape; a number counts as a scalar.
 * @param b - a shape that broadcasts with that of `a`; a number counts as a scalar.
 * @returns the broadcast shape, in the element type of the operands.
 * @throws {ShapeError} when the shapes do not broadcast.
 * @throws {DTypeError} when the element types differ.
 *
 * @example
 * ```ts
 * await less(tensor([1, 2, 3]), 2).data(); // [1, 0, 0]
 * ```
 */
export function less(a: Tensor | number, b: Tensor | number): Tensor {
  return apply(lessOp, operands("less", a, b), {});
}

/**
 * 1 where `a ≤ b`, else 0.
 *
 * @param a - any shape; a number counts as a scalar.
 * @param b - a shape that broadcasts with that of `a`; a number counts as a scalar.
 * @returns the broadcast shape, in the element type of the operands.
 * @throws {ShapeError} when the shapes do not broadcast.
 * @throws {DTypeError} when the element types differ.
 *
 * @example
 * ```ts
 * await lessEqual(tensor([1, 2, 3]), 2).data(); // [1, 1, 0]
 * ```
 */
export function lessEqual(a: Tensor | number, b: Tensor | number): Tensor {
  return apply(lessEqualOp, operands("lessEqual", a, b), {});
}

/**
 * 1 where `a > b`, else 0.
 *
 * @param a - any shape; a number counts as a scalar.
 * @param b - a shape that broadcasts with that of `a`; a number counts as a scalar.
 * @returns the broadcast shape, in the element type of the operands.
 * @throws {ShapeError} when the shapes do not broadcast.
 * @throws {DTypeError} when the element types differ.
 *
 * @example
 * ```ts
 * await greater(tensor([1, 2, 3]), 2).data(); // [0, 0, 1]
 * ```
 */
export function greater(a: Tensor | number, b: Tensor | number): Tensor {
  return apply(greaterOp, operands("greater", a, b), {});
}

/**
 * 1 where `a ≥ b`, else 0.
 *
 * @param a - any shape; a number counts as a scalar.
 * @param b - a shape that broadcasts with that of `a`; a number counts as a scalar.
 * @returns the broadcast shape, in the element type of the operands.
 * @throws {ShapeError} when the shapes do not broadcast.
 * @throws {DTypeError} when the element types differ.
 *
 * @example
 * ```ts
 * await greaterEqual(tensor([1, 2, 3]), 2).data(); // [0, 1, 1]
 * ```
 */
export function greaterEqual(a: Tensor | number, b: Tensor | number): Tensor {
  return apply(greaterEqualOp, operands("greaterEqual", a, b), {});
}

export const equalOp: Op = /* @__PURE__ */ comparison("equal", (a, b) => a === b, equalKernel);
export const notEqualOp: Op = /* @__PURE__ */ comparison("notEqual", (a, b) => a !== b, notEqualKernel);
export const lessOp: Op = /* @__PURE__ */ comparison("less", (a, b) => a < b, lessKernel);
export const lessEqualOp: Op = /* @__PURE__ */ comparison("lessEqual", (a, b) => a <= b, lessEqualKernel);
export const greaterOp: Op = /* @__PURE__ */ comparison("greater", (a, b) => a > b, greaterKernel);
export const greaterEqualOp: Op = /* @__PURE__ */ comparison("greaterEqual", (a, b) => a >= b, greaterEqualKernel);

/** The six differ in one operator. A call per element is the price; masks are a small part of a training step. */
function comparison(
  name: string,
  holds: (a: number, b: number) => boolean,
  kernel: (a: number, b: number) => number,
): Op {
  return {
    name,
    shape: ([a, b]) => broadcastShapes(name, { a, b }),
    dtype: "any",
    vjp: () => [null, null],
    loops(y: Values, [a, b]: readonly Values[], { inShapes, outShape }: OpInfo) {
      walkBroadcast(outShape, inShapes, (n, [yAt, aAt, bAt], [, aStep, bStep]) => {
        for (let i = 0; i < n; i++) y[yAt + i] = holds(a[aAt + i * aStep], b[bAt + i * bStep]) ? 1 : 0;
      });
    },
    gpu: elementwise(kernel),
  };
}

function equalKernel(a: number, b: number): number {
  if (a === b) {
    return 1;
  }
  return 0;
}

function notEqualKernel(a: number, b: number): number {
  if (a === b) {
    return 0;
  }
  return 1; // WebGPU's !== does not hold for NaN
}

function lessKernel(a: number, b: number): number {
  if (a < b) {
    return 1;
  }
  return 0;
}

function lessEqualKernel(a: number, b: number): number {
  if (a <= b) {
    return 1;
  }
  return 0;
}

function greaterKernel(a: number, b: number): number {
  if (a > b) {
    return 1;
  }
  return 0;
}

function greaterEqualKernel(a: number, b: number): number {
  if (a >= b) {
    return 1;
  }
  return 0;
}

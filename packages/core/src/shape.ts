/**
 * @file Shapes: plain arrays of sizes, and the few rules about them that ops share.
 *
 * Values lie in row-major order: the last axis is contiguous, and the stride of an axis is the
 * product of the sizes behind it.
 *
 * Source of the broadcasting rule: NumPy, "General broadcasting rules".
 */

import { ShapeError, showValue, ValueError } from "./errors.ts";

/** Sizes of the axes. `[]` is a scalar. */
export type Shape = readonly number[];

/** Number of elements. A scalar, `[]`, has 1. */
export function size(shape: Shape): number {
  let n = 1;
  for (const dim of shape) n *= dim;
  return n;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** Row-major strides, in elements: `[2, 3, 4]` gives `[12, 4, 1]`. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/**
 * Throws unless every size is an integer of at least 0. Called once, where a shape enters the framework.
 *
 * @param given - all arguments of `op`, if sizes one by one would be among them: for the call in the message.
 */
export function checkShape(op: string, shape: Shape, given?: ArrayLike<unknown>): void {
  if (!Array.isArray(shape) || !shape.every((dim) => Number.isInteger(dim) && dim >= 0)) {
    throw new ValueError(
      op,
      "a shape must be an array of integers of at least 0",
      Array.isArray(shape) ? formatShape(shape) : notAnArray(op, shape, given ?? [shape]),
    );
  }
  checkSides(op, shape);
}

/** Throws unless `list` is an array, for arguments that PyTorch takes one by one as well: `permute(0, 2, 1)`. */
export function checkList(op: string, argument: string, list: unknown): void {
  if (!Array.isArray(list)) throw new ValueError(op, `${argument} must be an array`, notAnArray(op, list, [list]));
}

/** Sizes that were given one by one, with the call that is meant. */
function notAnArray(op: string, shape: unknown, given: ArrayLike<unknown>): string {
  if (typeof shape !== "number") return showValue(shape);
  const numbers = Array.from(given).filter((value) => typeof value === "number");
  const sizes = numbers.length > 1 ? numbers.join(", ") : `${shape}, ..`;
  return `${numbers.join(" and ")}; all stand in one array, ${op}([${sizes}])`;
}

/** Throws unless the sides of a shape can be counted: beyond 2^53 a number is not the next one's neighbour. */
export function checkSides(op: string, shape: Shape): void {
  for (const dim of shape) {
    if (Number.isSafeInteger(dim)) continue;
    throw new ValueError(op, `sides must be at most ${Number.MAX_SAFE_INTEGER}`, formatShape(shape));
  }
}

/** The axis counted from the front: -1 is the last one. Throws when there is no such axis. */
export function normalizeAxis(op: string, axis: number, shape: Shape): number {
  const rank = shape.length;
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    const rule = rank === 0 ? "x must have at least one axis" : `dim must be an integer in [${-rank}, ${rank - 1}]`;
    throw new ValueError(op, rule, `dim ${showValue(axis)} for x of shape ${formatShape(shape)}`);
  }
  return axis < 0 ? axis + rank : axis;
}

/** The axes counted from the front, ascending, each named once. `undefined` means all of them. */
export function normalizeAxes(op: string, axes: number | readonly number[] | undefined, shape: Shape): number[] {
  if (axes === undefined) return shape.map((_, axis) => axis);
  const list = [axes].flat().map((axis) => normalizeAxis(op, axis, shape));
  if (new Set(list).size !== list.length) {
    throw new ValueError(
      op,
      "each axis may be named once",
      `dim ${formatShape(axes as readonly number[])} for x of shape ${formatShape(shape)}`,
    );
  }
  return list.sort((a, b) => a - b);
}

/** The shape both operands stretch to: aligned at the last axis, sizes equal or one of them 1. */
export function broadcastShapes(op: string, shapes: Readonly<Record<string, Shape>>): Shape {
  const list = Object.values(shapes);
  const rank = Math.max(...list.map((shape) => shape.length));
  const out = new Array<number>(rank).fill(1);
  for (const shape of list) {
    const lead = rank - shape.length;
    for (let axis = 0; axis < shape.length; axis++) {
      const dim = shape[axis];
      if (dim === 1 || dim === out[lead + axis]) continue;
      if (out[lead + axis] !== 1) {
        throw new ShapeError(op, "shapes must broadcast: aligned at the last axis, sizes equal or 1", shapes);
      }
      out[lead + axis] = dim;
    }
  }
  return out;
}

/** `[2, 3]` as it stands in messages. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

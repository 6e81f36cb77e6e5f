import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type Shape, size, stridesOf } from "./shape.ts";
import { broadcasting, shapes } from "./testing/arbitraries.ts";
import { indices, positionOf } from "./testing/indices.ts";
import { broadcastOperand, denseOperand, type Operand, walk } from "./walk.ts";

/** Positions of every element, one list per operand, in the order of the walk. */
function walked(shape: Shape, operands: readonly Operand[]): number[][] {
  const positions: number[][] = operands.map(() => []);
  walk(shape, operands, (n, at, step) => {
    for (let i = 0; i < n; i++) positions.forEach((list, k) => list.push(at[k] + i * step[k]));
  });
  return positions;
}

/** The same by one loop per axis: offset plus index times stride. */
function looped(shape: Shape, operands: readonly Operand[]): number[][] {
  return operands.map(({ strides, offset = 0 }) =>
    indices(shape).map((index) => index.reduce((position, i, axis) => position + i * strides[axis], offset)),
  );
}

/** How many rows a walk visits, and how long they are. */
function rowLengths(shape: Shape, operands: readonly Operand[]): number[] {
  const lengths: number[] = [];
  walk(shape, operands, (n) => lengths.push(n));
  return lengths;
}

/** Any strides at all: zero, negative, and such that axes can and cannot be merged. */
function anyOperand(shape: Shape): fc.Arbitrary<Operand> {
  return fc.record({
    strides: fc.tuple(...shape.map(() => fc.integer({ min: -6, max: 6 }))),
    offset: fc.option(fc.integer({ min: -50, max: 50 }), { nil: undefined }),
  });
}

/** Strides as ops make them: row-major ones that are permuted, reversed, or 0 where an axis is repeated. */
function usualOperand(shape: Shape): fc.Arbitrary<Operand> {
  const axes = shape.map((_, axis) => axis);
  return fc
    .record({
      order: fc.shuffledSubarray(axes, { minLength: axes.length }),
      factors: fc.tuple(...shape.map(() => fc.constantFrom(1, 1, 1, 0, -1))),
      offset: fc.nat(20),
    })
    .map(({ order, factors, offset }) => {
      const strides = stridesOf(order.map((axis) => shape[axis]));
      return { strides: axes.map((axis) => strides[order.indexOf(axis)] * factors[axis]), offset };
    });
}

/** A shape, empty axes and axes of 1 among them, and up to three operands. */
function walks(operand: (shape: Shape) => fc.Arbitrary<Operand>): fc.Arbitrary<[Shape, Operand[]]> {
  return shapes({ minDim: 0 }).chain((shape) =>
    fc.tuple(fc.constant(shape), fc.array(operand(shape), { minLength: 1, maxLength: 3 })),
  );
}

describe("walk", () => {
  test("visits every element in row-major order, at the place that offset and strides give", () =>
    fc.assert(
      fc.property(walks(anyOperand), ([shape, operands]) => {
        expect(walked(shape, operands)).toEqual(looped(shape, operands));
      }),
      { numRuns: 500 },
    ));

  test("does so for permuted, reversed and repeated axes, where axes are merged", () =>
    fc.assert(
      fc.property(walks(usualOperand), ([shape, operands]) => {
        expect(walked(shape, operands)).toEqual(looped(shape, operands));
      }),
      { numRuns: 500 },
    ));

  test("visits nothing when an axis is empty", () => {
    expect(rowLengths([2, 0, 3], [denseOperand([2, 0, 3])])).toEqual([]);
    expect(rowLengths([0], [])).toEqual([]);
  });

  test("visits a scalar once, in a row of one element", () => {
    expect(rowLengths([], [denseOperand([])])).toEqual([1]);
    expect(walked([], [{ strides: [], offset: 5 }])).toEqual([[5]]);
    expect(rowLengths([1, 1], [denseOperand([1, 1])])).toEqual([1]);
  });

  test("walks tensors of one shape in a single row", () =>
    fc.assert(
      fc.property(shapes(), (shape) => {
        expect(rowLengths(shape, [denseOperand(shape), denseOperand(shape)])).toEqual([size(shape)]);
      }),
    ));

  test("merges axes as far as every operand allows", () => {
    const shape = [2, 3, 4, 5];
    expect(rowLengths(shape, [denseOperand(shape), broadcastOperand([4, 5], shape)])).toEqual(Array(6).fill(20));
    expect(rowLengths(shape, [denseOperand(shape), broadcastOperand([3, 1, 1], shape)])).toEqual(Array(6).fill(20));
    expect(rowLengths(shape, [denseOperand(shape), broadcastOperand([5], shape)])).toEqual(Array(24).fill(5));
    expect(rowLengths(shape, [denseOperand(shape), broadcastOperand([], shape)])).toEqual([120]);
  });

  test("leaves the shape and the strides that it was given as they were", () => {
    const operand = { strides: [3, 1], offset: 0 };
    const shape = [2, 3];
    walk(shape, [operand], () => {});
    expect({ shape, operand }).toEqual({ shape: [2, 3], operand: { strides: [3, 1], offset: 0 } });
  });
});

describe("operands", () => {
  test("a dense one counts up", () =>
    fc.assert(
      fc.property(shapes({ minDim: 0 }), (shape) => {
        expect(walked(shape, [denseOperand(shape)])[0]).toEqual(Array.from({ length: size(shape) }, (_, i) => i));
      }),
    ));

  test("a broadcast one stays at index 0 of the axes that it lacks or has with size 1", () =>
    fc.assert(
      fc.property(broadcasting(2, { minDim: 0 }), ({ shapes: [, shape], out }) => {
        const expected = indices(out).map((index) => {
          const own = index.slice(out.length - shape.length).map((i, axis) => (shape[axis] === 1 ? 0 : i));
          return positionOf(own, shape);
        });
        expect(walked(out, [broadcastOperand(shape, out)])[0]).toEqual(expected);
      }),
    ));
});

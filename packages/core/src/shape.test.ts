import fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  broadcastShapes,
  checkShape,
  formatShape,
  normalizeAxes,
  normalizeAxis,
  sameShape,
  size,
  stridesOf,
} from "./shape.ts";
import { broadcasting, shapes } from "./testing/arbitraries.ts";
import { indices, positionOf } from "./testing/indices.ts";

describe("shapes", () => {
  test("a shape holds the product of its sizes, and a scalar 1 element", () => {
    expect(size([2, 3, 4])).toBe(24);
    expect(size([])).toBe(1);
    expect(size([2, 0, 3])).toBe(0);
    fc.assert(
      fc.property(shapes({ minDim: 0 }), (shape) => {
        expect(size(shape)).toBe(indices(shape).length);
      }),
    );
  });

  test("row-major strides are the products of the sizes behind", () => {
    expect(stridesOf([2, 3, 4])).toEqual([12, 4, 1]);
    expect(stridesOf([])).toEqual([]);
    fc.assert(
      fc.property(shapes(), (shape) => {
        const strides = stridesOf(shape);
        for (const index of indices(shape)) {
          const position = index.reduce((total, i, axis) => total + i * strides[axis], 0);
          expect(position).toBe(positionOf(index, shape));
        }
      }),
    );
  });

  test("two shapes are the same if every size is", () => {
    expect(sameShape([2, 3], [2, 3])).toBe(true);
    expect(sameShape([2, 3], [3, 2])).toBe(false);
    expect(sameShape([2], [2, 1])).toBe(false);
    expect(sameShape([], [])).toBe(true);
  });

  test("messages show shapes as they are written", () => {
    expect(formatShape([2, 3])).toBe("[2, 3]");
    expect(formatShape([])).toBe("[]");
  });

  test("sizes must be integers of at least 0, in an array", () => {
    checkShape("f", []);
    checkShape("f", [0, 3]);
    expect(() => checkShape("f", [2, -1])).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: f: a shape must be an array of integers of at least 0, got [2, -1]]`,
    );
    expect(() => checkShape("f", [1.5])).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: f: a shape must be an array of integers of at least 0, got [1.5]]`,
    );
    expect(() => checkShape("f", [NaN])).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: f: a shape must be an array of integers of at least 0, got [NaN]]`,
    );
    expect(() => checkShape("f", 3 as never)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: f: a shape must be an array of integers of at least 0, got 3; all stand in one array, f([3, ..])]`,
    );
  });
});

describe("axes", () => {
  test("count from the back when negative", () => {
    expect([0, 1, 2, -1, -2, -3].map((axis) => normalizeAxis("f", axis, [4, 5, 6]))).toEqual([0, 1, 2, 2, 1, 0]);
  });

  test("come ascending, all of them when none are named, none when the list is empty", () => {
    expect(normalizeAxes("f", [-1, 0], [4, 5, 6])).toEqual([0, 2]);
    expect(normalizeAxes("f", 1, [4, 5, 6])).toEqual([1]);
    expect(normalizeAxes("f", undefined, [4, 5, 6])).toEqual([0, 1, 2]);
    expect(normalizeAxes("f", [], [4, 5, 6])).toEqual([]);
    expect(normalizeAxes("f", undefined, [])).toEqual([]);
  });

  test("leave the caller's list in its order", () => {
    const axes = [2, 0];
    normalizeAxes("f", axes, [4, 5, 6]);
    expect(axes).toEqual([2, 0]);
  });

  test("must exist", () => {
    expect(() => normalizeAxis("f", 2, [4, 5])).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: f: dim must be an integer in [-2, 1], got dim 2 for x of shape [4, 5]]`,
    );
    expect(() => normalizeAxis("f", -3, [4, 5])).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: f: dim must be an integer in [-2, 1], got dim -3 for x of shape [4, 5]]`,
    );
    expect(() => normalizeAxis("f", 0, [])).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: f: x must have at least one axis, got dim 0 for x of shape []]`,
    );
    expect(() => normalizeAxis("f", NaN, [4])).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: f: dim must be an integer in [-1, 0], got dim NaN for x of shape [4]]`,
    );
  });

  test("may be named once", () => {
    expect(() => normalizeAxes("f", [0, 1, -2], [4, 5])).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: f: each axis may be named once, got dim [0, 1, -2] for x of shape [4, 5]]`,
    );
  });
});

describe("broadcasting", () => {
  test("aligns shapes at the last axis and stretches 1", () => {
    expect(broadcastShapes("f", { a: [2, 3], b: [3] })).toEqual([2, 3]);
    expect(broadcastShapes("f", { a: [2, 1], b: [1, 3] })).toEqual([2, 3]);
    expect(broadcastShapes("f", { a: [], b: [4] })).toEqual([4]);
    expect(broadcastShapes("f", { a: [1], b: [0] })).toEqual([0]);
    expect(broadcastShapes("f", { a: [2, 1, 1], b: [3, 1], c: [4] })).toEqual([2, 3, 4]);
  });

  test("gives the same in any order", () =>
    fc.assert(
      fc.property(
        broadcasting(3, { minDim: 0 }).chain(({ shapes, out }) =>
          fc.tuple(fc.shuffledSubarray(shapes, { minLength: 3 }), fc.constant(out)),
        ),
        ([[a, b, c], out]) => {
          expect(broadcastShapes("f", { a, b, c })).toEqual(out);
        },
      ),
    ));

  test("refuses sizes that differ and are not 1, naming every operand", () => {
    expect(() => broadcastShapes("f", { a: [2, 3], b: [2, 2] })).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: f: shapes must broadcast: aligned at the last axis, sizes equal or 1, got a of shape [2, 3] and b of shape [2, 2]]`,
    );
    expect(() => broadcastShapes("f", { a: [0], b: [2], c: [] })).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: f: shapes must broadcast: aligned at the last axis, sizes equal or 1, got a of shape [0] and b of shape [2] and c of shape []]`,
    );
  });
});

import { describe, expect, test } from "vitest";

import { indices, positionOf } from "./indices.ts";

describe("indices", () => {
  test("counts like an odometer", () => {
    expect(indices([2, 1, 2])).toEqual([
      [0, 0, 0],
      [0, 0, 1],
      [1, 0, 0],
      [1, 0, 1],
    ]);
  });

  test("gives one index for a scalar and none for an empty axis", () => {
    expect(indices([])).toEqual([[]]);
    expect(indices([2, 0])).toEqual([]);
  });
});

test("positionOf counts the elements before an index", () => {
  expect(indices([2, 3, 2]).map((index) => positionOf(index, [2, 3, 2]))).toEqual(
    Array.from({ length: 12 }, (_, i) => i),
  );
  expect(positionOf([1, 2], [4, 10])).toBe(12);
  expect(positionOf([], [])).toBe(0);
});

import { expect, test } from "vitest";

import { quantile, summarize, threeDigits } from "./statistics.ts";

test("quantile lies on the straight line between its neighbours, whatever the order", () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([4, 1, 3, 2], 0.25)).toBe(1.75);
  expect([0, 1].map((q) => quantile([10, 9, 100], q))).toEqual([9, 100]);
  expect(quantile([7], 0.3)).toBe(7);
});

test("quantile leaves its values in their order and refuses none", () => {
  const values = [3, 1, 2];
  quantile(values, 0.5);
  expect(values).toEqual([3, 1, 2]);
  expect(() => quantile([], 0.5)).toThrowErrorMatchingInlineSnapshot(
    `[Error: quantile: values must not be empty, got none]`,
  );
});

test("summarize does not let one slow run move the median", () => {
  expect(summarize([10, 11, 12, 13, 1000])).toEqual({ medianMs: 12, q1Ms: 11, q3Ms: 13, bestMs: 10, runs: 5 });
});

test("threeDigits keeps about three digits of small and large numbers", () => {
  expect([1234.5, 123.45, 12.345, 1.2345, 0.12345, 0.0012, 0].map(threeDigits)).toEqual([
    "1235",
    "123",
    "12.3",
    "1.23",
    "0.123",
    "0.001",
    "0.00",
  ]);
});

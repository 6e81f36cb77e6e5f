import { expect, test } from "vitest";

import { relativeError, sameBits } from "./threadedNetwork.ts";

const f = (...values: number[]): Float32Array => Float32Array.of(...values);

test("sameBits sees any other bit, and one value more or less", () => {
  expect(sameBits([f(1, NaN), f(0)], [f(1, NaN), f(0)])).toBe(true);
  for (const other of [
    [f(1, NaN), f(-0)],
    [f(1, 1), f(0)],
    [f(1, NaN)],
    [f(1, NaN), f(0), f(0)],
    [f(1, NaN), f(0, 0)],
    [],
  ]) {
    expect(sameBits([f(1, NaN), f(0)], other)).toBe(false);
    expect(sameBits(other, [f(1, NaN), f(0)])).toBe(false);
  }
});

test("sameBits of nothing is no agreement", () => {
  expect(sameBits([], [])).toBe(false);
  expect(sameBits([f()], [f()])).toBe(false);
});

test("relativeError is relative to the largest value, and never small where something is missing or not finite", () => {
  expect(relativeError(f(1, 2.5), f(1, 2))).toBe(0.25);
  for (const [got, wanted] of [
    [f(NaN, 1), f(1, 1)],
    [f(1, 1), f(1, NaN)],
    [f(Infinity, 1), f(Infinity, 1)],
    [f(5, 1), f(Infinity, 1)],
    [f(1), f(1, 1)],
    [f(1, 1), f(1)],
    [f(), f()],
  ])
    expect(relativeError(got, wanted)).not.toBeLessThan(1e9);
});

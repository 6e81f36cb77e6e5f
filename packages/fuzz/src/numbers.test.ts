import fc from "fast-check";
import { expect, test } from "vitest";

import { Numbers } from "./numbers.ts";

test("numbers lie within their limits, as many as wanted", () => {
  for (const values of fc.sample(new Numbers(7, -2, 3), { seed: 1, numRuns: 100 })) {
    expect(values).toHaveLength(7);
    for (const value of values) expect([-2, -1, 0, 1, 2, 3]).toContain(value);
  }
});

test("a list shrinks to the numbers that matter, at once where they are few", () => {
  let tries = 0;
  const { counterexample } = fc.check(
    fc.property(new Numbers(500, 0, 255), (values) => (tries++, values[123] < 40)),
    { seed: 1, numRuns: 100 },
  );
  const [values] = counterexample!;
  expect(values.flatMap((value, i) => (value === 0 ? [] : [[i, value]]))).toEqual([[123, expect.any(Number)]]);
  expect(values[123]).toBeLessThan(80);
  expect(tries).toBeLessThan(200);
});

test("numbers that cannot be 0 shrink to the one next to it", () => {
  const { counterexample } = fc.check(
    fc.property(new Numbers(3, 4, 9), () => false),
    { seed: 1 },
  );
  expect(counterexample).toEqual([[4, 4, 4]]);
});

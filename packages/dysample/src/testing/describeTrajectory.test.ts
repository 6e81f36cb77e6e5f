import { expect, test } from "vitest";

import { relativeError } from "./describeTrajectory.ts";
import { entriesBelow, readTrajectory } from "./trajectory.ts";

const f = (...values: number[]): Float64Array => Float64Array.of(...values);

test("relativeError is relative to the largest value, and never small where something is missing or not finite", () => {
  expect(relativeError(f(1, 2.5), f(1, 2))).toBe(0.25);
  for (const [got, expected] of [
    [f(NaN, 1), f(1, 1)],
    [f(1, 1), f(1, NaN)],
    [f(5, 1), f(Infinity, 1)],
    [f(1), f(0)],
    [f(), f()],
  ])
    expect(relativeError(got, expected)).not.toBeLessThan(1e9);
  expect(() => relativeError(f(1), f(1, 1))).toThrow();
});

test("entriesBelow finds tensors, or says that there is none", () => {
  const trajectory = readTrajectory("bilinear");
  expect(Object.keys(entriesBelow(trajectory, "grad0.")).length).toBeGreaterThan(1);
  expect(() => entriesBelow(trajectory, "grad7.")).toThrowErrorMatchingInlineSnapshot(
    `[Error: entriesBelow: a tensor must have a name that starts with grad7., got none]`,
  );
});

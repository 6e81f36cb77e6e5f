import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { broadcastShapes } from "../shape.ts";
import { broadcasting, dims, integers, reals, shapes } from "./arbitraries.ts";

/** Whether one of the first thousand values has a property: what an arbitrary never draws is never tested. */
function sometimes<T>(arbitrary: fc.Arbitrary<T>, holds: (value: T) => boolean): boolean {
  return fc.sample(arbitrary, { numRuns: 1000, seed: 1 }).some(holds);
}

describe("shapes", () => {
  test("keep to their limits and reach them", () => {
    const arbitrary = shapes({ minRank: 1, maxRank: 3, minDim: 0, maxDim: 2 });
    fc.assert(
      fc.property(arbitrary, (shape) => {
        expect(shape.length).toBeGreaterThanOrEqual(1);
        expect(shape.length).toBeLessThanOrEqual(3);
        for (const dim of shape) expect([0, 1, 2]).toContain(dim);
      }),
    );
    for (const rank of [1, 2, 3]) expect(sometimes(arbitrary, (shape) => shape.length === rank)).toBe(true);
    for (const dim of [0, 1, 2]) expect(sometimes(arbitrary, (shape) => shape.includes(dim))).toBe(true);
  });

  test("are not empty unless asked for", () => {
    expect(sometimes(shapes(), (shape) => shape.includes(0))).toBe(false);
    expect(sometimes(shapes(), (shape) => shape.length === 0)).toBe(true);
    expect(sometimes(dims(), (dim) => dim === 1)).toBe(true);
  });
});

describe("broadcasting", () => {
  test("gives shapes that broadcast to the shape it says, in any order", () =>
    fc.assert(
      fc.property(broadcasting(3, { minDim: 0 }), ({ shapes: [a, b, c], out }) => {
        expect(broadcastShapes("f", { a, b, c })).toEqual(out);
        expect(broadcastShapes("f", { c, a, b })).toEqual(out);
      }),
    ));

  test("gives as many shapes as it is asked for", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 4 }).chain((count) => fc.tuple(fc.constant(count), broadcasting(count))),
        ([count, drawn]) => {
          expect(drawn.shapes).toHaveLength(count);
        },
      ),
    ));

  test("draws equal shapes, lost leading axes, stretched ones and scalars", () => {
    const arbitrary = broadcasting(2);
    expect(sometimes(arbitrary, ({ shapes: [a, b] }) => a.length > 1 && String(a) === String(b))).toBe(true);
    expect(sometimes(arbitrary, ({ shapes: [a, b] }) => b.length > 0 && b.length < a.length)).toBe(true);
    expect(
      sometimes(arbitrary, ({ shapes: [a, b] }) => b.some((dim, axis) => dim === 1 && a.at(axis - b.length)! > 1)),
    ).toBe(true);
    expect(sometimes(arbitrary, ({ shapes: [a, b] }) => b.length === 0 && a.length > 0)).toBe(true);
  });
});

describe("tensors", () => {
  test("integers are integers within their limits, in the type that is asked for", () =>
    fc.assert(
      fc.asyncProperty(integers([2, 3], { min: -2, max: 2, dtype: "int32" }), async (x) => {
        expect(x).toMatchObject({ shape: [2, 3], dtype: "int32", recipe: null });
        for (const value of await x.data()) expect([-2, -1, 0, 1, 2]).toContain(value);
      }),
    ));

  test("integers are float32 and reals are float64 unless asked for otherwise", () => {
    expect(sometimes(integers([1]), (x) => x.dtype !== "float32")).toBe(false);
    expect(sometimes(reals([1]), (x) => x.dtype !== "float64")).toBe(false);
    expect(sometimes(reals([1], { dtype: "float32" }), (x) => x.dtype !== "float32")).toBe(false);
  });

  test("reals keep their distance from kinks, on both sides", async () => {
    const arbitrary = reals([4], { min: -1, max: 1, kinks: [0, 0.5], distance: 0.125 });
    await fc.assert(
      fc.asyncProperty(arbitrary, async (x) => {
        for (const value of await x.data()) {
          expect(Math.abs(value)).toBeGreaterThanOrEqual(0.125);
          expect(Math.abs(value - 0.5)).toBeGreaterThanOrEqual(0.125);
          expect(Math.abs(value)).toBeLessThanOrEqual(1);
        }
      }),
    );
    for (const [low, high] of [[-1, -0.125], [0.125, 0.375], [0.625, 1]]) {
      expect(sometimes(arbitrary, ({ values }) => values!.some((value) => value >= low && value <= high))).toBe(true);
    } // prettier-ignore
  });

  test("reals shrink to short decimals", () => {
    const { counterexample } = fc.check(
      fc.property(reals([1]), (x) => x.values![0] < 1),
      { seed: 1, numRuns: 1000 },
    );
    expect(Array.from(counterexample![0].values!)).toEqual([1]);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { differenceStep, float32Limit, float64GoldenLimit, gradientTolerance, u32, u64 } from "./tolerance.ts";

describe("unit roundoffs", () => {
  test("u32 bounds the relative error of rounding to float32, and is reached", () => {
    fc.assert(
      fc.property(fc.double({ min: 2 ** -100, max: 2 ** 100, noNaN: true }), (x) => {
        expect(Math.abs(Math.fround(x) - x)).toBeLessThanOrEqual(u32 * x);
      }),
    );
    expect(Math.fround(1 + u32)).toBe(1); // halfway to the next number
    expect(Math.fround(1 + 1.001 * u32)).toBe(1 + 2 * u32);
  });

  test("u64 is half the distance from 1 to the next float64", () => {
    expect(2 * u64).toBe(Number.EPSILON);
    expect([1 + u64, 1 + 2 * u64]).toEqual([1, 1 + Number.EPSILON]);
  });
});

describe("differences", () => {
  test("are off by no more than their derivation says, for a function and derivatives of the order of 1", () => {
    for (let x = -2; x <= 2; x += 1 / 16) {
      const slope = (Math.sin(x + differenceStep) - Math.sin(x - differenceStep)) / (2 * differenceStep);
      // h² / 6 from the formula; u64 / h from each rounding of the two values and of the two arguments
      const limit = differenceStep ** 2 / 6 + (4 * u64) / differenceStep;
      expect(Math.abs(slope - Math.cos(x))).toBeLessThan(limit);
      expect(limit).toBeLessThan(gradientTolerance / 1000);
    }
  });
});

describe("float32Limit", () => {
  /** ((x · 1.1) + 0.3) · 0.7, rounded after each step as kernels do. */
  function chain(x: number, round: (x: number) => number): number {
    return round(round(round(x * 1.1) + 0.3) * 0.7);
  }

  test("holds for three kernels and is close: a thousand times less would not hold", () => {
    let worst = 0;
    for (let i = 0; i < 10_000; i++) {
      const x = Math.fround(1 + i / 10_000);
      worst = Math.max(worst, Math.abs(chain(x, Math.fround) - chain(x, (y) => y)));
    }
    const limit = float32Limit(3, 2.5); // the largest value on the way: 2 · 1.1 + 0.3
    expect(worst).toBeLessThanOrEqual(limit);
    expect(worst).toBeGreaterThan(limit / 1000);
  });
});

describe("float64GoldenLimit", () => {
  test("passes a reference that was rounded to float32, and sums of 10,000 terms in another order", () => {
    const terms = Array.from({ length: 10_000 }, (_, i) => Math.sin(i));
    const forwards = terms.reduce((total, term) => total + term);
    const backwards = terms.reduceRight((total, term) => total + term);
    expect(forwards).not.toBe(backwards);
    expect(Math.abs(forwards - Math.fround(backwards))).toBeLessThan(float64GoldenLimit(Math.fround(backwards), 1));
  });

  test("catches what float32 arithmetic would have passed", () => {
    expect(Math.abs(1 + 3 * u32 - 1)).toBeGreaterThan(float64GoldenLimit(1, 1));
  });
});

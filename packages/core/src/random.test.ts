import { inspect } from "node:util";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { Random } from "./random.ts";
import { u64 } from "./testing/tolerance.ts";

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

/** How many standard errors a moment of random numbers may be off: one in 1.7 million seeds is further away. */
const sigmas = 5;

describe("the stream", () => {
  test("is mulberry32's", () => {
    const random = new Random(1);
    const first = [random.next(), random.next(), random.next(), random.next()];
    expect(first).toEqual([0.6270739405881613, 0.002735721180215478, 0.5274470399599522, 0.9810509674716741]);
  });

  test("gives multiples of 2^-32 in [0, 1), from every seed", () =>
    fc.assert(
      fc.property(seeds, (seed) => {
        const x = new Random(seed).next();
        expect(x).toBeGreaterThanOrEqual(0);
        expect(x).toBeLessThan(1);
        expect(Number.isInteger(x * 2 ** 32)).toBe(true);
      }),
    ));

  test("goes on from a state that was saved, which is an unsigned 32-bit integer", () =>
    fc.assert(
      fc.property(seeds, fc.nat(50), (seed, skip) => {
        const random = new Random(seed);
        for (let i = 0; i < skip; i++) random.nextNormal();
        const { state } = random;
        expect(state).toBe(state >>> 0);
        const expected = [random.next(), random.next(), random.nextNormal()];
        const other = new Random(state);
        expect([other.next(), other.next(), other.nextNormal()]).toEqual(expected);
        random.state = state;
        expect([random.next(), random.next(), random.nextNormal()]).toEqual(expected);
      }),
    ));

  test("differs between seeds", () => {
    const first = Array.from({ length: 1000 }, (_, seed) => new Random(seed).next());
    expect(new Set(first).size).toBe(1000);
  });

  test("refuses seeds that are no unsigned 32-bit integer", () => {
    expect(() => new Random(-1)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Random: seed must be an integer in [0, 2^32), got -1]`,
    );
    expect(() => new Random(2 ** 32)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Random: seed must be an integer in [0, 2^32), got 4294967296]`,
    );
    expect(() => new Random(0.5)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Random: seed must be an integer in [0, 2^32), got 0.5]`,
    );
    expect(() => new Random(NaN)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Random: seed must be an integer in [0, 2^32), got NaN]`,
    );
  });
});

describe("normal numbers", () => {
  test("are the same to the last bit on every machine", () => {
    const random = new Random(1);
    const first = [random.nextNormal(), random.nextNormal(), random.nextNormal(), random.nextNormal()];
    expect(first).toEqual([1.4043387784152637, 1.2157546192705377, -0.5103768768108126, -0.2518183315501483]);
  });

  test("are Box and Muller's, up to the rounding of Math.log and Math.cos", () => {
    const [random, uniform] = [new Random(7), new Random(7)];
    // The argument 2 π v of Math.cos is off by 2^-51 (half the spacing of numbers near 2 π) and by 2 u64 from π itself: 6 u64.
    // One u64 each for the cosine, the logarithm, the root and the products on both sides stay below another 10.
    const limit = 16 * u64;
    for (let i = 0; i < 100_000; i++) {
      const z = random.nextNormal();
      const radius = Math.sqrt(-2 * Math.log(1 - uniform.next()));
      const formula = radius * Math.cos(2 * Math.PI * uniform.next());
      if (!(Math.abs(z - formula) <= limit * radius)) expect.fail(`number ${i}: ${z}, by the formula ${formula}`);
    }
  });

  test("are finite at both ends of the stream, and 0 at the end where ln is", () => {
    const random = new Random(394144346); // after this state comes 1 - 2^-32, the largest number of the stream
    const far = random.nextNormal();
    expect(Math.abs(far)).toBeLessThanOrEqual(Math.sqrt(-2 * Math.log(2 ** -32)));
    random.state = 2463401483; // after this state comes 0
    expect(random.nextNormal()).toBe(0);
  });

  test("have the moments of the normal distribution", () => {
    const n = 200_000;
    const random = new Random(11);
    const z = Array.from({ length: n }, () => random.nextNormal());
    const average = (f: (x: number) => number): number => z.reduce((total, x) => total + f(x), 0) / n;
    const mean = average((x) => x);
    const variance = average((x) => (x - mean) ** 2);
    const skewness = average((x) => (x - mean) ** 3) / variance ** 1.5;
    const kurtosis = average((x) => (x - mean) ** 4) / variance ** 2;
    // Standard errors for n normal numbers: sqrt of 1/n, 2/n, 6/n, 24/n.
    expect(Math.abs(mean)).toBeLessThan(sigmas * Math.sqrt(1 / n));
    expect(Math.abs(variance - 1)).toBeLessThan(sigmas * Math.sqrt(2 / n));
    expect(Math.abs(skewness)).toBeLessThan(sigmas * Math.sqrt(6 / n));
    expect(Math.abs(kurtosis - 3)).toBeLessThan(sigmas * Math.sqrt(24 / n));
  });

  test("do not depend on their predecessors", () => {
    const n = 200_000;
    const random = new Random(12);
    let before = random.nextNormal();
    let total = 0;
    for (let i = 0; i < n; i++) {
      const z = random.nextNormal();
      total += before * z;
      before = z;
    }
    expect(Math.abs(total / n)).toBeLessThan(sigmas * Math.sqrt(1 / n));
  });
});

describe("random leaves", () => {
  test("take their numbers from the stream, in order", async () => {
    const [random, stream] = [new Random(3), new Random(3)];
    const uniform = random.uniform([2, 2], { low: -1, high: 3, dtype: "float64" });
    expect(uniform).toMatchObject({ shape: [2, 2], dtype: "float64", recipe: null });
    expect(Array.from(await uniform.data())).toEqual(Array.from({ length: 4 }, () => -1 + 4 * stream.next()));
    const normal = random.normal([3], { mean: 5, std: 2 });
    expect(await normal.data()).toEqual(Float32Array.from({ length: 3 }, () => 5 + 2 * stream.nextNormal()));
    const integers = random.integers([5], 10);
    expect(await integers.data()).toEqual(Int32Array.from({ length: 5 }, () => Math.floor(10 * stream.next())));
    expect(random.state).toBe(stream.state);
  });

  test("are float32 without a gradient unless asked for otherwise", () => {
    const random = new Random(0);
    expect(random.uniform([1])).toMatchObject({ dtype: "float32", requiresGrad: false });
    expect(random.normal([1], { requiresGrad: true, dtype: "float64" })).toMatchObject({
      dtype: "float64",
      requiresGrad: true,
    });
    expect(random.uniform([0, 3]).shape).toEqual([0, 3]);
    expect(random.uniform([]).shape).toEqual([]);
  });

  test("spread uniform numbers evenly", async () => {
    const n = 200_000;
    const bins = new Array<number>(16).fill(0);
    for (const x of await new Random(5).uniform([n]).data()) bins[Math.floor(x * 16)]++;
    const expected = n / 16;
    for (const count of bins) expect(Math.abs(count - expected)).toBeLessThan(sigmas * Math.sqrt(expected));
  });

  test("reach the upper limit of uniform numbers by rounding to float32 only", async () => {
    const [random, again] = [new Random(394144346), new Random(394144346)]; // before the number 1 - 2^-32
    expect(await random.uniform([1]).item()).toBe(1);
    expect(await again.uniform([1], { dtype: "float64" }).item()).toBe(1 - 2 ** -32);
  });

  test("hold every integer below the limit, equally often", async () => {
    const n = 100_000;
    const counts = new Array<number>(7).fill(0);
    for (const k of await new Random(6).integers([n], 7).data()) counts[k]++;
    for (const count of counts) expect(Math.abs(count - n / 7)).toBeLessThan(sigmas * Math.sqrt(n / 7));
    expect(counts.reduce((total, count) => total + count)).toBe(n);
  });

  test("hold integers of 31 bits", async () => {
    const random = new Random(394144346);
    expect(await random.integers([1], 2 ** 31).item()).toBe(2 ** 31 - 1);
    expect(await random.integers([1], 1).item()).toBe(0);
  });

  test("refuse limits that int32 cannot hold", () => {
    const random = new Random(0);
    expect(() => random.integers([1], 0)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: integers: high must be an integer in [1, 2^31], got 0]`,
    );
    expect(() => random.integers([1], 2 ** 31 + 1)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: integers: high must be an integer in [1, 2^31], got 2147483649]`,
    );
    expect(() => random.integers([1], 1.5)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: integers: high must be an integer in [1, 2^31], got 1.5]`,
    );
  });

  test("refuse shapes and element types that are none", () => {
    const random = new Random(0);
    expect(() => random.uniform([-1])).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: uniform: a shape must be an array of integers of at least 0, got [-1]]`,
    );
    expect(() => random.normal([1], { dtype: "half" as never })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: normal: dtype must be "float32", "float64" or "int32", got "half"]`,
    );
    expect(() => random.normal([1], { dtype: "int32" })).toThrowErrorMatchingInlineSnapshot(
      `[DTypeError: normal: dtype must be float32 or float64 (integers gives int32), got int32]`,
    );
  });
});

test("a stream shows where it is", () => {
  expect(inspect(new Random(7))).toBe("Random(state: 7)");
});

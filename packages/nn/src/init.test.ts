import { describe, expect, test } from "vitest";

import { Random, type Shape, type DType, type Tensor } from "@gridgrad/core";
import { u64 } from "@gridgrad/core/testing";

import {
  constant,
  defaultRandom,
  fans,
  kaimingNormal,
  kaimingUniform,
  manualSeed,
  normal,
  uniform,
  xavierNormal,
  xavierUniform,
} from "./init.ts";

/** Notes what it was asked for. */
class Recorder extends Random {
  bound = NaN;
  std = NaN;

  override uniform<D extends DType>(...[shape, options]: Parameters<typeof Random.prototype.uniform<D>>): Tensor<D> {
    expect(options!.low).toBe(-options!.high!);
    this.bound = options!.high!;
    return super.uniform(shape, options);
  }

  override normal<D extends DType>(...[shape, options]: Parameters<typeof Random.prototype.normal<D>>): Tensor<D> {
    expect(options!.mean ?? 0).toBe(0);
    this.std = options!.std!;
    return super.normal(shape, options);
  }
}

function recorded(create: (random: Random) => Tensor): Recorder {
  const random = new Recorder(0);
  create(random);
  return random;
}

describe("bounds and standard deviations are those of torch.nn.init", () => {
  // What torch 2.13 hands to uniform_ and normal_ in float64.
  const cases: readonly {
    shape: Shape;
    kaimingUniformSqrt5: number;
    kaimingUniformFanOut: number;
    kaimingNormal: number;
    kaimingNormalLeakyFanOut: number;
    xavierUniformGain2: number;
    xavierNormalGainHalf: number;
  }[] = [
    {
      shape: [8, 4, 3, 5],
      kaimingUniformSqrt5: 0.12909944487358055,
      kaimingUniformFanOut: 0.223606797749979,
      kaimingNormal: 0.18257418583505539,
      kaimingNormalLeakyFanOut: 0.12659242088545833,
      xavierUniformGain2: 0.3651483716701107,
      xavierNormalGainHalf: 0.05270462766947299,
    },
    {
      shape: [6, 10],
      kaimingUniformSqrt5: 0.3162277660168379,
      kaimingUniformFanOut: 1.0,
      kaimingNormal: 0.4472135954999579,
      kaimingNormalLeakyFanOut: 0.5661385170722979,
      xavierUniformGain2: 1.2247448713915892,
      xavierNormalGainHalf: 0.1767766952966369,
    },
  ];

  test.each(cases)("for $shape", ({ shape, ...torch }) => {
    const got = {
      kaimingUniformSqrt5: recorded((random) => kaimingUniform(shape, { a: Math.sqrt(5), random })).bound,
      kaimingUniformFanOut: recorded((random) => kaimingUniform(shape, { mode: "fanOut", random })).bound,
      kaimingNormal: recorded((random) => kaimingNormal(shape, { random })).std,
      kaimingNormalLeakyFanOut: recorded((random) => kaimingNormal(shape, { a: 0.2, mode: "fanOut", random })).std,
      xavierUniformGain2: recorded((random) => xavierUniform(shape, { gain: 2, random })).bound,
      xavierNormalGainHalf: recorded((random) => xavierNormal(shape, { gain: 0.5, random })).std,
    };
    for (const [name, value] of Object.entries(torch)) {
      // A handful of roundings on either side: products, quotients and square roots.
      const error = Math.abs(got[name as keyof typeof got] - value) / value;
      expect(error, name).toBeLessThanOrEqual(8 * u64);
    }
  });

  test("fans count the kernel", () => {
    expect(fans("test", [8, 4, 3, 5])).toEqual({ fanIn: 60, fanOut: 120 });
    expect(fans("test", [6, 10])).toEqual({ fanIn: 10, fanOut: 6 });
  });
});

describe("numbers", () => {
  const shape = [64, 32, 3, 3];
  const n = 64 * 32 * 9;
  /** A mean of n draws strays from its expectation by at most 5 of its standard deviations, but once in a million. */
  const sigmas = 5;
  const moments = async (t: Tensor): Promise<{ mean: number; square: number; largest: number }> => {
    const values = Array.from(await t.data());
    return {
      mean: values.reduce((total, x) => total + x, 0) / n,
      square: values.reduce((total, x) => total + x * x, 0) / n,
      largest: values.reduce((most, x) => Math.max(most, Math.abs(x)), 0),
    };
  };

  test.each([
    ["kaimingUniform", (random: Random) => kaimingUniform(shape, { random }), Math.sqrt(6 / 288)],
    ["xavierUniform", (random: Random) => xavierUniform(shape, { random }), Math.sqrt(6 / (288 + 576))],
    ["uniform", (random: Random) => uniform(shape, { low: -2, high: 2, random }), 2],
  ])("of %s fill their interval evenly", async (_name, create, bound) => {
    const { mean, square, largest } = await moments(create(new Random(1)));
    expect(Math.abs(mean)).toBeLessThan((sigmas * bound) / Math.sqrt(3 * n));
    // E x² = b²/3, Var x² = b⁴/5 - b⁴/9
    expect(Math.abs(square - bound ** 2 / 3)).toBeLessThan(sigmas * bound ** 2 * Math.sqrt(4 / 45 / n));
    expect(largest).toBeLessThanOrEqual(Math.fround(bound));
    expect(largest).toBeGreaterThan(bound * (1 - 20 / n)); // all n miss the outermost share 20/n with probability e^-20
  });

  test.each([
    ["kaimingNormal", (random: Random) => kaimingNormal(shape, { random }), 0, Math.sqrt(2 / 288)],
    ["xavierNormal", (random: Random) => xavierNormal(shape, { random }), 0, Math.sqrt(2 / (288 + 576))],
    ["normal", (random: Random) => normal(shape, { mean: 3, std: 0.5, random }), 3, 0.5],
  ])("of %s have its mean and standard deviation", async (_name, create, center, std) => {
    const { mean, square } = await moments(create(new Random(1)));
    expect(Math.abs(mean - center)).toBeLessThan((sigmas * std) / Math.sqrt(n));
    // Var of the mean of (x - center)² is 2 std⁴ / n.
    const variance = square - 2 * center * mean + center ** 2;
    expect(Math.abs(variance - std ** 2)).toBeLessThan(sigmas * std ** 2 * Math.sqrt(2 / n));
  });

  test("of constant are the constant", async () => {
    expect(await constant([2, 2], 0.5).array()).toEqual([
      [0.5, 0.5],
      [0.5, 0.5],
    ]);
  });

  test("are the same for the same seed, and go on in one stream", async () => {
    const draw = async (): Promise<unknown> => [
      await kaimingUniform([2, 2]).array(),
      await normal([3]).array(),
      await xavierNormal([2, 2]).array(),
    ];
    manualSeed(7);
    const { state } = defaultRandom();
    const first = await draw();
    const second = await draw();
    manualSeed(7);
    expect(await draw()).toEqual(first);
    expect(second).not.toEqual(first);
    const own = new Random(state);
    expect(await kaimingUniform([2, 2], { random: own }).array()).toEqual((first as unknown[])[0]);
  });

  test("come from the stream that is given, and leave the shared one alone", () => {
    manualSeed(7);
    const { state } = defaultRandom();
    kaimingNormal([2, 2], { random: new Random(1) });
    expect(defaultRandom().state).toBe(state);
  });
});

describe("errors", () => {
  test("name the argument", () => {
    expect(() => kaimingNormal([3])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: kaimingNormal: a weight must have at least two axes [O, I, ..kernel], got weight of shape [3]]`,
    );
    expect(() => xavierUniform([])).toThrow(/^xavierUniform: a weight must have at least two axes/);
    expect(() => kaimingUniform([2, 2], { mode: "fan_in" as never })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: kaimingUniform: mode must be "fanIn" or "fanOut", got "fan_in"]`,
    );
    expect(() => kaimingUniform([2, 2], { a: NaN })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: kaimingUniform: a must be finite, got NaN]`,
    );
    expect(() => xavierNormal([2, 2], { gain: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: xavierNormal: gain must be at least 0 and finite, got -1]`,
    );
    expect(() => normal([2], { std: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: normal: std must be at least 0, got -1]`,
    );
    expect(() => uniform([2], { low: 1, high: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: uniform: low must be at most high, both finite, got low 1 and high 0]`,
    );
    expect(() => manualSeed(-1)).toThrow(/seed must be an integer/);
  });
});

/** Errors of the functions in assembly/maths.ts, over float32 numbers of every kind, against the loops in float64. */

import { exp, log, pow, ReferenceDevice, sigmoid, tanh, type Tensor, tensor, withDevice } from "@gridgrad/core";
import { afterAll, describe, expect, test } from "vitest";

import { erf, erfRestKernel } from "../../ops/erf.ts";
import { gelu } from "../../ops/gelu.ts";
import { softplus } from "../../ops/softplus.ts";
import { CpuDevice } from "./cpuDevice.ts";

const cpu = new CpuDevice({ threads: 1 });
const reference = new ReferenceDevice();

afterAll(() => cpu.close());

/** Bit patterns from one to the next, out of 2^32. It is odd: patterns differ in all bits, and meet every exponent 16,000 times. */
const stride = 1021;
const chunk = 2 ** 20;

/** Numbers that a stride may miss. */
const special = [
  0,
  -0,
  1,
  -1,
  Infinity,
  -Infinity,
  NaN,
  2 ** -149,
  -(2 ** -149),
  2 ** -126,
  3.4028234663852886e38,
  88.72284,
  -103.97,
];

test("one ulp is 2^-23 of 1, and signs of zeros and the edge of float32's range count", () => {
  expect(ulps(1 + 3 * 2 ** -23, 1)).toBe(3);
  expect(ulps(3 * 2 ** -149, 2.5 * 2 ** -149)).toBe(0.5);
  expect(ulps(NaN, NaN)).toBe(0);
  expect(ulps(1, NaN)).toBe(Infinity);
  expect(ulps(0, -1e-60)).toBe(Infinity);
  expect(ulps(Infinity, 3.4028234663852886e38)).toBe(1);
  expect(ulps(-Infinity, -1e300)).toBe(0);
  expect(ulps(1, 1e300)).toBeGreaterThan(1e6);
});

describe("the largest error over float32, in ulp", () => {
  test.each<[string, (x: Tensor) => Tensor, number]>([
    ["exp", exp, 1],
    ["log", log, 1],
    ["tanh", tanh, 2],
    ["sigmoid", sigmoid, 3],
    ["erf", erf, 3],
    ["softplus", softplus, 3],
  ])("of %s is at most its bound", async (_, f, bound) => {
    expect(await largestError([Float32Array.from(special)], f)).toBeLessThanOrEqual(bound);
    expect(await largestError(allKinds(), f)).toBeLessThanOrEqual(bound);
  });

  test.each([2, 3, -1, 0.5, -0.5, 1 / 3, -2.7, 33, Infinity, -Infinity, NaN, 0])(
    "of the power of %d is at most 1",
    async (b) => {
      const f = (x: Tensor): Tensor => pow(x, tensor(Math.fround(b), [], { dtype: x.dtype }));
      expect(await largestError([Float32Array.from(special), ...allKinds(32 * stride + 1)], f)).toBeLessThanOrEqual(1);
    },
  );

  test.each([2, 10, 0.5, 1.0000001, 0, Infinity, -1, -3, -Infinity, NaN])(
    "of %d to the power of x is at most 1",
    async (a) => {
      const f = (x: Tensor): Tensor => pow(tensor(Math.fround(a), [], { dtype: x.dtype }), x);
      expect(await largestError([Float32Array.from(special), ...allKinds(32 * stride + 1)], f)).toBeLessThanOrEqual(1);
    },
  );

  test("of gelu is at most 8 where 1 + erf would have lost its digits", async () => {
    const x = Float32Array.from({ length: chunk }, (_, i) => -1.1 - (4.5 * i) / chunk); // down to -5.6: erf(-4)
    const y = await withDevice(cpu, () => gelu(tensor(x)).data());
    let largest = 0;
    for (let i = 0; i < x.length; i++) {
      largest = Math.max(largest, ulps(y[i], 0.5 * x[i] * erfRestKernel(-x[i] * Math.SQRT1_2)));
    }
    expect(largest).toBeLessThanOrEqual(8);
  });
});

/** Float32 numbers at a stride of bit patterns, in chunks. */
function* allKinds(step = stride): Generator<Float32Array> {
  const count = Math.floor(2 ** 32 / step);
  for (let start = 0; start < count; start += chunk) {
    const bits = Uint32Array.from({ length: Math.min(chunk, count - start) }, (_, i) => (start + i) * step);
    yield new Float32Array(bits.buffer);
  }
}

async function largestError(inputs: Iterable<Float32Array>, f: (x: Tensor) => Tensor): Promise<number> {
  let largest = 0;
  for (const x of inputs) {
    const y = await withDevice(cpu, () => f(tensor(x)).data());
    const truth = await withDevice(reference, () => f(tensor(Float64Array.from(x))).data());
    for (let i = 0; i < x.length; i++) {
      const error = ulps(y[i], truth[i]);
      if (error > largest) largest = error;
    }
  }
  expect([...cpu.onLoops.keys()]).toEqual([]);
  return largest;
}

/** Error of a float32 number in units of the last place that the truth has in float32. Beyond the range, 2^128 stands for infinity. */
function ulps(y: number, truth: number): number {
  const wanted = Math.fround(truth);
  if (Object.is(y, wanted)) return 0;
  if (y === wanted || Number.isNaN(y) || Number.isNaN(wanted)) return Infinity; // 0 for -0, or NaN
  const limit = 2 ** 128;
  const within = (value: number): number => Math.max(-limit, Math.min(limit, value));
  return Math.abs(within(y) - within(truth)) / lastPlace(within(truth));
}

const number = new Float64Array(1);
const words = new Uint32Array(number.buffer);

/** The distance of the float32 numbers around a number. */
function lastPlace(value: number): number {
  number[0] = value;
  const exponent = ((words[1] >>> 20) & 2047) - 1023;
  return 2 ** (Math.min(Math.max(exponent, -126), 127) - 23);
}

/** Element-wise kernels against the loops: numbers of every kind, all ways to broadcast, any number of threads. */

import {
  abs,
  add,
  broadcastShapes,
  cast,
  clamp,
  div,
  equal,
  expand,
  floor,
  greater,
  greaterEqual,
  leakyRelu,
  less,
  lessEqual,
  maximum,
  minimum,
  mul,
  neg,
  notEqual,
  pow,
  Random,
  ReferenceDevice,
  relu,
  type Shape,
  sign,
  size,
  sqrt,
  sub,
  type Tensor,
  tensor,
  type Values,
  where,
  withDevice,
} from "@gridgrad/core";
import { broadcasting } from "@gridgrad/core/testing";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";

import { smoothL1Loss } from "../../../ops/smoothL1Loss.ts";
import { CpuDevice } from "../cpuDevice.ts";
import type { KernelName } from "../module.generated.ts";
import { Threads } from "../threads.ts";

const devices = [1, 3].map((threads) => new CpuDevice({ threads }));

afterAll(() => Promise.all(devices.map((device) => device.close())));

/** Computes on each device what the loops compute, to the bit. */
async function expectLoops(f: () => Tensor): Promise<void> {
  const wanted = await withDevice(new ReferenceDevice(), () => f().data());
  for (const device of devices) {
    const got = await withDevice(device, () => f().data());
    expect(firstDifference(got, wanted)).toBe("none");
    expect([...device.onLoops.keys()]).toEqual([]);
  }
}

function firstDifference(got: Values, wanted: Values): string {
  if (got.length !== wanted.length) return `${got.length} elements, not ${wanted.length}`;
  for (let i = 0; i < got.length; i++) {
    if (!Object.is(got[i], wanted[i])) return `[${i}] is ${got[i]}, not ${wanted[i]}`;
  }
  return "none";
}

const numbers = [0, -0, 1, -1, 0.5, -2.5, 3e9, -3e9, 1e20, 3.4e38, -3.4e38, 1e-40, -1e-45, Infinity, -Infinity, NaN];

/** Every pair of them; the NaN that processors make has its sign bit set, and so has one of these. */
function pairs(): [Tensor, Tensor] {
  const a = Float32Array.from({ length: 256 }, (_, i) => numbers[i >> 4]);
  const b = Float32Array.from({ length: 256 }, (_, i) => numbers[i & 15]);
  new Uint32Array(a.buffer)[255] = 0xffc00000;
  return [tensor(a), tensor(b)];
}

describe("numbers of every kind", () => {
  test.each<[string, (x: Tensor) => Tensor]>([
    ["neg", neg],
    ["abs", abs],
    ["sign", sign],
    ["sqrt", sqrt],
    ["floor", floor],
    ["relu", relu],
    ["leakyRelu", (x) => leakyRelu(x, { negativeSlope: 0.25 })],
    ["clamp", (x) => clamp(x, { min: -1, max: 0 })],
    ["clamp without min", (x) => clamp(x, { max: 2 })],
    ["cast to int32", (x) => cast(x, "int32")],
  ])("%s makes of them what the loops make", async (_, f) => {
    await expectLoops(() => f(pairs()[0]));
  });

  test.each<[string, (a: Tensor, b: Tensor) => Tensor]>([
    ["add", add],
    ["sub", sub],
    ["mul", mul],
    ["div", div],
    ["maximum", maximum],
    ["minimum", minimum],
    ["equal", equal],
    ["notEqual", notEqual],
    ["less", less],
    ["lessEqual", lessEqual],
    ["greater", greater],
    ["greaterEqual", greaterEqual],
    ["where", (a, b) => where(a, b, 7)],
    ["expand", (a) => expand(a, [3, 256])],
  ])("%s makes of any two of them what the loops make", async (_, f) => {
    await expectLoops(() => f(...pairs()));
  });

  test("a cast from int32 rounds as the loops do, and expand copies int32", async () => {
    const x = tensor(Int32Array.of(0, -1, 2 ** 24 + 1, 2 ** 31 - 1, -(2 ** 31)), [5], { dtype: "int32" });
    await expectLoops(() => cast(x, "float32"));
    await expectLoops(() => expand(x, [7, 5]));
  });

  test("smoothL1 is right where the square would overflow", async () => {
    const loss = smoothL1Loss(tensor([3e38, -2, 1e-30]), tensor([0, 0, 0]), { beta: 1e38, reduction: "none" });
    expect(await withDevice(devices[0], () => loss.data())).toEqual(Float32Array.of(2.5e38, 2e-38, 0));
  });

  test("a square is exact, and any other power a power", async () => {
    const x = new Random(1).normal([1000]);
    await expectLoops(() => pow(x, 2));
    const [cube, exact] = await withDevice(devices[0], () => Promise.all([pow(x, 3).data(), mul(mul(x, x), x).data()]));
    cube.forEach((value, i) => expect(Math.abs(value - exact[i])).toBeLessThanOrEqual(2 ** -22 * Math.abs(value)));
  });
});

describe("broadcasting", () => {
  /** Whole numbers, which every order of computing leaves exact. */
  function counted(shape: Shape): Tensor {
    return tensor(
      Float32Array.from({ length: size(shape) }, (_, i) => (i % 8191) + 1),
      shape,
    );
  }

  test.each<[Shape, Shape]>([
    [
      [3, 5, 7, 9],
      [1, 5, 1, 1],
    ],
    [
      [3, 5, 7, 9],
      [3, 1, 7, 9],
    ],
    [[3, 5, 7, 9], [9]],
    [
      [3, 5, 7, 9],
      [7, 1],
    ],
    [
      [3, 5, 7, 9],
      [3, 1, 7, 1],
    ],
    [
      [3, 1, 7, 1],
      [1, 5, 1, 9],
    ],
    [
      [2, 3, 4, 5, 6],
      [3, 1, 5, 1],
    ],
    [
      [2, 3, 4, 5, 2],
      [2, 1, 4, 1, 2],
    ],
    [[1000, 3], [3]],
    [
      [1000, 1],
      [1, 130],
    ],
    [[70000], [1]],
    [
      [2, 70000],
      [2, 1],
    ],
    [[2, 70001], [70001]], // 70001 is a prime
    [
      [1, 3, 300, 400],
      [1, 3, 1, 1],
    ],
  ])("of %j and %j is that of the loops", async (aShape, bShape) => {
    const [a, b] = [counted(aShape), counted(bShape)];
    await expectLoops(() => sub(a, b));
    await expectLoops(() => sub(b, a));
    await expectLoops(() => where(less(a, b), a, b));
    await expectLoops(() => where(b, a, -1));
    await expectLoops(() => where(a, 1, b));
    await expectLoops(() => expand(b, broadcastShapes("test", { aShape, bShape })));
  });

  test("of random shapes is that of the loops", async () => {
    const threeShapes = broadcasting(3, { maxRank: 5, maxDim: 6 });
    await fc.assert(
      fc.asyncProperty(threeShapes, async ({ shapes: [aShape, bShape, cShape], out }) => {
        const [a, b, c] = [aShape, bShape, cShape].map(counted);
        await expectLoops(() => where(less(b, c), mul(a, b), sub(c, a)));
        await expectLoops(() => expand(c, out));
      }),
      { numRuns: 100 },
    );
  });

  test("writes nothing behind a row, which another thread may have computed", async () => {
    const threads = new Threads(1);
    const [y, a, table] = [1024, 2048, 3072]; // addresses
    const written = new Float32Array(threads.memory.buffer, y, 64);
    new Int32Array(threads.memory.buffer, table, 4).set([1, 1, 2, 0]); // step 1, and one axis: 2 rows, 0 bytes apart
    for (let n = 1; n <= 40; n++) {
      for (const [kernel, ...operands] of [
        ["add", a, 0, a, table],
        ["where", a, 0, a, 0, a, table],
        ["expand", a, table],
      ] as [KernelName, ...number[]][]) {
        written.fill(-7);
        threads.run(kernel, { items: 1, cost: n }, 0, [y, n, ...operands]);
        expect([...written]).toEqual(Array.from({ length: 64 }, (_, i) => (i < n ? 0 : -7)));
      }
    }
    await threads.close();
  });
});

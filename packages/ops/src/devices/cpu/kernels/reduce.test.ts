/** Reductions against the loops: any axes, any sizes, any number of threads, and sums that stay accurate. */

import {
  max,
  min,
  Random,
  ReferenceDevice,
  type Shape,
  size,
  sum,
  type Tensor,
  tensor,
  withDevice,
} from "@gridgrad/core";
import { shapes } from "@gridgrad/core/testing";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";

import { CpuDevice } from "../cpuDevice.ts";
import { Threads } from "../threads.ts";

const devices = [1, 2, 3].map((threads) => new CpuDevice({ threads }));

afterAll(() => Promise.all(devices.map((device) => device.close())));

/** Whole numbers, of which sums of 2^20 are exact. */
function counted(shape: Shape): Tensor {
  return tensor(
    Float32Array.from({ length: size(shape) }, (_, i) => ((i * 7) % 31) - 15),
    shape,
  );
}

async function expectLoops(f: () => Tensor): Promise<void> {
  const wanted = await withDevice(new ReferenceDevice(), () => f().array());
  for (const device of devices) {
    expect(await withDevice(device, () => f().array())).toEqual(wanted);
    expect([...device.onLoops.keys()]).toEqual([]);
  }
}

describe.each([
  ["sum", sum],
  ["max", max],
  ["min", min],
])("%s", (_, reduce) => {
  test.each<[Shape, number[]]>([
    [[20000], [0]],
    [
      [4, 5, 64, 64],
      [0, 1, 2, 3],
    ],
    [
      [4, 5, 64, 64],
      [0, 2, 3],
    ],
    [[4, 5, 64, 64], [1]],
    [
      [4, 5, 64, 64],
      [0, 2],
    ],
    [
      [4, 5, 64, 64],
      [1, 3],
    ],
    [[4, 5, 64, 64], []],
    [[3, 10001], [1]],
    [[2000, 3], [0]],
    [[2000, 70], [0]],
    [[3, 520, 300], [1]],
    [[300, 600], [0]],
    [
      [1, 7, 1],
      [0, 2],
    ],
    [[1000, 2], [1]],
  ])("of %j over %j is that of the loops", async (shape, axes) => {
    const x = counted(shape);
    await expectLoops(() => reduce(x, axes));
  });

  test("of random shapes over random axes is that of the loops", async () => {
    const cases = shapes({ maxRank: 5, maxDim: 9 }).chain((shape) =>
      fc.tuple(fc.constant(shape), fc.subarray(shape.map((_, axis) => axis))),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ([shape, axes]) => {
        const x = counted(shape);
        await expectLoops(() => reduce(x, axes, { keepdim: true }));
      }),
      { numRuns: 100 },
    );
  });
});

test("the largest and the smallest of elements of which one is NaN are NaN, wherever it stands", async () => {
  for (const at of [0, 3, 15, 16, 63, 64, 66]) {
    const x = tensor(
      Float32Array.from({ length: 134 }, (_, i) => (i === at ? NaN : i)),
      [2, 67],
    );
    for (const f of [max, min]) {
      const [rows, columns] = await withDevice(devices[0], () => Promise.all([f(x, 1).data(), f(x, 0).data()]));
      expect(rows[0]).toBeNaN();
      expect(rows[1]).not.toBeNaN();
      expect(columns[at]).toBeNaN();
      expect(columns[(at + 1) % 67]).not.toBeNaN();
    }
  }
});

test("a sum is the same to the bit for any number of threads, and as accurate as a pairwise one", async () => {
  const n = 2 ** 21;
  const x = new Random(5).uniform([n / 64, 64]);
  for (const axes of [[0, 1], [0], [1]]) {
    const [one, ...others] = await Promise.all(devices.map((device) => withDevice(device, () => sum(x, axes).data())));
    for (const other of others) expect(other).toEqual(one);
    const truth = await withDevice(new ReferenceDevice(), () => sum(x.cast("float64"), axes).data());
    // Numbers of one sign: a running float32 sum of n errs by some √n / 2 roundings, which are 700 here; in blocks it is a few.
    truth.forEach((value, i) => expect(Math.abs(one[i] - value) / value).toBeLessThan(8 * 2 ** -24));
  }
});

test("sums of columns write nothing behind their own, which another thread may have computed", async () => {
  const threads = new Threads(1);
  const [y, x] = [1024, 2048]; // addresses
  const written = new Float32Array(threads.memory.buffer, y, 64);
  new Float32Array(threads.memory.buffer, x, 512).fill(1);
  for (let inner = 2; inner <= 40; inner++) {
    written.fill(-7);
    threads.run("sumColumns", { items: 1, cost: inner }, 0, [y, x, 6, inner, 6, 1]);
    expect([...written]).toEqual(Array.from({ length: 64 }, (_, i) => (i < inner ? 6 : -7)));
  }
  await threads.close();
});

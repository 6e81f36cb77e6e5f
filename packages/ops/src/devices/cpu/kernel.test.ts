/** Kernels that are right only for numbers: they leave the rest to the loops, and nothing else. */

import {
  grad,
  Random,
  ReferenceDevice,
  type Shape,
  size,
  tensor,
  type Tensor,
  type Values,
  withDevice,
} from "@gridgrad/core";
import { afterAll, describe, expect, test } from "vitest";

import { carafe, windowSimilarity } from "../../ops/carafe.ts";
import { convTranspose2d } from "../../ops/convTranspose2d.ts";
import { interpolate } from "../../ops/interpolate.ts";
import { CpuDevice } from "./cpuDevice.ts";

const threads = [1, 2, 3];
const devices = threads.map((count) => new CpuDevice({ threads: count }));

afterAll(() => Promise.all(devices.map((device) => device.close())));

interface Case {
  readonly op: string;
  readonly f: (...xs: Tensor[]) => Tensor;
  readonly shapes: readonly Shape[];
  /** Which input gets a special value, and at which element. */
  readonly at: readonly [input: number, element: number];
}

const bilinear = (x: Tensor): Tensor => interpolate(x, { scaleFactor: 3, mode: "bilinear" });
const cases: readonly Case[] = [
  { op: "interpolate", f: bilinear, shapes: [[2, 3, 40, 31]], at: [0, 500] },
  {
    op: "interpolate",
    f: (x) => interpolate(x, { scaleFactor: 2, mode: "bicubic" }),
    shapes: [[2, 3, 40, 31]],
    at: [0, 500],
  },
  {
    op: "interpolateInput",
    f: (x, dy) => grad(bilinear(x), [x], { gradOutput: dy })[0],
    shapes: [
      [2, 3, 20, 11],
      [2, 3, 60, 33],
    ],
    at: [1, 999],
  },
  {
    op: "carafe",
    f: (x, kernels) => carafe(x, kernels, { kernelSize: 3 }),
    shapes: [
      [1, 8, 20, 30],
      [1, 9, 40, 60],
    ],
    at: [1, 4 * 2400 + 60], // its own pixel, on the left edge
  },
  {
    op: "carafeKernels",
    f: (query, key) => windowSimilarity(query, key, { kernelSize: 5 }),
    shapes: [
      [1, 8, 40, 60],
      [1, 8, 20, 30],
    ],
    at: [0, 59], // on the right edge
  },
  {
    op: "conv2dInput",
    f: (x, weight) => convTranspose2d(x, weight, null, { stride: 2, padding: 1 }),
    shapes: [
      [2, 8, 16, 16],
      [8, 6, 3, 3],
    ],
    at: [1, 100],
  },
];

/** Random numbers, with `value` as the case wants it. */
function inputsOf({ shapes, at }: Case, value?: number): Tensor[] {
  return shapes.map((shape, k) => {
    const values = Float32Array.from(new Random(k).normal(shape).values!);
    if (value !== undefined && at[0] === k) values[at[1]] = value;
    return tensor(values, shape);
  });
}

describe.each(cases.map((each) => [each.op, each] as const))("%s", (op, each) => {
  test.each([NaN, Infinity, -Infinity])("leaves %d to the loops, with any number of threads", async (value) => {
    const xs = inputsOf(each, value);
    const wanted = await withDevice(new ReferenceDevice(), () => each.f(...xs).data());
    expect(new Set(Array.from(wanted, Number.isFinite))).toEqual(new Set([true, false]));
    for (const device of devices) {
      device.onLoops.clear();
      const got = await withDevice(device, () => each.f(...xs).data());
      expect(wanted.every((right, i) => Object.is(got[i], right))).toBe(true);
      expect([...device.onLoops]).toEqual([[op, "values are not finite, and its kernels are right only for numbers"]]);
    }
  });

  test("computes numbers itself, whatever lay in the memory before", async () => {
    const xs = inputsOf(each);
    const garbage = tensor(new Float32Array(size([64, 1024])).fill(NaN));
    for (const device of devices) {
      for (let i = 0; i < 8; i++) device.free(await device.upload(garbage.values!));
      device.onLoops.clear();
      await withDevice(device, () => each.f(...xs).data());
      expect([...device.onLoops]).toEqual([]);
    }
  });
});

test("carafe's kernels take what is not finite in the middle of a row", async () => {
  const [x, kernels] = inputsOf({ ...cases[3], at: [1, 4 * 2400 + 90] }, Infinity);
  const y = (): Promise<Values> => carafe(x, kernels, { kernelSize: 3 }).data();
  const wanted = await withDevice(new ReferenceDevice(), y);
  devices[0].onLoops.clear();
  const got = await withDevice(devices[0], y);
  expect([...devices[0].onLoops]).toEqual([]);
  const finite = Array.from(wanted, Number.isFinite);
  expect(new Set(finite)).toEqual(new Set([true, false]));
  expect(finite.every((right, i) => Number.isFinite(got[i]) === right)).toBe(true);
});

import { isRealized, mul, profile, setEager, tensor, type Values, withDevice } from "@gridgrad/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { sameBits } from "../testing/threadedNetwork.ts";
import { CpuDevice, provideCpuEngine } from "./cpu/cpuDevice.ts";
import * as cpuEngine from "./cpu/cpuEngine.ts";
import { LazyDevice } from "./lazyDevice.ts";

const inNode = (): void => provideCpuEngine(cpuEngine);
const inPage = (): void => provideCpuEngine(null);

afterEach(() => {
  inNode();
  setEager(false);
});

const x = Float32Array.of(0.1, 0.2, 0.3);

describe("the cpu device of a page", () => {
  beforeEach(inPage);

  test("answers with promises until its code has come, and at once from then on", async () => {
    const device = new CpuDevice({ threads: 1 });
    const early = device.upload(x);
    expect(early).toBeInstanceOf(Promise);
    device.free(await early);
    const late = device.upload(x);
    expect(late).not.toBeInstanceOf(Promise);
    expect(device.memory).toMatchObject({ buffers: 1, bytes: 12 });
    await device.close();
  });

  test("loads once, whoever asks", async () => {
    const device = new CpuDevice({ threads: 1 });
    const [a, b] = await Promise.all([device.upload(x), device.upload(x), device.ready()]);
    expect(device.memory.buffers).toBe(2);
    for (const buffer of [a, b]) device.free(buffer);
    expect(device.footprint.liveBytes).toBe(0);
    await device.close();
  });

  test("counts from the start, in what was asked for before its code had come too", async () => {
    const device = new CpuDevice({ threads: 1 });
    const { footprint, memory, onLoops } = device;
    footprint.resetPeak();
    expect([footprint.liveBytes, footprint.peakBytes, device.runningThreads, memory.peakBuffers]).toEqual([0, 0, 1, 0]);
    await withDevice(device, async () => {
      const y = tensor([1, 2]).mul(3);
      const { footprintBytes } = await profile(y);
      expect(footprintBytes).toBe(3 * 64);
      await y.data();
      await mul(tensor([], [0]), 2).data();
    });
    footprint.resetPeak();
    expect([footprint.liveBytes, footprint.peakBytes, memory.buffers]).toEqual([0, 0, 0]);
    expect([...onLoops]).toEqual([["mul", "there is nothing to compute"]]);
    await device.close();
  });

  test("computes the same to the bit as in Node", async () => {
    const compute = async (): Promise<Values> => {
      const device = new CpuDevice({ threads: 1 });
      const values = await withDevice(device, () => tensor(x).exp().div(3).sigmoid().data());
      await device.close();
      return values;
    };
    const here = await compute();
    inNode();
    expect(sameBits([here], [await compute()])).toBe(true);
  });

  test("says in eager mode that it must be loaded before, and then runs each op as it is called", async () => {
    setEager(true);
    const device = new CpuDevice({ threads: 1 });
    await withDevice(device, async () => {
      expect(() => tensor([1, 2]).mul(3)).toThrowErrorMatchingInlineSnapshot(
        `[GraphError: cpu: eager mode must find the kernels loaded, got a page that loads them with the first value; await getDevice().ready() before the first op]`,
      );
      await device.ready();
      const y = tensor([1, 2]).mul(3);
      expect(isRealized(y)).toBe(true);
      expect(await y.array()).toEqual([3, 6]);
    });
    await device.close();
  });

  test("may be closed before its code has come, and while it comes", async () => {
    await new CpuDevice().close();
    const device = new CpuDevice({ threads: 1 });
    const upload = device.upload(x);
    await device.close();
    device.free(await upload);
    expect(device.memory.buffers).toBe(0);
  });
});

describe("the cpu device in Node", () => {
  beforeEach(inNode);

  test("answers at once, so that eager mode has it from the first op on", async () => {
    setEager(true);
    const device = new CpuDevice({ threads: 1 });
    await withDevice(device, () => expect(isRealized(tensor([1, 2]).mul(3))).toBe(true));
    await device.close();
  });
});

test("code that does not come is told with the remedy, and asked for again by the next value", async () => {
  let tries = 0;
  class Interrupted extends LazyDevice<cpuEngine.CpuEngine> {
    readonly name = "interrupted";
    protected override async load(): Promise<cpuEngine.CpuEngine> {
      if (++tries === 1) throw new TypeError("Failed to fetch dynamically imported module");
      return new cpuEngine.CpuEngine(this, 1);
    }
  }
  const device = new Interrupted();
  await expect(device.upload(x)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[GraphError: interrupted: its code must load with the first value, but: Failed to fetch dynamically imported module; serve every file that the bundler has made, and reload the page]`,
  );
  device.free(await device.upload(x));
  expect(tries).toBe(2);
  await device.close();
});

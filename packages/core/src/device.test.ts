import { describe, expect, test, vi } from "vitest";

import {
  deviceNames,
  getDevice,
  MemoryCounter,
  openDevice,
  ReferenceDevice,
  registerDevice,
  setDevice,
  withDevice,
} from "./device.ts";
import { addOp } from "./ops/add.ts";
import { tensor } from "./leaf.ts";

describe("the reference device", () => {
  test("runs an op's loops and counts what it holds", () => {
    const device = new ReferenceDevice();
    const a = device.upload(new Float64Array([1, 2]));
    const b = device.upload(new Float64Array([10, 20]));
    const inShapes = [[2], [2]];
    const y = device.run(addOp, [a, b], { attrs: {}, inShapes, outShape: [2], dtype: "float64" });
    expect(device.download(y)).toEqual(new Float64Array([11, 22]));
    expect(device.memory).toMatchObject({ buffers: 3, bytes: 48, peakBuffers: 3, peakBytes: 48 });
    for (const buffer of [a, b, y]) device.free(buffer);
    expect(device.memory).toMatchObject({ buffers: 0, bytes: 0, peakBuffers: 3, peakBytes: 48 });
    device.close();
  });
});

describe("a memory counter", () => {
  test("keeps the peak until it is reset to what is live", () => {
    const memory = new MemoryCounter();
    memory.add(100);
    memory.add(10);
    memory.remove(100);
    expect(memory).toMatchObject({ buffers: 1, bytes: 10, peakBuffers: 2, peakBytes: 110 });
    memory.resetPeak();
    expect(memory).toMatchObject({ peakBuffers: 1, peakBytes: 10 });
  });
});

describe("the device that graphs run on", () => {
  test("is reference where core is alone", async () => {
    vi.resetModules();
    expect((await import("./device.ts")).getDevice().name).toBe("reference");
  });

  test("is the default that a package has brought, unless one was set, also before it is opened", async () => {
    vi.resetModules();
    const fresh = await import("./device.ts");
    const brought = new ReferenceDevice();
    const set = new ReferenceDevice();
    fresh.registerDevice("brought", () => brought, { isDefault: true });
    await fresh.withDevice(set, () => expect(fresh.getDevice()).toBe(set));
    expect(fresh.getDevice()).toBe(brought);
    fresh.setDevice(set);
    expect(fresh.getDevice()).toBe(set);
  });
});

describe("devices by name", () => {
  test("open anew each time", () => {
    expect(openDevice("reference")).not.toBe(openDevice("reference"));
  });

  test("can be added", () => {
    class Named extends ReferenceDevice {
      override readonly name = "named" as "reference";
    }
    registerDevice("named", () => new Named());
    expect(deviceNames()).toEqual(expect.arrayContaining(["reference", "named"]));
    expect(openDevice("named").name).toBe("named");
  });

  test("must exist", () => {
    expect(() => openDevice("abacus")).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: openDevice: name must be one of reference, cpu, gpu, gpu:webgpu, gpu:headlessgl, gpu:webgl2, gpu:webgl, gpu:webasm, gpu:cpu, named, got "abacus"]`,
    );
  });
});

describe("the current device", () => {
  test("is neither a promise nor nothing", () => {
    expect(() => setDevice(Promise.resolve("cpu") as never)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: setDevice: device must be a name or a device, got an object (Promise); await it first]`,
    );
    expect(() => setDevice(undefined as never)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: setDevice: device must be a name or a device, got undefined]`,
    );
  });

  test("is what setDevice was given, a device or a name", () => {
    const before = getDevice();
    const device = new ReferenceDevice();
    expect(setDevice(device)).toBe(device);
    expect(getDevice()).toBe(device);
    expect(setDevice("reference")).toBe(getDevice());
    expect(getDevice()).not.toBe(device);
    setDevice(before);
  });

  test("changes for the body of withDevice only, whose result it passes on", async () => {
    const before = getDevice();
    const device = new ReferenceDevice();
    expect(await withDevice(device, () => getDevice())).toBe(device);
    expect(getDevice()).toBe(before);
    expect(await withDevice(device, () => tensor([1]).add(1).item())).toBe(2);
    expect(device.memory.peakBuffers).toBe(3);
  });

  test("comes back when the body of withDevice fails, at once or later", async () => {
    const before = getDevice();
    const atOnce = (): never => {
      throw new Error("at once");
    };
    await expect(withDevice("reference", atOnce)).rejects.toThrow("at once");
    expect(getDevice()).toBe(before);
    await expect(withDevice("reference", () => Promise.reject(new Error("later")))).rejects.toThrow("later");
    expect(getDevice()).toBe(before);
  });

  test("stays when withDevice is given a name that does not exist", async () => {
    const before = getDevice();
    await expect(withDevice("abacus", () => 1)).rejects.toThrow("openDevice");
    expect(getDevice()).toBe(before);
  });
});

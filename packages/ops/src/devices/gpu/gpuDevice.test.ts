import {
  add,
  type Device,
  elementwise,
  exp,
  full,
  getDevice,
  leaf,
  matmul,
  mul,
  openDevice,
  type Op,
  OutOfMemoryError,
  Random,
  realize,
  reshape,
  sum,
  type Tensor,
  tensor,
  where,
  withDevice,
  apply,
} from "@gridgrad/core";
import { describeDevices } from "@gridgrad/core/testing/devices";
import { afterEach, describe, expect, test, vi } from "vitest";

import type { GpuBackend } from "./gpuBackends.ts";
import { GpuDevice } from "./gpuDevice.ts";

const random = new Random(3);

/** A device of its own for each test, so that its counters start at 0. */
function fresh(device: Device, options?: { kernels: number }): GpuDevice {
  return new GpuDevice(device.name.replace("gpu:", "") as GpuBackend, options);
}

describeDevices((shared) => {
  let device: GpuDevice;
  const on = <T>(body: () => Promise<T>, options?: { kernels: number }): Promise<T> => {
    device = fresh(shared, options);
    return withDevice(device, body);
  };
  afterEach(() => device.close());

  test("says what it runs on", async () => {
    expect(await on(() => device.ready())).toMatch(new RegExp(`^gpu.js ${shared.name.replace("gpu:", "")} on .`));
  });

  test("computes from op to op without the loops", async () => {
    await on(async () => {
      const y = sum(mul(add(tensor([1, 2, 3]), 1), tensor([2, 2, 2])));
      expect(await y.item()).toBe(18);
      expect([...device.onLoops]).toEqual([]);
      expect(device.kernelCount).toBe(3);
    });
  });

  test("says which op has a result that does not fit into memory", async () => {
    await on(async () => {
      await expect(realize(tensor([1]).expand([2 ** 25, 2 ** 25]))).rejects.toThrow(
        /^op expand with a result of shape \[33554432, 33554432\] in float32 must fit into memory, but needs/,
      );
      vi.spyOn(Float32Array, "from").mockImplementationOnce(() => {
        throw new RangeError("Array buffer allocation failed");
      });
      const lacking = realize(add(tensor([1, 2], [2], { dtype: "int32" }).cast("float32"), 1));
      await expect(lacking).rejects.toThrow(OutOfMemoryError);
    });
  });

  test("frees every handle and buffer when the values have been read", async () => {
    await on(async () => {
      for (let i = 0; i < 3; i++) await sum(exp(random.normal([5, 7])), 0).data();
      expect(device.memory.buffers).toBe(0);
      expect(device.liveHandles).toBe(0);
      expect(device.memory.peakBuffers).toBeGreaterThan(1);
    });
  });

  test("shares values between the two sides of a reshape, and frees them with the last", async () => {
    await on(async () => {
      const x = add(random.normal([2, 3]), 1);
      const y = reshape(x, [6]);
      await realize(x, y);
      const handles = device.liveHandles;
      expect(handles).toBe(shared.name === "gpu:webasm" || shared.name === "gpu:cpu" ? 0 : 1);
      const values = await y.data();
      expect(await x.data()).toEqual(values);
      expect(device.liveHandles).toBe(0);
    });
  });

  test("compiles once for a shape", async () => {
    await on(async () => {
      for (let i = 0; i < 4; i++) await add(random.normal([3, 4]), random.normal([4])).data();
      expect(device.kernelCount).toBe(1);
      await add(random.normal([4, 4]), random.normal([4])).data();
      expect(device.kernelCount).toBe(2);
    });
  });

  test("keeps as many kernels as it may, and those that stay still work when others go", async () => {
    await on(
      async () => {
        for (let round = 0; round < 2; round++) {
          for (let n = 1; n <= 7; n++) {
            const x = Array.from({ length: n }, (_, i) => i);
            expect(await add(tensor(x), 1).array()).toEqual(x.map((v) => v + 1));
            expect(await mul(tensor([1, 2]), 3).array()).toEqual([3, 6]); // used every time, so it stays
          }
        }
        expect(device.kernelCount).toBe(3);
      },
      { kernels: 3 },
    );
  });

  test("leaves float64, int32 and empty results to the loops, and says so", async () => {
    await on(async () => {
      expect(await exp(tensor([1], [1], { dtype: "float64" })).item()).toBe(Math.E);
      expect(await add(tensor([2 ** 31 - 2], [1], { dtype: "int32" }), 1).item()).toBe(2 ** 31 - 1);
      expect(await mul(full([0, 3], 1), 2).array()).toEqual([]);
      expect(Object.fromEntries(device.onLoops)).toEqual({
        exp: "float64 stays on the host",
        add: "int32 stays on the host",
        mul: "there is nothing to compute",
      });
    });
  });

  test("leaves tensors of more than 2^24 elements to the loops", async () => {
    await on(async () => {
      const n = 2 ** 24 + 1;
      const values = await add(leaf([n], "float32", new Float32Array(n)), 1).data();
      expect(values[n - 1]).toBe(1);
      expect(device.onLoops.get("add")).toBe("a tensor has more than 2^24 elements");
    });
  });

  test("takes results of the loops on with kernels, and the other way round", async () => {
    await on(async () => {
      const x = tensor([1, 2, 3]);
      expect(await mul(onLoops(mul(x, 2)), 4).array()).toEqual([9, 17, 25]);
      expect(device.onLoops.get("plusQuarter")).toBe("it has no kernel");
    });
  });

  test("runs graphs at the same time without mixing them up", async () => {
    await on(async () => {
      const results = await Promise.all(Array.from({ length: 8 }, (_, i) => mul(add(tensor([i, 1]), 1), 2).array()));
      expect(results).toEqual(Array.from({ length: 8 }, (_, i) => [2 * i + 2, 4]));
      expect(device.liveHandles).toBe(0);
    });
  });

  test("names the op and the kernel when one cannot be compiled, and works afterwards", async () => {
    await on(async () => {
      await expect(apply(brokenOp, [tensor([1])], {}).data()).rejects.toThrow(
        new RegExp(`^${shared.name}: op broken, kernel brokenKernel: `),
      );
      expect(await add(tensor([1]), 1).item()).toBe(2);
      expect(device.memory.buffers).toBe(0);
      expect(device.liveHandles).toBe(0);
    });
  });

  test("prints what was generated with GRIDGRAD_DEBUG=kernels", async () => {
    vi.stubEnv("GRIDGRAD_DEBUG", "kernels");
    const print = vi.spyOn(console, "error").mockImplementation(() => {});
    try {
      await on(() => add(tensor([1, 2]), 1).data());
      const printed = print.mock.calls.join("\n");
      expect(printed).toContain(`--- add: kernel addKernel, 2 elements, for ${shared.name.replace("gpu:", "")}`);
      expect(printed).toMatch(/addKernel\(/);
    } finally {
      print.mockRestore();
      vi.unstubAllEnvs();
    }
  });

  test("gives the same bits twice", async () => {
    const run = (): Promise<number> =>
      on(() => matmul(new Random(1).normal([9, 33]), new Random(2).normal([33, 5])).data()).then((values) =>
        sumOf(values),
      );
    expect(await run()).toBe(await run());
  });
}, "gpu");

test("the kernels of gpu:webasm share one memory, and larger ones get their own", async () => {
  const { WebAssembly } = globalThis as unknown as { WebAssembly: { Memory: new (descriptor: object) => object } };
  const { Memory } = WebAssembly;
  let made = 0;
  WebAssembly.Memory = function (descriptor: object) {
    made++;
    return new Memory(descriptor);
  } as unknown as typeof Memory;
  const device = new GpuDevice("webasm");
  try {
    await withDevice(device, async () => {
      for (let n = 1; n < 40; n++) expect(await add(full([n], 2), full([n], n)).array()).toEqual(Array(n).fill(n + 2));
      expect(made).toBe(1);
      const [x, y, z] = [1, 2, 4].map((value) => full([2 ** 24], value)); // 64 MiB each, 256 MiB and more in all
      const values = await where(x, y, z).data();
      expect([values[0], values[2 ** 24 - 1]]).toEqual([2, 2]);
      expect(made).toBe(2);
      expect(await add(full([3], 1), 1).array()).toEqual([2, 2, 2]);
    });
  } finally {
    WebAssembly.Memory = Memory;
    await device.close();
  }
});

describe("backends that are not there", () => {
  test.each(["webgl2", "webgl"])("%s needs a browser, and says so", async (backend) => {
    const device = openDevice(`gpu:${backend}`);
    await expect(withDevice(device, () => add(tensor([1]), 1).data())).rejects.toThrow(
      `gpu:${backend}: needs a browser; in Node use gpu:webgpu, gpu:headlessgl or gpu:webasm`,
    );
  });

  test("a name that is none gets the list of names", () => {
    expect(() => openDevice("gpu:cuda")).toThrow(
      /gpu:webgpu, gpu:headlessgl, gpu:webgl2, gpu:webgl, gpu:webasm, gpu:cpu/,
    );
  });

  test("gpu alone finds something to run on, and says what and why", async () => {
    const device = openDevice("gpu") as GpuDevice;
    expect(await device.ready()).toMatch(
      /^gpu.js (webgpu on |webasm on the CPU as WebAssembly, since no GPU answered)/,
    );
    expect(await withDevice(device, () => add(tensor([1]), 1).item())).toBe(2);
    expect(getDevice().name).toBe("cpu");
    await device.close();
  });
});

/** An op without kernels: adds a quarter. */
function onLoops(x: Tensor): Tensor {
  return apply(plusQuarterOp, [x], {});
}

const plusQuarterOp: Op = {
  name: "plusQuarter",
  shape: ([x]) => x,
  dtype: "float",
  vjp: (dy) => [dy],
  loops(y, [x]) {
    for (let i = 0; i < y.length; i++) y[i] = x[i] + 0.25;
  },
};

const brokenOp: Op = {
  ...plusQuarterOp,
  name: "broken",
  gpu: elementwise(brokenKernel),
};

function brokenKernel(x: number): number {
  return (globalThis as unknown as { nobodyKnows(x: number): number }).nobodyKnows(x);
}

function sumOf(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  return total;
}

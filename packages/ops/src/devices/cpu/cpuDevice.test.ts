import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import * as nodeThreads from "node:worker_threads";

import {
  mul,
  Random,
  readValues,
  realize,
  ReferenceDevice,
  setDevice,
  sum,
  tensor,
  type Values,
  withDevice,
} from "@gridgrad/core";
import { afterEach, describe, expect, test, vi } from "vitest";

import { hasTier } from "@gridgrad/core/testing/tier";

import { conv1x1 } from "../../ops/conv1x1.ts";
import { gridSample } from "../../ops/gridSample.ts";
import { relativeError, sameBits, threadedNetwork } from "../../testing/threadedNetwork.ts";
import { CpuDevice } from "./cpuDevice.ts";
import { workerSource } from "./module.generated.ts";
import { Control } from "./worker.ts";

const open: CpuDevice[] = [];

function openDevice(threads: number): CpuDevice {
  const device = new CpuDevice({ threads });
  open.push(device);
  return device;
}

afterEach(async () => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  for (const device of open.splice(0)) await device.close();
});

async function valuesOn(device: CpuDevice | ReferenceDevice): Promise<Values[]> {
  return withDevice(device, async () => {
    const results = threadedNetwork();
    await realize(...results);
    return Promise.all(results.map((t) => readValues(t)));
  });
}

/** Work for all threads. */
function multiply(device: CpuDevice): Promise<Values> {
  const x = new Random(1).normal([1, 64, 160, 160]);
  const w = new Random(2).normal([16, 64, 1, 1]);
  return withDevice(device, () => conv1x1(x, w).data());
}

/** Until it fails. */
async function multiplyForEver(device: CpuDevice): Promise<never> {
  for (;;) await multiply(device);
}

describe("threads", () => {
  test("give the same result to the bit, 1, 2, 3 or 8 of them, again and again", async () => {
    const one = openDevice(1);
    const wanted = await valuesOn(one);
    for (const threads of [2, 3, 8, 2]) {
      const device = openDevice(threads);
      while (device.runningThreads < threads) await multiply(device); // so that all of them take part
      for (let run = 0; run < 3; run++) {
        const got = await valuesOn(device);
        expect(sameBits(got, wanted)).toBe(true);
      }
    }
    const loops = await valuesOn(new ReferenceDevice());
    for (const [k, values] of wanted.entries()) expect(relativeError(values, loops[k]), `${k}`).toBeLessThan(1e-4);
    expect([...one.onLoops.keys()]).toEqual([]);
  });

  test("are as many as GRIDGRAD_THREADS says", async () => {
    vi.stubEnv("GRIDGRAD_THREADS", "3");
    expect(await new CpuDevice().ready()).toBe("WebAssembly with SIMD, 3 threads");
    expect(await new CpuDevice({ threads: 1 }).ready()).toBe("WebAssembly with SIMD, 1 thread");
    vi.stubEnv("GRIDGRAD_THREADS", "all");
    await expect(new CpuDevice().ready()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GraphError: cpu: GRIDGRAD_THREADS must be an integer of at least 1, got "all"]`,
    );
    expect(() => new CpuDevice({ threads: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[GraphError: cpu: threads must be an integer of at least 1, got 0]`,
    );
  });

  test("are one where memory cannot be shared, and memory grows there too", async () => {
    const wanted = await valuesOn(openDevice(1));
    vi.stubGlobal("SharedArrayBuffer", undefined);
    const device = openDevice(8);
    expect(await device.ready()).toBe("WebAssembly with SIMD, 1 thread");
    expect(await valuesOn(device)).toEqual(wanted);
  });

  test("sleep when there is nothing to do, and do not keep the process alive", () => {
    const script = fileURLToPath(new URL("../../testing/idleProcess.ts", import.meta.url));
    const runner = fileURLToPath(new URL("../../../../../scripts/run.mjs", import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [runner, script], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const { busy, idle } = JSON.parse(stdout) as { busy: number; idle: number };
    expect(busy).toBeGreaterThan(0);
    expect(idle).toBeLessThan(0.1); // of one core; a thread that looks for work all the time takes 1
  });
});

/** Workers that are started while the test runs, with their setups; `script` replaces what they do. */
function watchWorkers(script?: string): nodeThreads.Worker[] {
  const workers: nodeThreads.Worker[] = [];
  class Watched extends nodeThreads.Worker {
    constructor(source: string, options: nodeThreads.WorkerOptions) {
      super(script ?? source, options);
      workers.push(this);
    }
  }
  const getBuiltinModule = (name: string): unknown =>
    name === "node:worker_threads" ? { Worker: Watched } : undefined;
  vi.spyOn(process as unknown as { getBuiltinModule: typeof getBuiltinModule }, "getBuiltinModule").mockImplementation(
    getBuiltinModule,
  );
  return workers;
}

describe("a worker that dies", () => {
  test("between two kernels: the next one says so", async () => {
    const workers = watchWorkers();
    const device = openDevice(2);
    while (device.runningThreads < 2) await multiply(device);
    expect(workers).toHaveLength(1);
    await workers[0].terminate();
    await expect(multiply(device)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GraphError: cpu: a worker has died (it ended); go on from the last checkpoint, on a new device]`,
    );
  });

  test("before it has started: nobody misses it", async () => {
    const workers = watchWorkers("process.exit()");
    const device = openDevice(3);
    await multiply(device);
    await Promise.all(workers.map((worker) => new Promise((ended) => worker.once("exit", ended))));
    await multiply(device);
    expect([workers.length, device.runningThreads]).toEqual([2, 1]);
  });

  test.runIf(hasTier("ci"))(
    "with a part of the work: the kernel fails when nothing has come for ten seconds",
    async () => {
      // Takes a part like a worker, and is gone with it.
      const workers = watchWorkers(`
      const { control } = require("node:worker_threads").workerData;
      while (Atomics.load(control, ${Control.remaining}) < 1 || Atomics.sub(control, ${Control.remaining}, 1) < 1);
      process.exit();
    `);
      const device = openDevice(2);
      await expect(multiplyForEver(device)).rejects.toThrowErrorMatchingInlineSnapshot(
        `[GraphError: cpu: kernel correlate did not end within 10 s: a worker has died or hangs; go on from the last checkpoint, on a new device]`,
      );
      expect(workers).toHaveLength(1);
      await expect(multiply(device)).rejects.toThrow("did not end within 10 s");
    },
  );

  test("whose kernel fails: the error names the kernel, and says why", async () => {
    watchWorkers(`
      WebAssembly.Instance = class {
        exports = new Proxy({}, { get: () => () => { throw new WebAssembly.RuntimeError("memory access out of bounds"); } });
      };
      ${workerSource}
    `);
    const device = openDevice(2);
    await expect(multiplyForEver(device)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GraphError: internal: cpu: kernel correlate: RuntimeError: memory access out of bounds, in a worker]`,
    );
  });
});

test("a worker that starts while the memory grows knows how large it has become", async () => {
  // Now and then V8 leaves a module with the size that the memory had when it was sent, until the next time that it grows.
  watchWorkers(`
    const { Instance, Memory } = WebAssembly;
    const { grow } = Memory.prototype;
    let knows = false;
    Memory.prototype.grow = function (pages) {
      knows = true;
      return grow.call(this, pages);
    };
    const fill = (kernel) => (...args) => {
      if (!knows) throw new WebAssembly.RuntimeError("memory access out of bounds");
      return kernel(...args);
    };
    WebAssembly.Instance = class {
      constructor(...args) {
        const { exports } = new Instance(...args);
        this.exports = Object.fromEntries(Object.entries(exports).map(([name, kernel]) => [name, fill(kernel)]));
        knows = false;
      }
    };
    ${workerSource}
  `);
  const device = openDevice(2);
  const alone = await multiply(openDevice(1));
  while (device.runningThreads < 2) await multiply(device);
  for (let run = 0; run < 5; run++) expect(sameBits([await multiply(device)], [alone])).toBe(true);
});

describe("memory", () => {
  test("is all given back, and what a second run needs is what the first one needed", async () => {
    const device = openDevice(2);
    await valuesOn(device);
    expect(device.memory).toMatchObject({ buffers: 0, bytes: 0 });
    expect(device.footprint.liveBytes).toBe(0);
    const { peakBytes } = device.footprint;
    device.footprint.resetPeak();
    await valuesOn(device);
    expect(device.footprint.peakBytes).toBe(peakBytes);
  });

  test("is shared by a tensor and its reshaped form until both are gone", async () => {
    const device = openDevice(1);
    await withDevice(device, async () => {
      const x = tensor([1, 2, 3, 4]).mul(2);
      const y = x.reshape([2, 2]);
      await realize(x, y);
      expect(device.footprint.liveBytes).toBe(64);
      expect(await y.array()).toEqual([
        [2, 4],
        [6, 8],
      ]);
      expect(await x.data()).toEqual(new Float32Array([2, 4, 6, 8]));
      expect(device.footprint.liveBytes).toBe(0);
    });
  });

  test("that does not suffice: the error says what asked for how much, and the device goes on", async () => {
    const device = openDevice(1);
    await withDevice(device, async () => {
      const huge = tensor(1).expand([1100, 2 ** 20]);
      await expect(realize(huge)).rejects.toThrowErrorMatchingInlineSnapshot(
        `[OutOfMemoryError: cpu: the 4 GB of a WebAssembly memory must suffice, got op expand with a result of shape [1100, 1048576] in float32, which needs 4400 MB beside 0 MB in use; a smaller batch, size or scale needs less, and --device reference, slow as it is, has all of the machine's]`,
      );
      expect(device.footprint.liveBytes).toBe(0);
      expect(await tensor([1, 2]).add(1).array()).toEqual([2, 3]);
    });
  });
});

test("where a WebAssembly memory is not to be had, the device says what needs none", async () => {
  const { Module } = (globalThis as unknown as { WebAssembly: { Module: unknown } }).WebAssembly;
  vi.stubGlobal("WebAssembly", {
    Module,
    Memory: class {
      constructor() {
        throw new RangeError("WebAssembly.Memory(): could not allocate memory");
      }
    },
  });
  try {
    await expect(openDevice(1).ready()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[OutOfMemoryError: cpu: a WebAssembly memory must be had, but: WebAssembly.Memory(): could not allocate memory; raise the limit of the address space (ulimit -v), or compute with --device reference, which needs none]`,
    );
  } finally {
    vi.unstubAllGlobals();
  }
});

describe("the device", () => {
  test("runs float64 on the loops, in the same memory, and tells which ops in float32 did so, and why", async () => {
    const device = openDevice(1);
    await withDevice(device, async () => {
      const x = tensor([1, 2, 3], [3], { dtype: "float64" });
      expect(await sum(mul(x, x)).item()).toBe(14);
      const grid = tensor([0.25, 0.25], [1, 1, 1, 2]);
      expect(await gridSample(tensor([1, 2, 3, 4], [1, 1, 2, 2]), grid, { mode: "nearest" }).item()).toBe(4);
    });
    expect(Object.fromEntries(device.onLoops)).toEqual({
      gridSample: "its kernels do not cover these attributes or shapes",
    });
  });

  test("is not used after it was closed", async () => {
    const device = openDevice(2);
    setDevice(device);
    await multiply(device);
    await device.close();
    await expect(multiply(device)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GraphError: cpu: the device was closed; open a new one]`,
    );
    setDevice("reference");
  });
});

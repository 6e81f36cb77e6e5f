import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { grad } from "./autograd.ts";
import { type Device, type DeviceBuffer, getDevice, ReferenceDevice, setDevice, withDevice } from "./device.ts";
import type { Values } from "./dtype.ts";
import type { Op, OpInfo } from "./op.ts";
import { eager, setEager } from "./eager.ts";
import { isRealized, takeAsLeaf } from "./held.ts";
import { readValues, realize, realizeWith, release } from "./realize.ts";
import { apply } from "./apply.ts";
import { ones, tensor, zeros } from "./leaf.ts";
import type { Tensor } from "./tensor.ts";

/** The reference device with a list of the kernels that it ran, which refuses buffers that were given back. */
class CountingDevice extends ReferenceDevice {
  readonly kernels: string[] = [];
  readonly #freed = new WeakSet<DeviceBuffer>();

  override run(...[op, inputs, info]: Parameters<ReferenceDevice["run"]>): ReturnType<ReferenceDevice["run"]> {
    inputs.forEach((input) => this.#mustLive(input));
    this.kernels.push(op.name);
    return super.run(op, inputs, info);
  }

  override download(buffer: DeviceBuffer): Values {
    this.#mustLive(buffer);
    return super.download(buffer);
  }

  override free(buffer: DeviceBuffer): void {
    this.#mustLive(buffer);
    this.#freed.add(buffer);
    super.free(buffer);
  }

  #mustLive(buffer: DeviceBuffer): void {
    if (this.#freed.has(buffer)) throw new Error("a buffer was used or freed after it was freed");
  }
}

/** A device that answers later, and watches whether it is asked again before it did. */
class AsyncDevice implements Device {
  readonly name = "async";
  /** Largest number of questions that were open at the same time. */
  mostOpen = 0;
  readonly #inner = new CountingDevice();
  readonly kernels = this.#inner.kernels;
  readonly memory = this.#inner.memory;
  #open = 0;

  upload(values: Values): Promise<DeviceBuffer> {
    return this.#later(() => this.#inner.upload(values));
  }

  download(buffer: DeviceBuffer): Promise<Values> {
    return this.#later(() => this.#inner.download(buffer));
  }

  run(op: Op, inputs: readonly DeviceBuffer[], info: OpInfo): Promise<DeviceBuffer> {
    return this.#later(() => this.#inner.run(op, inputs, info));
  }

  free(buffer: DeviceBuffer): void {
    this.#inner.free(buffer);
  }

  close(): void {}

  async #later<T>(answer: () => T): Promise<T> {
    this.mostOpen = Math.max(this.mostOpen, ++this.#open);
    await new Promise((resolve) => setTimeout(resolve, 1));
    this.#open--;
    return answer();
  }
}

/** An op whose kernel fails. */
const brokenOp: Op = {
  name: "broken",
  shape: ([x]) => x,
  dtype: "any",
  vjp: (dy) => [dy],
  loops() {
    throw new Error("the kernel is broken");
  },
};

function broken(x: Tensor): Tensor {
  return apply(brokenOp, [x], {});
}

/** Collects garbage and lets finalizers run, which they do between two turns of the event loop. */
async function collect(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) {
    globalThis.gc!();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Collects garbage until `done`, or until it is plain that this will never be. */
async function collectUntil(done: () => boolean): Promise<void> {
  for (let round = 0; !done() && round < 100; round++) await collect();
}

let device: CountingDevice;
let before: Device;

beforeEach(() => {
  before = getDevice();
  device = new CountingDevice();
  setDevice(device);
});

afterEach(() => {
  setEager(false);
  setDevice(before);
});

describe("realize", () => {
  test("runs what is missing, once", async () => {
    const y = tensor([1]).add(1);
    expect(isRealized(y)).toBe(false);
    await realize(y);
    expect(isRealized(y)).toBe(true);
    await realize(y);
    expect(await y.mul(3).item()).toBe(6);
    expect(await y.item()).toBe(2);
    expect(device.kernels).toEqual(["add", "mul"]);
  });

  test("runs nothing for a leaf", async () => {
    const x = tensor([1]);
    await realize(x, x);
    expect(await x.item()).toBe(1);
    expect(device.kernels).toEqual([]);
    expect(device.memory.peakBuffers).toBe(0);
  });

  test("runs a shared part once", async () => {
    const shared = tensor([1, 2]).exp();
    await realize(shared.mul(shared).add(shared).sum());
    expect(device.kernels).toEqual(["exp", "mul", "add", "sum"]);
  });

  test("runs several targets together, which share their graph and may depend on each other", async () => {
    const x = tensor([1, 2]);
    const a = x.mul(x);
    const b = a.sum();
    const c = a.add(b);
    await realize(a, c, b, c);
    expect(device.kernels).toEqual(["mul", "sum", "add"]);
    expect(device.memory.buffers).toBe(3);
    expect(await c.array()).toEqual([6, 9]);
    expect(await a.array()).toEqual([1, 4]);
    expect(await b.item()).toBe(5);
    expect(device.memory.buffers).toBe(0);
  });

  test("runs only what the targets need", async () => {
    const x = tensor([1]);
    x.exp();
    await realize(x.neg());
    expect(device.kernels).toEqual(["neg"]);
  });

  test("runs ops in the order in which the program made them", async () => {
    const x = tensor([1]);
    const [a, b, c] = [x.exp(), x.neg(), x.abs()];
    await realize(c.add(b).add(a));
    expect(device.kernels).toEqual(["exp", "neg", "abs", "add", "add"]);
  });

  test("passes 200,000 chained ops", async () => {
    let y = tensor([0]);
    const one = ones([1]);
    for (let i = 0; i < 200_000; i++) y = y.add(one);
    expect(await y.item()).toBe(200_000);
    expect(device.memory.peakBuffers).toBe(3);
  });

  test("tells a listener of each kernel and its time", async () => {
    const told: string[] = [];
    await realizeWith((t, ms) => told.push(`${t.recipe!.op.name} ${ms >= 0}`), [tensor([1]).exp().neg()]);
    expect(told).toEqual(["exp true", "neg true"]);
  });

  test("runs on the device that is current when it is called, not when its turn comes", async () => {
    const other = new CountingDevice();
    const first = realize(tensor([1]).exp());
    const second = withDevice(other, () => {
      void realize(tensor([1]).neg());
    });
    await Promise.all([first, second]);
    await realize(); // behind both in the queue
    expect(device.kernels).toEqual(["exp"]);
    expect(other.kernels).toEqual(["neg"]);
  });
});

describe("memory", () => {
  test("frees intermediates right after their last use", async () => {
    let y = tensor([0]);
    for (let i = 0; i < 1000; i++) y = y.add(1);
    await realize(y);
    expect(device.memory).toMatchObject({ buffers: 1, peakBuffers: 3 }); // an operand, the number 1, the result
    expect(await y.item()).toBe(1000);
    expect(device.memory.buffers).toBe(0);
  });

  test("keeps an intermediate as long as a later op needs it", async () => {
    const early = tensor([1]).exp();
    let y = early;
    for (let i = 0; i < 10; i++) y = y.neg();
    await realize(y.add(early));
    expect(device.memory).toMatchObject({ buffers: 1, peakBuffers: 3 });
  });

  test("holds a result on the device until it is read, and on the host from then on", async () => {
    const y = tensor([1, 2]).add(1);
    await realize(y);
    expect(y.held?.device).toBe(device);
    expect(y.values).toBeNull();
    expect(device.memory).toMatchObject({ buffers: 1, bytes: 8 });
    await y.data();
    expect(y.held).toBeNull();
    expect(y.values).toEqual(new Float32Array([2, 3]));
    expect(device.memory).toMatchObject({ buffers: 0, bytes: 0 });
  });

  test("uses a result where it lies, without a copy", async () => {
    const x = ones([100]).add(1);
    await realize(x);
    device.memory.resetPeak();
    const y = x.neg();
    await realize(y);
    expect(device.memory).toMatchObject({ buffers: 2, peakBuffers: 2 });
    expect((await y.data())[99]).toBe(-2);
    expect((await x.data())[99]).toBe(2);
  });

  test("copies host values to the device for one run, once", async () => {
    const x = ones([100]);
    await realize(x.add(x).mul(x));
    expect(device.memory.peakBytes).toBe(3 * 400); // x, the sum, the product
    expect(x.held).toBeNull();
    await collectUntil(() => device.memory.buffers === 0); // the product, which nobody kept
    expect(device.memory.buffers).toBe(0);
  });

  test("frees what a run has made when a kernel throws, and later graphs run", async () => {
    const x = tensor([1, 2]);
    const good = x.exp();
    const bad = broken(good);
    await expect(realize(good, bad.add(x))).rejects.toThrow("the kernel is broken");
    expect(device.memory.buffers).toBe(0);
    expect(isRealized(good)).toBe(false);
    await expect(bad.data()).rejects.toThrow("the kernel is broken");
    expect(await good.neg().neg().array()).toEqual(await x.exp().array());
    expect(device.memory.buffers).toBe(0);
  });

  test("frees a result when nobody can reach it any more", async () => {
    await realize(ones([10]).exp());
    expect(device.memory.buffers).toBe(1);
    await collectUntil(() => device.memory.buffers === 0);
    expect(device.memory.buffers).toBe(0);
  });

  test("frees a result that was read or released only once, also when its tensor is collected", async () => {
    await (async () => {
      const [read, released] = [ones([10]).exp(), ones([10]).neg()];
      await realize(read, released);
      expect(device.memory.buffers).toBe(2);
      await read.data();
      release(released, "the test released it");
    })();
    await collect();
    expect(device.memory.buffers).toBe(0);
  });

  test("stays flat while parameters are replaced and old ones released, as a training loop does", async () => {
    let w = ones([8, 8], { requiresGrad: true });
    const x = ones([4, 8]);
    const live: number[] = [];
    const peak: number[] = [];
    for (let step = 0; step < 50; step++) {
      device.memory.resetPeak();
      const loss = x.matmul(w).tanh().sum();
      const [dw] = grad(loss, [w]);
      const next = w.sub(dw.mul(0.01));
      await realize(loss, next);
      const replaced = takeAsLeaf(next, true);
      release(w, "the optimiser has replaced it");
      w = replaced;
      await loss.item();
      live.push(device.memory.bytes);
      peak.push(device.memory.peakBytes);
    }
    expect(live).toEqual(Array(50).fill(8 * 8 * 4)); // the parameter alone
    expect(new Set(peak.slice(1)).size).toBe(1); // the first step begins with w on the host
  });
});

describe("the queue", () => {
  test("lets an error tell which line of the program waits for it", async () => {
    class Lost extends ReferenceDevice {
      override run(): never {
        throw new Error("the device is lost");
      }
    }
    async function programOfAUser(): Promise<void> {
      await tensor([1]).mul(2).data();
    }
    const error = await withDevice(new Lost(), programOfAUser).catch((error: Error) => error);
    expect((error as Error).message).toBe("the device is lost");
    expect((error as Error).stack).toContain("programOfAUser");
  });

  test("runs overlapping calls one after another", async () => {
    const slow = new AsyncDevice();
    setDevice(slow);
    const x = tensor([1, 2]);
    const shared = x.exp();
    const results = await Promise.all([
      shared.neg().array(),
      shared.add(1).array(),
      shared.array(),
      realize(shared),
      shared.data(),
    ]);
    expect(slow.mostOpen).toBe(1);
    expect(slow.kernels).toEqual(["exp", "neg", "exp", "add", "exp"]); // only the third run was asked to keep it
    const [a, b] = await x.exp().data();
    const f = Math.fround;
    expect(results.slice(0, 3)).toEqual([[-a, -b], [f(a + 1), f(b + 1)], [a, b]]); // prettier-ignore
    expect(slow.memory.buffers).toBe(0);
  });

  test("reads a tensor that is asked for twice at the same time once", async () => {
    const y = tensor([1]).exp();
    const [a, b] = await Promise.all([y.data(), y.data()]);
    expect(a).toEqual(b);
    expect(a).not.toBe(b);
    expect(device.kernels).toEqual(["exp"]);
  });

  test("goes on behind a graph that failed", async () => {
    const failing = broken(tensor([1])).data();
    const next = tensor([1]).neg().item();
    await expect(failing).rejects.toThrow("the kernel is broken");
    expect(await next).toBe(-1);
  });
});

describe("devices", () => {
  test("may answer with promises", async () => {
    const slow = new AsyncDevice();
    setDevice(slow);
    const x = tensor([1, 2], [2], { requiresGrad: true });
    const y = x.mul(x).sum();
    const [dx] = grad(y, [x]);
    await realize(y, dx);
    expect(slow.memory.buffers).toBe(2);
    expect([await y.item(), await dx.array()]).toEqual([5, [2, 4]]);
    expect(slow.memory.buffers).toBe(0);
  });

  test("may fail with promises: what the run has made is freed", async () => {
    const slow = new AsyncDevice();
    setDevice(slow);
    await expect(broken(tensor([1]).exp()).data()).rejects.toThrow("the kernel is broken");
    expect(slow.memory.buffers).toBe(0);
    slow.upload = () => Promise.reject(new Error("no room"));
    await expect(tensor([1]).exp().data()).rejects.toThrow("no room");
    expect(slow.memory.buffers).toBe(0);
  });

  test.each([
    ["at once", () => new CountingDevice()],
    ["with promises", () => new AsyncDevice()],
  ])("pass values on to one another by way of the host, from one that answers %s", async (_, open) => {
    const first = open();
    const x = tensor([1, 2]).add(1);
    await withDevice(first, () => realize(x));
    const y = x.mul(10);
    expect(await y.array()).toEqual([20, 30]);
    expect(device.kernels).toEqual(["mul"]);
    expect(device.memory.buffers).toBe(0);
    expect(x.held?.device).toBe(first); // a copy went to the other device, for one run
    expect(first.memory.buffers).toBe(1);
    expect(await x.array()).toEqual([2, 3]); // read from where it lies, whatever the current device is
    expect(first.memory.buffers).toBe(0);
  });
});

describe("recipes", () => {
  test("are forgotten by a realized tensor through which no gradient can be asked for", async () => {
    const x = tensor([1, 2]);
    const realized = x.exp();
    const read = x.exp();
    await realize(realized);
    await read.data();
    expect([realized.recipe, read.recipe]).toEqual([null, null]);
  });

  test("are kept by a realized tensor that depends on a leaf with requiresGrad, whose values are used again", async () => {
    const w = tensor([0, 1], [2], { requiresGrad: true });
    const y = w.exp();
    const e = Math.fround(Math.E);
    expect(await y.array()).toEqual([1, e]);
    expect(y.recipe).not.toBeNull();
    const [dw] = grad(y.sum(), [w]);
    expect(await dw.array()).toEqual([1, e]);
    expect(device.kernels.filter((name) => name === "exp")).toEqual(["exp"]);
  });

  test("of intermediates that were freed are kept, to run again when they are asked for", async () => {
    const middle = tensor([1]).exp();
    await realize(middle.neg());
    expect(isRealized(middle)).toBe(false);
    expect(await middle.item()).toBe(Math.fround(Math.E));
    expect(device.kernels).toEqual(["exp", "neg", "exp"]);
  });

  test("of long histories can be collected once a tensor is realized", async () => {
    let y: Tensor = ones([1]);
    const start = new WeakRef(y);
    for (let i = 0; i < 10; i++) y = y.add(1);
    await realize(y);
    await collectUntil(() => start.deref() === undefined);
    expect(start.deref()).toBeUndefined();
    expect(await y.item()).toBe(11);
  });
});

describe("release", () => {
  test("makes a graph that needs the value fail with the reason", async () => {
    const x = tensor([1]).exp();
    const recorded = x.neg();
    await realize(x);
    release(x, "the test replaced it");
    expect(device.memory.buffers).toBe(0);
    await expect(recorded.data()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GraphError: realize: a value that this graph needs is gone: the test replaced it]`,
    );
    await expect(x.data()).rejects.toThrow("the test replaced it");
    await expect(realize(recorded)).rejects.toThrow("the test replaced it");
  });

  test("holds for leaves and for results that were never computed", async () => {
    const leaf = tensor([1]);
    const lazy = leaf.exp();
    const recorded = [leaf.neg(), lazy.neg()];
    release(leaf, "the leaf is old");
    await expect(recorded[0].data()).rejects.toThrow("the leaf is old");
    release(lazy, "the result is old");
    await expect(recorded[1].data()).rejects.toThrow("the result is old");
    expect(device.kernels).toEqual([]); // the whole graph is checked before its first kernel
  });

  test("leaves values that are on the host readable", async () => {
    const leaf = tensor([1]);
    const read = leaf.add(1);
    await read.data();
    release(leaf, "old");
    release(read, "old");
    expect(await leaf.item()).toBe(1);
    expect(await read.item()).toBe(2);
  });

  test("waits for a graph that is reading the value", async () => {
    const slow = new AsyncDevice();
    setDevice(slow);
    const x = tensor([2]).neg();
    await realize(x);
    const y = tensor([3]).exp().neg().mul(x).sum();
    const reading = y.item();
    while (slow.kernels.length < 3) await new Promise((resolve) => setTimeout(resolve, 1)); // it has begun, and needs x last
    release(x, "old");
    expect(slow.memory.buffers).toBeGreaterThan(0);
    expect(await reading).toBeCloseTo(2 * Math.exp(3), 4);
    await expect(x.data()).rejects.toThrow("old");
    expect(slow.memory.buffers).toBe(0);
  });

  test("does not affect what was computed before", async () => {
    const x = tensor([1]);
    const y = x.exp();
    await realize(y);
    release(x, "old");
    expect(await y.neg().item()).toBe(-Math.fround(Math.E));
  });
});

describe("takeAsLeaf", () => {
  test("moves a value on the device into a leaf and lets go of the history", async () => {
    const y = ones([2]).add(1);
    const recorded = y.neg();
    await realize(y);
    const leaf = takeAsLeaf(y, true);
    expect(leaf).toMatchObject({ recipe: null, requiresGrad: true, shape: [2], dtype: "float32" });
    expect(device.memory.buffers).toBe(1);
    await expect(recorded.data()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GraphError: realize: a value that this graph needs is gone: its values were moved into a parameter or buffer]`,
    );
    expect(await leaf.mul(3).array()).toEqual([6, 6]);
    expect(await leaf.array()).toEqual([2, 2]);
    expect(device.memory.buffers).toBe(0);
  });

  test("leaves a graph alone that is using the value already", async () => {
    const slow = new AsyncDevice();
    setDevice(slow);
    const x = tensor([2]).neg();
    await realize(x);
    const reading = tensor([3]).neg().abs().mul(x).item();
    while (slow.kernels.length < 2) await new Promise((resolve) => setTimeout(resolve, 1)); // it has begun, and needs x last
    const leaf = takeAsLeaf(x);
    expect(await reading).toBe(-6);
    expect(await leaf.item()).toBe(-2);
    expect(slow.memory.buffers).toBe(0);
  });

  test("shares a value that is on the host", async () => {
    const y = ones([2]).add(1);
    await y.data();
    const leaf = takeAsLeaf(y);
    expect(leaf.values).toBe(y.values);
    expect(await y.neg().array()).toEqual([-2, -2]);
  });

  test("frees the value when the leaf is collected, not when the tensor that it came from is", async () => {
    const slot: { leaf: Tensor | null } = { leaf: null };
    await (async () => {
      const y = ones([2]).add(1);
      await realize(y);
      slot.leaf = takeAsLeaf(y);
    })();
    await collect();
    expect(device.memory.buffers).toBe(1);
    slot.leaf = null;
    await collectUntil(() => device.memory.buffers === 0);
    expect(device.memory.buffers).toBe(0);
  });

  test("needs a realized tensor", () => {
    expect(() => takeAsLeaf(ones([1]).neg())).toThrowErrorMatchingInlineSnapshot(
      `[GraphError: internal: takeAsLeaf: the tensor must be realized]`,
    );
  });
});

describe("readValues", () => {
  test("gives the tensor's own array, without a copy", async () => {
    const x = zeros([2]);
    expect(await readValues(x)).toBe(x.values);
    const y = x.add(1);
    expect(await readValues(y)).toBe(y.values);
  });
});

describe("eager mode", () => {
  test("runs each op as it is called", async () => {
    setEager(true);
    expect(eager()).toBe(true);
    const x = tensor([1, 2]);
    const y = x.add(1);
    expect(isRealized(y)).toBe(true);
    const z = y.mul(y);
    expect(device.kernels).toEqual(["add", "mul"]);
    expect(await z.array()).toEqual([4, 9]);
    expect(device.kernels).toEqual(["add", "mul"]);
  });

  test("computes inputs that were recorded before it was turned on", async () => {
    const x = tensor([1]).add(1);
    setEager(true);
    const y = x.mul(3);
    expect(device.kernels).toEqual(["add", "mul"]);
    setEager(false);
    expect(await y.item()).toBe(6);
  });

  test("throws a kernel's error at the line that called the op, and frees what it had made", () => {
    setEager(true);
    const x = tensor([1]);
    expect(() => broken(x)).toThrow("the kernel is broken");
    expect(device.memory.buffers).toBe(0);
  });

  test("changes no gradient, also of leaves without requiresGrad and of intermediates", async () => {
    const gradients = async (): Promise<unknown> => {
      const x = tensor([1, 2]);
      const y = x.mul(x);
      const [dx, dy] = grad(y.mul(x).sum(), [x, y]);
      const [ddx] = grad(dx.sum(), [x]);
      return Promise.all([dx.array(), dy.array(), ddx.array()]);
    };
    const lazy = await gradients();
    setEager(true);
    expect(await gradients()).toEqual(lazy);
    expect(lazy).toEqual([[3, 12], [1, 2], [6, 12]]); // prettier-ignore
  });

  test("moves inputs from another device", async () => {
    const x = tensor([1]).add(1);
    await withDevice(new CountingDevice(), () => realize(x));
    setEager(true);
    const y = x.mul(3);
    expect(await y.item()).toBe(6);
  });

  test("needs a device that answers at once", () => {
    setDevice(new AsyncDevice());
    setEager(true);
    const x = tensor([1]);
    expect(() => x.neg()).toThrowErrorMatchingInlineSnapshot(
      `[GraphError: realize: eager mode needs a device that answers at once, got async; use "reference"]`,
    );
  });

  test.each([
    ["1", "true true"],
    ["0", "false false"],
    ["", "false false"],
  ])("is turned on by GRIDGRAD_EAGER=1 and by nothing else: %j", (value, printed) => {
    const program = `
      import { eager, isRealized, tensor } from "./index.ts";
      console.log(eager(), isRealized(tensor([1]).add(1)));
    `;
    const typescript = new URL("../../../scripts/typescript.mjs", import.meta.url).href;
    const output = execFileSync(process.execPath, ["--import", typescript, "--input-type=module", "--eval", program], {
      cwd: fileURLToPath(new URL(".", import.meta.url)),
      env: { ...process.env, GRIDGRAD_EAGER: value },
      encoding: "utf8",
    });
    expect(output.trim()).toBe(printed);
  });
});

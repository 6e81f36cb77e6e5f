/**
 * @file A device turns (op, input buffers) into an output buffer, and counts what it holds.
 *
 * The `reference` device runs each op's plain loops. It is the oracle that other devices are tested
 * against, and it needs nothing.
 */

import { checkOptions } from "./checkOptions.ts";
import { allocate, type Values } from "./dtype.ts";
import { showValue, ValueError } from "./errors.ts";
import type { Op, OpInfo } from "./op.ts";
import { needsMemory } from "./needsMemory.ts";
import { formatBytes } from "./formatBytes.ts";
import { formatShape, size } from "./shape.ts";
import { Shown } from "./shown.ts";

/** Values where a device keeps them. Only the device that made one looks inside. */
export interface DeviceBuffer {
  readonly bytes: number;
}

/** `run`, `upload` and `download` may answer at once or with a promise. */
export interface Device {
  readonly name: string;
  readonly memory: MemoryCounter;
  /** Where a device lays out its memory itself: the bytes that it has taken for that at most, gaps and scratch memory included. */
  readonly footprint?: { readonly peakBytes: number; resetPeak(): void };
  /** Takes values from the host. The caller does not change `values` afterwards. */
  upload(values: Values): DeviceBuffer | Promise<DeviceBuffer>;
  /** Values of `buffer` on the host. The caller does not change them. */
  download(buffer: DeviceBuffer): Values | Promise<Values>;
  /** Runs one kernel. */
  run(op: Op, inputs: readonly DeviceBuffer[], info: OpInfo): DeviceBuffer | Promise<DeviceBuffer>;
  /** Gives a buffer back. It is not used afterwards. */
  free(buffer: DeviceBuffer): void;
  /** Resolves when the device can run, to a line for people that says what it runs on. Rejects when it cannot. */
  ready?(): Promise<string>;
  /** Ops that ran on the plain loops instead of kernels of the device, with the reason. */
  readonly onLoops?: ReadonlyMap<string, string>;
  /** Ends workers and contexts. The device is not used afterwards. */
  close(): void | Promise<void>;
}

/** Counts live and peak buffers and bytes. Devices report to it; memory tests read it. */
export class MemoryCounter {
  buffers = 0;
  bytes = 0;
  peakBuffers = 0;
  peakBytes = 0;

  add(bytes: number): void {
    this.buffers++;
    this.bytes += bytes;
    this.peakBuffers = Math.max(this.peakBuffers, this.buffers);
    this.peakBytes = Math.max(this.peakBytes, this.bytes);
  }

  remove(bytes: number): void {
    this.buffers--;
    this.bytes -= bytes;
  }

  /** Starts a new measurement of the peak from what is live now. */
  resetPeak(): void {
    this.peakBuffers = this.buffers;
    this.peakBytes = this.bytes;
  }
}

/** Runs an op's loops on the host. */
export function runLoops(op: Op, inputs: readonly Values[], info: OpInfo): Values {
  const what = (): string => describeResult(op, info);
  const y = allocate(info.dtype, size(info.outShape), what);
  needsMemory(what, y.byteLength, () => op.loops(y, inputs, info)); // loops may need some of their own
  return y;
}

/** `op conv2d with a result of shape [1, 2] in float32`, as it stands in errors. */
export function describeResult(op: Op, { outShape, dtype }: OpInfo): string {
  return `op ${op.name} with a result of shape ${formatShape(outShape)} in ${dtype}`;
}

/** A device in one line: `Device(cpu, 2 buffers of 1.5 KB)`. */
export function showDevice(device: Device): string {
  const { buffers, bytes } = device.memory;
  const held =
    buffers === 0 ? "no buffers" : `${buffers} ${buffers === 1 ? "buffer" : "buffers"} of ${formatBytes(bytes)}`;
  return `Device(${device.name}, ${held})`;
}

interface ReferenceBuffer extends DeviceBuffer {
  readonly values: Values;
}

/** Runs every op's own loops on the host, in float32 or float64 as its tensors are. */
export class ReferenceDevice extends Shown implements Device {
  readonly name = "reference";
  readonly memory = new MemoryCounter();

  upload(values: Values): ReferenceBuffer {
    return this.#hold(values);
  }

  download(buffer: DeviceBuffer): Values {
    return (buffer as ReferenceBuffer).values;
  }

  run(op: Op, inputs: readonly DeviceBuffer[], info: OpInfo): ReferenceBuffer {
    return this.#hold(
      runLoops(
        op,
        inputs.map((input) => (input as ReferenceBuffer).values),
        info,
      ),
    );
  }

  free(buffer: DeviceBuffer): void {
    this.memory.remove(buffer.bytes); // the garbage collector does the rest
  }

  close(): void {}

  toString(): string {
    return showDevice(this);
  }

  #hold(values: Values): ReferenceBuffer {
    this.memory.add(values.byteLength);
    return { values, bytes: values.byteLength };
  }
}

const factories = new Map<string, () => Device>([["reference", () => new ReferenceDevice()]]);
let defaultName = "reference";

/**
 * Makes `name` known to `openDevice`. Packages that bring a device call it once, when they are loaded.
 *
 * @param options.isDefault - graphs run on this device from now on, unless `setDevice` has said otherwise. Default false.
 */
export function registerDevice(name: string, open: () => Device, options?: { readonly isDefault?: boolean }): void {
  const { isDefault = false } = checkOptions("registerDevice(name, open)", { isDefault: 0 }, options, arguments);
  factories.set(name, open);
  if (isDefault) defaultName = name;
}

/** The names that `openDevice` takes. */
export function deviceNames(): string[] {
  return [...factories.keys()];
}

/**
 * A new device by its name.
 *
 * @throws {ValueError} when there is no device of that name.
 *
 * @example
 * ```ts
 * openDevice("reference").name; // reference
 * ```
 */
export function openDevice(name: string): Device {
  const open = factories.get(name);
  if (!open)
    throw new ValueError("openDevice", `name must be one of ${deviceNames().join(", ")}`, JSON.stringify(name));
  return open();
}

/** What `setDevice` has set, or what was opened because nobody has. */
let current: Device | null = null;

/** The device that graphs run on: `cpu` where @gridgrad/ops is loaded, else `reference`, unless `setDevice` has set another. */
export function getDevice(): Device {
  current ??= openDevice(defaultName);
  return current;
}

/** Sets the device that graphs run on from now on: a device, or a name for `openDevice`. */
export function setDevice(device: Device | string): Device {
  const set = typeof device === "string" ? openDevice(device) : device;
  if (typeof (set as Partial<Device> | null)?.run !== "function") {
    const repair = (set as unknown) instanceof Promise ? "; await it first" : "";
    throw new ValueError("setDevice", "device must be a name or a device", showValue(set) + repair);
  }
  current = set;
  return set;
}

/** Runs `body` with `device` as the current one, then puts the former one back. Do not overlap two calls. */
export async function withDevice<T>(device: Device | string, body: () => T | Promise<T>): Promise<T> {
  const before = current; // null: still none opened
  setDevice(device);
  try {
    return await body();
  } finally {
    current = before;
  }
}

/**
 * @file What computes on the `cpu` device: SIMD kernels in WebAssembly, on all cores of the machine.
 *
 * All values live in one WebAssembly memory, in blocks of an arena. An op runs its kernels if it has any and they cover what it is
 * asked for, else its plain loops, on views of the same memory; so nothing is ever missing, and float64 always takes the loops. Results are the
 * same, to the bit, for any number of threads.
 */

import {
  bytesPerElement,
  describeResult,
  type DeviceBuffer,
  type DType,
  dtypeOf,
  lessMemory,
  type MemoryCounter,
  needsMemory,
  type Op,
  type OpInfo,
  OutOfMemoryError,
  size,
  type Values,
} from "@gridgrad/core";

import type { Counters, Engine } from "../lazyDevice.ts";
import { Arena } from "./arena.ts";
import type { CpuKernel, Launcher, Work } from "./kernel.ts";
import { cpuKernels } from "./kernels/index.ts";
import type { KernelName } from "./module.generated.ts";
import { defaultThreads, Threads } from "./threads.ts";

/** Below it nothing is handed out, so that no block has address 0. */
const firstAddress = 1024;

/** A block of the memory, with how many buffers share it (reshape). */
interface Block {
  readonly address: number;
  owners: number;
}

interface CpuBuffer extends DeviceBuffer {
  readonly block: Block;
  readonly dtype: DType;
  readonly length: number;
}

export class CpuEngine implements Engine {
  /** Ops that ran on the loops although their values are float32, with the reason. Others always do, and that costs no copy. */
  readonly #onLoops: Map<string, string>;
  readonly #memory: MemoryCounter;
  readonly #wantedThreads: number | undefined;
  #opened: Opened | null = null;

  constructor({ memory, onLoops }: Counters, threads: number | undefined) {
    this.#memory = memory;
    this.#onLoops = onLoops;
    this.#wantedThreads = threads;
  }

  async ready(): Promise<string> {
    const { threads } = this.#open();
    const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean }; // absent where there are no pages
    const why = crossOriginIsolated === false ? ", since the page is not cross-origin isolated" : "";
    return `WebAssembly with SIMD, ${threads.count === 1 ? `1 thread${why}` : `${threads.count} threads`}`;
  }

  get runningThreads(): number {
    return this.#open().threads.running;
  }

  get footprint(): Arena {
    return this.#open().arena;
  }

  upload(values: Values): CpuBuffer {
    const buffer = this.#allocate(dtypeOf(values), values.length, () => `an upload of ${values.length} values`);
    this.#values(buffer).set(values);
    return buffer;
  }

  download(buffer: DeviceBuffer): Values {
    const values = this.#values(buffer as CpuBuffer);
    return needsMemory(
      () => `cpu: a download of ${values.length} values`,
      values.byteLength,
      () => values.slice(),
    );
  }

  run(op: Op, inputs: readonly DeviceBuffer[], info: OpInfo): CpuBuffer {
    const opened = this.#open();
    const buffers = inputs as readonly CpuBuffer[];
    if (aliases.has(op.name)) return this.#share(buffers[0]);
    const y = this.#allocate(info.dtype, size(info.outShape), () => describeResult(op, info));
    try {
      const reason = this.#runKernels(opened, op, y, buffers, info);
      if (reason !== null) {
        if (reason !== otherTypes) this.#onLoops.set(op.name, reason);
        const values = this.#values(y);
        values.fill(0);
        const from = buffers.map((buffer) => this.#values(buffer));
        needsMemory(
          () => describeResult(op, info),
          y.bytes,
          () => op.loops(values, from, info),
        );
      }
    } catch (error) {
      this.free(y);
      throw error;
    }
    return y;
  }

  free(buffer: DeviceBuffer): void {
    const { block, bytes } = buffer as CpuBuffer;
    this.#memory.remove(bytes);
    if (--block.owners === 0) this.#opened?.arena.free(block.address);
  }

  async close(): Promise<void> {
    await this.#opened?.threads.close();
  }

  #open(): Opened {
    if (this.#opened) return this.#opened;
    const threads = new Threads(this.#wantedThreads ?? defaultThreads());
    this.#opened = { threads, arena: new Arena(threads.memory, firstAddress) };
    return this.#opened;
  }

  /** Runs the kernels of an op into `y`. Returns why it could not, or null when it did. */
  #runKernels(opened: Opened, op: Op, y: CpuBuffer, inputs: readonly CpuBuffer[], info: OpInfo): string | null {
    const kernel = kernelsByOp.get(op.name);
    if (!kernel) return "it has no kernel";
    const types = [info.dtype, ...inputs.map(({ dtype }) => dtype)];
    if (types.includes("float64") || (types.includes("int32") && !kernel.integers)) return otherTypes;
    if (y.length === 0 || inputs.some(({ length }) => length === 0)) return "there is nothing to compute";
    const addresses = inputs.map(({ block }) => block.address);
    const launcher = new OpLauncher(opened, () => describeResult(op, info));
    try {
      const done = kernel.launch(launcher, y.block.address, addresses, info);
      return done === undefined ? null : reasons[done];
    } finally {
      launcher.freeScratch();
    }
  }

  #share(buffer: CpuBuffer): CpuBuffer {
    buffer.block.owners++;
    this.#memory.add(buffer.bytes);
    return { ...buffer };
  }

  #allocate(dtype: DType, length: number, what: () => string): CpuBuffer {
    const bytes = length * bytesPerElement[dtype];
    const address = allocate(this.#open(), bytes, what);
    this.#memory.add(bytes);
    return { block: { address, owners: 1 }, dtype, length, bytes };
  }

  #values({ block: { address }, dtype, length }: CpuBuffer): Values {
    const { buffer } = this.#opened!.threads.memory;
    switch (dtype) {
      case "float32":
        return new Float32Array(buffer, address, length);
      case "float64":
        return new Float64Array(buffer, address, length);
      case "int32":
        return new Int32Array(buffer, address, length);
    }
  }
}

/** Why an op that has kernels takes the loops. */
const reasons = {
  loops: "its kernels do not cover these attributes or shapes",
  "not finite": "values are not finite, and its kernels are right only for numbers",
} as const;

/** Why float64 and most int32 take the loops. */
const otherTypes = "its kernels compute in float32";

interface Opened {
  readonly threads: Threads;
  readonly arena: Arena;
}

/** Ops whose result has the values of their input. */
const aliases: ReadonlySet<string> = new Set(["reshape", "detach"]);

const kernelsByOp: ReadonlyMap<string, CpuKernel> = new Map(cpuKernels.map((kernel) => [kernel.op, kernel]));

/** Launches the kernels of one run of one op, and keeps its scratch memory. */
class OpLauncher implements Launcher {
  readonly #opened: Opened;
  readonly #scratchOwner: () => string;
  readonly #scratch: number[] = [];

  constructor(opened: Opened, op: () => string) {
    this.#opened = opened;
    this.#scratchOwner = () => `scratch memory of ${op()}`;
  }

  launch(kernel: KernelName, work: Work, ...args: number[]): void {
    const { threads, arena } = this.#opened;
    if (!work.scratch) return threads.run(kernel, work, 0, args);
    const scratch = roundUp(work.scratch);
    const address = allocate(this.#opened, scratch * threads.count, this.#scratchOwner);
    try {
      threads.run(kernel, { ...work, scratch }, address, args);
    } finally {
      arena.free(address);
    }
  }

  scratch(floats: number): number {
    const address = allocate(this.#opened, floats * 4, this.#scratchOwner);
    this.#scratch.push(address);
    return address;
  }

  int32(address: number, length: number): Int32Array {
    return new Int32Array(this.#opened.threads.memory.buffer, address, length);
  }

  float32(address: number, length: number): Float32Array {
    return new Float32Array(this.#opened.threads.memory.buffer, address, length);
  }

  freeScratch(): void {
    for (const address of this.#scratch) this.#opened.arena.free(address);
  }
}

function allocate({ arena }: Opened, bytes: number, what: () => string): number {
  const address = arena.allocate(bytes);
  if (address === 0) {
    throw new OutOfMemoryError(
      `cpu: the 4 GB of a WebAssembly memory must suffice, got ${what()}, which needs ${megabytes(bytes)} beside ` +
        `${megabytes(arena.liveBytes)} in use; ${lessMemory}, and --device reference, slow as it is, has all of the machine's`,
    );
  }
  return address;
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MB`;
}

/** Whole cache lines, so that threads do not write to the same one. */
function roundUp(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

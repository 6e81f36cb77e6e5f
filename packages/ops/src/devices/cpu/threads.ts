/**
 * @file The threads of the `cpu` device: the module, its memory, and the workers that share it with the main thread.
 *
 * A kernel's work is cut into parts. The main thread offers them (worker.ts tells how), takes parts
 * itself, and waits for the last one. Workers that are still starting are no loss, only less help. A process may end while
 * workers sleep: they do not keep it alive.
 *
 * Where memory cannot be shared (a page that is not cross-origin isolated) there is one thread, and the same module on a memory of its own.
 */

import { GraphError, OutOfMemoryError } from "@gridgrad/core";

import { type KernelName, packedModule, workerSource } from "./module.generated.ts";
import {
  Control,
  finishPart,
  type KernelFunction,
  mostArguments,
  runPart,
  takePart,
  type WorkerSetup,
} from "./worker.ts";
import type { Work } from "./kernel.ts";
import { type GrowableMemory, pageBytes } from "./arena.ts";
import { unpackBytes } from "./packedBytes.ts";

/** Scalar operations of one part, about 20 µs: less is not worth waking a thread for. */
const partCost = 65536;

/** Parts per thread, so that a thread that starts late or is held up leaves its share to the others. */
const partsPerThread = 4;

/** Waits of 100 ms without any progress of the other threads, after which they count as dead. A laptop that sleeps counts as one. */
const mostIdleWaits = 100;

/** Looks at `done` before the main thread goes to sleep. A browser's main thread must not sleep, and goes on looking. */
const looks = 5000;

const remedy = "go on from the last checkpoint, on a new device";

export class Threads {
  readonly memory: GrowableMemory;
  /** Threads that may run kernels, with the main one. */
  readonly count: number;
  readonly #module: object;
  readonly #kernels: readonly KernelFunction[];
  readonly #kernelNames: readonly string[];
  readonly #indexOf: ReadonlyMap<string, number>;
  readonly #control: Int32Array;
  readonly #args = new Float64Array(shared(mostArguments * 8));
  /** Why a part has failed in a worker. */
  readonly #reason = new Uint16Array(shared(2 * 256));
  /** Started with the first work that is worth it. */
  #workers: AnyWorker[] | null = null;
  /** Why no kernel can run any more. */
  #failure: string | null = null;
  readonly #canWait: boolean;

  /** @param count - threads, with the calling one. Where memory cannot be shared there is one. */
  constructor(count: number) {
    const { WebAssembly } = world();
    const bytes = unpackBytes(packedModule);
    const limits = { initial: 16, maximum: 65536 }; // pages of 64 KiB: 1 MiB at first, 4 GiB at most
    const sharing = canShare();
    this.count = sharing ? count : 1;
    this.#module = new WebAssembly.Module(sharing ? bytes : withOwnMemory(bytes));
    this.memory = openMemory(() => new WebAssembly.Memory(sharing ? { ...limits, shared: true } : limits));
    const { exports } = new WebAssembly.Instance(this.#module, { env: { memory: this.memory } });
    this.#kernelNames = Object.keys(exports);
    this.#indexOf = new Map(this.#kernelNames.map((name, i) => [name, i]));
    this.#kernels = Object.values(exports);
    this.#control = new Int32Array(shared((Control.length + this.count) * 4));
    this.#canWait = canWait();
  }

  /** Threads that have started, with the calling one. */
  get running(): number {
    return 1 + Atomics.load(this.#control, Control.started);
  }

  /** Runs a kernel on all items. `scratch` holds `work.scratch` bytes for each thread. */
  run(kernel: KernelName, { items, cost, scratch = 0 }: Work, scratchAt: number, args: readonly number[]): void {
    if (this.#failure) throw new GraphError(`cpu: ${this.#failure}`);
    const index = this.#indexOf.get(kernel)!;
    const call = this.#kernels[index];
    if (call.length !== args.length + (scratch > 0 ? 3 : 2)) {
      throw new GraphError(
        `internal: cpu: kernel ${kernel} takes ${call.length} arguments, got ${args.length} besides its items`,
      );
    }
    const parts =
      this.count === 1 ? 1 : Math.min(items, Math.floor((items * cost) / partCost), this.count * partsPerThread);
    if (parts <= 1) {
      if (scratch > 0) call(0, items, scratchAt, ...args);
      else call(0, items, ...args);
      return;
    }
    if (!this.#workers) this.#startWorkers();
    const control = this.#control;
    control[Control.kernel] = index;
    control[Control.items] = items;
    control[Control.parts] = parts;
    control[Control.argumentCount] = args.length;
    control[Control.scratch] = scratchAt;
    control[Control.scratchBytes] = scratch;
    control[Control.pages] = this.memory.buffer.byteLength / pageBytes;
    this.#args.set(args);
    Atomics.store(control, Control.failed, 0);
    Atomics.store(control, Control.done, 0);
    Atomics.store(control, Control.remaining, parts); // from here on the parts can be taken
    Atomics.add(control, Control.sequence, 1);
    if (Atomics.load(control, Control.sleepers) > 0) Atomics.notify(control, Control.sequence);
    let error: unknown;
    for (let part = takePart(control); part >= 0; part = takePart(control)) {
      try {
        runPart({ control, args: this.#args }, this.#kernels, 0, part);
      } catch (caught) {
        error ??= caught;
      }
      finishPart(control);
    }
    this.#waitForOthers(kernel, parts);
    if (error === undefined && Atomics.load(control, Control.failed) > 0) error = `${this.#reasonText()}, in a worker`;
    if (error !== undefined)
      throw new GraphError(`internal: cpu: kernel ${kernel}: ${String(error)}`, { cause: error });
  }

  async close(): Promise<void> {
    this.#failure ??= "the device was closed; open a new one";
    await Promise.all((this.#workers?.splice(0) ?? []).map((worker) => worker.terminate()));
  }

  #reasonText(): string {
    return String.fromCharCode(...this.#reason.subarray(0, this.#reason.indexOf(0)));
  }

  #waitForOthers(kernel: KernelName, parts: number): void {
    const control = this.#control;
    for (let i = 0; i < looks; i++) if (Atomics.load(control, Control.done) === parts) return;
    const start = performance.now();
    let before = -1;
    for (let idle = 0; ;) {
      const done = Atomics.load(control, Control.done);
      if (done === parts) return;
      if (this.#canWait) {
        idle = done === before ? idle + 1 : 0;
        Atomics.wait(control, Control.done, done, 100);
      } else if (performance.now() - start > mostIdleWaits * 100) {
        idle = mostIdleWaits;
      }
      before = done;
      if (idle >= mostIdleWaits) {
        const seconds = mostIdleWaits / 10;
        this.#failure = `kernel ${kernel} did not end within ${seconds} s: a worker has died or hangs; ${remedy}`;
        throw new GraphError(`cpu: ${this.#failure}`);
      }
    }
  }

  #startWorkers(): void {
    this.#workers = [];
    const { memory } = this;
    for (let thread = 1; thread < this.count; thread++) {
      // One that never starts is missed by nobody: a page may forbid workers, a machine be out of memory.
      const onEnd = (reason: string): void => {
        if (Atomics.load(this.#control, Control.length + thread) === 0) return;
        this.#failure ??= `a worker has died (${reason}); ${remedy}`;
      };
      const state = { memory, control: this.#control, args: this.#args, reason: this.#reason };
      const setup = { ...state, module: this.#module, kernelNames: this.#kernelNames, thread };
      try {
        this.#workers.push(startWorker(setup, onEnd));
      } catch {
        return;
      }
    }
  }
}

/** Threads to use: `GRIDGRAD_THREADS` from the environment or, in a page, from a global of that name; else as many as the machine has. */
export function defaultThreads(): number {
  const { process, navigator, GRIDGRAD_THREADS } = world();
  const wanted = process?.env["GRIDGRAD_THREADS"] ?? GRIDGRAD_THREADS;
  if (wanted !== undefined && wanted !== "") {
    const count = Number(wanted);
    if (!Number.isInteger(count) || count < 1) {
      throw new GraphError(`cpu: GRIDGRAD_THREADS must be an integer of at least 1, got ${JSON.stringify(wanted)}`);
    }
    return count;
  }
  const os = process?.getBuiltinModule?.("node:os") as { availableParallelism(): number } | undefined;
  return os?.availableParallelism() ?? navigator?.hardwareConcurrency ?? 1;
}

/** Whether threads can share memory: always in Node, and in pages that are cross-origin isolated. */
function canShare(): boolean {
  return typeof SharedArrayBuffer !== "undefined";
}

/** Whether this thread may sleep. */
function canWait(): boolean {
  if (!canShare()) return false;
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false; // the main thread of a browser
  }
}

/** A memory asks for its whole address space at once, of which a machine that is shared may allow less. */
function openMemory<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw new OutOfMemoryError(
      `cpu: a WebAssembly memory must be had, but: ${(error as Error).message}; raise the limit of the address space ` +
        "(ulimit -v), or compute with --device reference, which needs none",
      { cause: error },
    );
  }
}

function shared(bytes: number): ArrayBufferLike {
  return canShare() ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
}

/** The module for a memory that is not shared: one bit of its import differs, and it has no instruction that needs a shared one. */
function withOwnMemory(bytes: Uint8Array): Uint8Array {
  const name = [3, ..."env"]
    .concat([6, ..."memory"] as never[])
    .map((c) => (typeof c === "string" ? c.charCodeAt(0) : c));
  const memoryKind = 2;
  const pattern = [...name, memoryKind, 3]; // limits: 3 shared with a maximum, 1 with a maximum
  for (let i = 0; i + pattern.length <= bytes.length; i++) {
    if (pattern.every((byte, k) => bytes[i + k] === byte)) {
      const patched = bytes.slice();
      patched[i + pattern.length - 1] = 1;
      return patched;
    }
  }
  throw new GraphError("internal: cpu: the module imports no shared memory");
}

interface AnyWorker {
  terminate(): unknown;
}

/** A worker thread of Node or of a browser. Both run the same script. */
function startWorker(setup: WorkerSetup, onEnd: (reason: string) => void): AnyWorker {
  const { process, Worker, Blob, URL } = world();
  const threads = process?.getBuiltinModule?.("node:worker_threads") as
    { Worker: new (source: string, options: object) => NodeWorker } | undefined;
  if (threads) {
    const worker = new threads.Worker(workerSource, {
      eval: true,
      workerData: setup,
      name: "gridgrad",
      execArgv: [],
      env: {},
    });
    worker.on("error", (error: Error) => onEnd(error.message));
    worker.on("exit", () => onEnd("it ended"));
    worker.unref();
    return worker;
  }
  const url = URL!.createObjectURL(new Blob!([workerSource], { type: "text/javascript" }));
  const worker = new Worker!(url);
  worker.onerror = (event): void => onEnd(event.message);
  worker.postMessage(setup);
  return worker;
}

interface NodeWorker extends AnyWorker {
  on(event: string, listener: (error: Error) => void): void;
  unref(): void;
}

interface WebWorker extends AnyWorker {
  onerror: ((event: { message: string }) => void) | null;
  postMessage(message: unknown): void;
}

/** What is there in Node, in a browser, or in both, and no single set of types knows. */
interface World {
  readonly WebAssembly: {
    Module: new (bytes: Uint8Array) => object;
    Instance: new (module: object, imports: object) => { exports: Record<string, KernelFunction> };
    Memory: new (descriptor: { initial: number; maximum: number; shared?: boolean }) => GrowableMemory;
  };
  readonly process?: { env: Record<string, string | undefined>; getBuiltinModule?(name: string): unknown };
  readonly navigator?: { hardwareConcurrency?: number };
  readonly GRIDGRAD_THREADS?: string | number;
  readonly Worker?: new (url: string) => WebWorker;
  readonly Blob?: new (parts: string[], options: { type: string }) => object;
  readonly URL?: { createObjectURL(blob: object): string };
}

function world(): World {
  return globalThis as unknown as World;
}

/**
 * @file What a worker thread does: it waits for jobs, takes parts of them, and runs a kernel on each part. The main thread takes
 * parts in the same way, with the same functions.
 *
 * A job is a kernel, its arguments and a number of parts, all in shared memory. `remaining` counts the parts that nobody has taken:
 * who takes the count from k to k - 1 owns part k - 1, and nothing else decides who does what. What the job is gets read only after a part was
 * taken: it cannot change before that part is done. A late worker finds a count of 0 or less, and has missed nothing.
 *
 * This file is also compiled to the script that workers run, so it imports nothing.
 */

/** A kernel as the module exports it. */
export type KernelFunction = (...args: number[]) => void;

/** Places in the shared Int32Array `control`. Behind them each thread has one more: whether it has started. */
export const Control = {
  /** Goes up with each job; idle workers wait for it to change. */
  sequence: 0,
  /** Parts that nobody has taken; 0 or less when there are none. */
  remaining: 1,
  /** Parts that are done. */
  done: 2,
  /** Workers that wait for `sequence`, which must be notified. */
  sleepers: 3,
  /** Parts whose kernel has failed. */
  failed: 4,
  /** Workers that have started. */
  started: 5,
  /** The job: an index of a kernel, the number of items, of parts, of arguments, and each thread's scratch memory. */
  kernel: 6,
  items: 7,
  parts: 8,
  argumentCount: 9,
  scratch: 10,
  scratchBytes: 11,
  /** Of the memory. */
  pages: 12,
  length: 13,
} as const;

/** Arguments that a kernel can have. */
export const mostArguments = 32;

/** Looks at `sequence`, about 20 to 50 µs in all, before a worker goes to sleep: waking one up takes about as long. */
const looks = 2000;

export interface SharedState {
  readonly control: Int32Array;
  readonly args: Float64Array;
}

export interface WorkerSetup extends SharedState {
  /** For the message of the first part that fails, in UTF-16, up to a 0. */
  readonly reason: Uint16Array;
  readonly module: object;
  readonly memory: { grow(pages: number): number };
  readonly kernelNames: readonly string[];
  /** From 1; the main thread is 0. */
  readonly thread: number;
}

/** Runs part `part` of the job. */
export function runPart(
  { control, args }: SharedState,
  kernels: readonly KernelFunction[],
  thread: number,
  part: number,
): void {
  const items = control[Control.items];
  const parts = control[Control.parts];
  const list = [Math.floor((items * part) / parts), Math.floor((items * (part + 1)) / parts)];
  const scratchBytes = control[Control.scratchBytes];
  if (scratchBytes > 0) list.push(control[Control.scratch] + thread * scratchBytes);
  const count = control[Control.argumentCount];
  for (let i = 0; i < count; i++) list.push(args[i]);
  kernels[control[Control.kernel]](...list);
}

/** Takes a part that nobody has: its number, or -1 when there is none. */
export function takePart(control: Int32Array): number {
  return Math.max(-1, Atomics.sub(control, Control.remaining, 1) - 1);
}

/** Tells that a part is done, and wakes the main thread after the last one. */
export function finishPart(control: Int32Array): void {
  if (Atomics.add(control, Control.done, 1) + 1 === control[Control.parts]) Atomics.notify(control, Control.done);
}

/** Tells why a part has failed: the first one of a job, for all. */
function failPart(control: Int32Array, reason: Uint16Array, error: unknown): void {
  if (Atomics.add(control, Control.failed, 1) > 0) return;
  const text = String(error).slice(0, reason.length - 1);
  for (let i = 0; i <= text.length; i++) reason[i] = i < text.length ? text.charCodeAt(i) : 0;
}

/**
 * A worker's life. It ends with the worker.
 *
 * The main thread makes the memory larger. V8 tells workers, but not always one that is just starting: now and then `memory.fill` fails there
 * behind the former end. To grow the memory by nothing makes V8 look again, so a worker does that after each growth.
 */
export function work({ module, memory, control, args, reason, kernelNames, thread }: WorkerSetup): void {
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: { Instance: new (module: object, imports: object) => { exports: Record<string, KernelFunction> } };
  };
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = kernelNames.map((name) => exports[name]);
  let pages = -1;
  let seen = 0; // jobs from before this worker started are over, or have parts to take
  Atomics.add(control, Control.started, 1);
  Atomics.store(control, Control.length + thread, 1);
  for (;;) {
    for (let part = takePart(control); part >= 0; part = takePart(control)) {
      try {
        if (control[Control.pages] !== pages) {
          memory.grow(0);
          pages = control[Control.pages];
        }
        runPart({ control, args }, kernels, thread, part);
      } catch (error) {
        failPart(control, reason, error);
      }
      finishPart(control);
    }
    for (let i = 0; i < looks && Atomics.load(control, Control.sequence) === seen; i++);
    Atomics.add(control, Control.sleepers, 1);
    Atomics.wait(control, Control.sequence, seen);
    Atomics.sub(control, Control.sleepers, 1);
    seen = Atomics.load(control, Control.sequence);
  }
}

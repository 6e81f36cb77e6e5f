/**
 * @file Runs a graph: inputs before users, one kernel per tensor, nothing fused.
 *
 * Memory rule: whatever a run puts on the device and was not asked for is freed right after its last
 * use, also when a kernel throws. Copies of host values live for one run. The values of a target stay on the device until
 * they are read, and move to the host then; those of a tensor that nobody can reach any more are freed when it is collected.
 */

import { type Device, type DeviceBuffer, getDevice } from "./device.ts";
import type { Values } from "./dtype.ts";
import { GraphError } from "./errors.ts";
import { dependencies } from "./graph.ts";
import { Tensor } from "./tensor.ts";

/** Told of each kernel, with its time. */
export type KernelListener = (t: Tensor, ms: number) => void;

/**
 * Computes `targets` together: what they share is computed once. The values stay on the device.
 *
 * @throws {GraphError} when a value that is needed is gone.
 */
export function realize(...targets: Tensor[]): Promise<void> {
  return realizeWith(undefined, targets);
}

/** `realize`, with a listener for each kernel. */
export function realizeWith(listener: KernelListener | undefined, targets: readonly Tensor[]): Promise<void> {
  const device = getDevice(); // of the caller, not of the moment when its turn comes
  return enqueue(() => runGraph(targets, device, listener));
}

/** The values of `t` on the host. They are shared with `t`: do not change them. */
export function readValues(t: Tensor): Promise<Values> {
  const device = getDevice();
  return enqueue(async () => {
    if (t.values) return t.values; // also of a tensor that is gone: what was read stays readable
    await runGraph([t], device);
    if (!t.held) throw isGone(t);
    const { device: owner, buffer } = t.held;
    const values = await owner.download(buffer);
    dropHeld(t);
    t.values = values;
    return values;
  });
}

/** Frees the values of `t` for good. A graph that still needs them gets an error that gives `reason`. */
export function release(t: Tensor, reason: string): void {
  t.recipe = null;
  t.gone = reason;
  if (running)
    void enqueue(async () => dropHeld(t)); // the graph that runs now may be reading it
  else dropHeld(t);
}

/**
 * A leaf with the values of a realized tensor. Values on the host are shared; those on a device move over, so `t` is gone
 * afterwards. What `t` was computed from can be collected then: optimisers turn their results into parameters with it.
 */
export function takeAsLeaf(t: Tensor, requiresGrad = false): Tensor {
  if (!isRealized(t)) throw new GraphError("internal: takeAsLeaf: the tensor must be realized");
  const taken = new Tensor(t.shape, t.dtype, { values: t.values, requiresGrad });
  if (t.held) {
    collected.unregister(t);
    taken.held = t.held;
    collected.register(taken, taken.held, taken);
    t.held = null;
    t.recipe = null;
    t.gone = "its values were moved into a parameter or buffer";
  }
  return taken;
}

export function isRealized(t: Tensor): boolean {
  return t.values !== null || t.held !== null;
}

function isGone(t: Tensor): GraphError {
  return new GraphError(`realize: a value that this graph needs is gone: ${t.gone ?? "internal: unknown reason"}`);
}

/** Graphs run one at a time: two at once could free a buffer that the other still reads. */
let queue: Promise<unknown> = Promise.resolve();
let running = false;

function enqueue<T>(job: () => Promise<T>): Promise<T> {
  const result = queue.then(async () => {
    running = true;
    try {
      return await job();
    } finally {
      running = false;
    }
  });
  queue = result.catch(() => {}); // a graph that fails must not fail the next one
  return result;
}

async function runGraph(targets: readonly Tensor[], device: Device, listener?: KernelListener): Promise<void> {
  const run = new Run(targets, device);
  try {
    for (const t of run.schedule) {
      const start = listener ? performance.now() : 0;
      for (const input of t.recipe!.inputs) {
        if (!run.has(input)) run.put(input, await run.upload(input));
      }
      const y = run.kernel(t);
      run.put(t, y instanceof Promise ? await y : y); // no turn of the event loop for a device that answers at once
      run.freeLastUses(t);
      listener?.(t, performance.now() - start);
    }
    run.keepTargets();
  } finally {
    run.freeAll();
  }
}

/** One run of one graph: the schedule, and the buffers that this run has made and not yet freed. */
class Run {
  readonly schedule: readonly Tensor[];
  readonly #device: Device;
  readonly #targets: ReadonlySet<Tensor>;
  readonly #usesLeft = new Map<Tensor, number>();
  readonly #buffers = new Map<Tensor, DeviceBuffer>();
  /** What inputs hold on devices as the run starts: its tensors may be released, or their values moved, while it runs. */
  readonly #held = new Map<Tensor, NonNullable<Tensor["held"]>>();

  constructor(targets: readonly Tensor[], device: Device) {
    this.#device = device;
    this.#targets = new Set(targets);
    this.schedule = dependencies(targets, isRealized);
    for (const t of this.schedule) {
      if (!t.recipe) throw isGone(t);
      for (const input of t.recipe.inputs) this.#usesLeft.set(input, (this.#usesLeft.get(input) ?? 0) + 1);
    }
    for (const input of this.#usesLeft.keys()) {
      if (input.gone) throw isGone(input);
      if (input.held) this.#held.set(input, input.held);
    }
  }

  has(t: Tensor): boolean {
    return this.#buffers.has(t) || this.#held.get(t)?.device === this.#device;
  }

  put(t: Tensor, buffer: DeviceBuffer): void {
    this.#buffers.set(t, buffer);
  }

  /** A copy of a leaf on this device, from the host or by way of the host from another device. */
  async upload(t: Tensor): Promise<DeviceBuffer> {
    if (t.values) return this.#device.upload(t.values);
    const { device, buffer } = this.#held.get(t)!;
    return this.#device.upload(await device.download(buffer));
  }

  kernel(t: Tensor): DeviceBuffer | Promise<DeviceBuffer> {
    const { op, inputs, attrs } = t.recipe!;
    const buffers = inputs.map((input) => this.#buffers.get(input) ?? this.#held.get(input)!.buffer);
    const inShapes = inputs.map((input) => input.shape);
    return this.#device.run(op, buffers, { attrs, inShapes, outShape: t.shape, dtype: t.dtype });
  }

  freeLastUses(t: Tensor): void {
    for (const input of t.recipe!.inputs) {
      const left = this.#usesLeft.get(input)! - 1;
      this.#usesLeft.set(input, left);
      const buffer = left === 0 && !this.#targets.has(input) ? this.#buffers.get(input) : undefined;
      if (buffer) {
        this.#device.free(buffer);
        this.#buffers.delete(input);
      }
    }
  }

  /** Hands the results to their tensors. */
  keepTargets(): void {
    for (const t of this.#targets) {
      const buffer = this.#buffers.get(t);
      if (!buffer || isRealized(t)) continue;
      t.held = { device: this.#device, buffer };
      collected.register(t, t.held, t);
      // A program asks for gradients before it realizes, except through leaves with requiresGrad. In eager mode it had no chance to.
      if (!t.tracked && !eagerly) t.recipe = null;
      this.#buffers.delete(t);
    }
  }

  freeAll(): void {
    for (const buffer of this.#buffers.values()) this.#device.free(buffer);
  }
}

/** Frees what a tensor held on a device once nobody can reach the tensor. */
const collected = new FinalizationRegistry<NonNullable<Tensor["held"]>>(({ device, buffer }) => device.free(buffer));

function dropHeld(t: Tensor): void {
  if (!t.held) return;
  collected.unregister(t);
  t.held.device.free(t.held.buffer);
  t.held = null;
}

let eagerly = readEagerVariable();

/** Whether each op runs as it is called, for stepping through a program in a debugger. */
export function eager(): boolean {
  return eagerly;
}

/** Turns eager execution on or off. It starts on if the environment has `GRIDGRAD_EAGER=1`. */
export function setEager(on: boolean): void {
  eagerly = on;
}

/** Runs the one op of `t` at once. Its inputs were made eagerly too, or get computed first. */
export function realizeNow(t: Tensor): void {
  const device = getDevice();
  const run = new Run([t], device);
  try {
    for (const each of run.schedule) {
      for (const input of each.recipe!.inputs) {
        if (run.has(input)) continue;
        const values = input.values ?? immediate(device, input.held!.device.download(input.held!.buffer));
        run.put(input, immediate(device, device.upload(values)));
      }
      run.put(each, immediate(device, run.kernel(each)));
      run.freeLastUses(each);
    }
    run.keepTargets();
  } finally {
    run.freeAll();
  }
}

function immediate<T>(device: Device, result: T | Promise<T>): T {
  if (!(result instanceof Promise)) return result;
  result.catch(() => {}); // the error below is the one to read
  throw new GraphError(`realize: eager mode needs a device that answers at once, got ${device.name}; use "reference"`);
}

function readEagerVariable(): boolean {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.["GRIDGRAD_EAGER"] === "1";
}

/**
 * @file Realize: runs graphs, one at a time, and reads values.
 *
 * The values of a target stay on the device until they are read, and move to the host then.
 */

import { checkTensor } from "./checkTensor.ts";
import { collectIfCrowded } from "./crowd.ts";
import { type Device, getDevice } from "./device.ts";
import type { Values } from "./dtype.ts";
import { dropHeld, goneError } from "./held.ts";
import { Run } from "./run.ts";
import type { Tensor } from "./tensor.ts";

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
  targets.forEach((t, i) => checkTensor("realize", `argument ${i}`, t));
  const device = getDevice(); // of the caller, not of the moment when its turn comes
  return enqueue(() => runGraph(targets, device, listener));
}

/** The values of `t` on the host. They are shared with `t`: do not change them. */
export function readValues(t: Tensor): Promise<Values> {
  const device = getDevice();
  return enqueue(async () => {
    if (t.values) return t.values; // also of a tensor that is gone: what was read stays readable
    await runGraph([t], device);
    if (!t.held) throw goneError(t);
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

/** Graphs run one at a time: two at once could free a buffer that the other still reads. */
let queue: Promise<unknown> = Promise.resolve();
let running = false;

/** By `await` and not by `then`, so that an error tells which line of the program waits for it. */
async function enqueue<T>(job: () => Promise<T>): Promise<T> {
  const before = queue;
  let leave!: () => void;
  queue = new Promise<void>((resolve) => (leave = resolve));
  await before;
  running = true;
  try {
    return await job();
  } finally {
    running = false;
    leave(); // also after a graph that fails
  }
}

async function runGraph(targets: readonly Tensor[], device: Device, listener?: KernelListener): Promise<void> {
  await collectIfCrowded(device);
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

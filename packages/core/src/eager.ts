/**
 * @file Eager mode: each op runs as it is called, so that a debugger can step through a program.
 */

import { type Device, getDevice } from "./device.ts";
import { GraphError } from "./errors.ts";
import { Run } from "./run.ts";
import type { Tensor } from "./tensor.ts";

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

/** @file The device of a command: made ready before anything else is done, and at the end what it did apart from the result. */

import { getDevice, setDevice } from "@gridgrad/core";
import { bestDevice, GpuDevice } from "@gridgrad/ops";

import type { Io } from "./io.ts";
import { UserError } from "./userError.ts";

/** Options with a device that has a name: without one, or for `auto`, a graphics card if there is one, else `cpu`. */
export async function chooseDevice<T extends { readonly device?: string; readonly dtype?: string }>(
  given: T,
): Promise<T & { device: string }> {
  const { device = "auto", dtype } = given;
  if (device !== "auto") return { ...given, device };
  return { ...given, device: dtype === "float64" ? "cpu" : await bestDevice() }; // graphics cards lack float64
}

/**
 * Makes a device the current one when it can run, and tells what it runs on.
 *
 * @throws {UserError} when it is missing, with what it needs.
 */
export async function useDevice(io: Io, name: string): Promise<void> {
  const line = await setDevice(name)
    .ready?.()
    .catch((error: Error) => {
      throw new UserError(`${error.message}; what there is here: ${io.program} devices`, { cause: error });
    });
  if (line !== undefined && name !== "cpu") io.note(`device: ${line}`); // the usual one goes without saying
}

/** Prints what the current device has compiled, and which ops it left to the loops. */
export function reportDevice(io: Io): void {
  const device = getDevice();
  if (device instanceof GpuDevice && device.kernelCount > 0) {
    const seconds = (device.compileMs / 1000).toFixed(1);
    io.out(`${device.kernelCount} kernels compiled in ${seconds} s, which no other time here includes`);
  }
  const opsByReason = new Map<string, string[]>();
  for (const [op, reason] of device.onLoops ?? []) opsByReason.set(reason, [...(opsByReason.get(reason) ?? []), op]);
  for (const [reason, ops] of opsByReason) io.out(`on the plain loops, since ${reason}: ${ops.join(", ")}`);
}

/**
 * @file The devices that op tests run on besides `reference`.
 *
 * scripts/testDevices.ts finds out, once before all tests, which of them this machine has. Named in GRIDGRAD_TEST_DEVICES they must
 * run; otherwise one that is missing is skipped, with the reason in the title.
 */

import { describe, inject, test } from "vitest";

import { type Device, openDevice } from "../device.ts";

/** A device by its name for `openDevice`, and why it cannot be tested, if so. */
export interface TestDevice {
  readonly name: string;
  readonly missing: string | null;
}

declare module "vitest" {
  export interface ProvidedContext {
    devices: readonly TestDevice[];
    /** Run what describeOp does on devices, and not on the loops alone. */
    onlyDevices: boolean;
  }
}

const opened = new Map<string, Device>();

/** Closes what `describeDevices` has opened, and lets go of the kernels that were compiled there. */
export async function closeDevices(): Promise<void> {
  const devices = [...opened.values()];
  opened.clear();
  for (const device of devices) await device.close();
}

/**
 * Declares tests once for each device; `body` gets the device, which the tests of a file share.
 *
 * @param family - only `gpu` and its backends, say, by the part of their names before a colon. Default: all.
 */
export function describeDevices(body: (device: Device) => void, family?: string): void {
  const devices = (inject("devices") ?? []).filter(({ name }) => !family || name.split(":")[0] === family);
  if (devices.length === 0) describe.skip("on devices (skipped: none of them is to be tested)", () => test("nothing"));
  for (const { name, missing } of devices) {
    if (missing) {
      describe.skip(`on ${name} (skipped: ${missing})`, () => body(openDevice(name)));
    } else {
      describe(`on ${name}`, () => {
        if (!opened.has(name)) opened.set(name, openDevice(name));
        body(opened.get(name)!);
      });
    }
  }
}

/** @file `gridgrad devices`: what each device runs on here, or what it lacks. */

import { deviceNames, openDevice } from "@gridgrad/core";
import { Command } from "commander";

import type { Io } from "./io.ts";

export function devicesCommand(io: Io): Command {
  return new Command("devices")
    .description("List the devices with what they run on, or what they lack on this machine.")
    .addHelpText(
      "after",
      `
gpu takes the best that is there: WebGPU on hardware, else WebAssembly. The others are taken by their name only.

Examples:
  ${io.program} devices
  ${io.program} train --device gpu`,
    )
    .action(() => runDevices(io));
}

async function runDevices(io: Io): Promise<void> {
  const names = deviceNames();
  const width = Math.max(...names.map((name) => name.length));
  for (const name of names) io.out(`${name.padEnd(width)}  ${await describe(name)}`);
}

async function describe(name: string): Promise<string> {
  const device = openDevice(name);
  try {
    return (await device.ready?.()) ?? "the plain loops of each op, in float32 and float64";
  } catch (error) {
    return `missing: ${(error as Error).message.replace(`${name}: `, "")}`;
  } finally {
    await device.close();
  }
}

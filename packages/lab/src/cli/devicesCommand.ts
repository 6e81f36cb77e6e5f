/** @file `gridgrad devices`: what each device runs on here, or what it lacks. */

import { deviceNames, openDevice } from "@gridgrad/core";
import "@gridgrad/ops"; // it brings the devices, and nothing else here does
import type { Command } from "commander";

import type { Io } from "./io.ts";
import { newCommand } from "./newCommand.ts";

export function devicesCommand(io: Io): Command {
  return newCommand("devices")
    .option("--json", "print the devices as JSON")
    .addHelpText(
      "after",
      `
gpu takes the best that is there: WebGPU on hardware, else WebAssembly. The others are taken by their name only.

Examples:
  ${io.program} devices
  ${io.program} devices --json
  ${io.program} train --device gpu`,
    )
    .action((options: { json?: boolean }) => runDevices(io, options));
}

/** A device as `--json` prints it. */
interface Description {
  readonly name: string;
  readonly available: boolean;
  /** What it runs on, or what it lacks. */
  readonly description: string;
}

async function runDevices(io: Io, { json = false }: { json?: boolean }): Promise<void> {
  const names = deviceNames();
  const width = Math.max(...names.map((name) => name.length));
  const devices: Description[] = [];
  for (const name of names) {
    const device = await describe(name);
    devices.push(device);
    if (!json) io.out(`${name.padEnd(width)}  ${device.available ? "" : "missing: "}${device.description}`);
  }
  if (json) io.out(JSON.stringify({ devices }, null, 2));
}

async function describe(name: string): Promise<Description> {
  const device = openDevice(name);
  try {
    const description = (await device.ready?.()) ?? "the plain loops of each op, in float32 and float64";
    return { name, available: true, description };
  } catch (error) {
    return { name, available: false, description: (error as Error).message.replace(`${name}: `, "") };
  } finally {
    await device.close();
  }
}

/** @file How fast this machine copies and multiplies, measured by the contestants that can: WebAssembly's own, and PyTorch's. */

import { quantile } from "../statistics.ts";
import type { Child } from "./child.ts";
import type { CopyRate, Machine, MacRate } from "./roofline.ts";
import type { Task } from "./task.ts";

/** Bytes of one array: both together fit into a core's cache, into most shared ones, into some, into none. */
const copied = [2 ** 18, 2 ** 22, 2 ** 25, 2 ** 28];

/** Of a product of 1536 x 1536 matrices: more would take a slow machine seconds. */
const multiplied = 1536 ** 3;

export async function measureMachine(meters: readonly Child[], folder: string): Promise<Machine> {
  const copies: CopyRate[] = [];
  const macs: MacRate[] = [];
  for (const meter of meters) {
    const fastest = async (task: Task): Promise<number> => {
      await meter.ask({ do: "prepare", task, inputs: [], folder });
      const times: number[] = [];
      for (let turn = 0; turn < 3; turn++) {
        times.push(...(await meter.ask({ do: "run", ms: 150, least: 3 })).ms!);
      }
      await meter.ask({ do: "release" });
      return quantile(times, 0); // what the machine can do, not what it does when others use it
    };
    for (const bytes of copied) {
      const ms = await fastest({ work: "copy", gradients: false, attrs: { bytes } });
      // Read and written.
      copies.push({ bytes: 2 * bytes, gigabytesPerSecond: (2 * bytes) / ms / 1e6, by: meter.name });
    }
    const ms = await fastest({ work: "multiplyAdd", gradients: false, attrs: { macs: multiplied } });
    macs.push({ gigamacsPerSecond: multiplied / ms / 1e6, by: meter.name });
  }
  copies.sort((a, b) => a.bytes - b.bytes);
  return { copies, macs };
}

/** Of two measurements of one machine, the higher of each rate. */
export function fasterOf(once: Machine, again: Machine): Machine {
  const copies = once.copies.map((copy) => {
    const other = again.copies.find(({ bytes, by }) => bytes === copy.bytes && by === copy.by)!;
    return copy.gigabytesPerSecond >= other.gigabytesPerSecond ? copy : other;
  });
  const macs = once.macs.map((rate) => {
    const other = again.macs.find(({ by }) => by === rate.by)!;
    return rate.gigamacsPerSecond >= other.gigamacsPerSecond ? rate : other;
  });
  return { copies, macs };
}

/**
 * @file What a program has realized and forgotten is freed when JavaScript collects garbage. It does so when its own heap grows, which holds
 * a few bytes of each tensor; the values may fill a device long before. So when a device holds much, a collection is provoked.
 */

import type { Device } from "./device.ts";

/** Bytes below which a device never counts as crowded. */
const leastCrowd = 2 ** 29;

/** A new collection is worth its 10 ms, or 100 where there is nothing to collect, when the device holds this many times what the last one left. */
const growth = 1.5;

/** What makes V8 collect: memory outside of its heap that an object on it owns. Nobody touches it, so it costs addresses only. */
const pressure = 2 ** 28;

/** Tries, each a millisecond longer than the one before; two are enough on a machine that does nothing else. */
const mostRounds = 16;

/** Bytes above which a device is crowded, where a collection has been provoked before. */
const crowds = new WeakMap<Device, number>();

/** Gives the garbage collector a reason and time to free tensors that nobody can reach, if `device` holds much. */
export async function collectIfCrowded(device: Device): Promise<void> {
  const { memory } = device;
  if (memory.bytes < (crowds.get(device) ?? leastCrowd)) return;
  const before = memory.bytes;
  const pressed: ArrayBuffer[] = [];
  for (let round = 0; round < mostRounds && memory.bytes === before; round++) {
    try {
      pressed.push(new ArrayBuffer(pressure));
    } catch {
      pressed.length = 0; // no room: V8 has collected in the attempt
    }
    // Collections run beside the program, and finalizers between two of its tasks.
    await new Promise((resolve) => setTimeout(resolve, round));
  }
  crowds.set(device, Math.max(leastCrowd, growth * memory.bytes));
}

import { describe, expect, test } from "vitest";

import { ReferenceDevice, withDevice } from "./device.ts";
import { full } from "./leaf.ts";
import { realize } from "./realize.ts";
import type { Tensor } from "./tensor.ts";

/** Realizes 100 tensors on a device that counts 10,000 times their size, 40 MB each; `keep` may hold on to them. */
async function fill(keep: (t: Tensor) => void): Promise<ReferenceDevice> {
  const device = new ReferenceDevice();
  const { memory } = device;
  const [add, remove] = [memory.add.bind(memory), memory.remove.bind(memory)];
  memory.add = (bytes) => add(1e4 * bytes);
  memory.remove = (bytes) => remove(1e4 * bytes);
  await withDevice(device, async () => {
    for (let i = 0; i < 100; i++) {
      const t = full([1000], i).add(1);
      await realize(t);
      keep(t);
    }
  });
  return device;
}

describe("a device that holds much", () => {
  test("gets back what was realized and forgotten", async () => {
    const { memory } = await fill(() => {});
    expect(memory.peakBytes).toBeGreaterThan(2 ** 29);
    expect(memory.peakBytes).toBeLessThan(2 ** 31); // of 4e9; a busy machine collects late
  });

  test("keeps what can still be reached", async () => {
    const kept: Tensor[] = [];
    const { memory } = await fill((t) => kept.push(t));
    expect(memory.peakBytes).toBeGreaterThan(4e9);
    expect(await kept[7].sum().item()).toBe(8000);
  });
});

import { add, exp, type Tensor, realize, tensor, withDevice } from "@gridgrad/core";
import { describeDevices } from "@gridgrad/core/testing/devices";
import { expect, test } from "vitest";

import type { GpuBackend } from "./gpuBackends.ts";
import { GpuDevice } from "./gpuDevice.ts";

/** Takes away the context of the device that holds `t`, as a driver does. False if it has none that can be lost. */
async function loseContext(t: Tensor): Promise<boolean> {
  const { raw } = (t.held!.buffer as unknown as { gpu: { raw: { context?: Context } } }).gpu;
  const { context } = raw;
  context?.getExtension?.("STACKGL_destroy_context").destroy(); // headless-gl
  context?.device?.destroy(); // WebGPU
  await context?.device?.lost;
  return context !== undefined;
}

interface Context {
  getExtension?(name: string): { destroy(): void };
  readonly device?: LostDevice;
}

interface LostDevice {
  destroy(): void;
  readonly lost: Promise<unknown>;
}

describeDevices((shared) => {
  test("when the context is lost, nothing is read or computed in silence, and a new device works", async () => {
    const backend = shared.name.replace("gpu:", "") as GpuBackend;
    const device = new GpuDevice(backend);
    const x = tensor([1, 2, 3]);
    const y = await withDevice(device, async () => {
      const held = add(x, 1);
      await realize(held);
      return held;
    });
    if (!(await loseContext(y))) return;
    await withDevice(device, async () => {
      await expect(y.data()).rejects.toThrow(/^gpu:\w+: .*go on from the last checkpoint, on a new device$/);
      await expect(exp(y).data()).rejects.toThrow(/go on from the last checkpoint/);
      await expect(exp(x).data()).rejects.toThrow(/go on from the last checkpoint/);
    });
    const next = new GpuDevice(backend);
    expect(await withDevice(next, () => add(x, 1).array())).toEqual([2, 3, 4]);
    await next.close();
  });
}, "gpu");

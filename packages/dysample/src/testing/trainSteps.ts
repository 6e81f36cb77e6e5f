/**
 * @file A program that trains a small network on a device and tells, as a JSON line every few steps, what the device and the
 * process hold. It ends when nothing keeps it alive, and never by `process.exit`.
 *
 *     node --expose-gc .../scripts/run.mjs trainSteps.ts DEVICE STEPS EVERY [LEAK]
 *
 * LEAK makes it lose memory on purpose, so that a test can prove that it would notice: `handles` frees nothing on the GPU,
 * `objects` forgets one small object per kernel that nobody counts.
 */

import { add, type Device, relu, Random, setDevice, tensor, type Tensor } from "@gridgrad/core";
import { BatchNorm2d, Conv2d, Module, SGD } from "@gridgrad/nn";
import { crossEntropy, type GpuDevice } from "@gridgrad/ops";

import { createUpsampler } from "../upsamplers/createUpsampler.ts";
import type { Upsampler } from "../upsamplers/upsampler.ts";

/** What is held after a step. */
export interface Holdings {
  readonly step: number;
  /** On the GPU, not deleted. */
  readonly handles: number;
  /** Of tensors. */
  readonly buffers: number;
  /** Compiled kernels. */
  readonly kernels: number;
  /** Of the process, after a garbage collection, bytes. */
  readonly rss: number;
  /** Kernels run so far. */
  readonly runs: number;
}

/** Bytes that the leak of `objects` loses per kernel. */
export const objectBytes = 256;

const [batch, size, channels, classes] = [2, 16, 8, 6];

/** Convolution to half the size, normalisation, DySample back to the full size, and a class for each pixel. */
class SmallNetwork extends Module {
  conv = new Conv2d(3, channels, 3, { stride: 2, padding: 1, bias: false, random: new Random(1) });
  bn = new BatchNorm2d(channels);
  up: Upsampler = createUpsampler("dysample", channels, { random: new Random(2) });
  cls = new Conv2d(channels, classes, 1, { bias: false, random: new Random(3) });

  forward(x: Tensor): Tensor {
    return this.cls.forward(this.up.forward(relu(this.bn.forward(this.conv.forward(x)))));
  }
}

async function main([name, steps, every, leak]: readonly string[]): Promise<void> {
  const device = setDevice(name) as GpuDevice;
  await device.ready();
  let runs = 0;
  const forgotten: Uint8Array[] = [];
  replace(device, "run", (run) => (...args) => {
    runs++;
    if (leak === "objects") forgotten.push(new Uint8Array(objectBytes).fill(1));
    return run(...args);
  });
  if (leak === "handles") replace(device, "free", () => () => {});

  const network = new SmallNetwork();
  const optimizer = new SGD(network.parameters(), { lr: 0.01, momentum: 0.9 });
  const random = new Random(0);
  for (let step = 1; step <= Number(steps); step++) {
    const x = random.normal([batch, 3, size, size]);
    const labels = Int32Array.from({ length: batch * size * size }, (_, i) => (i + step) % classes);
    await optimizer.step(crossEntropy(network.forward(x), tensor(labels, [batch, size, size])));
    if (step % Number(every) > 0) continue;
    await settle();
    const { liveHandles: handles, kernelCount: kernels, memory } = device;
    const holdings: Holdings = {
      step,
      handles,
      buffers: memory.buffers,
      kernels,
      rss: process.memoryUsage.rss(),
      runs,
    };
    console.log(JSON.stringify(holdings));
  }
  await device.close();
}

/** Puts a function of a device in front of its own. */
function replace<K extends "run" | "free">(device: Device, key: K, make: (own: Device[K]) => Device[K]): void {
  device[key] = make(device[key].bind(device) as Device[K]);
}

/**
 * Waits until the device has done all that it was given, then collects, some times over: finalizers run between collections and free
 * more, and WebGPU gives memory back a while after the GPU is done with it.
 */
async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    await add(tensor([i]), 1).data();
    (globalThis as { gc?: () => void }).gc!();
    await new Promise((passed) => setTimeout(passed, 25)); // ms
  }
}

await main(process.argv.slice(2));

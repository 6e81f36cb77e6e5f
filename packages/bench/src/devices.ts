/**
 * @file Times devices side by side: the ops at the heart of DySample, and a training step of the toy task.
 *
 *     npm run bench:devices -- --devices reference,gpu:webasm,gpu:webgpu --json devices.json
 *
 * Inputs lie on the device before the clock starts. A run ends when one value of its result has been read, so a device that only queues
 * work cannot look fast. Devices take turns, so what else the machine does hits them alike; each figure is a median. The first run is
 * reported apart: it compiles the kernels. Before anything is timed, the device's result is compared with that of the loops.
 */

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

import {
  type Device,
  gradientsOf,
  leaf,
  openDevice,
  Random,
  realize,
  reshape,
  slice,
  type Tensor,
  tensor,
  withDevice,
} from "@gridgrad/core";
import { createUpsampler, Fpn4, makeBatch, trainingDataset } from "@gridgrad/dysample";
import { Adam } from "@gridgrad/nn";
import { conv1x1, crossEntropy, type GpuDevice, gridSample } from "@gridgrad/ops";

import { freeAll, resident } from "./resident.ts";
import { summarize } from "./statistics.ts";

const { values: options } = parseArgs({
  options: {
    devices: { type: "string", default: "reference,gpu:cpu,gpu:webasm" },
    json: { type: "string" },
    /** Time to spend on each line and device, ms. */
    budget: { type: "string", default: "2000" },
    /** Run only the lines whose title contains this. */
    only: { type: "string", default: "" },
  },
});

interface Work {
  readonly title: string;
  /** Sets it up on the current device. What it returns is one run, which resolves to a tensor whose values depend on all of the work. */
  prepare(): Promise<() => Tensor | Promise<Tensor>>;
}

/** `f` at `inputs`, forward, and forward with all gradients. */
function op(title: string, inputs: () => Tensor[], f: (...xs: Tensor[]) => Tensor): Work[] {
  return [
    {
      title: `${title}, forward`,
      async prepare() {
        const xs = await Promise.all(inputs().map(resident));
        return () => f(...xs);
      },
    },
    {
      title: `${title}, forward and gradients`,
      async prepare() {
        const xs = await Promise.all(inputs().map(resident));
        const dy = await resident(new Random(1).uniform(f(...xs).shape));
        return async () => {
          const y = f(...xs);
          const gradients = gradientsOf(y, xs, dy).flatMap((g) => g ?? []);
          await realize(y, ...gradients);
          freeAll([y, ...gradients.slice(0, -1)]);
          return gradients[gradients.length - 1];
        };
      },
    },
  ];
}

/** Positions of a bilinear resize, each moved by up to half an input pixel, as DySample moves them. */
function nearbyGrid(height: number, width: number, scale: number): Tensor {
  const random = new Random(2);
  const values: number[] = [];
  for (let p = 0; p < scale * height; p++) {
    for (let q = 0; q < scale * width; q++) {
      values.push((2 * (q + 0.5)) / (scale * width) - 1 + (random.next() - 0.5) * (2 / width));
      values.push((2 * (p + 0.5)) / (scale * height) - 1 + (random.next() - 0.5) * (2 / height));
    }
  }
  return tensor(values, [1, scale * height, scale * width, 2]);
}

function dysample(name: string, shape: readonly number[]): Work[] {
  const up = createUpsampler(name, shape[1], { random: new Random(0) });
  return op(
    `${name} [${shape.join(", ")}]`,
    () => [new Random(3).normal(shape)],
    (x) => up.forward(x),
  );
}

const works: Work[] = [
  ...op(
    "conv1x1 256 -> 32, 120x120",
    () => [new Random(4).normal([1, 256, 120, 120]), new Random(5).normal([32, 256, 1, 1])],
    conv1x1,
  ),
  ...op(
    "gridSample 64 channels, 120x120 -> 240x240",
    () => [new Random(6).normal([1, 64, 120, 120]), nearbyGrid(120, 120, 2)],
    (x, grid) => gridSample(x, grid, { paddingMode: "border" }),
  ),
  ...dysample("dysample", [1, 256, 120, 120]),
  ...dysample("dysample", [4, 512, 7, 7]),
  ...dysample("dysample-s", [4, 512, 7, 7]),
  ...["bilinear", "dysample"].map((name) => ({
    title: `training step, batch 16, ${name}`,
    async prepare() {
      const model = new Fpn4(name, { random: new Random(0) });
      const optimizer = new Adam(model.parameters(), { lr: 0.01 });
      const { images, masks } = makeBatch(trainingDataset(0), 0, 16);
      return async () => {
        const logits = model.forward(leaf([16, 3, 64, 64], "float32", images));
        const loss = crossEntropy(logits, leaf([16, 64, 64], "int32", masks));
        await optimizer.step(loss);
        return loss;
      };
    },
  })),
].filter(({ title }) => title.includes(options.only));

/** Waits until `y` is computed: reads its first value, and frees it. */
async function finish(y: Tensor): Promise<number> {
  await realize(y);
  const value = await slice(reshape(y, [y.size]), [[0, 1]]).item();
  freeAll([y]);
  return value;
}

interface Figures {
  readonly device: string;
  readonly firstMs: number;
  readonly medianMs: number;
  readonly quartilesMs: readonly [number, number];
}

const devices: Device[] = options.devices.split(",").map(openDevice);
const rows: { title: string; figures: Figures[] }[] = [];
console.log(`Node ${process.version}`);
for (const device of devices) console.log(`  ${device.name}: ${(await device.ready?.()) ?? "plain loops"}`);

for (const { title, prepare } of works) {
  let expected = NaN;
  const runs: { device: Device; run: () => Promise<number>; firstMs: number; times: number[] }[] = [];
  for (const device of devices) {
    const body = await withDevice(device, prepare);
    const run = (): Promise<number> => withDevice(device, async () => finish(await body()));
    const start = performance.now();
    const value = await run();
    runs.push({ device, run, firstMs: performance.now() - start, times: [] });
    if (runs.length === 1) expected = value;
    check(title, device, value, expected);
  }
  for (let round = 0; round < 200; round++) {
    const open = runs.filter(({ times }) => times.length < 3 || total(times) < Number(options.budget));
    if (open.length === 0) break;
    for (const { run, times } of open) {
      const start = performance.now();
      await run();
      times.push(performance.now() - start);
    }
  }
  const figures = runs.map(({ device, firstMs, times }) => {
    const { medianMs, q1Ms, q3Ms } = summarize(times);
    return { device: device.name, firstMs, medianMs, quartilesMs: [q1Ms, q3Ms] as const };
  });
  rows.push({ title, figures });
  print(title, figures);
}
for (const device of devices) {
  for (const [name, why] of (device as GpuDevice).onLoops ?? [])
    console.log(`${device.name}: ${name} on the loops: ${why}`);
  await device.close();
}
if (options.json) writeFileSync(options.json, JSON.stringify({ node: process.version, rows }, null, 2));

function check(title: string, device: Device, got: number, wanted: number): void {
  // One value in float32, by way of some thousand roundings.
  if (!Number.isFinite(wanted) || !(Math.abs(got - wanted) <= 1e-3 * Math.max(1, Math.abs(wanted)))) {
    throw new Error(`${title}: ${device.name} gives ${got}, the first device ${wanted}`);
  }
}

function total(times: readonly number[]): number {
  return times.reduce((sum, ms) => sum + ms, 0);
}

function print(title: string, figures: readonly Figures[]): void {
  console.log(`\n${title}`);
  const [{ medianMs: base }] = figures;
  for (const {
    device,
    firstMs,
    medianMs,
    quartilesMs: [low, high],
  } of figures) {
    const spread = `(${low.toFixed(1)}-${high.toFixed(1)})`;
    console.log(
      `  ${device.padEnd(16)}${medianMs.toFixed(1).padStart(9)} ms ${spread.padEnd(18)}` +
        `${(medianMs / base).toFixed(2).padStart(7)} x ${devices[0].name}   first run ${firstMs.toFixed(0)} ms`,
    );
  }
}

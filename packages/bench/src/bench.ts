/**
 * @file Times the default device: the ops that training spends its time in, and a training step of the toy task with each upsampler.
 *
 *     npm run bench
 *
 * Each line is the median of several runs with their interquartile range; the first runs, in which V8 compiles, are left out.
 * Absolute times depend on the machine and on what else it does: compare lines of one run.
 */

import { getDevice, gradientsOf, leaf, Random, realize, type Tensor } from "@gridgrad/core";
import { createUpsampler, Fpn4, makeBatch, trainingDataset, upsamplerNames } from "@gridgrad/dysample";
import { Adam } from "@gridgrad/nn";
import { conv1x1, conv2d, crossEntropy, gridSample } from "@gridgrad/ops";

import { freeAll } from "./resident.ts";
import { summarize } from "./statistics.ts";

const random = new Random(0);

interface Line {
  readonly title: string;
  /** Multiply-adds of one run, where that says something. */
  readonly macs?: number;
  readonly body: () => Promise<unknown>;
}

/** `f` forward, or with all its gradients. */
function forwardAndBackward(title: string, macs: number, inputs: Tensor[], f: (...xs: Tensor[]) => Tensor): Line[] {
  const dy = random.uniform(f(...inputs).shape);
  const forward = async (): Promise<void> => {
    const y = f(...inputs);
    await realize(y);
    freeAll([y]);
  };
  const backward = async (): Promise<void> => {
    const y = f(...inputs);
    const gradients = gradientsOf(y, inputs, dy).flatMap((g) => g ?? []);
    await realize(y, ...gradients);
    freeAll([y, ...gradients]);
  };
  return [
    { title: `${title}, forward`, macs, body: forward },
    { title: `${title}, forward and gradients`, macs: 3 * macs, body: backward },
  ];
}

function trainingStep(upsampler: string): Line {
  const model = new Fpn4(upsampler, { random: new Random(0) });
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  const { images, masks } = makeBatch(trainingDataset(0), 0, 16);
  return {
    title: `training step, batch 16, ${upsampler}`,
    body: () => {
      const logits = model.forward(leaf([16, 3, 64, 64], "float32", images));
      return optimizer.step(crossEntropy(logits, leaf([16, 64, 64], "int32", masks)));
    },
  };
}

const image = random.normal([1, 256, 120, 120]);
const lines: Line[] = [
  ...forwardAndBackward(
    "conv1x1 256 -> 32, 120x120",
    256 * 32 * 120 * 120,
    [image, random.normal([32, 256, 1, 1])],
    conv1x1,
  ),
  ...forwardAndBackward(
    "conv2d 3x3 16 -> 32, 8 x 64x64",
    8 * 64 * 64 * 16 * 32 * 9,
    [random.normal([8, 16, 64, 64]), random.normal([32, 16, 3, 3])],
    (x, w) => conv2d(x, w, null, { padding: 1 }),
  ),
  ...forwardAndBackward(
    "gridSample 64 channels, 120x120 -> 240x240",
    4 * 64 * 240 * 240,
    [random.normal([1, 64, 120, 120]), random.uniform([1, 240, 240, 2], { low: -1, high: 1 })],
    (x, grid) => gridSample(x, grid, { paddingMode: "border" }),
  ),
  ...["dysample", "dysample-s+"].flatMap((name) => {
    const up = createUpsampler(name, 256);
    const macs = 4 * 256 * 240 * 240;
    return forwardAndBackward(`${name} 256 channels, 120x120`, macs, [image], (x) => up.forward(x));
  }),
  ...upsamplerNames.map(trainingStep),
];

/** Runs until `milliseconds` have passed, at least five times, after two runs that do not count. */
async function measure(body: () => Promise<unknown>, milliseconds: number): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + milliseconds;
  for (let run = 0; run < 7 || performance.now() < end; run++) {
    const start = performance.now();
    await body();
    if (run >= 2) times.push(performance.now() - start);
  }
  return times;
}

console.log(`device ${getDevice().name}, Node ${process.version}`);
console.log(`${"".padEnd(62)}${"ms".padStart(9)}${"quartiles".padStart(17)}${"GMAC/s".padStart(9)}`);
for (const { title, macs, body } of lines) {
  const { medianMs, q1Ms, q3Ms } = summarize(await measure(body, 2000));
  const spread = `${q1Ms.toFixed(1)}-${q3Ms.toFixed(1)}`;
  const rate = macs ? (macs / medianMs / 1e6).toFixed(2) : "";
  console.log(`${title.padEnd(62)}${medianMs.toFixed(1).padStart(9)}${spread.padStart(17)}${rate.padStart(9)}`);
}

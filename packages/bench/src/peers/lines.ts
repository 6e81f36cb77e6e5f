/**
 * @file The lines of the benchmark: what is computed, from which values, and how much work that is at least.
 *
 * Positions are kept off the pixels' centres, where the slope of a bilinear sample jumps: there two libraries may round to different
 * sides and both be right.
 */

import { Random } from "@gridgrad/core";
import { Fpn4, makeBatch, trainingDataset } from "@gridgrad/dysample";

import type { HostTensor, HostTensors, Task } from "./task.ts";

export interface Line {
  readonly title: string;
  readonly task: Task;
  /** The same values in every run of the benchmark. */
  inputs(): Promise<HostTensors>;
  /** Multiply-adds that the formula needs; 0 where it has none to speak of. */
  readonly macs: number;
  /** How far results may lie apart, relative to the largest one. */
  readonly tolerance: number;
  /** Results that a contestant may leave out. */
  readonly optional?: readonly string[];
}

/** Two float32 libraries that add in different orders are some 1e-6 apart; a wrong formula is far above this. */
const tolerance = 1e-4;

/**
 * Of a training step. A relu whose input is 0 but for rounding is open in one library and shut in another, which moves all gradients
 * below it by about a thousandth of the largest; a gradient that was wrong would be off by far more.
 */
const stepTolerance = 5e-3;

const [forward, both] = [
  { gradients: false, suffix: "forward" },
  { gradients: true, suffix: "forward + backward" },
];

export const lines: readonly Line[] = [
  ...[forward, both].map((mode) => dysample("lp", [1, 256, 120, 120], mode)),
  ...[forward, both].map((mode) => dysample("pl", [4, 512, 7, 7], mode)),
  ...[forward, both].map(gridSampleLine),
  op("conv1x1 256 -> 32, [1, 256, 120, 120]", "conv1x1", forward, 256 * 32 * 120 * 120, (random) => ({
    x: normal(random, [1, 256, 120, 120]),
    weight: normal(random, [32, 256, 1, 1]),
  })),
  ...[forward, both].map((mode) =>
    op("conv2d 3x3 16 -> 32, [8, 16, 64, 64]", "conv2d", mode, 8 * 64 * 64 * 16 * 32 * 9, (random) => ({
      x: normal(random, [8, 16, 64, 64]),
      weight: normal(random, [32, 16, 3, 3]),
      ...(mode.gradients ? { dy: normal(random, [8, 32, 64, 64]) } : {}),
    })),
  ),
  trainingStep("bilinear"),
  trainingStep("dysample"),
  op("matmul 512 x 512 x 512", "matmul", forward, 512 ** 3, (random) => ({
    a: normal(random, [512, 512]),
    b: normal(random, [512, 512]),
  })),
  op("softmax over channels, [16, 6, 64, 64]", "softmax", forward, 0, imagesOf([16, 6, 64, 64]), { axis: 1 }),
  {
    ...op("batch norm by the batch, [16, 32, 64, 64]", "batchNorm", forward, 3 * 16 * 32 * 64 * 64, (random) => ({
      x: normal(random, [16, 32, 64, 64]),
      weight: normal(random, [32]),
      bias: normal(random, [32]),
      mean: { shape: [32], values: new Float32Array(32) },
      variance: { shape: [32], values: new Float32Array(32).fill(1) },
    })),
    optional: ["mean", "variance"],
  },
  op("exp of 10^6", "exp", forward, 0, imagesOf([1_000_000])),
  op("sum of 10^6", "sum", forward, 0, (random) => ({ x: uniform(random, [1_000_000], 0, 1) })),
  op("pixelShuffle by 2, [16, 128, 32, 32]", "pixelShuffle", forward, 0, imagesOf([16, 128, 32, 32]), { scale: 2 }),
  op(
    "bilinear resize by 2, [16, 32, 32, 32]",
    "interpolate",
    forward,
    4 * 16 * 32 * 64 * 64,
    imagesOf([16, 32, 32, 32]),
  ),
];

type Mode = typeof forward;

function op(
  title: string,
  work: Task["work"],
  { gradients, suffix }: Mode,
  macs: number,
  inputs: (random: Random) => HostTensors,
  attrs: Task["attrs"] = {},
): Line {
  return {
    title: `${title}, ${suffix}`,
    task: { work, gradients, attrs },
    inputs: async () => inputs(new Random(title.length)),
    macs: gradients ? 3 * macs : macs, // of a product the gradient has two, each as large
    tolerance,
  };
}

/** Offsets of some hundredths of a pixel around the quarters of a bilinear resize: not as large as to reach a pixel's centre. */
function dysample(style: "lp" | "pl", shape: readonly number[], mode: Mode): Line {
  const [N, C, H, W] = shape;
  const groups = 4;
  const [from, to] = style === "lp" ? [C, 2 * groups * 4] : [C / 4, 2 * groups];
  const macs = 2 * groups * N * C * H * W * (style === "lp" ? 4 : 1) + 4 * N * C * 4 * H * W;
  const inputs = (random: Random): HostTensors => ({
    x: normal(random, shape),
    weight: normal(random, [to, from, 1, 1], 0.01),
    bias: normal(random, [to], 0.01),
    ...(mode.gradients ? { dy: normal(random, [N, C, 2 * H, 2 * W]) } : {}),
  });
  return op(`DySample ${style} [${shape.join(", ")}]`, "dysample", mode, macs, inputs, { style, groups });
}

function gridSampleLine(mode: Mode): Line {
  const [N, C, size, outSize] = [4, 64, 120, 240];
  return op("gridSample [4, 64, 120, 120] -> 240x240", "gridSample", mode, 4 * N * C * outSize ** 2, (random) => {
    const grid = uniform(random, [N, outSize, outSize, 2], -1, 1);
    for (let i = 0; i < grid.values.length; i++) grid.values[i] = offCentre(grid.values[i], size);
    return {
      x: normal(random, [N, C, size, size]),
      grid,
      ...(mode.gradients ? { dy: normal(random, [N, C, outSize, outSize]) } : {}),
    };
  });
}

/** Moves a coordinate in -1 .. 1 to a hundredth of a pixel from the centre of a pixel, if it is closer. */
function offCentre(g: number, size: number): number {
  const least = 0.01;
  const px = ((g + 1) * size - 1) / 2;
  const centre = Math.round(px);
  if (Math.abs(px - centre) >= least) return g;
  return (2 * (centre + (px < centre ? -least : least)) + 1) / size - 1;
}

/** The toy task's step with its first batch, in which the gradients and the losses of three steps are compared. */
function trainingStep(upsampler: string): Line {
  const sampling = 4 * 32 * (16 ** 2 + 32 ** 2 + 64 ** 2);
  const offsets = upsampler === "dysample" ? 32 * 32 * (8 ** 2 + 16 ** 2 + 32 ** 2) : 0;
  const convolutions = [
    32 ** 2 * 16 * 27, // e1 .. e4
    16 ** 2 * 32 * 16 * 9,
    8 ** 2 * 48 * 32 * 9,
    8 ** 2 * 48 * 48 * 9,
    8 ** 2 * 48 * 32, // l3, l2
    16 ** 2 * 32 * 32,
    16 ** 2 * 32 * 32, // f0, f1, cls
    32 ** 2 * 32 * 32,
    64 ** 2 * 32 * 6,
  ];
  const perImage = convolutions.reduce((sum, macs) => sum + macs, sampling + offsets);
  return {
    title: `training step, batch 16, ${upsampler}`,
    task: { work: "trainingStep", gradients: true, attrs: { upsampler } },
    macs: 3 * 16 * perImage,
    tolerance: stepTolerance,
    async inputs() {
      const model = new Fpn4(upsampler, { random: new Random(0) });
      const { images, masks } = makeBatch(trainingDataset(0), 0, 16);
      const inputs: Record<string, HostTensor> = {
        images: { shape: [16, 3, 64, 64], values: Float32Array.from(images) },
        masks: { shape: [16, 64, 64], values: Int32Array.from(masks) },
      };
      for (const [name, { tensor }] of model.namedSlots()) {
        if (tensor.dtype !== "float32") continue; // a counter of batches, where there is one
        inputs[`state.${name}`] = { shape: tensor.shape, values: Float32Array.from(await tensor.data()) };
      }
      return inputs;
    },
  };
}

function imagesOf(shape: readonly number[]): (random: Random) => HostTensors {
  return (random) => ({ x: normal(random, shape) });
}

function normal(random: Random, shape: readonly number[], std = 1): HostTensor {
  return filled(shape, () => std * random.nextNormal());
}

function uniform(random: Random, shape: readonly number[], low: number, high: number): HostTensor {
  return filled(shape, () => low + (high - low) * random.next());
}

function filled(shape: readonly number[], next: () => number): HostTensor {
  const values = new Float32Array(shape.reduce((product, n) => product * n, 1));
  for (let i = 0; i < values.length; i++) values[i] = next();
  return { shape, values };
}

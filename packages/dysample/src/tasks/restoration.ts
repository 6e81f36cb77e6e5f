/**
 * @file Restoration: a picture, made smaller by averaging s x s pixels, is upsampled back. It trains an upsampler alone, on
 * colours, so that the `upsample` command has weights to use.
 *
 *     input = mean over s x s pixels of the target,  loss = mean (up(input) - target)²,  PSNR = -10 log10 of it, in dB
 *
 * Colours are in [0, 1]. PSNR is the mean over pictures, of predictions clamped to [0, 1], beside that of a bilinear resize.
 */

import { allocate, leaf, Random, type Tensor, type Values } from "@gridgrad/core";
import { avgPool2d, mseLoss } from "@gridgrad/ops";

import { DivergedError } from "../toy/metrics.ts";
import { makeImage, shapes64, trainingDataset, VALIDATION } from "../toy/shapes64.ts";
import { Bilinear } from "../upsamplers/resize.ts";
import { type TrainConfig, wrongField } from "./config.ts";
import { pictureStrip } from "../picture/pictureStrip.ts";
import { PictureUpsampler } from "./pictureUpsampler.ts";
import type { Metrics, Task } from "./task.ts";
import { validationBatches } from "./validationBatches.ts";

const { channels } = shapes64;

/** Pictures in a strip. */
const shown = 6;

export async function restorationTask(config: TrainConfig): Promise<Task> {
  const { upsampler, seed, batch, groups, scale, init, scope, dtype, evalImages } = config;
  const model = new PictureUpsampler(upsampler, { scale, groups, init, scope, random: new Random(seed) });
  if (model.parameterCount === 0) {
    throw wrongField("upsampler", "must have parameters to train for restoration", upsampler);
  }
  await model.to(dtype);
  const bilinear = new Bilinear(channels, { scale });
  // A picture of 64 pixels that s does not divide loses its last rows and columns.
  const size = Math.floor(shapes64.size / scale) * scale;

  const pair = (dataset: number, start: number, count: number): { input: Tensor; target: Tensor } => {
    const target = leaf([count, channels, size, size], "float32", colours(dataset, start, count, size)).cast(dtype);
    return { input: avgPool2d(target, scale), target };
  };

  return {
    model,
    parameters: model.parameters(),
    upsamplerParameters: model.parameterCount,

    loss(step) {
      const { input, target } = pair(trainingDataset(seed), step * batch, batch);
      return mseLoss(model.train().forward(input), target);
    },

    async evaluate({ images = evalImages, onEvaluated } = {}) {
      const decibels = { psnr: 0, psnrBilinear: 0 };
      await validationBatches(images, onEvaluated, async (start, count) => {
        const { input, target } = pair(VALIDATION.dataset, start, count);
        const truth = await target.data();
        decibels.psnr += sumOfPsnr(await model.eval().forward(input).data(), truth, count);
        decibels.psnrBilinear += sumOfPsnr(await bilinear.forward(input).data(), truth, count);
      });
      const { psnr, psnrBilinear } = decibels;
      if (Number.isNaN(psnr)) {
        throw new DivergedError(
          "evaluation: the pictures must be numbers, got NaN; the training has diverged, so lower its learning rate",
        );
      }
      return { psnr: psnr / images, psnrBilinear: psnrBilinear / images, images };
    },

    async strip() {
      const { input, target } = pair(VALIDATION.dataset, 0, Math.min(shown, evalImages));
      const row = async (label: string, x: Tensor) => ({ label, shape: x.shape, values: await x.data() });
      return pictureStrip([
        await row("input", input),
        await row("truth", target),
        await row("bilinear", bilinear.forward(input)),
        await row(upsampler, model.eval().forward(input)),
      ]);
    },

    summary: ({ psnr, psnrBilinear }: Metrics) =>
      `PSNR ${(psnr as number).toFixed(2)} dB (bilinear ${(psnrBilinear as number).toFixed(2)} dB)`,
  };
}

/** `[count, 3, size, size]` in [0, 1]: the upper left part of shapes64 pictures. */
function colours(dataset: number, start: number, count: number, size: number): Float32Array {
  const values = allocate(
    "float32",
    count * channels * size * size,
    () => `a batch of ${count} pictures`,
  ) as Float32Array;
  let at = 0;
  for (let i = 0; i < count; i++) {
    const { image } = makeImage(dataset, start + i);
    for (let c = 0; c < channels; c++) {
      for (let y = 0; y < size; y++) {
        for (let x = 0; x < size; x++) values[at++] = image[(c * shapes64.size + y) * shapes64.size + x] / 255;
      }
    }
  }
  return values;
}

/** Σ over pictures of -10 log10 of the mean squared error. */
function sumOfPsnr(prediction: Values, truth: Values, count: number): number {
  const n = truth.length / count;
  let decibels = 0;
  for (let i = 0; i < count; i++) {
    let squares = 0;
    for (let k = i * n; k < (i + 1) * n; k++) squares += (Math.min(Math.max(prediction[k], 0), 1) - truth[k]) ** 2;
    decibels -= 10 * Math.log10(squares / n);
  }
  return decibels;
}

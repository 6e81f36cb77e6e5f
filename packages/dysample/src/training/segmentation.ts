/**
 * @file The toy task: which shape does each pixel of a shapes64 picture belong to? Only the upsamplers differ between runs.
 */

import { leaf, Random, type Tensor } from "@gridgrad/core";
import { crossEntropy } from "@gridgrad/ops";

import { segmentationStrip } from "../picture/strip.ts";
import { Fpn4 } from "../toy/fpn4.ts";
import { argmaxChannels, SegmentationMetrics } from "../toy/metrics.ts";
import { makeBatch, makeImage, shapes64, trainingDataset, VALIDATION } from "../toy/shapes64.ts";
import type { TrainConfig } from "./config.ts";
import type { Metrics, Task } from "./task.ts";
import { validationBatches } from "./validationBatches.ts";

const { size, channels, classes, palette } = shapes64;

/** Pictures in a strip. */
const shown = 6;

/** The toy task with its network, besides what every task has: the classes that the network sees. */
export interface SegmentationTask extends Task {
  /** The most probable class of each pixel, `[count, 64, 64]`, of validation pictures from `start` on. */
  predict(start: number, count: number): Promise<Uint8Array>;
}

export async function segmentationTask({
  upsampler,
  seed,
  batch,
  groups,
  dtype,
  evalImages,
}: TrainConfig): Promise<SegmentationTask> {
  const model = new Fpn4(upsampler, { groups, random: new Random(seed) });
  await model.to(dtype);

  const input = (images: Float32Array): Tensor =>
    leaf([images.length / (channels * size * size), channels, size, size], "float32", images).cast(dtype);

  const classify = async (images: Float32Array): Promise<Uint8Array> => {
    const logits = model.eval().forward(input(images));
    const values = (await logits.data()) as Float32Array | Float64Array;
    return argmaxChannels(values, logits.shape as [number, number, number, number]);
  };

  const predict = (start: number, count: number): Promise<Uint8Array> =>
    classify(makeBatch(VALIDATION.dataset, start, count).images);

  return {
    model,
    predict,
    upsamplerParameters: [model.up0, model.up1, model.up2].reduce((total, up) => total + up.parameterCount, 0),

    loss(step) {
      const { images, masks } = makeBatch(trainingDataset(seed), step * batch, batch);
      return crossEntropy(model.train().forward(input(images)), leaf([batch, size, size], "int32", masks));
    },

    async evaluate(onEvaluated) {
      const metrics = new SegmentationMetrics({ classes: classes.length, height: size, width: size });
      await validationBatches(evalImages, onEvaluated, async (start, count) => {
        const { images, masks } = makeBatch(VALIDATION.dataset, start, count);
        metrics.add(await classify(images), masks);
      });
      return { ...metrics.result() };
    },

    async strip() {
      const count = Math.min(shown, evalImages);
      const predictions = [{ label: upsampler, masks: await predict(0, count) }];
      return segmentationStrip({ ...validationPictures(0, count), predictions, palette, height: size, width: size });
    },

    summary: ({ mIoU, boundaryIoU, pixelAccuracy }: Metrics) =>
      `mIoU ${fixed(mIoU)}, boundary IoU ${fixed(boundaryIoU)}, pixel accuracy ${fixed(pixelAccuracy)}`,
  };
}

/** Validation pictures `start .. start + count - 1` as they are drawn, with their masks. */
export function validationPictures(start: number, count: number): { images: Uint8Array; truth: Uint8Array } {
  const images = new Uint8Array(count * channels * size * size);
  const truth = new Uint8Array(count * size * size);
  for (let i = 0; i < count; i++) {
    const { image, mask } = makeImage(VALIDATION.dataset, start + i);
    images.set(image, i * image.length);
    truth.set(mask, i * mask.length);
  }
  return { images, truth };
}

function fixed(value: Metrics[string]): string {
  return (value as number).toFixed(4);
}

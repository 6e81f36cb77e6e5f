/**
 * @file The toy task: which shape does each pixel of a shapes64 picture belong to? Only the upsamplers differ between runs.
 */

import { leaf, Random, realize, type Tensor } from "@gridgrad/core";
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

/** Parameters of DySample that decide where to sample, by their names in the network. */
const ofOffsets = /\.(offset|scope)\./;

export async function segmentationTask(config: TrainConfig): Promise<SegmentationTask> {
  const { upsampler, seed, batch, groups, init, scope, trainable, dtype, evalImages } = config;
  const model = new Fpn4(upsampler, { groups, init, scope, random: new Random(seed) });
  await model.to(dtype);
  const onlyOffsets = trainable === "offsets";
  const named = [...model.namedParameters()].filter(([name]) => !onlyOffsets || ofOffsets.test(name));

  const labels = (masks: Int32Array): Tensor => leaf([masks.length / size ** 2, size, size], "int32", masks);

  const classify = async (logits: Tensor): Promise<Uint8Array> => {
    const values = (await logits.data()) as Float32Array | Float64Array;
    return argmaxChannels(values, logits.shape as [number, number, number, number]);
  };

  const predict = (start: number, count: number): Promise<Uint8Array> =>
    classify(model.eval().forward(inputOf(makeBatch(VALIDATION.dataset, start, count).images, dtype)));

  return {
    model,
    predict,
    parameters: named.map(([, parameter]) => parameter),
    upsamplerParameters: [model.up0, model.up1, model.up2].reduce((total, up) => total + up.parameterCount, 0),

    loss(step) {
      const { images, masks } = makeBatch(trainingDataset(seed), step * batch, batch);
      // A frozen network keeps its running statistics, too.
      return crossEntropy(model.train(!onlyOffsets).forward(inputOf(images, dtype)), labels(masks));
    },

    async evaluate({ images = evalImages, onEvaluated } = {}) {
      const metrics = new SegmentationMetrics({ classes: classes.length, height: size, width: size });
      let loss = 0;
      await validationBatches(images, onEvaluated, async (start, count) => {
        const pictures = makeBatch(VALIDATION.dataset, start, count);
        const logits = model.eval().forward(inputOf(pictures.images, dtype));
        const mean = crossEntropy(logits, labels(pictures.masks));
        await realize(logits, mean);
        loss += (count / images) * (await mean.item());
        metrics.add(await classify(logits), pictures.masks);
      });
      return { ...metrics.result(), loss };
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

/** A validation picture as a network takes it, `[1, 3, 64, 64]`. */
export function validationInput(index: number, dtype: TrainConfig["dtype"]): Tensor {
  return inputOf(makeBatch(VALIDATION.dataset, index, 1).images, dtype);
}

function inputOf(images: Float32Array, dtype: TrainConfig["dtype"]): Tensor {
  return leaf([images.length / (channels * size * size), channels, size, size], "float32", images).cast(dtype);
}

function fixed(value: Metrics[string]): string {
  return (value as number).toFixed(4);
}

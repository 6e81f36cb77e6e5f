import { expect, test } from "vitest";

import { SegmentationMetrics } from "../toy/metrics.ts";
import { resolveConfig } from "./config.ts";
import { segmentationTask, validationPictures } from "./segmentation.ts";

const config = resolveConfig({ upsampler: "bilinear", batch: 2, evalImages: 3 });

test("the evaluation is that of the predictions, batch by batch", async () => {
  const task = await segmentationTask(config);
  const evaluated: number[] = [];
  const result = await task.evaluate({ onEvaluated: (images) => void evaluated.push(images) });
  const metrics = new SegmentationMetrics({ classes: 6, height: 64, width: 64 });
  metrics.add(await task.predict(0, 3), validationPictures(0, 3).truth);
  expect(result).toEqual({ ...metrics.result(), loss: expect.any(Number) });
  expect(evaluated).toEqual([3]);
});

test("evaluating does not move the running statistics, a loss does", async () => {
  const task = await segmentationTask(config);
  const before = await task.model.stateDict();
  await task.evaluate();
  expect(await task.model.stateDict()).toEqual(before);
  task.loss(0);
  expect([...task.model.namedBuffers().values()].some((buffer) => buffer.pending !== null)).toBe(true);
});

test("the first loss of an untrained network is near that of a guess, ln 6", async () => {
  const task = await segmentationTask(config);
  expect(Math.abs((await task.loss(0).item()) - Math.log(6))).toBeLessThan(0.5);
});

test("the upsamplers' parameters are counted apart", async () => {
  const { model, upsamplerParameters } = await segmentationTask(resolveConfig({ upsampler: "dysample+" }));
  expect([model.parameterCount, upsamplerParameters]).toEqual([51_062, 6_240]);
});

test("the strip has a row for input, truth, prediction and errors", async () => {
  const task = await segmentationTask(config);
  expect((await task.strip()).height).toBe(6 + 4 * (3 * 64 + 6));
});

/** @file The public surface of @gridgrad/dysample. Files and training runs are in @gridgrad/dysample/node. */

export type { Picture } from "./picture/picture.ts";
export { segmentationStrip, type SegmentationStripOptions } from "./picture/strip.ts";
export { decoderChannels, Fpn4 } from "./toy/fpn4.ts";
export {
  argmaxChannels,
  type ClassMasks,
  DivergedError,
  SegmentationMetrics,
  type SegmentationMetricsOptions,
  type SegmentationResult,
} from "./toy/metrics.ts";
export {
  imageSeed,
  makeBatch,
  makeImage,
  mulberry32,
  shapes64,
  type Shapes64Batch,
  type Shapes64Image,
  trainingDataset,
  VALIDATION,
} from "./toy/shapes64.ts";
export { ConfigError, resolveConfig, type TaskName, taskNames, type TrainConfig } from "./tasks/config.ts";
export { type PictureRow, pictureStrip } from "./picture/pictureStrip.ts";
export { PictureUpsampler } from "./tasks/pictureUpsampler.ts";
export { createTask } from "./tasks/createTask.ts";
export { type SamplingPoint, type SamplingPoints, samplingPoints } from "./tasks/samplingPoints.ts";
export { segmentationTask, type SegmentationTask, validationInput, validationPictures } from "./tasks/segmentation.ts";
export type { EvaluateOptions, Metrics, OnEvaluated, Task } from "./tasks/task.ts";
export { upsamplePicture } from "./tasks/upsamplePicture.ts";
export { DySample, type DySampleOptions, dysampleVariants, sampleAt } from "./upsamplers/dysample.ts";
export { Carafe, type CarafeOptions } from "./upsamplers/carafe.ts";
export { createUpsampler, guidedUpsamplers, type UpsamplerName, upsamplerNames } from "./upsamplers/createUpsampler.ts";
export { Fade, type FadeOptions } from "./upsamplers/fade.ts";
export { PixelShuffleConv } from "./upsamplers/pixelShuffleConv.ts";
export { Bicubic, Bilinear, Nearest } from "./upsamplers/resize.ts";
export { SapaB, type SapaBOptions } from "./upsamplers/sapaB.ts";
export { TransposedConv, type TransposedConvOptions } from "./upsamplers/transposedConv.ts";
export type { Upsampler, UpsamplerOptions } from "./upsamplers/upsampler.ts";
export { type UpsamplerCost, upsamplerCost } from "./upsamplers/upsamplerCost.ts";

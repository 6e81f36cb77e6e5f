/** @file The public surface of @gridgrad/ops: image and network ops, one line an op. */

import "./devices/cpu/register.ts";
import "./devices/gpu/register.ts";

export { adamUpdate, adamUpdateOp } from "./ops/adamUpdate.ts";
export { affineGrid } from "./ops/affineGrid.ts";
export { batchNorm2d, type BatchNormOptions } from "./ops/batchNorm2d.ts";
export { bceWithLogits, type BceWithLogitsOptions } from "./ops/bceWithLogits.ts";
export {
  carafe,
  carafeInputOp,
  carafeKernelsOp,
  carafeOp,
  type CarafeOptions,
  windowSimilarity,
} from "./ops/carafe.ts";
export { crossEntropy, type CrossEntropyOptions } from "./ops/crossEntropy.ts";
export { detach, detachOp, softmax, softmaxOp } from "@gridgrad/core"; // for programs that know them from here
export { erf, erfOp } from "./ops/erf.ts";
export { gelu, type GeluApproximation, geluOp } from "./ops/gelu.ts";
export {
  gridSample,
  gridSampleGridOp,
  gridSampleInputOp,
  gridSampleOp,
  type GridSampleOptions,
} from "./ops/gridSample.ts";
export type { GridSampleMode, PaddingMode, SamplingAttrs } from "./ops/gridSampleTaps.ts";
export { groupNorm, type GroupNormOptions } from "./ops/groupNorm.ts";
export {
  interpolate,
  interpolateInputOp,
  type InterpolateMode,
  interpolateOp,
  type InterpolateOptions,
} from "./ops/interpolate.ts";
export { l1Loss } from "./ops/l1Loss.ts";
export { layerNorm, type LayerNormOptions } from "./ops/layerNorm.ts";
export { linear } from "./ops/linear.ts";
export { logSoftmax, logSoftmaxOp } from "./ops/logSoftmax.ts";
export type { Reduction } from "./ops/lossReduction.ts";
export { mseLoss } from "./ops/mseLoss.ts";
export {
  sampleAtOffsets,
  sampleAtOffsetsInputOp,
  sampleAtOffsetsOffsetOp,
  sampleAtOffsetsOp,
} from "./ops/sampleAtOffsets.ts";
export { runningAverage, runningAverageOp } from "./ops/runningAverage.ts";
export { silu, siluOp } from "./ops/silu.ts";
export { smoothL1Loss, smoothL1Op } from "./ops/smoothL1Loss.ts";
export { softplusOp } from "./ops/softplus.ts";
export { standardize, standardizeInputOp, standardizeOp } from "./ops/standardize.ts";
export { putClassOp, takeClassOp } from "./ops/takeClass.ts";
export { varianceOp } from "./ops/variance.ts";
export { conv1x1, conv1x1Op, conv1x1WeightOp } from "./ops/conv1x1.ts";
export { conv2d, conv2dInputOp, conv2dOp, conv2dWeightOp, type ConvOptions } from "./ops/conv2d.ts";
export { convTranspose2d, type ConvTransposeOptions } from "./ops/convTranspose2d.ts";
export { pixelShuffle, pixelShuffleOp, pixelUnshuffle, pixelUnshuffleOp } from "./ops/pixelShuffle.ts";
export { avgPool2d, avgPool2dInputOp, avgPool2dOp, type AvgPoolOptions } from "./ops/avgPool2d.ts";
export { maxPool2d, maxPool2dInputOp, maxPool2dOp, type MaxPoolOptions, takeLargestOp } from "./ops/maxPool2d.ts";
export type { PairLike } from "./windows.ts";
export { bestDevice } from "./devices/gpu/bestDevice.ts";
export { type GpuBackend, gpuBackends } from "./devices/gpu/gpuBackends.ts";
export { GpuDevice } from "./devices/gpu/gpuDevice.ts";
export { CpuDevice, type CpuDeviceOptions, type CpuFootprint } from "./devices/cpu/cpuDevice.ts";

/** @file The public surface of @gridgrad/nn. Reading and writing files is in @gridgrad/nn/node. */

export {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  restoreCheckpoint,
  type Run,
  type StoredOptimizer,
} from "./checkpoint.ts";
export { functionalCall } from "./functionalCall.ts";
export {
  constant,
  defaultRandom,
  type InitOptions,
  kaimingNormal,
  type KaimingOptions,
  kaimingUniform,
  manualSeed,
  normal,
  uniform,
  xavierNormal,
  type XavierOptions,
  xavierUniform,
} from "./init.ts";
export {
  AvgPool2d,
  BatchNorm2d,
  type BatchNorm2dOptions,
  Conv2d,
  type Conv2dOptions,
  ConvTranspose2d,
  type ConvTranspose2dOptions,
  GELU,
  GroupNorm,
  Identity,
  type Layer,
  LayerNorm,
  LeakyReLU,
  Linear,
  type LinearOptions,
  MaxPool2d,
  type Pair,
  PixelShuffle,
  PixelUnshuffle,
  ReLU,
  Sequential,
  Sigmoid,
  SiLU,
  Softmax,
  Tanh,
  Upsample,
} from "./layers.ts";
export { type LoadOptions, type LoadResult, Module, type StateDict } from "./module.ts";
export {
  Adam,
  type AdamOptions,
  AdamW,
  clipGradNorm,
  NonFiniteError,
  Optimizer,
  type ParameterState,
  SGD,
  type SGDOptions,
  type StateTensors,
  type StepOptions,
  type StepResult,
  type Update,
} from "./optimizer.ts";
export { cosineLr, type CosineOptions, type Schedule, stepLr, type StepLrOptions } from "./schedule.ts";
export { Summary, summary, type SummaryRow } from "./summary.ts";
export { Buffer, type BufferOptions, type BufferUpdate, Parameter, pendingBuffers } from "./slot.ts";

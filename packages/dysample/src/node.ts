/** @file @gridgrad/dysample/node: what needs a file system. */

export { decodePng, encodePng, readPng, writePng } from "./picture/png.ts";
export type { StepMetrics } from "./training/metricsLog.ts";
export { FolderInUseError } from "./training/folderLock.ts";
export { RunFolderError } from "./training/runFolder.ts";
export {
  resume,
  type ResumeOptions,
  train,
  TrainingError,
  type TrainHooks,
  type TrainOptions,
  type TrainOutcome,
} from "./training/train.ts";
export type { RunResult } from "./training/runResult.ts";
export { readWeights, type Weights, WeightsError } from "./training/weights.ts";
export { WrittenFileError } from "./training/writtenFile.ts";

/**
 * @file @gridgrad/dysample/internal: for other packages of this repository. These names may change without notice. Those that need a
 * file system are in @gridgrad/dysample/internal/node.
 */

export { evalImagesRange, hasOffsets, initNames, scaleRange, seedRange } from "./tasks/config.ts";
export { inputOfLast } from "./tasks/samplingPoints.ts";
export { guideChannels } from "./toy/fpn4.ts";
export { interior } from "./toy/metrics.ts";
export { compileMs } from "./training/compileMs.ts";
export { differingTensors } from "./training/differingTensors.ts";
export { StepRecorder } from "./training/stepRecorder.ts";

/** @file @gridgrad/dysample/internal/node: for other packages of this repository. These names may change without notice. */

export { readSettings } from "./training/configFile.ts";
export { coresToUse } from "./training/coresToUse.ts";
export { lockFolder } from "./training/folderLock.ts";
export { checkMade, type Made, madeHere } from "./training/made.ts";
export { median, readSteps, readValidations } from "./training/metricsLog.ts";
export { type RunFile, RunFolder } from "./training/runFolder.ts";
export { readResult } from "./training/runResult.ts";
export { imagesOnTheWay } from "./training/train.ts";
export { loadWeights, type Network } from "./training/weights.ts";
export { dictionary, either, list, number, optional, readWritten, record, same, text } from "./training/writtenFile.ts";

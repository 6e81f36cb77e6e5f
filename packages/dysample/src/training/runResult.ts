/** @file result.json: what came out of a run. It is written last, and says that the run is complete. */

import type { TaskName, TrainConfig } from "../tasks/config.ts";
import type { RunFolder } from "./runFolder.ts";
import type { Metrics } from "../tasks/task.ts";
import {
  type Check,
  count,
  dictionary,
  either,
  list,
  number,
  numberOrNaN,
  optional,
  readWritten,
  record,
  same,
  text,
} from "./writtenFile.ts";

/** What result.json holds. */
export interface RunResult {
  readonly task: string;
  readonly upsampler: string;
  readonly steps: number;
  /** Of the whole network. */
  readonly parameters: number;
  /** Of the upsampler or upsamplers in it. */
  readonly upsamplerParameters: number;
  readonly metrics: Metrics;
  /** Versions that did not write it have left results without it. */
  readonly took?: Took;
}

/** What a run has taken. It is no part of the result: the same run again has another. */
export interface Took {
  /** Of all steps and the final evaluation; pauses do not count, nor what is done once, such as compiling kernels. */
  readonly seconds: number;
  /** When the run was complete, in UTC: `2026-03-01T12:00:00.000Z`. */
  readonly ended: string;
}

export const checkMetrics: Check<Metrics> = dictionary(either(list(numberOrNaN), numberOrNaN));

/** Those without which no result can be shown. */
const shown: Readonly<Record<TaskName, readonly string[]>> = {
  segmentation: ["mIoU", "boundaryIoU", "pixelAccuracy"],
  restoration: ["psnr", "psnrBilinear"],
};

/**
 * The result of a complete run.
 *
 * @throws {WrittenFileError} when the file is damaged, or is not of a run with this configuration.
 */
export function readResult(folder: RunFolder, { task, upsampler, steps }: TrainConfig): Promise<RunResult> {
  const metricsShown = record(Object.fromEntries(shown[task].map((name) => [name, numberOrNaN])));
  const check = record<{ [K in keyof RunResult]: RunResult[K] }>({
    task: same(task),
    upsampler: same(upsampler),
    steps: same(steps),
    parameters: count,
    upsamplerParameters: count,
    metrics: (value, field) => ({ ...checkMetrics(value, field), ...metricsShown(value, field) }),
    took: optional(record<{ [K in keyof Took]: Took[K] }>({ seconds: number, ended: text })),
  });
  return readWritten(folder.file("result"), check, `delete it, and the run writes it again (train --resume)`);
}

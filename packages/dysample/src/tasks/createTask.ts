/** @file The tasks by their names. */

import { ValueError } from "@gridgrad/core";

import { ConfigError, type TrainConfig } from "./config.ts";
import { restorationTask } from "./restoration.ts";
import { segmentationTask } from "./segmentation.ts";
import type { Task } from "./task.ts";

/**
 * The task that a configuration names.
 *
 * @throws {ConfigError} when the upsampler does not fit: groups that do not divide the channels, nothing to train.
 */
export async function createTask(config: TrainConfig): Promise<Task> {
  try {
    return await (config.task === "segmentation" ? segmentationTask(config) : restorationTask(config));
  } catch (error) {
    throw error instanceof ValueError ? new ConfigError(error.message, { cause: error }) : error;
  }
}

/** @file The tasks by their names. */

import { ValueError } from "@gridgrad/core";

import { decoderChannels } from "../toy/fpn4.ts";
import { ConfigError, hasOffsets, type TrainConfig, wrongField } from "./config.ts";
import { restorationTask } from "./restoration.ts";
import { segmentationTask } from "./segmentation.ts";
import type { Task } from "./task.ts";

/**
 * The task that a configuration names.
 *
 * @throws {ConfigError} when the upsampler does not fit: groups that do not divide the channels, nothing to train.
 */
export async function createTask(config: TrainConfig): Promise<Task> {
  checkGroups(config);
  try {
    return await (config.task === "segmentation" ? segmentationTask(config) : restorationTask(config));
  } catch (error) {
    throw error instanceof ValueError ? new ConfigError(error.message, { cause: error }) : error;
  }
}

/** Pictures get as many channels as their groups need; those of the network are given. */
function checkGroups({ task, upsampler, groups }: TrainConfig): void {
  if (task !== "segmentation" || !hasOffsets(upsampler) || decoderChannels % groups === 0) return;
  const divisors = Array.from({ length: decoderChannels }, (_, i) => i + 1).filter((g) => decoderChannels % g === 0);
  const rule = `must divide the ${decoderChannels} channels that ${upsampler} upsamples: ${divisors.join(", ")}`;
  throw wrongField("groups", rule, groups);
}

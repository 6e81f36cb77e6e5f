/** @file A run of a command that can be started again: in its folder it begins, goes on, or is read where it is complete. */

import { resolveConfig, type TrainConfig } from "@gridgrad/dysample";
import { RunFolder } from "@gridgrad/dysample/internal/node";
import { resume, train, type TrainOutcome } from "@gridgrad/dysample/node";
import type { StateDict } from "@gridgrad/nn";

import { interruptCode, type Interruption } from "./interrupt.ts";
import type { Io } from "./io.ts";
import { trainingProgress } from "./trainingProgress.ts";
import { chooseDevice, useDevice } from "./useDevice.ts";

/** A run that is there and is kept, or one that is to begin. */
export interface KeptRun {
  readonly path: string;
  readonly config: TrainConfig;
  /** What the user says of it. */
  readonly given: Partial<TrainConfig>;
  readonly kept: boolean;
  readonly overwrite: boolean;
}

/**
 * Finds out what there is to do in a folder, and begins nothing.
 *
 * @param said - by the user; what is left out is as a run that is kept has it.
 * @param begun - what a run that is to begin has besides.
 */
export async function findRun(
  path: string,
  { device, ...said }: Partial<TrainConfig>,
  begun: Partial<TrainConfig>,
  overwrite: boolean,
): Promise<KeptRun> {
  const folder = new RunFolder(path);
  const kept = folder.has("config") && !overwrite;
  const given = kept && device === "auto" ? said : { device, ...said };
  const config = kept ? await folder.resume(given) : resolveConfig(await chooseDevice({ ...given, ...begun }));
  return { path, config, given, kept, overwrite };
}

/** Trains, or reads the result of a run that is complete; `null` when the user has stopped it. */
export async function completeRun(
  io: Io,
  { path, config, given, kept, overwrite }: KeptRun,
  interruption: Interruption,
  start?: StateDict,
): Promise<(TrainOutcome & { status: "complete" }) | null> {
  await useDevice(io, config.device);
  io.note(path);
  const { hooks, stop } = trainingProgress(io, interruption);
  const running = kept ? resume(path, given, hooks) : train(config, path, hooks, { overwrite, start });
  const outcome = await running.finally(stop);
  if (outcome.status === "complete") return outcome;
  io.error(`stopped after step ${outcome.step}; the same command${overwrite ? " without --overwrite" : ""} goes on`);
  io.exitCode = interruptCode(interruption.signal);
  return null;
}

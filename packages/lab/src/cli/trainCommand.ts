/** @file `gridgrad train`: starts a training run, or goes on with one. */

import { dirname, join } from "node:path";

import { resolveConfig, type TrainConfig } from "@gridgrad/dysample";
import { readSettings, RunFolder } from "@gridgrad/dysample/internal/node";
import { readWeights, resume, train, type TrainOutcome } from "@gridgrad/dysample/node";
import type { StateDict } from "@gridgrad/nn";
import type { Command } from "commander";

import { interruptCode, interruptionOf } from "./interrupt.ts";
import type { Io } from "./io.ts";
import { newCommand } from "./newCommand.ts";
import {
  batchOption,
  checkpointEveryOption,
  configOption,
  deviceOption,
  dtypeOption,
  evalEveryOption,
  evalImagesOption,
  folderOption,
  groupsOption,
  initOption,
  lrOption,
  scaleOption,
  scopeOption,
  seedOption,
  stepsOption,
  taskOption,
  upsamplerOption,
  warmupOption,
} from "./options.ts";
import { type Places, tellsWhere } from "./tellWhere.ts";
import { trainingProgress } from "./trainingProgress.ts";
import { chooseDevice, reportDevice, useDevice } from "./useDevice.ts";
import { UsageError, UserError } from "./userError.ts";

interface Options extends Partial<TrainConfig> {
  readonly config?: string;
  readonly out?: string;
  readonly resume?: string;
  readonly overwrite?: boolean;
}

export function trainCommand(io: Io): Command {
  return newCommand("train")
    .addOption(taskOption())
    .addOption(upsamplerOption())
    .addOption(stepsOption())
    .addOption(batchOption())
    .addOption(lrOption())
    .addOption(warmupOption())
    .addOption(seedOption())
    .addOption(groupsOption())
    .addOption(scaleOption())
    .addOption(initOption())
    .addOption(scopeOption())
    .addOption(dtypeOption())
    .addOption(deviceOption())
    .addOption(evalImagesOption())
    .addOption(checkpointEveryOption())
    .addOption(evalEveryOption(0))
    .addOption(configOption("settings from a file, as the config.json of a run; options here win over it"))
    .addOption(folderOption("--out <dir>", "folder of the run (runs/TASK-UPSAMPLER-seedN)"))
    .addOption(folderOption("--resume <dir>", "go on with the run in this folder, bit by bit as if it had not stopped"))
    .option("--overwrite", "replace a run that is in the folder already")
    .addHelpText(
      "after",
      `
Ctrl-C finishes the step, writes a checkpoint and says how to go on.

Examples:
  ${io.program} train --upsampler dysample --seed 1
  ${io.program} train --task restoration --upsampler dysample+ --scale 4 --out runs/pictures
  ${io.program} train --resume runs/pictures
  ${io.program} train --config runs/pictures/config.json --seed 1 --out runs/other`,
    )
    .action((options: Options) => runTrain(io, options));
}

async function runTrain(io: Io, { out, resume: resumed, overwrite, config: path, ...options }: Options): Promise<void> {
  if (resumed !== undefined) {
    const other = out !== undefined ? "--out" : overwrite ? "--overwrite" : path !== undefined ? "--config" : null;
    if (other !== null) throw new UsageError(`--resume goes on in the run's own folder; leave ${other} out`);
  }
  const file = path === undefined ? undefined : { path, settings: await readSettings(path) };
  await tellsWhere({ options, file }, () => runSettings(io, { options, file }, { out, resumed, overwrite }));
}

async function runSettings(
  io: Io,
  { options, file }: Places & { readonly options: Partial<TrainConfig> },
  { out, resumed, overwrite }: { readonly out?: string; readonly resumed?: string; readonly overwrite?: boolean },
): Promise<void> {
  const goesOnOnItsDevice = resumed !== undefined && options.device === undefined;
  const given = goesOnOnItsDevice ? options : await chooseDevice({ ...file?.settings, ...options });
  const interruption = interruptionOf(io);
  const { hooks, stop } = trainingProgress(io, interruption);
  const path = resumed ?? out ?? defaultFolder(resolveConfig(given));
  const config = resumed === undefined ? resolveConfig(given) : await new RunFolder(resumed).resume(given);
  const start = file && resumed === undefined ? await startOf(file.path, config) : undefined;
  await useDevice(io, config.device);
  let outcome: TrainOutcome;
  try {
    outcome =
      resumed === undefined ? await train(config, path, hooks, { overwrite, start }) : await resume(path, given, hooks);
  } finally {
    stop();
  }
  if (outcome.status === "stopped") {
    io.error(`stopped after step ${outcome.step}; go on with: ${io.program} train --resume ${path}`);
    io.exitCode = interruptCode(interruption.signal);
    return;
  }
  report(io, path, outcome);
}

/** The weights that a run begins with which learns offsets only: they are beside its configuration. */
async function startOf(file: string, { trainable }: TrainConfig): Promise<StateDict | undefined> {
  if (trainable !== "offsets") return undefined;
  const folder = new RunFolder(dirname(file));
  if (folder.has("start")) return (await readWeights(folder.file("start"))).state;
  throw new UserError(
    `${file} is of a run that learns offsets only, so ${folder.file("start")} must hold the weights that it begins with, ` +
      "but it is not there; name the config.json in the folder of its run",
  );
}

function report(io: Io, path: string, outcome: TrainOutcome & { status: "complete" }): void {
  const { result, msPerStep, task, trained } = outcome;
  if (!trained) io.out(`${path} is complete: all of its ${result.steps} steps were done before`);
  const folder = new RunFolder(path);
  io.out(`${result.upsampler}: ${task.summary(result.metrics)}`);
  const time = Number.isNaN(msPerStep)
    ? "its log has no steps"
    : `${msPerStep.toFixed(0)} ms per training step (median)`;
  io.out(`${result.parameters} parameters, ${result.upsamplerParameters} of them for upsampling; ${time}`);
  reportDevice(io);
  for (const name of ["weights", "checkpoint", "metrics", "result", "strip"] as const) io.out(`  ${folder.file(name)}`);
}

function defaultFolder({ task, upsampler, seed }: TrainConfig): string {
  return join("runs", `${task}-${upsampler}-seed${seed}`);
}

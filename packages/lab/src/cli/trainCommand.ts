/** @file `gridgrad train`: starts a training run, or goes on with one. */

import { join } from "node:path";

import { resolveConfig, type TrainConfig } from "@gridgrad/dysample";
import { RunFolder } from "@gridgrad/dysample/internal/node";
import { resume, train, type TrainOutcome } from "@gridgrad/dysample/node";
import { Command } from "commander";

import { interruptCode } from "./interrupt.ts";
import type { Io } from "./io.ts";
import {
  batchOption,
  checkpointEveryOption,
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
import { trainingProgress } from "./trainingProgress.ts";
import { chooseDevice, reportDevice, useDevice } from "./useDevice.ts";
import { UsageError } from "./userError.ts";

interface Options extends Partial<TrainConfig> {
  readonly out?: string;
  readonly resume?: string;
  readonly overwrite?: boolean;
}

export function trainCommand(io: Io): Command {
  return new Command("train")
    .description("Train the toy segmentation network, or an upsampler of pictures, and measure it.")
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
  ${io.program} train --resume runs/pictures`,
    )
    .action((options: Options) => runTrain(io, options));
}

async function runTrain(io: Io, { out, resume: resumed, overwrite, ...options }: Options): Promise<void> {
  if (resumed !== undefined && (out !== undefined || overwrite)) {
    throw new UsageError(
      `--resume goes on in the run's own folder; leave ${out === undefined ? "--overwrite" : "--out"} out`,
    );
  }
  const goesOnOnItsDevice = resumed !== undefined && options.device === undefined;
  const given = goesOnOnItsDevice ? options : await chooseDevice(options);
  const signal = io.interrupted();
  const { hooks, stop } = trainingProgress(io, signal);
  const path = resumed ?? out ?? defaultFolder(resolveConfig(given));
  const config = resumed === undefined ? resolveConfig(given) : await new RunFolder(resumed).resume(given);
  await useDevice(io, config.device);
  let outcome: TrainOutcome;
  try {
    outcome =
      resumed === undefined ? await train(config, path, hooks, { overwrite }) : await resume(path, given, hooks);
  } finally {
    stop();
  }
  if (outcome.status === "stopped") {
    io.note(`stopped after step ${outcome.step}; go on with: ${io.program} train --resume ${path}`);
    io.exitCode = interruptCode(signal);
    return;
  }
  report(io, path, outcome);
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

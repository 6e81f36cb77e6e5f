/** @file `gridgrad eval`: measures trained weights. */

import { createTask, resolveConfig, type TrainConfig } from "@gridgrad/dysample";
import { readWeights } from "@gridgrad/dysample/node";
import type { Command } from "commander";

import { fitWeights } from "./fitWeights.ts";
import type { Io } from "./io.ts";
import { newCommand } from "./newCommand.ts";
import { networkOfWeights } from "./networkOfWeights.ts";
import {
  deviceOption,
  dtypeOption,
  evalImagesOption,
  groupsOption,
  scaleOption,
  scopeOption,
  taskOption,
  upsamplerOption,
} from "./options.ts";
import { Progress } from "./progress.ts";
import { tellsWhere } from "./tellWhere.ts";
import { chooseDevice, reportDevice, useDevice } from "./useDevice.ts";

interface Options extends Partial<TrainConfig> {
  readonly json?: boolean;
}

export function evalCommand(io: Io): Command {
  return newCommand("eval")
    .argument("<run|weights>", "a run's folder, or a safetensors file")
    .addOption(taskOption())
    .addOption(upsamplerOption())
    .addOption(groupsOption())
    .addOption(scaleOption())
    .addOption(scopeOption())
    .addOption(dtypeOption())
    .addOption(deviceOption())
    .addOption(evalImagesOption())
    .option("--json", "print all results as JSON")
    .addHelpText(
      "after",
      `
A run and its files say which network they are of. For other files say it: --upsampler, and --task, --groups, --scale, --scope.

Examples:
  ${io.program} eval runs/segmentation-dysample-seed0
  ${io.program} eval from-python.safetensors --upsampler dysample+ --json`,
    )
    .action((path: string, options: Options) => runEval(io, path, options));
}

async function runEval(io: Io, path: string, { json = false, ...given }: Options): Promise<void> {
  await tellsWhere({ options: given }, () => measure(io, path, json, given));
}

async function measure(io: Io, path: string, json: boolean, given: Partial<TrainConfig>): Promise<void> {
  const weights = await readWeights(path);
  const { device } = await chooseDevice(given);
  const config = resolveConfig({ ...given, ...networkOfWeights(weights, given), device });
  await useDevice(io, config.device);
  const task = await createTask(config);
  fitWeights(task.model, weights);
  const progress = new Progress(io, "evaluation", 0, config.evalImages, "pictures");
  try {
    const metrics = await task.evaluate({ onEvaluated: (images) => progress.update(images) });
    progress.stop();
    const { task: name, upsampler } = config;
    if (json) io.out(JSON.stringify({ weights: weights.file, task: name, upsampler, ...metrics }, null, 2));
    else {
      io.out(`${upsampler}: ${task.summary(metrics)}`);
      reportDevice(io);
    }
  } finally {
    progress.stop();
  }
}

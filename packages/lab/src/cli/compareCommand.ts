/** @file `gridgrad compare`: upsamplers, or settings of one, with several seeds each, trained side by side. */

import { join } from "node:path";

import { showJson } from "@gridgrad/core";
import { resolveConfig, type TrainConfig, upsamplerNames } from "@gridgrad/dysample";
import { seedRange } from "@gridgrad/dysample/internal";
import { readSettings } from "@gridgrad/dysample/internal/node";
import { type Command, InvalidArgumentError, Option } from "commander";

import { ablationNames, ablations, type AblationName } from "../compare/ablations.ts";
import type { Comparison } from "../compare/comparison.ts";
import { comparisonOf, defaultEvalEvery } from "../compare/comparisonOf.ts";
import { ComparisonFolder } from "../compare/comparisonFolder.ts";
import type { QueueAddress } from "../queue/redisConnection.ts";
import type { Io } from "./io.ts";
import { newCommand } from "./newCommand.ts";
import {
  batchOption,
  checkpointEveryOption,
  configOption,
  choiceOption,
  deviceOption,
  dtypeOption,
  evalEveryOption,
  evalImagesOption,
  groupsOption,
  folderOption,
  integerOption,
  listOption,
  lrOption,
  queueOption,
  stepsOption,
  warmupOption,
} from "./options.ts";
import { tellComparison } from "./tellComparison.ts";
import { flagOf, type Places, tellsWhere } from "./tellWhere.ts";
import { chooseDevice, useDevice } from "./useDevice.ts";
import { UsageError, UserError } from "./userError.ts";

interface Asked extends Partial<TrainConfig> {
  readonly upsamplers?: readonly string[];
  readonly ablation?: AblationName;
  readonly seeds?: readonly number[];
}

interface Options extends Asked {
  readonly jobs?: number;
  readonly queue?: QueueAddress;
  readonly config?: string;
  readonly out?: string;
  readonly resume?: string;
  readonly overwrite?: boolean;
}

/** Enough for a spread, and no more: a run takes a minute. */
const defaultSeeds = [0, 1, 2];

export function compareCommand(io: Io): Command {
  return newCommand("compare")
    .addOption(listOption("--upsamplers <names>", "what is compared, separated by commas (all)", upsamplerNames))
    .addOption(choiceOption("--ablation <name>", "settings of DySample to compare instead", ablationNames))
    .addOption(seedsOption())
    .addOption(stepsOption())
    .addOption(batchOption())
    .addOption(lrOption())
    .addOption(warmupOption())
    .addOption(groupsOption())
    .addOption(dtypeOption())
    .addOption(deviceOption())
    .addOption(evalImagesOption())
    .addOption(evalEveryOption(defaultEvalEvery))
    .addOption(checkpointEveryOption())
    .addOption(
      configOption(
        "settings from a file, as the config.json of a run, but for upsampler and seed; options here win over it",
      ),
    )
    .addOption(integerOption("--jobs <n>", "runs at once (one per core)"))
    .addOption(queueOption("let workers on any machine train the runs"))
    .addOption(folderOption("--out <dir>", "folder of the comparison (runs/compare)"))
    .addOption(folderOption("--resume <dir>", "go on with the comparison in this folder, as it was asked for"))
    .option("--overwrite", "replace a comparison that is in the folder already")
    .addHelpText(
      "after",
      `
Ctrl-C lets every run write its checkpoint. The same command again, or --resume, goes on. More seeds or upsamplers in the same folder
are added to what is there.

Examples:
  ${io.program} compare --upsamplers bilinear,dysample --seeds 1 --steps 100
  ${io.program} compare --seeds 3 --out runs/all
  ${io.program} compare --ablation steps --seeds 0,1 --out runs/steps
  ${io.program} compare --resume runs/all
  ${io.program} compare --seeds 5 --out runs/many --queue redis://head-node:6379`,
    )
    .action((options: Options) => runCompare(io, options));
}

/** `3` are 0, 1 and 2; a list with commas is itself. */
function seedsOption(): Option {
  const [least, most] = seedRange;
  const flags = "--seeds <list>";
  return new Option(flags, "how many, counted from 0, or which, separated by commas (3)").argParser((text: string) => {
    const parts = text.split(",");
    const numbers = parts.map(Number);
    if (!parts.every((part) => /^\d+$/.test(part)) || (parts.length === 1 && numbers[0] < 1)) {
      throw new InvalidArgumentError("It must be a number of seeds, such as 3, or a list of them, such as 0,1,2.");
    }
    const seeds =
      parts.length === 1 ? Array.from({ length: Math.min(numbers[0], mostSeeds + 1) }, (_, i) => i) : numbers;
    if (seeds.length > mostSeeds) throw new InvalidArgumentError(`It must be at most ${mostSeeds} seeds.`);
    if (seeds.some((seed) => seed > most)) throw new InvalidArgumentError(`Seeds must be in ${least} .. ${most}.`);
    const twice = seeds.find((seed, i) => seeds.indexOf(seed) !== i);
    if (twice !== undefined) throw new InvalidArgumentError(`Seeds must differ from each other, got ${twice} twice.`);
    return seeds;
  });
}

/** More than that is a slip, such as a seed in place of a number of seeds. */
const mostSeeds = 1000;

async function runCompare(io: Io, options: Options): Promise<void> {
  const { jobs, queue, config: file, out = join("runs", "compare"), resume, overwrite, ...asked } = options;
  if (queue && jobs !== undefined) throw new UsageError("--jobs is up to each worker with --queue; leave it out here");
  if (resume !== undefined) {
    const other = Object.keys(options).find((name) => !["resume", "jobs", "queue"].includes(name));
    if (other !== undefined)
      throw new UsageError(`--resume goes on with what was asked for; leave ${flagOf(other)} out`);
  }
  const path = resume ?? out;
  const places = { options: asked, file: file === undefined ? undefined : await readCommon(file) };
  const { status, exitCode } = await tellsWhere(places, async () => {
    const comparison = resume === undefined ? await askedFor(asked, places) : await new ComparisonFolder(path).read();
    await useDevice(io, resolveConfig(comparison.config).device);
    return tellComparison(io, comparison, path, { jobs, queue, overwrite });
  });
  const elsewhere = queue ? ` --queue ${queue.shown}` : "";
  if (status === "stopped") io.error(`stopped; go on with: ${io.program} compare --resume ${path}${elsewhere}`);
  io.exitCode = exitCode;
}

/** What the runs of a comparison can have in common of the settings in a file. */
async function readCommon(path: string): Promise<NonNullable<Places["file"]>> {
  const { upsampler: _upsampler, seed: _seed, ...settings } = await readSettings(path);
  const { task = "segmentation", trainable = "all" } = settings;
  if (task === "segmentation" && trainable === "all") return { path, settings };
  const got = task === "segmentation" ? `trainable ${showJson(trainable)}` : `task ${showJson(task)}`;
  throw new UserError(`${path} must be of a whole segmentation network, which is what compare trains, got ${got}`);
}

async function askedFor(
  { upsamplers, ablation, seeds = defaultSeeds, ...given }: Asked,
  { file }: Places,
): Promise<Comparison> {
  if (ablation !== undefined) {
    const own = Object.keys(given).find((field) =>
      ablations[ablation].contestants.some(({ config }) => field in config),
    );
    const other = upsamplers ? "upsamplers" : own;
    if (other !== undefined)
      throw new UsageError(`--ablation ${ablation} sets ${other} itself; leave ${flagOf(other)} out`);
  }
  const which = ablation === undefined ? { upsamplers: upsamplers ?? upsamplerNames } : { ablation };
  return comparisonOf({ ...which, seeds, config: await chooseDevice({ ...file?.settings, ...given }) });
}

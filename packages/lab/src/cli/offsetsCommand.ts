/**
 * @file `gridgrad offsets`: shows that sampling points learn. A trained network with bilinear upsampling gets DySample in its
 * place, all of its weights are frozen, and what is trained is only where DySample samples.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";

import { ValueError } from "@gridgrad/core";
import {
  dysampleVariants,
  type Metrics,
  segmentationStrip,
  type SegmentationTask,
  segmentationTask,
  shapes64,
  type TrainConfig,
  validationPictures,
} from "@gridgrad/dysample";
import { differingTensors } from "@gridgrad/dysample/internal";
import { imagesOnTheWay, loadWeights, readValidations, RunFolder } from "@gridgrad/dysample/internal/node";
import { readWeights, type Weights, writePng } from "@gridgrad/dysample/node";
import { writeFileAtomic } from "@gridgrad/nn/node";
import type { Command } from "commander";

import { interruptionOf } from "./interrupt.ts";
import type { Io } from "./io.ts";
import { newCommand } from "./newCommand.ts";
import { completeRun, findRun, type KeptRun } from "./keptRun.ts";
import {
  choiceOption,
  deviceOption,
  evalImagesOption,
  folderOption,
  integerOption,
  positiveOption,
  seedOption,
} from "./options.ts";
import { table } from "./table.ts";
import { reportDevice, useDevice } from "./useDevice.ts";
import { UsageError, UserError } from "./userError.ts";

/** Settings of both runs. */
type Shared = Partial<Pick<TrainConfig, "seed" | "batch" | "evalImages" | "device">>;

interface Options extends Shared {
  readonly from?: string;
  readonly upsampler?: string;
  readonly steps?: number;
  readonly lr?: number;
  readonly bilinearSteps?: number;
  readonly out?: string;
  readonly overwrite?: boolean;
}

/** Offsets start near 0 and their layers are few, so they bear three times the learning rate of a whole network. */
const defaults = { steps: 200, lr: 0.03 };

/** Points of the curve. */
const evaluations = 10;

/** Columns of the picture. */
const shown = 6;

export function offsetsCommand(io: Io): Command {
  return newCommand("offsets")
    .option("--from <run|weights>", "the bilinear network (trained in OUT/bilinear)")
    .addOption(choiceOption("--upsampler <name>", "whose offsets learn", Object.keys(dysampleVariants)))
    .addOption(integerOption("--steps <n>", `training steps of the offsets (${defaults.steps})`))
    .addOption(positiveOption("--lr <x>", `their largest learning rate (${defaults.lr})`))
    .addOption(integerOption("--bilinear-steps <n>", "training steps of the bilinear network (400)"))
    .addOption(integerOption("--batch <n>", "pictures in a step (16)"))
    .addOption(seedOption())
    .addOption(deviceOption())
    .addOption(evalImagesOption())
    .addOption(folderOption("--out <dir>", "folder of both runs, the picture and the chart (runs/offsets)"))
    .option("--overwrite", "train again what is in the folder already")
    .addHelpText(
      "after",
      `
What is complete in OUT is kept, and what is not is gone on with. Ctrl-C finishes the step and writes a checkpoint.

Examples:
  ${io.program} offsets
  ${io.program} offsets --upsampler dysample-s+
  ${io.program} offsets --from runs/segmentation-bilinear-seed0 --lr 0.1 --out runs/faster`,
    )
    .action((options: Options) => runOffsets(io, options));
}

async function runOffsets(io: Io, options: Options): Promise<void> {
  const { from, upsampler = "dysample", steps, lr, bilinearSteps, out = join("runs", "offsets"), ...rest } = options;
  const { overwrite = false, ...shared } = rest;
  if (from !== undefined && bilinearSteps !== undefined) {
    throw new UsageError("--from brings a bilinear network that is trained; leave --bilinear-steps out");
  }
  const interruption = interruptionOf(io);
  const settings = { steps: steps ?? defaults.steps, lr: lr ?? defaults.lr };
  const evalEvery = Math.ceil(settings.steps / evaluations);
  const begun = { ...settings, trainable: "offsets", evalEvery } as const;
  await checkPictures(out);
  const offsets = await findRun(join(out, upsampler), { ...shared, upsampler, steps, lr }, begun, overwrite);

  let weights: Weights;
  if (from === undefined) {
    const given = { ...shared, upsampler: "bilinear", steps: bilinearSteps };
    const bilinear = await findRun(join(out, "bilinear"), given, {}, overwrite);
    if (!(await completeRun(io, bilinear, interruption))) return;
    weights = await readWeights(bilinear.path);
  } else weights = await readBilinear(from);

  await useDevice(io, offsets.config.device);
  const bilinear = await segmentationTask({ ...offsets.config, upsampler: "bilinear", trainable: "all" });
  try {
    bilinear.model.loadStateDict(weights.state);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw notBilinear(weights.file, error.message, error);
  }
  if (offsets.kept) await checkStart(offsets, bilinear, weights.file);
  const outcome = await completeRun(io, offsets, interruption, weights.state);
  if (!outcome) return;

  const before = await startOf(offsets);
  const after = outcome.task as SegmentationTask;
  const frozen = await checkFrozen(bilinear, before, after);
  const learned = after.parameters.reduce((total, { tensor }) => total + tensor.size, 0);
  const all = bilinear.model.parameterCount;
  const header = ["network", "loss", "mIoU", "boundary IoU", "parameters trained", "frozen"];
  const rows = [
    ["bilinear", ...results(await bilinear.evaluate()), "0", String(all)],
    [`${upsampler} before`, ...results(await before.evaluate()), String(learned), String(all)],
    [`${upsampler} after`, ...results(outcome.result.metrics), String(learned), String(all)],
  ];
  io.out(`${table(header, rows, io.paint.out)}\n`);
  io.out(
    `${outcome.result.steps} steps have trained ${after.parameters.length} tensors, those of offset layers. The other ${frozen}, ` +
      "running statistics included, are those of the bilinear network, to the bit.",
  );
  reportDevice(io);
  io.out(`  ${await drawStrip(out, { bilinear, [upsampler]: after }, offsets.config)}`);
  io.out(`  ${await drawChart(out, { bilinear, before, after }, offsets)}`);
  for (const name of ["weights", "metrics"] as const) io.out(`  ${new RunFolder(offsets.path).file(name)}`);
}

/** What is written into a folder beside the runs. */
const beside = { strip: "strip.png", chart: "loss.svg" } as const;

/** They are ours where a run is that they are of. */
async function checkPictures(out: string): Promise<void> {
  for (const name of Object.keys(dysampleVariants)) if (await new RunFolder(join(out, name)).holdsRun()) return;
  const taken = Object.values(beside).filter((name) => existsSync(join(out, name)));
  if (taken.length === 0) return;
  throw new UserError(
    `${out} must have room for ${Object.values(beside).join(" and ")}, but what it has is not of offsets; move ` +
      `${taken.join(" and ")} away, or write elsewhere (--out)`,
  );
}

/** Weights of the toy network with bilinear upsampling, as far as they say what they are of. */
async function readBilinear(path: string): Promise<Weights> {
  const weights = await readWeights(path);
  const { network, file } = weights;
  if (network && !(network.task === "segmentation" && network.upsampler === "bilinear")) {
    throw notBilinear(file, `they are of ${network.task} with ${network.upsampler}`);
  }
  return weights;
}

function notBilinear(file: string, problem: string, cause?: unknown): UserError {
  return new UserError(
    `${file} must have weights of the toy network with bilinear upsampling, but ${problem}; leave --from out and it is trained`,
    { cause },
  );
}

/** The network that a run begins with. */
async function startOf({ path, config }: KeptRun): Promise<SegmentationTask> {
  const task = await segmentationTask(config);
  await loadWeights(task.model, new RunFolder(path).file("start"));
  return task;
}

/** A run that is kept must have begun with this very bilinear network. */
async function checkStart(offsets: KeptRun, bilinear: SegmentationTask, file: string): Promise<void> {
  if (!new RunFolder(offsets.path).has("start")) return; // the run says so itself
  const others = await changed(bilinear, await startOf(offsets));
  if (others.length === 0) return;
  throw new UserError(
    `${offsets.path} must have begun with the weights of ${file}, but it began with others; ` +
      "train it again (--overwrite), or write elsewhere (--out)",
  );
}

/** Tensors of `before` that are others in `after`. */
async function changed(before: SegmentationTask, after: SegmentationTask): Promise<string[]> {
  const [was, is] = [await before.model.stateDict(), await after.model.stateDict()];
  return differingTensors(was, is).filter((name) => Object.hasOwn(was, name));
}

/** Makes sure that training has changed nothing but offset layers, and counts the tensors of the bilinear network. */
async function checkFrozen(
  bilinear: SegmentationTask,
  before: SegmentationTask,
  after: SegmentationTask,
): Promise<number> {
  const trained = [...after.model.namedParameters()].filter(([, parameter]) => after.parameters.includes(parameter));
  const names = trained.map(([name]) => name);
  const moved = (await changed(before, after)).filter((name) => !names.includes(name));
  const others = [...moved, ...(await changed(bilinear, after))];
  if (others.length > 0) throw new Error(`internal: training offsets must not change ${others.join(", ")}`);
  return bilinear.model.namedSlots().size;
}

function results({ loss, mIoU, boundaryIoU }: Metrics): string[] {
  return [loss, mIoU, boundaryIoU].map((value) => (value as number).toFixed(4));
}

/** Input, truth, and what both networks say, with their errors. */
async function drawStrip(
  out: string,
  networks: Readonly<Record<string, SegmentationTask>>,
  { evalImages }: TrainConfig,
): Promise<string> {
  const count = Math.min(shown, evalImages);
  const predictions = [];
  for (const [label, task] of Object.entries(networks)) {
    predictions.push({ label, masks: await task.predict(0, count) });
  }
  const path = join(out, beside.strip);
  const { palette, size } = shapes64;
  const pictures = validationPictures(0, count);
  await writePng(path, segmentationStrip({ ...pictures, predictions, palette, height: size, width: size }));
  return path;
}

/** The loss over the steps, on the pictures that evaluations on the way are of. */
async function drawChart(
  out: string,
  { bilinear, before, after }: Readonly<Record<"bilinear" | "before" | "after", SegmentationTask>>,
  { path, config }: KeptRun,
): Promise<string> {
  const images = Math.min(imagesOnTheWay, config.evalImages);
  const loss = async (task: SegmentationTask): Promise<number> => (await task.evaluate({ images })).loss as number;
  const onTheWay = await readValidations(new RunFolder(path).file("metrics"));
  const { offsetsChart } = await import("./offsetsChart.ts"); // other commands do not wait for the library of charts
  const svg = offsetsChart({
    upsampler: config.upsampler,
    curve: [
      [0, await loss(before)],
      ...onTheWay.map(({ step, validation }) => [step, validation.loss as number] as const),
      [config.steps, await loss(after)],
    ],
    bilinear: await loss(bilinear),
    images,
  });
  const file = join(out, beside.chart);
  await writeFileAtomic(file, `${svg}\n`);
  return file;
}

/**
 * @file Trains the toy task with bilinear upsampling and with DySample, and puts the results side by side. Everything else in the
 * two networks is equal, the initial weights included.
 */

import { join } from "node:path";

import { writePng } from "../picture/png.ts";
import { segmentationStrip } from "../picture/strip.ts";
import { shapes64 } from "../toy/shapes64.ts";
import { resolveConfig, type TrainConfig } from "../training/config.ts";
import { type SegmentationTask, validationPictures } from "../training/segmentation.ts";
import { train, type TrainOutcome } from "../training/train.ts";
import type { Io } from "./io.ts";
import { table } from "./table.ts";
import { trainingProgress } from "./trainingProgress.ts";
import { chooseDevice, reportDevice, useDevice } from "./useDevice.ts";

const upsamplers = ["bilinear", "dysample"];

/** Columns of the final picture. */
const shown = 6;

const folder = join("runs", "start");

/**
 * Trains, measures, and prints a table.
 *
 * @param given - what differs from the full configuration.
 * @returns the exit code: 0, or 130 after Ctrl-C.
 */
export async function compareUpsamplers(io: Io, given: Partial<TrainConfig> = {}): Promise<number> {
  const full = resolveConfig().steps;
  const { device } = await chooseDevice(given);
  await useDevice(io, device);
  const steps = given.steps ?? full;
  const shortened = steps < full ? `, shortened from ${full}` : "";
  io.out(`Training the toy task with ${upsamplers.join(" and ")}: ${steps} steps each${shortened}.`);
  const signal = io.interrupted();
  const outcomes: (TrainOutcome & { status: "complete" })[] = [];
  for (const upsampler of upsamplers) {
    io.note(upsampler);
    const { hooks, stop } = trainingProgress(io, signal);
    const path = join(folder, upsampler);
    const config = resolveConfig({ ...given, upsampler, device });
    const outcome = await train(config, path, hooks, { overwrite: true }).finally(stop);
    if (outcome.status === "stopped") {
      io.note("stopped; npm start begins again");
      return 130; // what a shell reports for a program that Ctrl-C has ended
    }
    outcomes.push(outcome);
  }

  const rows = outcomes.map(({ result: { upsampler, metrics, parameters }, msPerStep }) => [
    upsampler,
    ...[metrics.mIoU, metrics.boundaryIoU, metrics.pixelAccuracy].map((value) => (value as number).toFixed(4)),
    String(parameters),
    msPerStep.toFixed(0),
  ]);
  io.out(`\n${table(["upsampler", "mIoU", "boundary IoU", "pixel accuracy", "parameters", "ms per step"], rows)}\n`);
  reportDevice(io);
  io.out(`What each of them sees: ${await drawStrip(outcomes)}`);
  io.out(`The runs are in ${upsamplers.map((upsampler) => join(folder, upsampler)).join(" and ")}.`);
  io.out("Other upsamplers, other settings: npm run -s gridgrad -- train --help");
  return 0;
}

/** Input, truth, and the predictions of both networks below each other, with their errors. */
async function drawStrip(outcomes: readonly (TrainOutcome & { status: "complete" })[]): Promise<string> {
  const predictions = [];
  for (const { result, task } of outcomes) {
    predictions.push({ label: result.upsampler, masks: await (task as SegmentationTask).predict(0, shown) });
  }
  const path = join(folder, "strip.png");
  const { palette, size } = shapes64;
  const pictures = validationPictures(0, shown);
  await writePng(path, segmentationStrip({ ...pictures, predictions, palette, height: size, width: size }));
  return path;
}

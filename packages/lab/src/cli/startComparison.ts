/**
 * @file The small comparison that `npm start` makes: nearest, bilinear and DySample, one seed. Everything else in the three networks is equal, the
 * initial weights included.
 */

import { join } from "node:path";

import {
  resolveConfig,
  segmentationStrip,
  segmentationTask,
  shapes64,
  type TrainConfig,
  validationPictures,
} from "@gridgrad/dysample";
import { RunFolder } from "@gridgrad/dysample/internal/node";
import { writePng } from "@gridgrad/dysample/node";
import { loadWeights } from "@gridgrad/nn/node";

import { ComparisonFolder } from "../compare/comparisonFolder.ts";
import { comparisonOf } from "../compare/comparisonOf.ts";
import { type Comparison, runPath, runsOf } from "../compare/comparison.ts";
import type { Io } from "./io.ts";
import { tellComparison } from "./tellComparison.ts";
import { chooseDevice, useDevice } from "./useDevice.ts";

const upsamplers = ["nearest", "bilinear", "dysample"];

/** Columns of the final picture. */
const shown = 6;

const folder = join("runs", "start");

/**
 * Trains, measures, and prints a table.
 *
 * @param given - what differs from the full configuration.
 * @returns the exit code: 0, 1 when a run has failed, or that of the signal that has stopped it, 130 for Ctrl-C.
 */
export async function startComparison(io: Io, given: Partial<TrainConfig> = {}): Promise<number> {
  const comparison = comparisonOf({ upsamplers, seeds: [0], config: await chooseDevice(given) });
  await useDevice(io, resolveConfig(comparison.config).device);
  const { status, exitCode } = await tellComparison(io, comparison, folder, { overwrite: true });
  if (status === "stopped") io.error("stopped; npm start begins again");
  if (exitCode !== 0) return exitCode;
  io.out(`What each of them sees: ${await drawStrip(comparison)}`);
  io.out(`All upsamplers, several seeds: ${io.program} compare`);
  return 0;
}

/** Input, truth, and the predictions of all networks below each other, with their errors. */
async function drawStrip(comparison: Comparison): Promise<string> {
  const predictions = [];
  for (const run of runsOf(comparison)) {
    const task = await segmentationTask(run.config);
    await loadWeights(new RunFolder(runPath(folder, run)).file("weights"), task.model);
    predictions.push({ label: run.label, masks: await task.predict(0, shown) });
  }
  const path = new ComparisonFolder(folder).file("strip");
  const { palette, size } = shapes64;
  const pictures = validationPictures(0, shown);
  await writePng(path, segmentationStrip({ ...pictures, predictions, palette, height: size, width: size }));
  return path;
}

/** @file The networks of a comparison's runs as their folders hold them: at the start, midway and at the end. */

import { segmentationTask, type SegmentationTask } from "@gridgrad/dysample";
import { loadWeights, RunFolder } from "@gridgrad/dysample/internal/node";

import { type Comparison, type Run, runPath, runsOf } from "../compare/comparison.ts";
import type { ComparisonResults } from "../compare/results.ts";
import { colourOf } from "./palette.ts";

/** The first run of a contestant that is complete, to draw pictures with. */
export interface TrainedNetwork {
  readonly label: string;
  readonly colour: string;
  readonly run: Run;
  readonly task: SegmentationTask;
}

/** In the order of training. */
export const stages = ["start", "midway", "end"] as const;

export type Stage = (typeof stages)[number];

const filesOfStages = { start: "start", midway: "halfway", end: "weights" } as const;

/** One for each contestant that has a complete run with its weights; none for a task without classes to draw. */
export async function trainedNetworks(
  comparison: Comparison,
  results: ComparisonResults,
  folder: string,
): Promise<TrainedNetwork[]> {
  if (results.config.task !== "segmentation") return [];
  const runs = runsOf(comparison);
  const networks: TrainedNetwork[] = [];
  for (const [i, contestant] of results.contestants.entries()) {
    const complete = contestant.runs.filter(({ status }) => status === "complete").map(({ seed }) => seed);
    for (const run of runs) {
      if (run.label !== contestant.label || !complete.includes(run.config.seed)) continue;
      const task = await networkAt("end", run, folder);
      if (!task) continue;
      networks.push({ label: run.label, colour: colourOf(i), run, task });
      break;
    }
  }
  return networks;
}

/**
 * The network of a run at a stage; `null` when the run has no weights of it.
 *
 * @throws {SafetensorsError} when the file of weights is damaged.
 * @throws {WeightsError} when it is of another network.
 */
export async function networkAt(stage: Stage, run: Run, folder: string): Promise<SegmentationTask | null> {
  const files = new RunFolder(runPath(folder, run));
  const file = filesOfStages[stage];
  // Initial weights follow from the seed, unless the run was given others.
  if (!files.has(file) && stage !== "start") return null;
  const task = await segmentationTask(run.config);
  if (files.has(file)) await loadWeights(task.model, files.file(file));
  return task;
}

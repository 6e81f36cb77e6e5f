/**
 * @file What came out of a comparison, as results.json holds it and as tables, charts and reports read it.
 */

import type { Metrics, TrainConfig } from "@gridgrad/dysample";
import type { Made } from "@gridgrad/dysample/internal/node";

export const resultsFormat = "gridgrad-comparison-1";

/** How results were put together, and with which command line, where it was one. */
export interface MadeBy extends Made {
  readonly command?: string;
}

export interface ComparisonResults {
  readonly format: typeof resultsFormat;
  readonly title: string;
  /** What all runs have in common. */
  readonly config: Omit<TrainConfig, "seed">;
  readonly seeds: readonly number[];
  /** By whom all of this was put together. Each run says in its own folder how it was made. */
  readonly made?: MadeBy;
  /** How time and memory were measured. */
  readonly measured?: Made;
  /** In the order of the comparison. */
  readonly contestants: readonly ContestantResults[];
}

export interface ContestantResults {
  readonly label: string;
  /** Where its configuration differs from what all have in common. */
  readonly config: Partial<TrainConfig>;
  /** Of the whole network. */
  readonly parameters: number;
  /** Of the three upsamplers in it. */
  readonly upsamplerParameters: number;
  /** Multiply-accumulates of a forward pass of one picture through the whole network. */
  readonly macs: number;
  /** Those of the three upsamplers in it. */
  readonly upsamplerMacs: number;
  /** Of a training step, measured alone on the machine, in turns with the others: median. `null` until it is measured. */
  readonly msPerStep: number | null;
  /** Most bytes that the tensors of a training step take on the device at once. `null` until it is measured. */
  readonly peakBytes: number | null;
  /** One per seed, in the order of the seeds. */
  readonly runs: readonly RunResults[];
}

export interface RunResults {
  readonly seed: number;
  readonly status: "complete" | "failed" | "unfinished";
  /** Why it failed. */
  readonly error?: string;
  /** Of the final evaluation, `null` before it: mIoU, boundaryIoU, pixelAccuracy, loss, and more. */
  readonly metrics: Metrics | null;
  /** The loss of each training step so far. */
  readonly losses: readonly number[];
  /** Evaluations on the way, on fewer pictures than the final one. */
  readonly validations: readonly { readonly step: number; readonly metrics: Metrics }[];
}

/** Mean and sample standard deviation of a metric over the complete runs. */
export interface Spread {
  readonly mean: number;
  /** NaN for a single run. */
  readonly std: number;
  readonly n: number;
}

/** The spread of a metric over the seeds, `null` without a complete run that has it. */
export function spreadOf({ runs }: ContestantResults, metric: string): Spread | null {
  const values = runs.flatMap(({ status, metrics }) =>
    status === "complete" && typeof metrics?.[metric] === "number" ? [metrics[metric]] : [],
  );
  const n = values.length;
  if (n === 0) return null;
  const mean = values.reduce((total, value) => total + value, 0) / n;
  const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0);
  return { mean, std: n > 1 ? Math.sqrt(squares / (n - 1)) : NaN, n };
}

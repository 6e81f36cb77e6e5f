/** @file Everything that is known about a comparison by now, from the folders of its runs as they are. */

import { resolveConfig } from "@gridgrad/dysample";
import { readResult, readSteps, readValidations, RunFolder } from "@gridgrad/dysample/internal/node";

import { type Comparison, type Run, runPath, runsOf } from "./comparison.ts";
import { readMeasurements } from "./measure.ts";
import { networkCost, type NetworkCost } from "./networkCost.ts";
import { type ComparisonResults, type MadeBy, resultsFormat, type RunResults } from "./results.ts";

export interface CollectOptions {
  /** By the contestants' labels. Default: they are counted. */
  readonly costs?: ReadonlyMap<string, NetworkCost>;
  /** Why runs have failed, by their ids. */
  readonly failures?: ReadonlyMap<string, string>;
  /** Who collects. */
  readonly made?: MadeBy;
}

/** The results of a comparison in `folder`, of unfinished runs as far as they have come. */
export async function collect(
  comparison: Comparison,
  folder: string,
  { costs, failures = new Map(), made }: CollectOptions = {},
): Promise<ComparisonResults> {
  const { title, contestants, seeds, config } = comparison;
  const { seed: _, ...common } = resolveConfig(config);
  const known = costs ?? (await costsOf(comparison));
  const measured = await readMeasurements(comparison, folder);
  const runs = runsOf(comparison);
  return {
    format: resultsFormat,
    title,
    config: common,
    seeds,
    ...(made && { made }),
    ...(measured?.made && { measured: measured.made }),
    contestants: await Promise.all(
      contestants.map(async ({ label, config: own }) => ({
        label,
        config: own,
        ...known.get(label)!,
        msPerStep: measured?.of.get(label)?.msPerStep ?? null,
        peakBytes: measured?.of.get(label)?.peakBytes ?? null,
        runs: await Promise.all(
          runs.filter((run) => run.label === label).map((run) => collectRun(run, folder, failures.get(run.id))),
        ),
      })),
    ),
  };
}

/**
 * What the networks of all contestants cost, by their labels.
 *
 * @throws {ConfigError} when an upsampler does not fit the network.
 */
export async function costsOf({ contestants, config }: Comparison): Promise<Map<string, NetworkCost>> {
  const costs = new Map<string, NetworkCost>();
  for (const { label, config: own } of contestants) {
    costs.set(label, await networkCost(resolveConfig({ ...config, ...own })));
  }
  return costs;
}

async function collectRun(run: Run, folder: string, error: string | undefined): Promise<RunResults> {
  const files = new RunFolder(runPath(folder, run));
  const result = files.has("result") ? await readResult(files, run.config) : null;
  const log = files.file("metrics");
  return {
    seed: run.config.seed,
    status: result ? "complete" : error === undefined ? "unfinished" : "failed",
    ...(result || error === undefined ? {} : { error }),
    metrics: result?.metrics ?? null,
    losses: (await readSteps(log)).map(({ loss }) => loss),
    validations: (await readValidations(log)).map(({ step, validation }) => ({ step, metrics: validation })),
  };
}

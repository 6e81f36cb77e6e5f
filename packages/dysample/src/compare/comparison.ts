/**
 * @file A comparison: upsamplers, or settings of one, each trained with several seeds on the same task. It is plain data, from
 * which the runs follow; each run is a training run in a folder of its own.
 */

import { join } from "node:path";

import { resolveConfig, type TrainConfig } from "../training/config.ts";

/** One of those that are compared: what it is called, and how its training differs from what all have in common. */
export interface Contestant {
  /** Unique in its comparison; letters, digits and + - . _ only, since folders are called so. */
  readonly label: string;
  readonly config: Partial<TrainConfig>;
}

export interface Comparison {
  /** Tells it from all others, also in a queue that it shares with them. It gets one together with its folder. */
  readonly id?: string;
  readonly title: string;
  readonly contestants: readonly Contestant[];
  readonly seeds: readonly number[];
  /** What all runs have in common. */
  readonly config: Partial<TrainConfig>;
}

/** One training run of a comparison. */
export interface Run {
  /** Unique in its comparison, and the name of its folder: `dysample+-seed2`. */
  readonly id: string;
  readonly label: string;
  readonly config: TrainConfig;
}

/**
 * The runs of a comparison, seed by seed: with the first seed done, there is a whole table.
 *
 * @throws {ConfigError} for a configuration that no run can have.
 */
export function runsOf({ contestants, seeds, config }: Comparison): Run[] {
  return seeds.flatMap((seed) =>
    contestants.map(({ label, config: own }) => ({
      id: `${label}-seed${seed}`,
      label,
      config: resolveConfig({ ...config, ...own, seed }),
    })),
  );
}

/** Where a run of a comparison in `folder` is. */
export function runPath(folder: string, { id }: Pick<Run, "id">): string {
  return join(folder, "runs", id);
}

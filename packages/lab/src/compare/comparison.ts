/**
 * @file A comparison: upsamplers, or settings of one, each trained with several seeds on the same task. It is plain data, from
 * which the runs follow; each run is a training run in a folder of its own.
 */

import { join } from "node:path";

import { ConfigError, resolveConfig, type TrainConfig } from "@gridgrad/dysample";

/** One of those that are compared: what it is called, and how its training differs from what all have in common. */
export interface Contestant {
  /**
   * Unique in its comparison, without regard to case; letters, digits and + - . _ only, since folders and files are
   * called so.
   */
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

/** With a seed and an ending it has to fit into the name of a file. */
const longestLabel = 100;

/**
 * Makes sure that data are a comparison. Labels and seeds become names of files and folders, so nothing else is let
 * through, wherever the data come from.
 *
 * @returns its fields, and no others.
 * @throws {ConfigError} that names the field that is wrong.
 */
export function checkComparison(data: unknown): Comparison {
  const { id, title, contestants, seeds, config } = fieldsOf("a comparison", data);
  if (id !== undefined && !(typeof id === "string" && /^[-0-9a-f]{36}$/.test(id))) {
    throw wrong("id", "a UUID in small letters", id);
  }
  if (typeof title !== "string") throw wrong("title", "a text", title);
  if (!Array.isArray(contestants) || contestants.length === 0)
    throw wrong("contestants", "a list of at least one", contestants);
  const checked = contestants.map((each: unknown, i): Contestant => {
    const { label, config: own } = fieldsOf(`contestants[${i}]`, each);
    if (typeof label !== "string" || !/^[-+.\w]+$/.test(label) || /^\.+$/.test(label) || label.length > longestLabel) {
      throw wrong(
        `contestants[${i}].label`,
        `at most ${longestLabel} letters, digits and + - . _, and not only dots`,
        label,
      );
    }
    return { label, config: fieldsOf(`contestants[${i}].config`, own) };
  });
  const labels = checked.map(({ label }) => label.toLowerCase()); // some file systems take both for the same
  const twice = labels.findIndex((label, i) => labels.indexOf(label) !== i);
  if (twice >= 0) throw wrong(`contestants[${twice}].label`, "another than those before", checked[twice].label);
  if (!Array.isArray(seeds) || seeds.length === 0) throw wrong("seeds", "a list of at least one", seeds);
  for (const [i, seed] of (seeds as unknown[]).entries()) {
    if (!Number.isSafeInteger(seed) || (seed as number) < 0)
      throw wrong(`seeds[${i}]`, "an integer of at least 0", seed);
    if (seeds.indexOf(seed) !== i) throw wrong(`seeds[${i}]`, "another than those before", seed);
  }
  const common = fieldsOf("config", config);
  return { ...(id === undefined ? {} : { id }), title, contestants: checked, seeds: seeds as number[], config: common };
}

function fieldsOf(field: string, data: unknown): Record<string, unknown> {
  if (typeof data === "object" && data !== null && !Array.isArray(data)) return data as Record<string, unknown>;
  throw wrong(field, "an object", data);
}

function wrong(field: string, rule: string, got: unknown): ConfigError {
  const text = JSON.stringify(got) ?? "nothing";
  return new ConfigError(`${field} must be ${rule}, got ${text.length > 60 ? `${text.slice(0, 60)}...` : text}`);
}

/** The names of the runs' folders, seed by seed. */
export function runIds({ contestants, seeds }: Comparison): string[] {
  return seeds.flatMap((seed) => contestants.map(({ label }) => `${label}-seed${seed}`));
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

/** @file Comparisons as users ask for them: of upsamplers by their names, or an ablation by its name. */

import { resolveConfig, type TrainConfig } from "@gridgrad/dysample";

import { type AblationName, ablations } from "./ablations.ts";
import type { Comparison } from "./comparison.ts";

/** Steps between two evaluations on the way: enough for curves, and a small part of the time. */
export const defaultEvalEvery = 50;

/** What is asked for, with everything resolved: defaults of another version do not change it. */
export function comparisonOf({
  seeds,
  config,
  ...which
}: {
  readonly seeds: readonly number[];
  readonly config: Partial<TrainConfig>;
} & ({ readonly upsamplers: readonly string[] } | { readonly ablation: AblationName })): Comparison {
  const { seed: _, ...common } = resolveConfig({ evalEvery: defaultEvalEvery, ...config });
  if ("ablation" in which) return { ...ablations[which.ablation], seeds, config: common };
  const contestants = which.upsamplers.map((upsampler) => ({ label: upsampler, config: { upsampler } }));
  return { title: "Upsamplers", contestants, seeds, config: common };
}

/** @file Curves over the training steps: mean, least and most over the seeds. */

import type { ContestantResults, RunResults } from "../compare/results.ts";

/** At each step the mean over the runs, and between which values they lie. */
export interface Curve {
  readonly steps: readonly number[];
  readonly mean: readonly number[];
  readonly least: readonly number[];
  readonly most: readonly number[];
  /** Runs that it is of. */
  readonly n: number;
}

/** Steps over which the loss is averaged: one step's pictures are few, and its loss says little. */
const window = 20;

/**
 * The mean over up to `width` values around each: as many on both sides, fewer at the ends, and without NaN, the loss of a batch without
 * a label.
 *
 * @example
 * ```ts
 * runningMean([1, 2, 6, 4], 3); // [1.5, 3, 4, 5]
 * ```
 */
export function runningMean(values: readonly number[], width: number): number[] {
  const reach = Math.floor(width / 2);
  return values.map((_, i) => {
    const side = values.slice(Math.max(0, i - reach), i + reach + 1).filter((value) => !Number.isNaN(value));
    return side.reduce((total, value) => total + value, 0) / side.length;
  });
}

/** The smoothed training loss; `null` before the first step. */
export function lossCurve({ runs }: ContestantResults): Curve | null {
  const curves = comparable(runs, ({ losses }) => losses.length).map(({ losses }) => runningMean(losses, window));
  const length = Math.min(...curves.map((curve) => curve.length));
  if (curves.length === 0) return null;
  return spread(
    Array.from({ length }, (_, t) => t + 1),
    curves,
  );
}

/** A metric of the evaluations on the way and of the final one; `null` before the first. */
export function validationCurve({ runs }: ContestantResults, metric: string, steps: number): Curve | null {
  const points = (run: RunResults) => {
    const { validations, metrics, status } = run;
    const all = status === "complete" && metrics ? [...validations, { step: steps, metrics }] : validations;
    return all.flatMap(({ step, metrics: found }) =>
      typeof found[metric] === "number" ? [{ step, value: found[metric] }] : [],
    );
  };
  const curves = comparable(runs, (run) => points(run).length).map(points);
  if (curves.length === 0) return null;
  const shortest = curves.reduce((a, b) => (b.length < a.length ? b : a));
  return spread(
    shortest.map(({ step }) => step),
    curves.map((curve) => curve.map(({ value }) => value)),
  );
}

/** The complete runs, or those under way while there is none: a mean over runs of different lengths would jump. */
function comparable(runs: readonly RunResults[], length: (run: RunResults) => number): RunResults[] {
  const begun = runs.filter((run) => length(run) > 0);
  const complete = begun.filter(({ status }) => status === "complete");
  return complete.length > 0 ? complete : begun;
}

function spread(steps: readonly number[], curves: readonly (readonly number[])[]): Curve {
  const over = (combine: (values: number[]) => number) => steps.map((_, i) => combine(curves.map((curve) => curve[i])));
  return {
    steps,
    mean: over((values) => values.reduce((total, value) => total + value, 0) / values.length),
    least: over((values) => Math.min(...values)),
    most: over((values) => Math.max(...values)),
    n: curves.length,
  };
}

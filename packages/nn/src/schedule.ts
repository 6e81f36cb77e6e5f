/**
 * @file Learning-rate schedules: plain functions from the step, counted from 0, to the rate of that step.
 *
 *     cosine  min + (lr - min) (1 + cos(π t / steps)) / 2        step  lr · gamma^floor(t / stepSize)
 *
 * Source: torch.optim.lr_scheduler.CosineAnnealingLR, StepLR; Loshchilov and Hutter 2017, arXiv:1608.03983.
 */

import { checkOptions, type OptionNames, ValueError } from "@gridgrad/core";

/** Learning rate of step `t`. */
export type Schedule = (t: number) => number;

export interface CosineOptions {
  /** Rate of the first step, before warm-up. */
  readonly lr: number;
  /** Steps until the lowest rate; from then on it stays there. */
  readonly steps: number;
  /** The lowest rate. Default 0. */
  readonly minLr?: number;
  /** Steps over which the rate is first multiplied up, by (t + 1) / warmup. Default 0. */
  readonly warmup?: number;
}

const cosineOptions: OptionNames<CosineOptions> = { lr: 0, steps: 0, minLr: 0, warmup: 0 };

/**
 * Half a cosine from `lr` down to `minLr`, with an optional linear warm-up.
 *
 * @throws {ValueError} when `steps` is not a positive integer or a number is negative.
 *
 * @example
 * ```ts
 * const rate = cosineLr({ lr: 1, steps: 4, warmup: 2 });
 * [0, 1, 2, 4].map((t) => rate(t).toFixed(4)).join(" "); // 0.5000 0.8536 0.5000 0.0000
 * ```
 */
export function cosineLr(options: CosineOptions): Schedule {
  const { lr, steps, minLr = 0, warmup = 0 } = checkOptions("cosineLr()", cosineOptions, options, arguments);
  checkSchedule("cosineLr", { lr, minLr, warmup }, { steps });
  return (t) => {
    const rate = minLr + ((lr - minLr) * (1 + Math.cos((Math.PI * Math.min(t, steps)) / steps))) / 2;
    return rate * (warmup > 0 ? Math.min(1, (t + 1) / warmup) : 1);
  };
}

export interface StepLrOptions {
  readonly lr: number;
  /** Steps between two cuts. */
  readonly stepSize: number;
  /** Factor of a cut. Default 0.1. */
  readonly gamma?: number;
}

const stepLrOptions: OptionNames<StepLrOptions> = { lr: 0, stepSize: 0, gamma: 0 };

/**
 * A rate that is cut by `gamma` every `stepSize` steps.
 *
 * @throws {ValueError} when `stepSize` is not a positive integer or a number is negative.
 *
 * @example
 * ```ts
 * const rate = stepLr({ lr: 1, stepSize: 10, gamma: 0.5 });
 * [0, 9, 10, 20].map(rate); // [1, 1, 0.5, 0.25]
 * ```
 */
export function stepLr(options: StepLrOptions): Schedule {
  const { lr, stepSize, gamma = 0.1 } = checkOptions("stepLr()", stepLrOptions, options, arguments);
  checkSchedule("stepLr", { lr, gamma }, { stepSize });
  return (t) => lr * gamma ** Math.floor(t / stepSize);
}

function checkSchedule(
  name: string,
  amounts: Readonly<Record<string, number>>,
  counts: Readonly<Record<string, number>>,
): void {
  for (const [option, value] of Object.entries(amounts)) {
    if (!(value >= 0 && value < Infinity))
      throw new ValueError(name, `${option} must be at least 0 and finite`, String(value));
  }
  for (const [option, value] of Object.entries(counts)) {
    if (!Number.isInteger(value) || value < 1)
      throw new ValueError(name, `${option} must be an integer of at least 1`, String(value));
  }
}

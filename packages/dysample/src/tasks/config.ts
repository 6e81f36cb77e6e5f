/**
 * @file What a training run is made of. The same configuration gives the same run, to the last bit.
 */

import { deviceNames, showJson } from "@gridgrad/core";

import { shapes64, VALIDATION } from "../toy/shapes64.ts";
import { dysampleVariants } from "../upsamplers/dysample.ts";
import { upsamplerNames } from "../upsamplers/createUpsampler.ts";

export const taskNames = ["segmentation", "restoration"] as const;

export type TaskName = (typeof taskNames)[number];

export const initNames = ["bilinear", "nearest"] as const;

export const trainableNames = ["all", "offsets"] as const;

export interface TrainConfig {
  readonly task: TaskName;
  /** One of `upsamplerNames`. */
  readonly upsampler: string;
  /** Of the initial weights and of the training pictures. */
  readonly seed: number;
  readonly steps: number;
  /** Pictures in a step. */
  readonly batch: number;
  /** Largest learning rate, from which half a cosine leads down to 0 over all steps. */
  readonly lr: number;
  /** Steps over which the learning rate rises first. */
  readonly warmup: number;
  /** Groups of channels with their own sampling points. */
  readonly groups: number;
  /** Output pixels per input pixel along each axis. The segmentation network upsamples three times by 2. */
  readonly scale: number;
  /** Where DySample's points start. */
  readonly init: "bilinear" | "nearest";
  /** How far an offset of 1 moves a point of DySample at the start, in input pixels. */
  readonly scope: number;
  /** What learns: the whole network, or the layers of DySample that predict offsets, and nothing else. */
  readonly trainable: "all" | "offsets";
  readonly dtype: "float32" | "float64";
  readonly device: string;
  /** Steps between two checkpoints. */
  readonly checkpointEvery: number;
  /** Steps between two evaluations on the way, on a few pictures; 0 for none but the final one. */
  readonly evalEvery: number;
  /** Validation pictures of the final evaluation. */
  readonly evalImages: number;
}

/** What is not given is this. */
const defaults: TrainConfig = {
  task: "segmentation",
  upsampler: "dysample",
  seed: 0,
  steps: 400,
  batch: 16,
  lr: 0.01,
  warmup: 20,
  groups: 4,
  scale: 2,
  init: "bilinear",
  scope: 0.25,
  trainable: "all",
  dtype: "float32",
  device: "cpu",
  checkpointEvery: 25,
  evalEvery: 0,
  evalImages: VALIDATION.count,
};

/** The names of all fields. */
export const fieldNames = Object.keys(defaults) as readonly (keyof TrainConfig)[];

/**
 * What a task changes. A picture has one group: with more, its colours are read at different points and drift apart. The few
 * weights of an upsampler alone bear a high learning rate, and those that start from noise need it.
 */
const taskDefaults: Readonly<Record<TaskName, Partial<TrainConfig>>> = {
  segmentation: {},
  restoration: { groups: 1, lr: 0.1 },
};

/** A configuration that no run can have: which field, what it must be, what it is. */
export class ConfigError extends Error {
  override name = "ConfigError";
  /** The field that is wrong, and what is wrong with it: the message without what stands before. */
  readonly wrong: { readonly field: keyof TrainConfig; readonly problem: string } | null;

  constructor(message: string, { wrong = null, ...options }: ErrorOptions & Partial<Pick<ConfigError, "wrong">> = {}) {
    super(message, options);
    this.wrong = wrong;
  }
}

/** A field that must be another, for whoever finds out. @param rule - what must hold, after the name of the field. */
export function wrongField(field: keyof TrainConfig, rule: string, got: unknown): ConfigError {
  const problem = `${rule}, got ${showJson(got)}`;
  return new ConfigError(`config: ${field} ${problem}`, { wrong: { field, problem } });
}

/** Pictures are drawn from 32-bit numbers, of which the training data sets start at 100. */
export const seedRange = [0, 2 ** 32 - 101] as const;

/** Below 8x8 input pixels little is left of a picture. */
export const scaleRange = [2, shapes64.size / 8] as const;

export const evalImagesRange = [1, VALIDATION.count] as const;

/**
 * Fills in what is missing and checks the rest.
 *
 * @throws {ConfigError} that names the first field that is out of its range or unknown.
 *
 * @example
 * ```ts
 * const { steps, groups } = resolveConfig({ task: "restoration", steps: 10 });
 * [steps, groups]; // [10, 1]
 * ```
 */
export function resolveConfig(given: Partial<TrainConfig> = {}): TrainConfig {
  const unknown = Object.keys(given).find((key) => !Object.hasOwn(defaults, key));
  if (unknown !== undefined) {
    throw new ConfigError(`config: fields must be among ${fieldNames.join(", ")}, got ${showJson(unknown)}`);
  }
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const { task = defaults.task } = given;
  checkChoice("task", task, taskNames);
  const config: TrainConfig = { ...defaults, ...taskDefaults[task], ...present };

  checkChoice("upsampler", config.upsampler, upsamplerNames);
  checkChoice("init", config.init, initNames);
  checkChoice("trainable", config.trainable, trainableNames);
  checkChoice("dtype", config.dtype, ["float32", "float64"]);
  checkChoice("device", config.device, deviceNames());
  checkInteger("seed", config.seed, ...seedRange);
  for (const field of ["steps", "batch", "groups", "checkpointEvery"] as const) checkInteger(field, config[field], 1);
  checkInteger("warmup", config.warmup, 0);
  checkInteger("evalEvery", config.evalEvery, 0);
  checkInteger("evalImages", config.evalImages, ...evalImagesRange);
  checkInteger("scale", config.scale, ...scaleRange);
  if (config.task === "segmentation" && config.scale !== 2) {
    throw wrongField("scale", "must be 2 for segmentation, whose network is made for it", config.scale);
  }
  for (const field of ["lr", "scope"] as const) {
    if (!(Number.isFinite(config[field]) && config[field] > 0))
      throw wrongField(field, "must be above 0 and finite", config[field]);
  }
  if (config.trainable === "offsets" && !(config.task === "segmentation" && hasOffsets(config.upsampler))) {
    const rule = `"offsets" goes with segmentation and an upsampler among ${upsamplerNames.filter(hasOffsets).join(", ")}`;
    throw wrongField("trainable", rule, `${config.task} with ${config.upsampler}`);
  }
  return config;
}

/** Whether it is a DySample, whose offsets can be trained and have groups. */
export function hasOffsets(upsampler: string): boolean {
  return Object.hasOwn(dysampleVariants, upsampler);
}

/** The fields in which two configurations differ. */
export function differences(a: TrainConfig, b: Partial<TrainConfig>): (keyof TrainConfig)[] {
  const fields = Object.keys(a) as (keyof TrainConfig)[];
  return fields.filter((field) => b[field] !== undefined && b[field] !== a[field]);
}

function checkChoice(field: keyof TrainConfig, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw wrongField(field, `must be one of ${choices.join(", ")}`, value);
}

function checkInteger(field: keyof TrainConfig, value: number, least: number, most = 2 ** 31): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  const range = most === 2 ** 31 ? `of at least ${least}` : `in ${least} .. ${most}`;
  throw wrongField(field, `must be an integer ${range}`, value);
}

/**
 * @file The trainer: steps, a log, checkpoints, and at the end an evaluation. A run that was stopped and resumed equals one that
 * was never stopped, to the last bit: everything in a step follows from its number, the weights and the optimiser's state.
 */

import { existsSync } from "node:fs";

import { getDevice, SafetensorsError, setDevice, ValueError } from "@gridgrad/core";
import { Adam, cosineLr, type Module, NonFiniteError, restoreCheckpoint, type StateDict } from "@gridgrad/nn";
import { readCheckpoint, saveCheckpoint, saveWeights, writeFileAtomic } from "@gridgrad/nn/node";

import { writePng } from "../picture/png.ts";
import { compileMs } from "./compileMs.ts";
import { ConfigError, differences, type TrainConfig } from "../tasks/config.ts";
import { lockFolder } from "./folderLock.ts";
import { medianMs, MetricsLog, readSteps, type StepMetrics } from "./metricsLog.ts";
import { RunFolder, RunFolderError } from "./runFolder.ts";
import { readResult, type RunResult } from "./runResult.ts";
import { createTask } from "../tasks/createTask.ts";
import type { Task } from "../tasks/task.ts";
import { describeWeights, loadWeights } from "./weights.ts";

/** Told what happens. All are optional. */
export interface TrainHooks {
  /** The run begins, or goes on after `done` steps. */
  readonly onStart?: (config: TrainConfig, done: number) => void;
  readonly onStep?: (metrics: StepMetrics) => void;
  /** A checkpoint of the state after `step` steps is on the disk. */
  readonly onCheckpoint?: (step: number) => void;
  /** The evaluation has come so far; it begins with 0. */
  readonly onEvaluated?: (images: number) => void;
  /** When it is aborted, the step under way is finished and a checkpoint is written. */
  readonly signal?: AbortSignal;
}

export type TrainOutcome =
  | {
      readonly status: "complete";
      readonly result: RunResult;
      /** Median. */
      readonly msPerStep: number;
      /** With the trained network. */
      readonly task: Task;
      /** False if all was done before this call. */
      readonly trained: boolean;
    }
  | { readonly status: "stopped"; readonly step: number };

/** A step whose gradients are not finite, or too large for Adam. The weights and the checkpoint are those before it. */
export class TrainingError extends Error {
  override name = "TrainingError";
}

export interface ResumeOptions {
  /** How long to wait for another process that is at work in the folder. Default: not at all. */
  readonly patienceMs?: number;
}

export interface TrainOptions extends ResumeOptions {
  /** Replace a run that is there. */
  readonly overwrite?: boolean;
  /** The weights to begin with, all but those of the upsamplers at least. */
  readonly start?: StateDict;
}

/**
 * Starts a run in a folder.
 *
 * @param config - from `resolveConfig`.
 * @param path - the folder, which is made.
 * @throws {RunFolderError} when the folder holds a run and `overwrite` is not set.
 * @throws {FolderInUseError} when another process is at work in the folder.
 * @throws {ConfigError} when the configuration does not fit its upsampler, or `start` the network; nothing is written then.
 * @throws {TrainingError} when a gradient is not finite, or too large for Adam.
 */
export async function train(
  config: TrainConfig,
  path: string,
  hooks: TrainHooks = {},
  { overwrite = false, start, patienceMs }: TrainOptions = {},
): Promise<TrainOutcome> {
  const task = await prepare(config);
  if (start) await loadStart(start, task.model);
  else if (config.trainable === "offsets") {
    throw new ConfigError('config: trainable "offsets" must start from weights of a trained network, got none');
  }
  const folder = new RunFolder(path);
  const saveStart = start && ((path: string) => saveWeights(path, task.model, describeWeights(config)));
  let unlock = existsSync(path) ? await lockFolder(path, { patienceMs }) : null;
  try {
    await folder.begin(config, { overwrite, saveStart });
    unlock ??= await lockFolder(path, { patienceMs }); // a new folder comes with its configuration, and not for a lock
    return await new Training(config, folder, task, hooks).run();
  } finally {
    await unlock?.();
  }
}

/**
 * Goes on with the run in a folder, from its checkpoint, or tells the result of one that is complete.
 *
 * @param given - the caller's idea of its configuration, checked against it.
 * @throws {RunFolderError} when there is no run, `given` contradicts it, or its files do not belong together.
 * @throws {FolderInUseError} when another process is at work in the folder.
 * @throws {TrainingError} when a gradient is not finite, or too large for Adam.
 */
export async function resume(
  path: string,
  given: Partial<TrainConfig> = {},
  hooks: TrainHooks = {},
  { patienceMs }: ResumeOptions = {},
): Promise<TrainOutcome> {
  const folder = new RunFolder(path);
  await folder.readConfig(); // where there is no run, nothing is made
  const unlock = folder.has("result") ? null : await lockFolder(path, { patienceMs });
  try {
    const config = await folder.resume(given);
    return await new Training(config, folder, await prepare(config), hooks).run();
  } finally {
    await unlock?.();
  }
}

/** Loads weights to start from; those of an upsampler that they lack stay as the model has them. */
async function loadStart(start: StateDict, model: Module): Promise<void> {
  const own = await model.stateDict();
  const wrong = [
    ...Object.keys(start).filter((name) => !Object.hasOwn(own, name)),
    ...Object.keys(own).filter((name) => !Object.hasOwn(start, name) && !ofUpsampler.test(name)),
  ];
  if (wrong.length > 0) {
    throw new ConfigError(
      `train: weights to start from must have the names of the network, but for its upsamplers, got others: ${wrong.join(", ")}`,
    );
  }
  try {
    model.loadStateDict({ ...own, ...start });
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new ConfigError(`train: weights to start from must fit the network, but ${error.message}`, { cause: error });
  }
}

/** The task, on its device, which stays the current one: the trained weights are on it. Rejects when the device is missing. */
async function prepare(config: TrainConfig): Promise<Task> {
  if (getDevice().name !== config.device) setDevice(config.device);
  await getDevice().ready?.();
  return createTask(config);
}

/** Pictures of an evaluation on the way: enough to see a curve, and little beside the steps between two. */
export const imagesOnTheWay = 64;

/** Names of what belongs to an upsampler of the network. */
const ofUpsampler = /^up\d\./;

class Training {
  readonly #config: TrainConfig;
  readonly #folder: RunFolder;
  readonly #task: Task;
  readonly #hooks: TrainHooks;
  readonly #optimizer: Adam;

  constructor(config: TrainConfig, folder: RunFolder, task: Task, hooks: TrainHooks) {
    this.#config = config;
    this.#folder = folder;
    this.#task = task;
    this.#hooks = hooks;
    this.#optimizer = new Adam(task.parameters, { lr: config.lr });
  }

  async run(): Promise<TrainOutcome> {
    const done = await this.#restore();
    if (this.#folder.has("result")) return this.#complete(false);
    this.#hooks.onStart?.(this.#config, done);
    const log = await MetricsLog.open(this.#folder.file("metrics"), done);
    try {
      const step = await this.#steps(done, log);
      if (step < this.#config.steps) return { status: "stopped", step };
      return await this.#finish(log);
    } catch (error) {
      if (error instanceof Stopped) return { status: "stopped", step: this.#optimizer.steps };
      throw error;
    } finally {
      await log.close();
    }
  }

  /** Loads the checkpoint, if there is one, and returns how many steps it is after. */
  async #restore(): Promise<number> {
    const path = this.#folder.file("checkpoint");
    if (!this.#folder.has("checkpoint")) {
      await this.#begin();
      return 0;
    }
    try {
      const checkpoint = await readCheckpoint(path);
      const changed = differences(this.#config, (checkpoint.extra ?? {}) as Partial<TrainConfig>);
      if (changed.length > 0) {
        throw new ValueError("checkpoint", "it must be of the run in config.json", `other ${changed.join(", ")}`);
      }
      restoreCheckpoint(checkpoint, { model: this.#task.model, optimizer: this.#optimizer });
      return checkpoint.step;
    } catch (error) {
      if (!(error instanceof SafetensorsError || error instanceof ValueError)) throw error;
      throw new RunFolderError(
        `${path} must be the checkpoint that the run wrote, but: ${error.message}. Without this file the run resumes ` +
          "from its beginning",
        { cause: error },
      );
    }
  }

  /** Loads the weights that the run begins with, if they are not drawn. */
  async #begin(): Promise<void> {
    const path = this.#folder.file("start");
    if (this.#folder.has("start")) await loadWeights(this.#task.model, path);
    else if (this.#config.trainable === "offsets") {
      throw new RunFolderError(
        `${path} must hold the weights that the run begins with, but it is not there; start again (--overwrite)`,
      );
    }
  }

  /** Trains up to the last step, or to the one under way when the signal is aborted, and returns its number. */
  async #steps(done: number, log: MetricsLog): Promise<number> {
    const { lr, steps, warmup, checkpointEvery, evalEvery } = this.#config;
    const half = Math.ceil(steps / 2);
    const rate = cosineLr({ lr, steps, warmup });
    for (let t = done; t < steps; t++) {
      const start = performance.now() - compileMs();
      this.#optimizer.lr = rate(t);
      const { loss, gradNorm } = await this.#step(t, log);
      const ms = Math.round((performance.now() - compileMs() - start) * 100) / 100;
      const metrics: StepMetrics = { step: t + 1, loss, lr: this.#optimizer.lr, gradNorm, ms };
      await log.write(metrics);
      // Both come before the checkpoint: a run that goes on from it has them.
      if (t + 1 === half)
        await saveWeights(this.#folder.file("halfway"), this.#task.model, describeWeights(this.#config));
      if (evalEvery > 0 && (t + 1) % evalEvery === 0 && t + 1 < steps) await this.#validate(t + 1, log);
      const stop = this.#hooks.signal?.aborted ?? false;
      if (stop || (t + 1) % checkpointEvery === 0 || t + 1 === steps) await this.#saveCheckpoint(log);
      this.#hooks.onStep?.(metrics);
      if (stop) return t + 1;
    }
    return steps;
  }

  async #step(t: number, log: MetricsLog): Promise<{ loss: number; gradNorm: number }> {
    try {
      return await this.#optimizer.step(this.#task.loss(t));
    } catch (error) {
      if (!(error instanceof NonFiniteError)) throw error;
      await this.#saveCheckpoint(log);
      const { loss, gradNorm } = error.result;
      throw new TrainingError(
        `step ${t + 1}: gradients must be finite, and so must their squares, got loss ${loss} and gradient norm ${gradNorm}. The state ` +
          `after step ${t} is in ${this.#folder.file("checkpoint")}; resuming would meet the same numbers again, so start ` +
          `a run with a smaller learning rate, such as --lr ${Number((this.#config.lr / 3).toPrecision(1))}`,
        { cause: error },
      );
    }
  }

  /** An evaluation on the way. It leaves no trace in the weights, so a run with others ends the same. */
  async #validate(step: number, log: MetricsLog): Promise<void> {
    const images = Math.min(imagesOnTheWay, this.#config.evalImages);
    await log.write({ step, validation: await this.#task.evaluate({ images }) });
  }

  async #saveCheckpoint(log: MetricsLog): Promise<void> {
    await log.sync(); // a checkpoint without the lines of its steps would leave a gap in the log
    const run = { model: this.#task.model, optimizer: this.#optimizer };
    await saveCheckpoint(this.#folder.file("checkpoint"), run, this.#optimizer.steps, this.#config);
    this.#hooks.onCheckpoint?.(this.#optimizer.steps);
  }

  async #finish(log: MetricsLog): Promise<TrainOutcome> {
    const { model, upsamplerParameters } = this.#task;
    const { task, upsampler, steps } = this.#config;
    this.#hooks.onEvaluated?.(0);
    const start = performance.now() - compileMs();
    const metrics = await this.#task.evaluate({
      onEvaluated: (images) => {
        this.#hooks.onEvaluated?.(images);
        if (this.#hooks.signal?.aborted) throw new Stopped();
      },
    });
    const evaluationMs = performance.now() - compileMs() - start;
    await log.write({ step: steps, evaluation: metrics });
    await saveWeights(this.#folder.file("weights"), model, describeWeights(this.#config));
    await writePng(this.#folder.file("strip"), await this.#task.strip());
    const parameters = model.parameterCount;
    const stepMs = (await readSteps(this.#folder.file("metrics"))).reduce((total, { ms }) => total + ms, 0);
    const took = { seconds: Math.round(stepMs + evaluationMs) / 1000, ended: new Date().toISOString() };
    const result: RunResult = { task, upsampler, steps, parameters, upsamplerParameters, metrics, took };
    await writeFileAtomic(this.#folder.file("result"), `${JSON.stringify(result, null, 2)}\n`);
    return this.#complete(true);
  }

  async #complete(trained: boolean): Promise<TrainOutcome> {
    const result = await readResult(this.#folder, this.#config);
    const msPerStep = medianMs(await readSteps(this.#folder.file("metrics")));
    return { status: "complete", result, msPerStep, task: this.#task, trained };
  }
}

/** Thrown out of an evaluation that is to stop. */
class Stopped extends Error {}

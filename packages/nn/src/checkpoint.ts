/**
 * @file Checkpoints: everything that a run needs to go on as if it had not stopped, in one safetensors file.
 *
 *     model.<name>               parameters and buffers
 *     optimizer.<state>.<name>   the optimiser's tensors of that parameter
 *     metadata                   format, step, state of the random stream, optimiser's kind and options, and `extra`
 */

import {
  decodeSafetensors,
  encodeSafetensors,
  entryToTensor,
  type Random,
  readValues,
  sameShape,
  type SafetensorsEntry,
  SafetensorsError,
  type Tensor,
  ValueError,
  valuesToEntry,
} from "@gridgrad/core";

import type { Module, StateDict } from "./module.ts";
import type { Optimizer } from "./optimizer.ts";

const format = "gridgrad-checkpoint-1";

/** What belongs to a run. */
export interface Run {
  readonly model: Module;
  readonly optimizer?: Optimizer;
  readonly random?: Random;
}

export interface Checkpoint {
  /** Training steps done. */
  readonly step: number;
  /** Plain data of the program's own, such as its configuration. */
  readonly extra: unknown;
  readonly model: StateDict;
  readonly optimizer: {
    readonly kind: string;
    readonly steps: number;
    readonly lr: number;
    readonly hyperparameters: unknown;
  } | null;
  readonly optimizerState: StateDict;
  readonly randomState: number | null;
}

/** The bytes of a checkpoint of `run` after `step` steps. Equal states give equal bytes. */
export async function encodeCheckpoint(
  { model, optimizer, random }: Run,
  step: number,
  extra: unknown = null,
): Promise<Uint8Array> {
  const tensors: Record<string, SafetensorsEntry> = {};
  for (const [name, entry] of Object.entries(await model.stateDict())) tensors[`model.${name}`] = entry;
  if (optimizer) {
    for (const [name, parameter] of model.namedParameters()) {
      for (const [key, t] of Object.entries(optimizer.state.get(parameter) ?? {})) {
        tensors[`optimizer.${key}.${name}`] = valuesToEntry(t.shape, await readValues(t));
      }
    }
  }
  const metadata: Record<string, string> = { format, step: String(step), extra: JSON.stringify(extra) };
  if (random) metadata.random = String(random.state);
  if (optimizer) {
    const { lr, steps, hyperparameters } = optimizer;
    metadata.optimizer = JSON.stringify({ kind: optimizer.constructor.name, steps, lr, hyperparameters });
  }
  return encodeSafetensors(tensors, metadata);
}

/**
 * Reads a checkpoint. Nothing is changed until `restoreCheckpoint`.
 *
 * @throws {SafetensorsError} when the bytes are no safetensors file, or one that is no checkpoint.
 */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes);
  if (metadata.format !== format) {
    throw new SafetensorsError(
      `checkpoint: metadata must have format "${format}", got ${JSON.stringify(metadata.format ?? null)} (weights without a run?)`,
    );
  }
  const below = (prefix: string): StateDict =>
    Object.fromEntries(
      Object.entries(tensors).flatMap(([name, entry]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), entry]] : [],
      ),
    );
  const step = Number(metadata.step);
  if (!Number.isSafeInteger(step) || step < 0) {
    throw new SafetensorsError(
      `checkpoint: step must be an integer of at least 0, got ${JSON.stringify(metadata.step ?? null)}`,
    );
  }
  return {
    step,
    extra: parse("extra", metadata.extra ?? "null"),
    model: below("model."),
    optimizer: parse("optimizer", metadata.optimizer ?? "null") as Checkpoint["optimizer"],
    optimizerState: below("optimizer."),
    randomState: metadata.random === undefined ? null : Number(metadata.random),
  };
}

/**
 * Puts a checkpoint's values into `run`: the run goes on bit by bit as the one that wrote it. Everything is checked before
 * anything is changed, except that the model checks its own names and shapes as it loads.
 *
 * @throws {ValueError} when the checkpoint lacks what the run has, or was written with another optimiser or other options.
 */
export function restoreCheckpoint(checkpoint: Checkpoint, { model, optimizer, random }: Run): void {
  const states = optimizer ? optimizerStates(checkpoint, model, optimizer) : null;
  if (random && checkpoint.randomState === null) {
    throw new ValueError("restoreCheckpoint", "the checkpoint must hold the state of the random stream", "none");
  }
  model.loadStateDict(checkpoint.model);
  if (optimizer && states) {
    optimizer.state.clear();
    // By parameter and not by tensor: loading has just replaced the tensors.
    for (const [name, parameter] of model.namedParameters()) {
      const state = states.get(name);
      if (state) optimizer.state.set(parameter, state);
    }
    optimizer.steps = checkpoint.optimizer!.steps;
    optimizer.lr = checkpoint.optimizer!.lr;
  }
  if (random) random.state = checkpoint.randomState!;
}

function optimizerStates(
  checkpoint: Checkpoint,
  model: Module,
  optimizer: Optimizer,
): Map<string, Record<string, Tensor>> {
  const own = { kind: optimizer.constructor.name, hyperparameters: optimizer.hyperparameters };
  const { kind, hyperparameters } = checkpoint.optimizer ?? { kind: "none", hyperparameters: {} };
  if (kind !== own.kind || JSON.stringify(hyperparameters) !== JSON.stringify(own.hyperparameters)) {
    throw new ValueError(
      "restoreCheckpoint",
      `the optimiser must be the one that the checkpoint was written with, ${kind} ${JSON.stringify(hyperparameters)}`,
      `${own.kind} ${JSON.stringify(own.hyperparameters)}`,
    );
  }
  const parameters = model.namedParameters();
  const states = new Map<string, Record<string, Tensor>>();
  for (const [key, entry] of Object.entries(checkpoint.optimizerState)) {
    const dot = key.indexOf(".");
    const name = key.slice(dot + 1);
    const parameter = parameters.get(name);
    if (!parameter || !sameShape(parameter.shape, entry.shape)) {
      const has = parameter ? `one of shape [${parameter.shape.join(", ")}]` : "none of that name";
      throw new ValueError(
        "restoreCheckpoint",
        `the model must have a parameter ${name} of shape [${entry.shape.join(", ")}]`,
        has,
      );
    }
    states.set(name, { ...states.get(name), [key.slice(0, dot)]: entryToTensor(entry) });
  }
  return states;
}

function parse(key: string, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new SafetensorsError(
      `checkpoint: metadata ${key} must be JSON, got text that is not: ${(error as Error).message}`,
    );
  }
}

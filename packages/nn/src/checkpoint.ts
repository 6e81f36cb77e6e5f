/**
 * @file Checkpoints: everything that a run needs to go on as if it had not stopped, in one safetensors file.
 *
 *     model.<name>               parameters and buffers
 *     optimizer.<state>.<name>   the optimiser's tensors of that parameter; its steps are the state `step`
 *     metadata                   format, step, state of the random stream, optimiser's kind and options, and `extra`
 */

import {
  checkOptions,
  decodeSafetensors,
  encodeSafetensors,
  full,
  type OptionNames,
  type Random,
  release,
  type SafetensorsEntry,
  SafetensorsError,
  sameShape,
  showJson,
  type Tensor,
  ValueError,
} from "@gridgrad/core";

import { checkModule } from "./checkModule.ts";
import { entryToLeaf, type Module, readEntries, type StateDict } from "./module.ts";
import type { Optimizer, ParameterState } from "./optimizer.ts";
import type { Parameter } from "./slot.ts";

const format = "gridgrad-checkpoint-1";

/** What belongs to a run. */
export interface Run {
  readonly model: Module;
  readonly optimizer?: Optimizer;
  readonly random?: Random;
}

const runParts: OptionNames<Run> = { model: 1, optimizer: 1, random: 1 };

/** A checkpoint as it was read: plain data, and in nobody's hands yet. */
export interface Checkpoint {
  /** Training steps done. */
  readonly step: number;
  /** Plain data of the program's own, such as its configuration. */
  readonly extra: unknown;
  readonly model: StateDict;
  readonly optimizer: StoredOptimizer | null;
  readonly optimizerState: StateDict;
  readonly randomState: number | null;
}

/** What a checkpoint holds of an optimiser besides its tensors. */
export interface StoredOptimizer {
  readonly kind: string;
  readonly steps: number;
  readonly lr: number;
  readonly hyperparameters: unknown;
}

/**
 * The bytes of a checkpoint of `run`, all of the moment of the call. Equal states give equal bytes.
 *
 * @param step - training steps done.
 * @param extra - plain data of the program's own, such as its configuration: what JSON can hold.
 * @throws {ValueError} when `step` is not a count, or the optimiser has a parameter that the model has not.
 *
 * @example
 * ```ts
 * const model = new Linear(2, 1);
 * const checkpoint = decodeCheckpoint(await encodeCheckpoint({ model }, 7, { width: 2 }));
 * checkpoint.step; // 7
 * checkpoint.extra; // { width: 2 }
 * restoreCheckpoint(checkpoint, { model });
 * ```
 */
export async function encodeCheckpoint(run: Run, step: number, extra: unknown = null): Promise<Uint8Array> {
  const { model, optimizer, random } = checkOptions("encodeCheckpoint()", runParts, run);
  checkModule("encodeCheckpoint", model);
  if (!isCount(step)) throw new ValueError("encodeCheckpoint", "step must be an integer of at least 0", String(step));
  const metadata: Record<string, string> = { format, step: String(step), extra: JSON.stringify(extra) };
  if (random) metadata.random = String(random.state);
  const tensors = new Map<string, Tensor>();
  for (const [name, slot] of model.namedSlots()) tensors.set(`model.${name}`, slot.tensor);
  if (optimizer) {
    const { kind, lr, steps, hyperparameters } = optimizer;
    metadata.optimizer = JSON.stringify({ kind, steps, lr, hyperparameters });
    const parameters = model.namedParameters();
    const known = new Set(parameters.values());
    const stranger = optimizer.parameters.find((p) => !known.has(p));
    if (stranger) {
      const rule = "the model must hold every parameter of the optimiser, or its values would be lost";
      throw new ValueError("encodeCheckpoint", rule, `another one of shape [${stranger.shape.join(", ")}]`);
    }
    for (const [name, parameter] of parameters) {
      const state = optimizer.state.get(parameter);
      if (!state) continue;
      tensors.set(`optimizer.step.${name}`, full([], state.steps, { dtype: "int32" }));
      for (const [key, t] of Object.entries(state.tensors)) tensors.set(`optimizer.${key}.${name}`, t);
    }
  }
  return encodeSafetensors(await readEntries(tensors), metadata);
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
      `checkpoint: metadata must have format "${format}", got ${showJson(metadata.format ?? null)} (weights without a run?)`,
    );
  }
  const below = (prefix: string): StateDict =>
    Object.fromEntries(
      Object.entries(tensors).flatMap(([name, entry]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), entry]] : [],
      ),
    );
  const step = numberOf(metadata.step);
  if (!isCount(step)) {
    throw new SafetensorsError(
      `checkpoint: step must be an integer of at least 0, got ${JSON.stringify(metadata.step ?? null)}`,
    );
  }
  return {
    step,
    extra: parse("extra", metadata.extra ?? "null"),
    model: below("model."),
    optimizer: checkOptimizer(parse("optimizer", metadata.optimizer ?? "null")),
    optimizerState: below("optimizer."),
    randomState: checkRandom(metadata.random),
  };
}

/**
 * Puts a checkpoint's values into `run`: the run goes on bit by bit as the one that wrote it. Everything is checked before
 * anything is changed.
 *
 * @throws {ValueError} when the checkpoint lacks what the run has, or was written with another optimiser or other options.
 */
export function restoreCheckpoint(checkpoint: Checkpoint, run: Run): void {
  const { model, optimizer, random } = checkOptions("restoreCheckpoint(checkpoint)", runParts, run);
  checkModule("restoreCheckpoint", model);
  const states = optimizer ? optimizerStates(checkpoint, model, optimizer) : null;
  if (random && checkpoint.randomState === null) {
    throw new ValueError("restoreCheckpoint", "the checkpoint must hold the state of the random stream", "none");
  }
  model.loadStateDict(checkpoint.model); // checks its own names and shapes before it changes anything
  if (optimizer && states) {
    for (const { tensors } of optimizer.state.values()) {
      for (const t of Object.values(tensors)) release(t, "it was optimiser state that a checkpoint has replaced");
    }
    optimizer.state.clear();
    for (const [parameter, state] of states) optimizer.state.set(parameter, state);
    optimizer.steps = checkpoint.optimizer!.steps;
    optimizer.lr = checkpoint.optimizer!.lr;
  }
  if (random) random.state = checkpoint.randomState!;
}

function optimizerStates(checkpoint: Checkpoint, model: Module, optimizer: Optimizer): Map<Parameter, ParameterState> {
  const { kind, hyperparameters } = checkpoint.optimizer ?? { kind: "none", hyperparameters: {} };
  const written = `${kind} ${JSON.stringify(hyperparameters)}`;
  const own = `${optimizer.kind} ${JSON.stringify(optimizer.hyperparameters)}`;
  if (written !== own) {
    const rule = `the optimiser must be the one that the checkpoint was written with, ${written}`;
    throw new ValueError("restoreCheckpoint", rule, own);
  }
  const byName = new Map<string, Record<string, SafetensorsEntry>>();
  for (const [key, entry] of Object.entries(checkpoint.optimizerState)) {
    const dot = key.indexOf("."); // names of states have none, names of parameters may
    const name = key.slice(dot + 1);
    byName.set(name, { ...byName.get(name), [key.slice(0, dot)]: entry });
  }
  const parameters = model.namedParameters();
  const states = new Map<Parameter, ParameterState>();
  for (const [name, { step, ...entries }] of byName) {
    const parameter = parameters.get(name);
    const steps = Number(step?.values[0]);
    const names = Object.keys(entries).sort().join(", ");
    if (!isCount(steps) || names !== [...optimizer.stateNames].sort().join(", ")) {
      const rule = `the state of ${name} must hold step${optimizer.stateNames.map((key) => `, ${key}`).join("")}`;
      throw new ValueError("restoreCheckpoint", rule, `step ${steps} and ${names === "" ? "nothing else" : names}`);
    }
    for (const { shape } of Object.values(entries)) {
      if (parameter && sameShape(parameter.shape, shape)) continue;
      const has = parameter ? `one of shape [${parameter.shape.join(", ")}]` : "none of that name";
      const rule = `the model must have a parameter ${name} of shape [${shape.join(", ")}]`;
      throw new ValueError("restoreCheckpoint", rule, has);
    }
    if (parameter) states.set(parameter, { steps, tensors: leaves(entries, parameter) });
  }
  return states;
}

/** As tensors of the parameter's element type, into which the model converts its values, too. */
function leaves(entries: Readonly<Record<string, SafetensorsEntry>>, parameter: Parameter): Record<string, Tensor> {
  const { dtype } = parameter.tensor;
  return Object.fromEntries(Object.entries(entries).map(([key, entry]) => [key, entryToLeaf(entry, dtype)]));
}

function isCount(n: unknown): n is number {
  return Number.isSafeInteger(n) && (n as number) >= 0;
}

function checkOptimizer(stored: unknown): StoredOptimizer | null {
  if (stored === null) return null;
  const { kind, steps, lr } = Object(stored) as Record<string, unknown>;
  if (typeof kind === "string" && isCount(steps) && Number.isFinite(lr)) return stored as StoredOptimizer;
  throw new SafetensorsError(
    `checkpoint: metadata optimizer must have kind, steps and lr, got ${JSON.stringify(stored)}`,
  );
}

function checkRandom(text: string | undefined): number | null {
  if (text === undefined) return null;
  const state = numberOf(text);
  if (isCount(state) && state < 2 ** 32) return state;
  throw new SafetensorsError(
    `checkpoint: metadata random must be an integer in [0, 2^32), got ${JSON.stringify(text)}`,
  );
}

/** The number that digits stand for, and NaN for any other text: `Number("")` would be 0. */
function numberOf(text = ""): number {
  return /^\d+$/.test(text) ? Number(text) : NaN;
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

/**
 * @file Trained weights and where they come from: a run folder, the weights file or checkpoint in it, or any safetensors file.
 * The files that a run writes say in their metadata which network they are of.
 */

import { existsSync, statSync } from "node:fs";

import { SafetensorsError, ValueError } from "@gridgrad/core";
import type { Module, StateDict } from "@gridgrad/nn";
import { readStateDict } from "@gridgrad/nn/node";

import type { TrainConfig } from "../tasks/config.ts";
import { RunFolder } from "./runFolder.ts";

/** What one has to know to make a network that weights fit. */
export type Network = Pick<TrainConfig, "task" | "upsampler" | "groups" | "scale" | "scope">;

export interface Weights {
  readonly state: StateDict;
  /** `null` for a file that does not say. */
  readonly network: Network | null;
  /** The file that was read. */
  readonly file: string;
}

/** Weights that cannot be read or do not fit. */
export class WeightsError extends Error {
  override name = "WeightsError";
}

/** The metadata of a weights file. */
export function describeWeights({ task, upsampler, groups, scale, scope }: Network): Record<string, string> {
  return { gridgrad: JSON.stringify({ task, upsampler, groups, scale, scope }) };
}

/**
 * Reads the weights of a run, from its checkpoint where it is not complete, or of a file.
 *
 * @throws {WeightsError} when there is nothing at `path`, a run without weights yet, or a weight that is not finite.
 * @throws {RunFolderError} when `path` is a folder but not of a run.
 * @throws {SafetensorsError} when the file is damaged.
 */
export async function readWeights(path: string): Promise<Weights> {
  if (!existsSync(path)) {
    throw new WeightsError(`${path} must be a run folder or a safetensors file, but there is nothing; check the path`);
  }
  if (!statSync(path).isDirectory()) {
    const { tensors, metadata } = await readFinite(path);
    return { state: tensors, network: networkOf(path, metadata), file: path };
  }
  const folder = new RunFolder(path);
  const { task, upsampler, groups, scale, scope } = await folder.readConfig();
  const name = folder.has("weights") ? "weights" : "checkpoint";
  if (!folder.has(name)) {
    throw new WeightsError(`${path} must have weights, but the run has not come to its first checkpoint; resume it`);
  }
  const file = folder.file(name);
  const { tensors } = await readFinite(file);
  return { state: tensors, network: { task, upsampler, groups, scale, scope }, file };
}

/**
 * Puts the weights of a file into a network.
 *
 * @throws {WeightsError} when a name or a shape does not fit, or a weight is not finite.
 * @throws {SafetensorsError} when the file is damaged.
 */
export async function loadWeights(network: Module, file: string): Promise<void> {
  const { tensors } = await readFinite(file);
  try {
    network.loadStateDict(tensors);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const problem = `${file} must have the weights of its run's network, but ${error.message}`;
    throw new WeightsError(`${problem}; put the run's own file back, or train it again (--overwrite)`, {
      cause: error,
    });
  }
}

/** Reads weights. What a network says of which one is not finite is no picture and no class. */
async function readFinite(file: string): ReturnType<typeof readStateDict> {
  const read = await readStateDict(file);
  for (const [name, { values }] of Object.entries(read.tensors)) {
    if (!(values instanceof Float32Array || values instanceof Float64Array)) continue;
    const wrong = values.find((value) => !Number.isFinite(value));
    if (wrong === undefined) continue;
    throw new WeightsError(
      `${file} must have finite weights, got ${wrong} in ${name}; the training that it is from has diverged, or it is damaged`,
    );
  }
  return read;
}

/** A weights file has an entry of its own, a checkpoint its run's configuration. */
function networkOf(path: string, metadata: Readonly<Record<string, string>>): Network | null {
  const json = metadata.gridgrad ?? metadata.extra;
  if (json === undefined) return null;
  try {
    const { task, upsampler, groups, scale, scope } = JSON.parse(json) as Network;
    return { task, upsampler, groups, scale, scope };
  } catch (error) {
    throw new SafetensorsError(`${path}: its metadata must say in JSON which network it is of: ${String(error)}`);
  }
}

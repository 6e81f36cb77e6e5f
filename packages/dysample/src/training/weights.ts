/**
 * @file Trained weights and where they come from: a run folder, the weights file or checkpoint in it, or any safetensors file.
 * The files that a run writes say in their metadata which network they are of.
 */

import { existsSync, statSync } from "node:fs";

import { SafetensorsError } from "@gridgrad/core";
import type { StateDict } from "@gridgrad/nn";
import { readStateDict } from "@gridgrad/nn/node";

import type { TrainConfig } from "./config.ts";
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
 * @throws {WeightsError} when there is nothing at `path`, or a run without weights yet.
 * @throws {RunFolderError} when `path` is a folder but not of a run.
 * @throws {SafetensorsError} when the file is damaged.
 */
export async function readWeights(path: string): Promise<Weights> {
  if (!existsSync(path)) {
    throw new WeightsError(`${path} must be a run folder or a safetensors file, but there is nothing; check the path`);
  }
  if (!statSync(path).isDirectory()) {
    const { tensors, metadata } = await readStateDict(path);
    return { state: tensors, network: networkOf(path, metadata), file: path };
  }
  const folder = new RunFolder(path);
  const { task, upsampler, groups, scale, scope } = await folder.readConfig();
  const name = folder.has("weights") ? "weights" : "checkpoint";
  if (!folder.has(name)) {
    throw new WeightsError(`${path} must have weights, but the run has not come to its first checkpoint; resume it`);
  }
  const file = folder.file(name);
  return { state: (await readStateDict(file)).tensors, network: { task, upsampler, groups, scale, scope }, file };
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

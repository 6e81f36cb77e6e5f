/** @file @gridgrad/nn/node: models and checkpoints on disk, and how files are read and written there. */

import {
  checkOptions,
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsEntry,
  SafetensorsError,
  type SafetensorsFile,
  ValueError,
} from "@gridgrad/core";

import { checkModule } from "./checkModule.ts";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, type Run } from "./checkpoint.ts";
import { loadOptions, type LoadOptions, type LoadResult, type Module, type StateDict } from "./module.ts";
import { readWhole } from "./readWhole.node.ts";
import { writeFileAtomic } from "./replaceFile.node.ts";

export { FileError, fileProblem, isMissing } from "./fileError.node.ts";
export { makeFolder, makeWritableFolder } from "./makeFolder.node.ts";
export { readWhole } from "./readWhole.node.ts";
export { isStandardOutput, replaceFile, temporaryName, writeFileAtomic } from "./replaceFile.node.ts";

/**
 * Writes the parameters and buffers of `model` as a safetensors file that PyTorch can load.
 *
 * @param metadata - strings to store beside the tensors.
 * @throws {FileError} when that is not possible; the former file, if there was one, is untouched then.
 */
export async function saveWeights(
  path: string,
  model: Module,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  checkModule("saveWeights", model);
  const state = Object.entries(await model.stateDict()).map(([name, entry]) => [name, withInt64(entry)] as const);
  await writeFileAtomic(path, encodeSafetensors(Object.fromEntries(state), { format: "pt", ...metadata }));
}

/** PyTorch's integers have 64 bits, such as a batch norm's counter. */
function withInt64(entry: SafetensorsEntry): SafetensorsEntry {
  if (!(entry.values instanceof Int32Array)) return entry;
  return { ...entry, dtype: "I64", values: BigInt64Array.from(entry.values, BigInt) };
}

/**
 * Loads parameters and buffers from a safetensors file: weights, from here or from Python, or a checkpoint.
 *
 * @returns the names that only one of the two has, which `{ strict: false }` allows.
 * @throws {SafetensorsError} when the file breaks the format, or is a `.pth` file of PyTorch.
 * @throws {ValueError} when names or shapes do not fit; nothing is changed then. Both messages begin with the path.
 */
export async function loadWeights(path: string, model: Module, options?: LoadOptions): Promise<LoadResult> {
  checkModule("loadWeights", model);
  checkOptions("loadWeights(path, model)", loadOptions, options, arguments);
  const { tensors } = await readStateDict(path);
  return named(path, () => model.loadStateDict(tensors, options));
}

/**
 * The tensors and metadata of a weights file or, without their prefix, those of the model in a checkpoint.
 *
 * @throws {SafetensorsError} when the file breaks the format; the message begins with the path.
 */
export async function readStateDict(
  path: string,
): Promise<{ tensors: StateDict; metadata: Readonly<Record<string, string>> }> {
  const bytes = await readWhole(path, { pipes: true });
  const file = named(path, (): SafetensorsFile => decodeSafetensors(bytes));
  if (file.metadata.format?.startsWith("gridgrad-checkpoint")) {
    return { tensors: named(path, () => decodeCheckpoint(bytes)).model, metadata: file.metadata };
  }
  return file;
}

/**
 * Writes a checkpoint of `run` after `step` steps. See `encodeCheckpoint`.
 *
 * @throws {FileError} when that is not possible; the former file, if there was one, is untouched then.
 */
export async function saveCheckpoint(path: string, run: Run, step: number, extra?: unknown): Promise<void> {
  await writeFileAtomic(path, await encodeCheckpoint(run, step, extra));
}

/**
 * Reads a checkpoint. Nothing is changed until `restoreCheckpoint`.
 *
 * @throws {SafetensorsError} when the file is no checkpoint; the message begins with the path.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const bytes = await readWhole(path, { pipes: true });
  return named(path, () => decodeCheckpoint(bytes));
}

/** Puts the path in front of what is wrong with the file. */
function named<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof SafetensorsError || error instanceof ValueError) error.message = `${path}: ${error.message}`;
    throw error;
  }
}

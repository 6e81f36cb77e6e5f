/**
 * @file @gridgrad/nn/node: models and checkpoints on disk. Files are written beside their place and renamed into it, so a crash
 * leaves the former file or the new one, never half of one.
 */

import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import {
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsEntry,
  SafetensorsError,
  type SafetensorsFile,
  ValueError,
} from "@gridgrad/core";

import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, type Run } from "./checkpoint.ts";
import type { LoadOptions, Module, StateDict } from "./module.ts";

/**
 * Writes a file whole or not at all. Missing folders are made.
 *
 * @throws {Error} of the file system; the former file, if there was one, is untouched then.
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(dirname(resolve(path)), { recursive: true });
  await replaceFile(path, bytes);
}

/**
 * Writes a file whole or not at all, into a folder that is there.
 *
 * @throws {Error} of the file system; the former file, if there was one, is untouched then.
 */
export async function replaceFile(path: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = `${resolve(path)}.${randomUUID()}.tmp`;
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(bytes);
      await file.sync(); // or the rename could reach the disk before the contents do
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Writes the parameters and buffers of `model` as a safetensors file that PyTorch can load.
 *
 * @param metadata - strings to store beside the tensors.
 * @throws {Error} of the file system; the former file, if there was one, is untouched then.
 */
export async function saveWeights(
  path: string,
  model: Module,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
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
 * @throws {SafetensorsError} when the file breaks the format.
 * @throws {ValueError} when names or shapes do not fit; nothing is changed then. Both messages begin with the path.
 */
export async function loadWeights(path: string, model: Module, options?: LoadOptions): Promise<void> {
  const { tensors } = await readStateDict(path);
  named(path, () => model.loadStateDict(tensors, options));
}

/**
 * The tensors and metadata of a weights file or, without their prefix, those of the model in a checkpoint.
 *
 * @throws {SafetensorsError} when the file breaks the format; the message begins with the path.
 */
export async function readStateDict(
  path: string,
): Promise<{ tensors: StateDict; metadata: Readonly<Record<string, string>> }> {
  const bytes = await readFile(path);
  const file = named(path, (): SafetensorsFile => decodeSafetensors(bytes));
  if (file.metadata.format?.startsWith("gridgrad-checkpoint")) {
    return { tensors: named(path, () => decodeCheckpoint(bytes)).model, metadata: file.metadata };
  }
  return file;
}

/**
 * Writes a checkpoint of `run` after `step` steps. See `encodeCheckpoint`.
 *
 * @throws {Error} of the file system; the former file, if there was one, is untouched then.
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
  const bytes = await readFile(path);
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

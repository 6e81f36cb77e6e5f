/** @file The files of a run on their way through Redis. */

import { type RunFile, RunFolder } from "@gridgrad/dysample/internal/node";
import { readWhole, writeFileAtomic } from "@gridgrad/nn/node";

/** What a run's files hold, by name: as much as there is. */
export type RunFiles = Readonly<Record<string, Buffer>>;

/**
 * In the order in which they are read, and written. A run under way may write meanwhile. Its checkpoint is read first: the log and
 * the snapshot are written before the checkpoint that includes them, so those that are read later have all that it needs. The
 * result is written last: it says that the run is complete.
 */
const order = [
  "config",
  "start",
  "checkpoint",
  "halfway",
  "metrics",
  "weights",
  "strip",
  "result",
] as const satisfies RunFile[];

/** Reads the files of a run that is complete, or that a checkpoint has just been written of. */
export async function readRunFiles(path: string): Promise<RunFiles> {
  const folder = new RunFolder(path);
  const files: Record<string, Buffer> = {};
  for (const name of order) if (folder.has(name)) files[name] = await readWhole(folder.file(name));
  return files;
}

/** Writes them into the folder of a run, which is made where it is not there. Whenever that ends early, it can be done again. */
export async function writeRunFiles(path: string, files: RunFiles): Promise<void> {
  const folder = new RunFolder(path);
  for (const name of order) if (files[name]) await writeFileAtomic(folder.file(name), files[name]);
}

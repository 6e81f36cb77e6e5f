/**
 * @file One process at a time in a folder. Its lock is a file that names the process that is at work there.
 *
 * Whoever finds the lock of a process that is not there any more, because it was killed, takes its place. Locks that are renewed again and
 * again instead, as packages for that have them, run out during a long step, which lets no timer run.
 */

import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";

/** A folder in which another process is at work: the message says which, and what to do. */
export class FolderInUseError extends Error {
  override name = "FolderInUseError";
}

interface Holder {
  readonly id: string;
  readonly pid: number;
  readonly host: string;
}

const fileName = ".lock";

/** Between two looks at a lock that somebody has. */
const lookEveryMs = 50;

/** A lock that names nobody for longer was left by a process that was killed while it wrote it. */
const namelessMs = 2000;

/** Locks of this process, by id. */
const held = new Set<string>();

/**
 * Takes the lock of a folder, which is made if it is not there.
 *
 * @param options.patienceMs - to wait for a process that is at work there, such as one that is just writing its last checkpoint.
 * @returns what gives it back.
 * @throws {FolderInUseError} when another process has it, or this one.
 */
export async function lockFolder(
  folder: string,
  { patienceMs = 0 }: { patienceMs?: number } = {},
): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true });
  const path = join(resolve(folder), fileName); // a process may change its folder meanwhile
  const own: Holder = { id: randomUUID(), pid: process.pid, host: hostname() };
  for (const start = performance.now(); !(await create(path, own));) {
    const holder = await readHolder(path);
    if (!holder || ((await isLeftOver(path, holder)) && (await removeLeftOver(path, holder)))) continue;
    if (holder !== "nameless" && performance.now() - start >= patienceMs) {
      throw new FolderInUseError(
        `${folder} must not be in use, but process ${holder.pid} on ${holder.host} is at work in it; wait for that, or write ` +
          `elsewhere (--out). Should it be no gridgrad, delete ${join(folder, fileName)}`,
      );
    }
    await new Promise((looked) => setTimeout(looked, lookEveryMs));
  }
  held.add(own.id);
  return async () => {
    held.delete(own.id);
    if (idOf(await readHolder(path)) === own.id) await rm(path, { force: true });
  };
}

/** Whether there was no lock, and now there is this one. */
async function create(path: string, holder: Holder): Promise<boolean> {
  try {
    await writeFile(path, `${JSON.stringify(holder)}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Who has the lock; null where nobody has. */
async function readHolder(path: string): Promise<Holder | "nameless" | null> {
  try {
    const { id, pid, host } = JSON.parse(await readFile(path, "utf8")) as Partial<Holder>;
    return id === undefined || pid === undefined || host === undefined ? "nameless" : { id, pid, host };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    if (error instanceof SyntaxError) return "nameless"; // it is just being written, or was
    throw error;
  }
}

function idOf(holder: Holder | "nameless" | null): string | null {
  return typeof holder === "string" ? holder : (holder?.id ?? null);
}

/** Whether the process that wrote the lock is not there any more. Of other machines nobody can tell. */
async function isLeftOver(path: string, holder: Holder | "nameless"): Promise<boolean> {
  if (holder === "nameless") {
    const written = (await stat(path).catch(() => null))?.mtimeMs ?? -Infinity;
    return Math.abs(Date.now() - written) > namelessMs;
  }
  if (holder.host !== hostname()) return false;
  if (holder.pid === process.pid) return !held.has(holder.id); // of a former process with the same number
  try {
    process.kill(holder.pid, 0); // sends nothing
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** Removes the lock of a process that is gone; false when somebody else was faster, and has taken its place. */
async function removeLeftOver(path: string, holder: Holder | "nameless"): Promise<boolean> {
  const aside = `${path}.${randomUUID()}.tmp`;
  try {
    await rename(path, aside); // of several that try, one can
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  const same = idOf(await readHolder(aside)) === idOf(holder);
  if (same) await rm(aside);
  else await rename(aside, path);
  return same;
}

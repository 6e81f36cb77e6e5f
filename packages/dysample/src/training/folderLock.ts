/**
 * @file One process at a time in a folder. Its lock is a file that names the process that is at work there.
 *
 * Whoever finds the lock of a process that is not there any more, because it was killed, takes its place. Locks that are renewed again and
 * again instead, as packages for that have them, run out during a long step, which lets no timer run.
 *
 * Why no two get in, whenever processes are killed:
 *
 * - Where there is no lock, it is made in one step and with all that it says: a hard link to a file that is complete.
 *   Of several, one can.
 * - A lock that is left over is never deleted to make room, but replaced, in one step, by the one process that has the
 *   right to. The right to replace the lock with id X is the file `.lock.X`, which is made like a lock: of several, one
 *   can.
 * - A right that is left over is inherited the same way: by the one process that can make `.lock.Y`, where Y is its
 *   owner's id.
 * - Who has a right looks once more at the lock, and at the rights that it was inherited through. Ids do not come back.
 *   So if all are as before, they are left over still, nobody else has the right, and until it is used nothing changes.
 *   If not, it is given up.
 */

import { randomUUID } from "node:crypto";
import { link, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { FileError, isMissing, makeFolder } from "@gridgrad/nn/node";

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

/** Names of a lock, and of what else processes make for it. */
export const lockFiles = /^\.lock(\.|$)/;

/** Rights to replace a lock, and files that are about to become a lock or a right. */
const ofAttempt = /^\.lock\.[-\w]{1,80}(\.tmp)?$/;

/** Of what a lock says. */
const beginning = '{"id":"';

/** More than a lock has. */
const mostBytes = 4096;

/** Between two looks at a lock that somebody has. */
const lookEveryMs = 50;

/**
 * A lock that is cut off for longer was left so. Who has a right to one, and does not use it for longer, stands still.
 */
const shortMs = 2000;

/** Ids that processes of this program choose, and names of files are made of. */
const ids = /^[-\w]{1,64}$/;

/** Of this process: those that have a folder, or are about to. */
const living = new Set<string>();

/**
 * Takes the lock of a folder, which is made if it is not there.
 *
 * @param options.patienceMs - to wait for a process that is at work there, such as one that is just writing its last checkpoint.
 * @returns what gives it back.
 * @throws {FolderInUseError} when another process has it, or this one.
 * @throws {FileError} when nothing can be written into the folder.
 */
export async function lockFolder(
  folder: string,
  { patienceMs = 0 }: { patienceMs?: number } = {},
): Promise<() => Promise<void>> {
  await makeFolder(folder);
  const path = join(resolve(folder), fileName); // a process may change its folder meanwhile
  const own: Holder = { id: randomUUID(), pid: process.pid, host: hostname() };
  const claim = new Claim(own, `${path}.${own.id}.tmp`);
  living.add(own.id);
  try {
    await claim.write().catch((error: unknown) => {
      const problem = isMissing(error) ? "nothing can be made in it; write elsewhere (--out)" : error;
      throw new FileError(folder, "a folder to write into", problem);
    });
    for (const start = performance.now(); !(await claim.become(path));) {
      const waited = performance.now() - start;
      const holder = await readHolder(path);
      if (holder === null) continue; // it has just been given back
      if (holder !== "cut off" && holder.id === own.id) break; // the system has reported a failure and done it all the same
      if (await isLeftOver(path, holder)) {
        const replaced = await replaceLeftOver(path, holder, claim);
        if (replaced === true) break;
        if (typeof replaced === "object" && waited >= patienceMs + shortMs) throw inUse(folder, replaced);
      } else if (holder !== "cut off" && waited >= patienceMs) throw inUse(folder, holder);
      await pause(lookEveryMs);
    }
    await sweep(dirname(path)).catch(() => {}); // what stays does no harm
  } catch (error) {
    living.delete(own.id);
    throw error;
  } finally {
    await claim.end();
  }
  return async () => {
    try {
      const holder = await readHolder(path);
      if (holder && idOf(path, holder) === own.id) await rm(path, { force: true });
    } finally {
      living.delete(own.id);
    }
  };
}

function inUse(folder: string, { pid, host }: Holder): FolderInUseError {
  return new FolderInUseError(
    `${folder} must not be in use, but process ${pid} on ${host} is at work in it; wait for that, or write ` +
      `elsewhere (--out). Should it be no gridgrad, delete ${join(folder, fileName)}`,
  );
}

/** What a process wants to be: a file that says who it is, and can become a lock, or a right to one. */
class Claim {
  readonly own: Holder;
  readonly #file: string;

  constructor(own: Holder, file: string) {
    this.own = own;
    this.#file = file;
  }

  async write(): Promise<void> {
    await writeFile(this.#file, this.#text, { flag: "wx" });
  }

  /** Whether there was no such file, and now it is this one. */
  async become(path: string): Promise<boolean> {
    try {
      await link(this.#file, path);
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EEXIST") return false;
      if (code === "ENOENT") throw error; // somebody has deleted the folder
    }
    // On a file system without links the file comes into being first, and what it says after that.
    try {
      await writeFile(path, this.#text, { flag: "wx" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    }
    const holder = await readHolder(path); // another one, where writing has taken too long
    return holder !== null && idOf(path, holder) === this.own.id;
  }

  /** Takes the place of what is there. */
  replace(path: string): Promise<void> {
    return rename(this.#file, path);
  }

  /** Deletes what has become nothing. */
  end(): Promise<void> {
    return rm(this.#file, { force: true });
  }

  get #text(): string {
    return `${JSON.stringify(this.own)}\n`;
  }
}

/**
 * Replaces a lock that is left over.
 *
 * @returns true when that is done, false when things have changed meanwhile, or the process that is about to do it.
 */
async function replaceLeftOver(path: string, dead: Holder | "cut off", claim: Claim): Promise<boolean | Holder> {
  /** The lock, then the rights to replace it, each to the one before; all of them are left over. */
  const chain = [{ file: path, id: idOf(path, dead) }];
  const right = (): string => `${path}.${chain[chain.length - 1].id}`;
  while (!(await claim.become(right()))) {
    const file = right();
    const heir = await readHolder(file);
    if (heir === null) return false; // it has been used, or given up
    if (!(await isLeftOver(file, heir))) return heir === "cut off" ? false : heir;
    const id = idOf(file, heir);
    if (chain.some((each) => each.id === id)) throw notOurs(file); // no process makes a circle
    chain.push({ file, id });
  }
  const asBefore = async ({ file, id }: (typeof chain)[number]): Promise<boolean> => {
    const holder = await readHolder(file);
    return holder !== null && idOf(file, holder) === id && (await isLeftOver(file, holder));
  };
  const own = right();
  try {
    for (const each of chain) if (!(await asBefore(each))) return false;
    await claim.replace(path);
    for (const { file } of chain.slice(1)) await rm(file, { force: true });
    return true;
  } finally {
    await rm(own, { force: true });
  }
}

/**
 * Who has a lock, or a right; null where there is none. One that is cut off is just being written, or was when the
 * machine went down.
 *
 * @throws {FileError} when it is something else.
 */
async function readHolder(path: string): Promise<Holder | "cut off" | null> {
  try {
    const found = await stat(path);
    const text = found.isFile() && found.size <= mostBytes ? await readFile(path, "utf8") : null;
    const holder = text === null ? null : parse(text);
    if (holder) return holder;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  throw notOurs(path);
}

function notOurs(path: string): FileError {
  return new FileError(path, "the lock of a gridgrad", "it is none; delete it, or write elsewhere (--out)");
}

function parse(text: string): Holder | "cut off" | null {
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(text) ?? {};
  } catch {
    return beginning.startsWith(text.slice(0, beginning.length)) ? "cut off" : null;
  }
  const { id, pid, host } = json;
  const named = typeof id === "string" && ids.test(id) && typeof host === "string";
  // Other numbers stand for groups of processes.
  return named && typeof pid === "number" && Number.isInteger(pid) && pid > 0 && pid < 2 ** 31
    ? { id, pid, host }
    : null;
}

/** Of a holder, or of the file that does not tell it. */
function idOf(path: string, holder: Holder | "cut off"): string {
  return holder === "cut off" ? `${basename(path).replaceAll(".", "-")}-cut-off` : holder.id;
}

/** Whether the process that wrote the lock is not there any more. Of other machines nobody can tell. */
async function isLeftOver(path: string, holder: Holder | "cut off"): Promise<boolean> {
  if (holder === "cut off") {
    const written = (await stat(path).catch(() => null))?.mtimeMs ?? Infinity;
    return Math.abs(Date.now() - written) > shortMs && written < Infinity;
  }
  if (holder.host !== hostname()) return false;
  if (holder.pid === process.pid) return !living.has(holder.id); // of a former process with the same number
  try {
    process.kill(holder.pid, 0); // sends nothing
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/**
 * Deletes what killed processes have left of their attempts. Only who has the lock may do it: then nobody can use a
 * right that is left over.
 */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!ofAttempt.test(name)) continue;
    const file = join(folder, name);
    const holder = await readHolder(file).catch(() => null); // what is not ours stays
    if (holder && holder !== "cut off" && (await isLeftOver(file, holder))) await rm(file, { force: true });
  }
}

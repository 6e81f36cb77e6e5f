/**
 * @file Writes files. A file is written beside its place and renamed into it, so a crash leaves the former file or the
 * new one, never half of one. Links stay: what they lead to is replaced. What is no file, such as a pipe or a device,
 * is written into.
 */

import { randomUUID } from "node:crypto";
import { constants, fstatSync, type Stats, statSync } from "node:fs";
import { type FileHandle, open, readlink, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

import { FileError, isSystemError } from "./fileError.node.ts";
import { makeFolder } from "./makeFolder.node.ts";

const rule = "a place to write a file";

/**
 * Of a name that goes on in the name of its temporary file. With the rest that is less than the shortest limit of file
 * systems, 143 bytes.
 */
const keptBytes = 64;

/**
 * Writes a file whole or not at all. Missing folders are made.
 *
 * @throws {FileError} when that is not possible; the former file, if there was one, is untouched then.
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array | string): Promise<void> {
  await makeFolder(dirname(resolve(path)));
  await replaceFile(path, bytes);
}

/**
 * Writes a file whole or not at all, into a folder that is there. It keeps the permissions of the former one. What is
 * no file, such as `/dev/stdout`, is written into.
 *
 * @throws {FileError} when that is not possible; the former file, if there was one, is untouched then.
 */
export async function replaceFile(path: string, bytes: Uint8Array | string): Promise<void> {
  const place = resolve(path); // a process may change its folder meanwhile
  try {
    const former = await stat(place).catch(none);
    if (former?.isDirectory()) throw new FileError(path, rule, "it is a folder; name a file");
    if (former && isStandardOutput(place)) return await print(bytes);
    if (former && !former.isFile()) return await writeInto(place, bytes);
    const target = await endOfLinks(place);
    await (target === null ? writeInto(place, bytes) : replace(target, bytes, former));
  } catch (error) {
    throw isSystemError(error) ? new FileError(path, rule, error) : error;
  }
}

/** Whether what is written to a path comes out of this process's standard output, as with `/dev/stdout`. */
export function isStandardOutput(path: string): boolean {
  try {
    const [file, output] = [statSync(path), fstatSync(1)];
    return file.dev === output.dev && file.ino === output.ino;
  } catch {
    return false; // one of them is not there
  }
}

/**
 * A name for what is to be renamed into `name` when it is complete: in the same folder, found again by its end, and
 * never too long.
 */
export function temporaryName(name: string): string {
  const start = Buffer.from(name)
    .subarray(0, keptBytes)
    .toString()
    .replace(/\ufffd$/, ""); // half a character
  return `${start}.${randomUUID()}.tmp`;
}

/**
 * Where a path leads: links are followed, also to a file that is yet to be written. `null` for a file that has no name
 * any more.
 */
async function endOfLinks(path: string): Promise<string | null> {
  for (let place = path; ;) {
    const real = await realpath(place).catch(none); // links that lead in circles are an error of the system
    if (real !== null) return real;
    const folder = await realpath(dirname(place));
    place = join(folder, basename(place));
    const end = await readlink(place).catch(() => null);
    if (end === null) return place;
    if (await stat(place).catch(none)) return null; // as in /proc: a link to what was deleted and is still open
    place = resolve(folder, end);
  }
}

async function replace(target: string, bytes: Uint8Array | string, former: Stats | null): Promise<void> {
  const temporary = join(dirname(target), temporaryName(basename(target)));
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(bytes);
      if (former) await keepAccess(file, former);
      await file.sync(); // or the rename could reach the disk before the contents do
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Gives a file the owner, where that is allowed, and the permissions of another. */
async function keepAccess(file: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  const own = await file.stat();
  if (own.uid !== uid || own.gid !== gid) await file.chown(uid, gid).catch(() => {});
  await file.chmod(mode & 0o777);
}

/** Writes into what cannot be replaced. */
async function writeInto(path: string, bytes: Uint8Array | string): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_TRUNC); // nothing is made where it has gone meanwhile
  try {
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
}

/** Its end may be a socket, which no path opens. */
function print(bytes: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

/** In place of an error that says that there is nothing. */
function none(error: unknown): null {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
  throw error;
}

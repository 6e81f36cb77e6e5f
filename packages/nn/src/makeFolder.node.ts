/**
 * @file Makes folders. Node's `mkdir` with `recursive` does not end where the system says of a new folder that it does
 * not exist, as below /proc.
 */

import { mkdir, mkdtemp, rmdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { FileError, isMissing } from "./fileError.node.ts";

const rule = "a folder that can be made";

/**
 * Makes a folder, and those that it is in, where they are missing.
 *
 * @throws {FileError} when a file is in the place of one of them, or the system refuses.
 */
export async function makeFolder(path: string): Promise<void> {
  const missing: string[] = [];
  for (let folder = resolve(path); !(await isFolder(folder, path)); folder = dirname(folder)) {
    missing.unshift(folder);
    if (folder === dirname(folder)) break; // a drive that is not there
  }
  for (const folder of missing) {
    try {
      await mkdir(folder);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EEXIST" && (await isFolder(folder, path))) continue; // another process was faster
      const link = code === "EEXIST" ? " is a link that leads nowhere; delete it, or" : ` is refused (${code});`;
      throw new FileError(path, rule, `${folder === resolve(path) ? "it" : folder}${link} name another place`);
    }
  }
}

/**
 * Makes a folder where it is missing, and makes sure that files can be written into it.
 *
 * @throws {FileError} when they cannot.
 */
export async function makeWritableFolder(path: string): Promise<void> {
  await makeFolder(path);
  try {
    await rmdir(await mkdtemp(join(path, "try-")));
  } catch (error) {
    throw new FileError(
      path,
      "a folder to write into",
      isMissing(error) ? "nothing can be made in it; name another" : error,
    );
  }
}

async function isFolder(folder: string, path: string): Promise<boolean> {
  const found = await stat(folder).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw new FileError(path, rule, error);
  });
  if (!found || found.isDirectory()) return found !== null;
  const what = folder === resolve(path) ? "it" : folder;
  throw new FileError(path, rule, `${what} is no folder; name another place`);
}

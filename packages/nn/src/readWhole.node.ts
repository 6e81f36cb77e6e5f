/** @file Reads a file as a whole, and nothing that has no end. */

import type { Stats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";

import { checkOptions } from "@gridgrad/core";

import { FileError, isSystemError } from "./fileError.node.ts";

const rule = "a file that can be read";

/** What a Buffer is read into at once by Node. */
const mostBytes = 2 ** 31 - 1;

/** Far more than a picture or the weights of a network here have, and far less than the memory. */
const mostFromPipe = 2 ** 28;

const chunkBytes = 2 ** 20;

/**
 * The bytes of a file.
 *
 * @param options.pipes - to wait for what comes out of a pipe, too, up to 256 MiB: for files that the user names.
 * @throws {FileError} when it is a folder or a device, or too large.
 * @throws {Error} of the file system, with the path, when it is missing or cannot be opened.
 */
export async function readWhole(path: string, options?: { pipes?: boolean }): Promise<Buffer> {
  const { pipes = false } = checkOptions("readWhole(path)", { pipes: 0 }, options, arguments);
  const found = await stat(path).catch(() => null); // opening it tells what is wrong
  const problem = found && problemOf(found, pipes);
  if (problem) throw new FileError(path, rule, problem);
  const file = await open(path);
  try {
    return found?.isFile() && found.size > 0 ? await file.readFile() : await readToEnd(file, path);
  } catch (error) {
    throw isSystemError(error) ? new FileError(path, rule, error) : error; // such an error does not name the file
  } finally {
    await file.close();
  }
}

function problemOf(found: Stats, pipes: boolean): string | null {
  if (found.isDirectory()) return "it is a folder; name a file";
  if (found.isFIFO()) return pipes ? null : "it is a pipe; save what comes out of it as a file";
  if (!found.isFile()) return "it is a device; name a file";
  return found.size > mostBytes
    ? `it has ${found.size} bytes, more than the ${mostBytes} that fit; name another`
    : null;
}

/** Of what does not say how much it holds. */
async function readToEnd(file: FileHandle, path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let total = 0; ;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, null);
    if (bytesRead === 0) return Buffer.concat(chunks);
    total += bytesRead;
    if (total > mostFromPipe) {
      throw new FileError(path, rule, `it does not end after ${mostFromPipe} bytes; save them as a file first`);
    }
    chunks.push(buffer.subarray(0, bytesRead));
  }
}

/** @file Memory that cannot be had: engines tell it as a RangeError, which names neither the op nor the size. */

import { OutOfMemoryError } from "./errors.ts";
import { formatBytes } from "./formatBytes.ts";

/** What helps where too much is computed at once. */
export const lessMemory = "a smaller batch, size or scale needs less";

/**
 * Runs what asks for memory.
 *
 * @param what - what needs it: `op conv2d with a result of shape [1, 2] in float32`.
 * @param bytes - as many as it needs.
 * @throws {OutOfMemoryError} when they cannot be had.
 *
 * @example
 * ```ts
 * needsMemory(() => "a mask", 4, () => new Uint8Array(4)).length; // 4
 * ```
 */
export function needsMemory<T>(what: () => string, bytes: number, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!lacksMemory(error)) throw error;
    throw new OutOfMemoryError(`${what()} must fit into memory, but needs ${formatBytes(bytes)}; ${lessMemory}`, {
      cause: error,
    });
  }
}

/** Whether an engine has thrown it for want of memory, or because no array can be so long. */
export function lacksMemory(error: unknown): boolean {
  if (error instanceof OutOfMemoryError || !(error instanceof Error)) return false;
  return /array length|(allocation|allocate).*(failed|memory)|out of memory/i.test(error.message);
}

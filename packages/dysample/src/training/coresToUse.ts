/** @file The threads that a process has for computing. */

import { availableParallelism } from "node:os";

/** Threads that this process may use altogether: `GRIDGRAD_THREADS`, else as many as the machine has. */
export function coresToUse(): number {
  return Number(process.env["GRIDGRAD_THREADS"]) || availableParallelism();
}

/**
 * @file How something was made: with which version, in which Node, on which processor, when. It stands beside what was made and is no part
 * of it: nobody compares it, and what was made elsewhere is gone on with here. Files of versions that did not write it lack it.
 */

import { cpus } from "node:os";

import { getDevice, version } from "@gridgrad/core";

import { coresToUse } from "./coresToUse.ts";
import { type Check, count, optional, record, text } from "./writtenFile.ts";

export interface Made {
  /** The version of gridgrad. */
  readonly gridgrad: string;
  readonly node: string;
  /** The model of the processor. */
  readonly cpu: string;
  /** Threads that the process could use. */
  readonly threads: number;
  /** What the device says of itself, such as the name of a graphics card. */
  readonly device?: string;
  /** When it began, in UTC: `2026-03-01T12:00:00.000Z`. */
  readonly date: string;
}

/** Of what is made from now on, on the current device. */
export async function madeHere(): Promise<Made> {
  const device = await getDevice().ready?.();
  return {
    gridgrad: version,
    node: process.versions.node,
    cpu: cpus()[0]?.model.trim() || "unknown", // some systems do not tell
    threads: coresToUse(),
    ...(device !== undefined && { device }),
    date: new Date().toISOString(),
  };
}

export const checkMade: Check<Made> = record<{ [K in keyof Made]: Made[K] }>({
  gridgrad: text,
  node: text,
  cpu: text,
  threads: count,
  device: optional(text),
  date: text,
});

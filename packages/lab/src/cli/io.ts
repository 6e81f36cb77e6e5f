/**
 * @file Where a command prints, and what it leaves to its process. Tests give another one and read it.
 */

import { realpathSync } from "node:fs";
import { dirname } from "node:path";

import type { Paint } from "./colours.ts";
import type { StatusLines } from "./statusLines.ts";

export interface Io {
  /** A line of the result, for the standard output. */
  out(line: string): void;
  /** A line about what is going on, for the standard error. With `quiet` nobody sees it. */
  note(line: string): void;
  /** A line about what is wrong, or about how the command has ended without a result, for the standard error. */
  error(line: string): void;
  /** The lines at the bottom of the terminal, where there is one and `quiet` is not set. All other lines stand above them. */
  readonly terminal: StatusLines | null;
  /** Colours in lines of `out` and of `error`. */
  readonly paint: { readonly out: Paint; readonly error: Paint };
  /** Results and errors only. */
  quiet: boolean;
  /** Aborted when the user asks to stop; `interruptCode` tells the exit code for it. */
  readonly interrupted: () => AbortSignal;
  /** How this program is called, for hints: `gridgrad`. */
  program: string;
  /** What it was called with, as a shell reads it; passwords are not in it. */
  commandLine: string;
  /** Of the process, unless an error sets it: 0. */
  exitCode: number;
}

/** The folder that the user's relative paths start from: npm moves to its package and says where it was called. */
export function callersFolder(env = process.env, cwd = process.cwd()): string {
  const { INIT_CWD, npm_package_json: manifest } = env;
  // Both variables are handed down to any process below, so they count only where npm has moved to.
  if (INIT_CWD === undefined || manifest === undefined || realFolder(dirname(manifest)) !== realFolder(cwd)) return cwd;
  return INIT_CWD;
}

/** The command line that calls this program from that folder, for hints. */
export function callersCommand(env = process.env): string {
  const { npm_lifecycle_event: event, npm_lifecycle_script: script = "" } = env;
  if (event === "gridgrad") return "npm run -s gridgrad --";
  // npx hands its variables down to any process below, so they count only where it was asked for this program.
  return event === "npx" && /^["']?gridgrad\b/.test(script) ? "npx gridgrad" : "gridgrad";
}

function realFolder(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

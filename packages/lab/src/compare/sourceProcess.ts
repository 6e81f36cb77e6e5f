/**
 * @file Processes that run another file of this package and talk to this one over a channel. In the workspace files are TypeScript and
 * have a runner; in an installed package they are JavaScript, and node runs them.
 */

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

const inWorkspace = import.meta.url.endsWith(".ts");

/** Runs a file of the sources, in the workspace: `node runner FILE`. */
export const runner = fileURLToPath(new URL("../../../../scripts/run.mjs", import.meta.url));

/**
 * Starts a file of this package in a process of its own, whose device `cpu` has that many threads.
 *
 * @param program - the file beside `from`, without its extension.
 * @param from - `import.meta.url` of who starts it.
 */
export function forkSource(program: string, from: string, { threads }: { readonly threads: number }): ChildProcess {
  const { GRIDGRAD_QUEUE: _, ...env } = process.env; // its password is none of their business
  const file = fileURLToPath(new URL(`${program}.${inWorkspace ? "ts" : "js"}`, from));
  const [entry, ...args] = inWorkspace ? [runner, file] : [file];
  return fork(entry, args, {
    execArgv: [], // those of this process are not passed on: a debugger's port can be used only once
    env: { ...env, GRIDGRAD_THREADS: String(threads) },
  });
}

/**
 * For a process that `forkSource` has started, at its beginning. Ctrl-C and the end of a terminal reach all of its processes; the parent
 * decides what they mean. And nothing that a warning might have said is worth a run: its reader may be gone.
 */
export function leaveTerminalToParent(): void {
  for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
}

/** How a process ended that did not answer. */
export function endOf(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
}

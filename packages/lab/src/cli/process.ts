/** @file A command in its own process: its streams, its signals, the folder it was called in, and its exit code. */

import type { Writable } from "node:stream";

import { paintFor } from "./colours.ts";
import { callersCommand, callersFolder, type Io } from "./io.ts";
import { interruptSignal } from "./interrupt.ts";
import { OutputStream } from "./outputStream.ts";
import { StatusLines, type Terminal } from "./statusLines.ts";
import { tellError } from "./tellError.ts";

const stopping = "stopping after what is under way (Ctrl-C once more ends at once)";

/** Runs `body` and lets the process end with the exit code that it returns. */
export async function runProcess(body: (io: Io) => Promise<number>): Promise<void> {
  process.chdir(callersFolder());
  // Not process.exit: what was written to a pipe has yet to leave.
  process.exitCode = await runOn(process, body);
}

/** Streams of a process. */
export interface Streams {
  readonly stdout: Writable & Terminal & { readonly isTTY?: boolean };
  readonly stderr: Writable & Terminal & { readonly isTTY?: boolean };
}

/** Runs `body` with its output on these streams, and returns its exit code, or 1 when a part of its result could not be written. */
export async function runOn({ stdout, stderr }: Streams, body: (io: Io) => Promise<number>): Promise<number> {
  const [out, err] = [new OutputStream(stdout), new OutputStream(stderr)];
  const terminal = err.isTerminal && process.env.TERM !== "dumb" ? new StatusLines(stderr) : null;
  const above = (print: () => void): void => (terminal ? terminal.above(print) : print());
  const error = (line: string): void => above(() => err.write(`${line}\n`));
  const io: Io = {
    out(line) {
      const print = (): void => out.write(`${line}\n`);
      if (out.isTerminal) above(print);
      else print();
    },
    note(line) {
      if (!io.quiet) error(line);
    },
    error,
    get terminal() {
      return io.quiet ? null : terminal;
    },
    paint: { out: paintFor(out.isTerminal), error: paintFor(err.isTerminal) },
    quiet: false,
    interrupted: () => interruptSignal(() => io.note(stopping)),
    program: callersCommand(),
    commandLine: "",
    exitCode: 0,
  };
  const code = await body(io);
  terminal?.keep();
  const problem = await out.end();
  if (problem === null) return code;
  tellError(io, `the standard output must take all that is printed, but ${problem.message}`);
  return code === 0 ? 1 : code;
}

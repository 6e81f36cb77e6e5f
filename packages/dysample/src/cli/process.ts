/** @file A command in its own process: its streams, its signals, the folder it was called in, and its exit code. */

import { callersCommand, callersFolder, type Io } from "./io.ts";
import { interruptSignal } from "./interrupt.ts";

const stopping = "stopping after what is under way (Ctrl-C once more ends at once)";

/** Runs `body` and lets the process end with the exit code that it returns. */
export async function runProcess(body: (io: Io) => Promise<number>): Promise<void> {
  process.chdir(callersFolder());
  // The reader of a pipe may leave first, as `head` does: nobody is there to print for.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  const io: Io = {
    out: (line) => process.stdout.write(`${line}\n`),
    note: (line) => process.stderr.write(`${line}\n`),
    terminal: process.stderr.isTTY ? process.stderr : null,
    interrupted: () => interruptSignal(() => io.note(`${io.terminal ? "\n" : ""}${stopping}`)),
    program: callersCommand(),
    exitCode: 0,
  };
  // Not process.exit: what was written to a pipe has yet to leave.
  process.exitCode = await body(io);
}

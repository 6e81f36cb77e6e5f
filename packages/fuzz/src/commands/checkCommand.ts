/** @file What holds for every command line, whatever is wrong with it: how the command ends, and what it prints. */

import type { CommandResult } from "@gridgrad/lab/testing/runCommand";

import { checkRefusal } from "../checkRefusal.ts";
import { Wrong } from "../kind.ts";

/** Done, failed, a command line that makes no sense, interrupted. */
const codes = [0, 1, 2, 130];

/** A line of a stack trace. */
const stack = /^\s+at .*(:\d+:\d+|<anonymous>|native)\)?$/m;

/**
 * Checks how a command has ended.
 *
 * @param what - the command's name.
 * @throws {Wrong} after a stack trace, another exit code, a failure without a word, or an error that is not one short line.
 */
export function checkCommand(what: string, { code, out, err }: CommandResult, input: string): void {
  const printed = [out, err].filter((text) => text !== "").join("\n");
  if (stack.test(printed)) {
    const [before, ...trace] = linesAround(printed);
    throw new Wrong(
      `${what}: a stack trace, of ${withoutValues(before)}`,
      [before, ...trace.slice(0, 3)].join("\n"),
      input,
    );
  }
  if (code === null || !codes.includes(code))
    throw new Wrong(`${what}: an exit code that is none`, String(code), input);
  if (code === 0) return;
  if (printed === "") throw new Wrong(`${what}: fails without a word`, `exit code ${code}`, input);
  const told = err.split("\n").filter((line) => line.startsWith("gridgrad: "));
  for (const line of told) checkRefusal(`${what}: an error`, line, input);
}

/** The line before a stack trace, and the trace. */
function linesAround(printed: string): string[] {
  const lines = printed.split("\n");
  return lines.slice(Math.max(0, lines.findIndex((line) => stack.test(line)) - 1));
}

/** A line without the names and numbers of the case. */
function withoutValues(line: string): string {
  return line
    .replace(/"[^"]*"|'[^']*'/g, "..")
    .replace(/-?\d+(\.\d+)?/g, "0")
    .slice(0, 120);
}

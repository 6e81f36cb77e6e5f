/** @file The `gridgrad` command: its subcommands, and how it ends when something is wrong. */

import { getDevice, setDevice, showText, version } from "@gridgrad/core";
import { Command, CommanderError } from "commander";

import { compareCommand } from "./compareCommand.ts";
import { devicesCommand } from "./devicesCommand.ts";
import { evalCommand } from "./evalCommand.ts";
import { explainCommand } from "./explainCommand.ts";
import { goldensCommand } from "./goldensCommand.ts";
import { gradcheckCommand } from "./gradcheckCommand.ts";
import type { Io } from "./io.ts";
import { offsetsCommand } from "./offsetsCommand.ts";
import { trainCommand } from "./trainCommand.ts";
import { workerCommand } from "./workerCommand.ts";
import { upsampleCommand } from "./upsampleCommand.ts";
import { isUserError, UserError } from "./userError.ts";

/**
 * Runs a command line.
 *
 * @param args - what stands behind the program's name.
 * @returns the exit code: 0, 1 for a failure, 2 for a command line that makes no sense, 130 after Ctrl-C, 143 after SIGTERM, 129 when the terminal has gone away.
 */
export function main(args: readonly string[], io: Io): Promise<number> {
  return runProgram(createProgram(io), args, io);
}

/** Runs the command line of a program that `printsTo` has prepared. */
export async function runProgram(program: Command, args: readonly string[], io: Io): Promise<number> {
  try {
    await program.parseAsync(args, { from: "user" });
    return io.exitCode;
  } catch (error) {
    return reportError(error, io);
  } finally {
    await getDevice().close(); // workers and contexts of a GPU would keep the process alive
    setDevice("reference");
  }
}

/** Lets a program print through `io`, and throw instead of ending the process. */
export function printsTo(io: Io, program: Command): Command {
  return program.exitOverride().configureOutput({
    writeOut: (text) => io.out(text.replace(/\n$/, "")),
    writeErr: (text) => io.note(text.replace(/\n$/, "")),
    outputError: (text, write) => {
      const line = text.trim().replace("error: ", "gridgrad: ").replaceAll("\n", " ");
      write(`${withoutAddresses(line)}\n`);
    },
  });
}

/** Hides the values of options that a command does not have, and addresses that stand where none belongs: passwords may be in them. */
function withoutAddresses(line: string): string {
  return line.replace(/(unknown option '--[\w-]+)=.*'/, "$1'").replace(/rediss?:.*?(?='(?: |$)|$)/, "redis://***");
}

/** In one line, and in the middle cut where it is long: a file may have put any text into it. What to do stands at the end. */
function inOneLine(message: string): string {
  const line = showText(message.replaceAll("\n", " "));
  return line.length <= 900 ? line : `${line.slice(0, 600)} ... ${line.slice(-250)}`;
}

/** Tells what went wrong, the user's errors in one line, and returns the exit code. */
export function reportError(error: unknown, io: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // it has been told
  const debugging = process.env.GRIDGRAD_DEBUG === "1";
  if (isUserError(error) && !debugging) io.note(`gridgrad: ${inOneLine(error.message)}`);
  else io.note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return error instanceof UserError ? error.exitCode : 1;
}

function createProgram(io: Io): Command {
  const program = printsTo(io, new Command("gridgrad"))
    .description("Train, test and look into upsamplers that learn where to sample.")
    .version(version)
    .addHelpText("after", `\n${io.program} COMMAND --help tells more about a command, with examples.`);
  const make = [
    trainCommand,
    compareCommand,
    workerCommand,
    evalCommand,
    offsetsCommand,
    upsampleCommand,
    explainCommand,
    gradcheckCommand,
    goldensCommand,
    devicesCommand,
  ];
  for (const command of make) program.addCommand(command(io).copyInheritedSettings(program));
  return program;
}

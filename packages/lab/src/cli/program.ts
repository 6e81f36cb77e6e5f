/** @file The `gridgrad` command: its subcommands, and how it ends when something is wrong. */

import { getDevice, setDevice, showText, suggest, version } from "@gridgrad/core";
import { Command, CommanderError, Help } from "commander";

import { plain } from "./colours.ts";
import type { Io } from "./io.ts";
import { type CommandName, commandNames, newCommand } from "./newCommand.ts";
import { tellError } from "./tellError.ts";

/** Each command is loaded when it is asked for: what one of them is made of, the others do not wait for. */
const load: Readonly<Record<CommandName, () => Promise<(io: Io) => Command>>> = {
  train: async () => (await import("./trainCommand.ts")).trainCommand,
  compare: async () => (await import("./compareCommand.ts")).compareCommand,
  worker: async () => (await import("./workerCommand.ts")).workerCommand,
  eval: async () => (await import("./evalCommand.ts")).evalCommand,
  offsets: async () => (await import("./offsetsCommand.ts")).offsetsCommand,
  upsample: async () => (await import("./upsampleCommand.ts")).upsampleCommand,
  explain: async () => (await import("./explainCommand.ts")).explainCommand,
  gradcheck: async () => (await import("./gradcheckCommand.ts")).gradcheckCommand,
  goldens: async () => (await import("./goldensCommand.ts")).goldensCommand,
  devices: async () => (await import("./devicesCommand.ts")).devicesCommand,
};

/**
 * Runs a command line.
 *
 * @param args - what stands behind the program's name.
 * @returns the exit code: 0, 1 for a failure, 2 for a command line that makes no sense, 130 after Ctrl-C, 143 after SIGTERM, 129 when the terminal has gone away.
 */
export async function main(args: readonly string[], io: Io): Promise<number> {
  return runProgram(await createProgram(args, io), args, io);
}

/** Runs the command line of a program that `printsTo` has prepared. */
export async function runProgram(program: Command, args: readonly string[], io: Io): Promise<number> {
  io.commandLine = [io.program, ...args.map(inShell)].join(" ");
  try {
    await program.parseAsync(args, { from: "user" });
    return io.exitCode;
  } catch (error) {
    return await reportError(error, io);
  } finally {
    await getDevice().close(); // workers and contexts of a GPU would keep the process alive
    setDevice("reference");
  }
}

/** An argument as a shell reads it, without the address of a queue: a password may be in it. */
function inShell(arg: string): string {
  const shown = arg.replace(/rediss?:.*/s, "redis://***");
  return /^[-\w@%+=:,./*]+$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`;
}

/** Lets a program print through `io`, be quiet when it is asked to, and throw instead of ending the process. */
export function printsTo(io: Io, program: Command): Command {
  return program
    .exitOverride()
    .option("-q, --quiet", "print results and errors only, and no progress")
    .on("option:quiet", () => (io.quiet = true))
    .allowExcessArguments() // which the hook names
    .hook("preAction", (_program, command) => refuseExcess(command))
    .configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: (command) =>
        new Help().visibleGlobalOptions.call({ showGlobalOptions: true } as Help, command).filter(isOfCommands),
      styleTitle: (title) => io.paint.out("bold", title),
    })
    .configureOutput({
      getOutHasColors: () => io.paint.out !== plain,
      getErrHasColors: () => io.paint.error !== plain,
      writeOut: (text) => io.out(text.replace(/\n$/, "")),
      writeErr: (text) => io.error(text.replace(/\n$/, "")),
      outputError: (text) => {
        tellError(io, withoutAddresses(text.trim().replace("error: ", "").replaceAll("\n", " ")));
      },
    });
}

/** Options of the program that mean something with a command. */
function isOfCommands({ long }: { long?: string }): boolean {
  return long !== "--version";
}

/** Arguments that a command does not take. */
function refuseExcess(command: Command): void {
  const { registeredArguments: takes, args } = command;
  if (takes.at(-1)?.variadic || args.length <= takes.length) return;
  const usual = takes.map((argument) => `<${argument.name()}>`).join(" ");
  const rule = takes.length === 0 ? "takes options only" : `takes ${usual} and options`;
  const got = args[takes.length];
  const shown = got.includes("@") ? "one" : JSON.stringify(got); // a password may be in it
  command.error(`error: ${command.name()} ${rule}, got ${shown} besides`);
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
export async function reportError(error: unknown, io: Io): Promise<number> {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // it has been told
  const { isUserError, UserError } = await import("./userError.ts"); // loads what has errors of its own, which is nearly all
  const debugging = process.env.GRIDGRAD_DEBUG === "1";
  if (isUserError(error) && !debugging) tellError(io, inOneLine(error.message));
  else io.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return error instanceof UserError ? error.exitCode : 1;
}

/** Commands that the command line may mean are whole; the others are there to be listed. */
async function createProgram(args: readonly string[], io: Io): Promise<Command> {
  const program = printsTo(io, new Command("gridgrad"))
    .description("Train, test and look into upsamplers that learn where to sample.")
    .version(version)
    .addHelpText("after", `\n${io.program} COMMAND --help tells more about a command, with examples.`)
    .helpCommand(false); // its own takes any name
  for (const name of commandNames) {
    const command = args.includes(name) ? (await load[name]())(io) : newCommand(name);
    program.addCommand(command.copyInheritedSettings(program));
  }
  program
    .command("help [command]")
    .description("display help for command")
    .helpOption(false)
    .action((name?: string) => {
      const asked = name === undefined ? program : program.commands.find((command) => command.name() === name);
      if (asked) asked.help();
      const near = suggest(name!, commandNames);
      const hint = near === null ? "" : ` (Did you mean ${near}?)`;
      program.error(`error: unknown command '${name}'${hint}`);
    });
  return program;
}

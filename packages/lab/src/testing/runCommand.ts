/** @file Runs the command for tests: in this process, where the lines are collected, or in one of its own, as a user does. */

import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

import { plain } from "../cli/colours.ts";
import type { Io } from "../cli/io.ts";
import { main } from "../cli/program.ts";
import { runner } from "../compare/sourceProcess.ts";

export interface CommandResult {
  readonly code: number | null;
  /** Of a process that a signal has ended. */
  readonly signal?: string | null;
  readonly out: string;
  readonly err: string;
}

/** Collects what a command prints. */
export function collectLines(): { io: Io; out: string[]; err: string[] } {
  const [out, err]: string[][] = [[], []];
  const io: Io = {
    out: (line) => void out.push(line),
    note: (line) => void (io.quiet || err.push(line)),
    error: (line) => void err.push(line),
    terminal: null,
    paint: { out: plain, error: plain },
    quiet: false,
    interrupted: () => new AbortController().signal,
    program: "gridgrad",
    commandLine: "",
    exitCode: 0,
  };
  return { io, out, err };
}

/** Runs a command line in this process, from its current folder. */
export async function runCommand(...args: string[]): Promise<CommandResult> {
  const { io, out, err } = collectLines();
  const code = await main(args, io);
  return { code, out: out.join("\n"), err: err.join("\n") };
}

/** The same after Ctrl-C: what would train or wait for long stops as soon as it can. */
export async function runInterrupted(...args: string[]): Promise<CommandResult> {
  const { io, out, err } = collectLines();
  const code = await main(args, Object.assign(io, { interrupted: () => AbortSignal.abort() }));
  return { code, out: out.join("\n"), err: err.join("\n") };
}

/** Starts a program in a process of its own. `result` resolves when it has ended. */
export function startCommand(
  folder: string,
  args: readonly string[],
  { program = "gridgrad", env = {} }: { program?: "gridgrad" | "start"; env?: NodeJS.ProcessEnv } = {},
): { child: ChildProcess; result: Promise<CommandResult> } {
  const entry = fileURLToPath(new URL(`../cli/${program}.ts`, import.meta.url));
  const child = spawn(process.execPath, [runner, entry, ...args], {
    cwd: folder,
    env: { ...withoutColours(process.env), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const result = new Promise<CommandResult>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, out, err }));
  });
  return { child, result };
}

/** Whoever runs the tests may ask for colours, which are for the tests' own report. */
function withoutColours({ FORCE_COLOR: _, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env;
}

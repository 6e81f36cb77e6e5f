/** @file Runs the command for tests: in this process, where the lines are collected, or in one of its own, as a user does. */

import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

import type { Io } from "../cli/io.ts";
import { main } from "../cli/program.ts";

export interface CommandResult {
  readonly code: number | null;
  /** Of a process that a signal has ended. */
  readonly signal?: string | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process, from its current folder. */
export async function runCommand(...args: string[]): Promise<CommandResult> {
  const lines: { out: string[]; err: string[] } = { out: [], err: [] };
  const io: Io = {
    out: (line) => void lines.out.push(line),
    note: (line) => void lines.err.push(line),
    terminal: null,
    interrupted: () => new AbortController().signal,
    program: "gridgrad",
    exitCode: 0,
  };
  const code = await main(args, io);
  return { code, out: lines.out.join("\n"), err: lines.err.join("\n") };
}

const entry = fileURLToPath(new URL("../cli/gridgrad.ts", import.meta.url));
const typescript = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

/** Starts the program in a process of its own. `result` resolves when it has ended. */
export function startCommand(
  folder: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): { child: ChildProcess; result: Promise<CommandResult> } {
  const child = spawn(process.execPath, ["--import", typescript, entry, ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
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

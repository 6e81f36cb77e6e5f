/** @file Empty folders with packages in them, as a user would make them, and programs that run there. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** How a program ended, and what it printed. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Time after which a program is ended, ms: against one that hangs. */
const limit = 600_000;

/**
 * Runs a program to its end.
 *
 * @param home - the home folder that it sees, which is empty at first.
 */
export function run(command: string, args: readonly string[], cwd: string, home: string): Promise<Ended> {
  const { child, ended } = start(command, args, cwd, home);
  const timer = setTimeout(() => child.kill("SIGKILL"), limit);
  return ended.finally(() => clearTimeout(timer));
}

/** Starts a program. */
export function start(
  command: string,
  args: readonly string[],
  cwd: string,
  home: string,
): { child: ChildProcess; ended: Promise<Ended> } {
  // Settings of the npm that runs this one say where it is to work.
  const own = Object.entries(process.env).filter(
    ([name]) => !/^npm_(package|lifecycle|command|execpath)|^INIT_CWD$/.test(name),
  );
  const env = { ...Object.fromEntries(own), HOME: home, NO_COLOR: "1", NODE_OPTIONS: "", GRIDGRAD_THREADS: "2" };
  const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const ended = new Promise<Ended>((resolve) => {
    child.on("error", (error) => resolve({ code: null, out, err: String(error) }));
    child.on("close", (code) => resolve({ code, out, err }));
  });
  return { child, ended };
}

/** A folder with these files. */
export function makeFolder(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

/** A folder with these files, in which packages are found that `installed` holds. */
export function makeProject(folder: string, installed: string, files: Readonly<Record<string, string>>): string {
  mkdirSync(folder, { recursive: true });
  makeFolder(folder, files);
  symlinkSync(join(installed, "node_modules"), join(folder, "node_modules"));
  return folder;
}

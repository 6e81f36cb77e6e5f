/**
 * @file Tries gridgrad on random inputs: files, ops and commands, legal and illegal ones, and what must hold for them.
 *
 *     npm run fuzz -- --seconds 60 --seed 1 --only ops
 *
 * The campaign runs in a process of its own, so that an input that hangs it, or ends it, is a finding like any other.
 */

import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { help, type Options, readOptions } from "./options.ts";
import { repeatCommand } from "./report.ts";

/** A case takes milliseconds, and to make a finding smaller takes some hundred cases. */
const longestMs = 60_000;

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    console.log(help);
    return 0;
  }
  let options: Options;
  try {
    options = readOptions(args, () => Math.floor(Math.random() * 2 ** 31));
  } catch (error) {
    console.error(`fuzz: ${(error as Error).message}`);
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), "gridgrad-fuzz-"));
  const file = join(folder, "case");
  const progress = openSync(file, "w");
  try {
    const seeded = [...args.filter((_, i) => !isSeed(args, i)), "--seed", String(options.seed)];
    const code = await watch(seeded, progress, () => readFileSync(file, "utf8").trim());
    if (typeof code === "number") return code;
    const [kind, index] = readFileSync(file, "utf8").trim().split(" ");
    console.log(`${options.warn ? "warning" : "FOUND"}: ${code}`);
    console.log(`  again: ${repeatCommand(kind, Number(index), options.seed)}`);
    return options.warn ? 0 : 1;
  } finally {
    closeSync(progress);
    rmSync(folder, { recursive: true });
  }
}

/** Whether an argument is part of `--seed <n>` or `--seed=<n>`. */
function isSeed(args: readonly string[], i: number): boolean {
  return args[i] === "--seed" || args[i].startsWith("--seed=") || (i > 0 && args[i - 1] === "--seed");
}

/** Runs the campaign to its end: its exit code, or what has become of it. */
function watch(args: readonly string[], progress: number, readCase: () => string): Promise<number | string> {
  const program = fileURLToPath(new URL("./campaignProcess.ts", import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, program, ...args], {
    stdio: ["ignore", "inherit", "inherit", progress],
  });
  return new Promise((resolve, reject) => {
    let last = "";
    let since = performance.now();
    let hangs = false;
    const timer = setInterval(() => {
      const now = readCase();
      if (now !== last) [last, since] = [now, performance.now()];
      if (performance.now() - since < longestMs) return;
      hangs = true;
      child.kill("SIGKILL");
    }, 1000);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearInterval(timer);
      if (hangs) resolve(`a case did not end within ${longestMs / 1000} s`);
      else if (code === 0 || code === 1) resolve(code);
      else resolve(`the process has ended with ${signal ?? `exit code ${code}`}`);
    });
  });
}

process.exitCode = await main(process.argv.slice(2));

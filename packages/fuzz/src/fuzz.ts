/**
 * @file Tries gridgrad on random inputs: files, ops and commands, legal and illegal ones, and what must hold for them.
 *
 *     npm run fuzz -- --seconds 60 --seed 1 --only ops
 *
 * The campaign runs in a process of its own, so that an input that hangs it, or ends it, is a finding like any other.
 */

import { fileURLToPath } from "node:url";

import { help, type Options, readOptions } from "./options.ts";
import { repeatCommand } from "./report.ts";
import { watchProcess } from "./watchProcess.ts";

/** A case takes milliseconds, some of a second at the most. */
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
  const runner = fileURLToPath(new URL("../../../scripts/run.mjs", import.meta.url));
  const campaign = fileURLToPath(new URL("./campaignProcess.ts", import.meta.url));
  const seed = String(options.seed); // the last one counts
  const watched = await watchProcess([runner, campaign, ...args, "--seed", seed], { longestMs });
  if ("code" in watched) return watched.code;
  const [kind, index] = watched.at.split(" ");
  console.log(`\n${options.warn ? "warning" : "FOUND"}: ${watched.problem}`);
  console.log(`  again: ${repeatCommand(kind, Number(index), options.seed)}`);
  return options.warn ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));

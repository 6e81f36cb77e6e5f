import { mkdirSync, rmSync, writeFileSync } from "node:fs";

import type { CommandResult } from "@gridgrad/lab/testing/runCommand";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";

import { runCampaign } from "../campaign.ts";
import type { Kind } from "../kind.ts";
import { commandsKind } from "./commandsKind.ts";
import { drawArguments, readGrammar } from "./drawArguments.ts";

const kinds: Kind[] = [];
const here = process.cwd();

afterAll(async () => {
  for (const kind of kinds) await kind.close?.();
});

/** Folders with the names of the real ones, and little in them. */
async function fill(): Promise<void> {
  for (const folder of ["a-run", "a-stopped-run", "a-comparison"]) {
    mkdirSync(folder);
    for (const file of ["config.json", "compare.json", "result.json"])
      writeFileSync(`${folder}/${file}`, '{"a":[1,{"b":"c"}]}');
  }
}

const done: CommandResult = { code: 0, out: "done", err: "" };
const failed: CommandResult = {
  code: 1,
  out: "",
  err: "gridgrad: a-run, a-stopped-run and a-comparison must be whole",
};

/** What a campaign finds in a command, with the input of each. */
async function find(run: (...args: string[]) => CommandResult, cases = 40): Promise<Record<string, string>> {
  const kind = commandsKind({ run: async (...args) => run(...args), fill });
  kinds.push(kind);
  const { findings } = await runCampaign([kind], { seed: 1, cases });
  return Object.fromEntries(findings.map(({ fault, input }) => [fault.replace(/^[a-z]+: /, ""), input]));
}

test("commands that end well, or fail in one line that names the folder, are beyond reproach", async () => {
  expect(await find(() => done)).toEqual({});
  expect(await find(() => failed)).toEqual({});
  expect(process.cwd()).toBe(here);
});

test("all commands and their options are drawn", async () => {
  const [draw] = fc.sample(fc.gen(), { numRuns: 1, seed: 1 });
  const grammar = await readGrammar();
  const lines = Array.from({ length: 800 }, () => drawArguments(draw, grammar));
  const commands = [
    "train",
    "compare",
    "worker",
    "eval",
    "offsets",
    "upsample",
    "explain",
    "gradcheck",
    "goldens",
    "devices",
  ];
  expect([...new Set(lines.map(([command]) => command))].sort()).toEqual(commands.sort());
  const flags = new Set(lines.flat().filter((arg) => arg.startsWith("--")));
  for (const flag of [
    "--seed",
    "--weights",
    "--overwrite",
    "--ablation",
    "--lease",
    "--json",
    "--dtype",
    "--config",
    "--quiet",
  ])
    expect(flags).toContain(flag);
});

test("a command that writes, changes or deletes outside of its folder is found, by the smallest command line", async () => {
  const writing = (): CommandResult => {
    writeFileSync("../stray.txt", "");
    return done;
  };
  const found = await find(writing, 3);
  expect(Object.keys(found)).toEqual(["harms what is not its own"]);
  expect(found["harms what is not its own"]).toMatch(/^gridgrad eval a-run /);

  const changing = (): CommandResult => {
    writeFileSync("../outside/notes.txt", "mine now");
    return done;
  };
  expect(Object.keys(await find(changing, 3))).toEqual(["harms what is not its own"]);

  const deleting = (command: string): CommandResult => {
    if (command === "compare") rmSync("../outside/victim-seed0", { recursive: true, force: true });
    return done;
  };
  expect(Object.keys(await find(deleting))).toEqual(["harms what is not its own"]);

  const sweeping = (): CommandResult => {
    rmSync("a-run/notes.txt");
    return done;
  };
  expect(Object.keys(await find(sweeping, 3))).toEqual(["harms what is not its own"]);
});

test("stack traces, odd exit codes, silence, and errors of no file or of several lines are found", async () => {
  const stack = "TypeError: Cannot read properties of null (reading 'step')\n    at read (/x/metrics.ts:12:3)";
  expect(Object.keys(await find(() => ({ ...failed, err: stack }), 20))).toEqual([
    "a stack trace, of TypeError: Cannot read properties of null (reading ..)",
  ]);
  expect(Object.keys(await find(() => ({ ...failed, code: 7 }), 3))).toEqual(["an exit code that is none"]);
  expect(Object.keys(await find(() => ({ ...failed, err: "" }), 3))).toEqual(["fails without a word"]);
  const nameless = await find(() => ({ ...failed, err: "gridgrad: Unexpected end of JSON input" }));
  expect(Object.keys(nameless)[0]).toMatch(/^an error that names no file, for [\w.]+$/);
  const escaping = await find(() => ({ ...failed, err: `${failed.err}\u001b[2J` }), 3);
  expect(Object.keys(escaping)).toEqual(["an error has control characters"]);
});

test("results that are none are found", async () => {
  const found = await find(() => ({ ...done, out: "nearest: mIoU NaN" }), 10);
  expect(Object.keys(found)).toEqual(["prints what is no result"]);
});

/**
 * @file Runs programs as `npm run try` does, bundled and in a folder outside of the clone, all of them in one process, and gives what each
 * prints.
 */

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";

import { build, explainFailure } from "./bundle.mjs";
import type { Outcome } from "./programsProcess.ts";
import type { Program } from "./saidLines.ts";

export interface Run {
  /** Of each program, in their order. */
  readonly outcomes: readonly Outcome[];
  /** The files that the programs have written, by their names. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** @throws {Error} when a program does not compile. */
export async function runPrograms(programs: readonly Program[], written: readonly string[] = []): Promise<Run> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "gridgrad-programs-")));
  try {
    const names = programs.map((_, i) => `program${i}.ts`);
    const toPage = (text: string): string =>
      text.replace(/(?:file:\/\/)?(\/[^\s():]*|[A-Z]:[^\s():]*)?\bprogram(\d+)\.ts:(\d+)/g, (_all, _path, i, line) => {
        const program = programs[Number(i)];
        return `${program.file}:${program.line + Number(line) - 1}`;
      });
    names.forEach((name, i) => writeFileSync(join(folder, name), programs[i].code));
    const runner = fileURLToPath(new URL("programsProcess.ts", import.meta.url));
    const out = join(folder, "out");
    const { outputs } = await build([runner, ...names.map((name) => join(folder, name))], out).catch(
      async (error: unknown) => {
        const explanation = await explainFailure(error);
        throw explanation === null ? error : new Error(toPage(explanation));
      },
    );
    mkdirSync(out);
    // esbuild keeps the folders in which the entries lie, from the one that they share on; names are enough.
    const places = new Map(outputs.map(({ path, contents }) => [basename(path), { path, contents }]));
    for (const { path, contents } of places.values()) {
      mkdirSync(join(path, ".."), { recursive: true });
      writeFileSync(path, contents);
    }
    const urlOf = (name: string): string => pathToFileURL(places.get(name.replace(/\.ts$/, ".mjs"))!.path).href;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--enable-source-maps", fileURLToPath(urlOf("programsProcess.ts")), ...names.map(urlOf)],
      { cwd: folder, maxBuffer: 2 ** 26 }, // bytes, far above what pages print
    );
    const outcomes = (JSON.parse(stdout) as Outcome[]).map(({ printed, error }) => ({
      printed,
      error: error === null ? null : toPage(error),
    }));
    return { outcomes, files: new Map(written.map((name) => [name, readFileSync(join(folder, name))])) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @file The folder of a comparison.
 *
 *     compare.json                first: the comparison, which may grow by contestants and seeds
 *     runs/ID/                    each training run, see training/runFolder.ts
 *     measurements.json           time and memory of a training step of each contestant, see measure.ts
 *     results.json, results.csv   all of the above together, after each run that ends
 *     report.html, charts/        and as pictures, see report/writeReport.ts
 */

import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { writeFileAtomic } from "@gridgrad/nn/node";

import { ConfigError, type TrainConfig } from "../training/config.ts";
import { RunFolder } from "../training/runFolder.ts";
import { type Comparison, type Contestant, runPath, runsOf } from "./comparison.ts";
import type { ComparisonResults } from "./results.ts";
import { resultsCsv } from "./resultsCsv.ts";

const files = {
  comparison: "compare.json",
  measurements: "measurements.json",
  results: "results.json",
  table: "results.csv",
  report: "report.html",
  charts: "charts",
} as const;

const format = "gridgrad-compare-1";

/** A folder that cannot hold the comparison that it was given for: the message says why, and what to do. */
export class ComparisonFolderError extends Error {
  override name = "ComparisonFolderError";
}

export class ComparisonFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Where a file of the comparison is. */
  file(name: keyof typeof files): string {
    return join(this.path, files[name]);
  }

  /**
   * The comparison that is there.
   *
   * @throws {ComparisonFolderError} when there is none, or it is damaged.
   */
  async read(): Promise<Comparison> {
    const path = this.file("comparison");
    if (!existsSync(path)) {
      throw new ComparisonFolderError(
        `${this.path} must be the folder of a comparison, but it has no ${files.comparison}; check the path`,
      );
    }
    try {
      const json: Record<string, unknown> = JSON.parse(await readFile(path, "utf8")) ?? {};
      const { format: found, ...comparison } = json;
      if (found !== format) throw new ConfigError(`format must be "${format}", got ${JSON.stringify(found ?? null)}`);
      runsOf(comparison as unknown as Comparison);
      return comparison as unknown as Comparison;
    } catch (error) {
      const problem = `${path} must be as it was written, but ${(error as Error).message}`;
      throw new ComparisonFolderError(problem, { cause: error });
    }
  }

  /**
   * Makes the folder one of `comparison`: a new one, or one that has it already, or part of it, which is then kept.
   *
   * @param options.overwrite - delete the runs and results of a comparison that is there; other files stay.
   * @returns all that the folder holds from now on.
   * @throws {ComparisonFolderError} when another comparison is there and `overwrite` is not set; nothing is touched then.
   */
  async begin(
    comparison: Comparison,
    { overwrite = false }: { overwrite?: boolean } = {},
  ): Promise<Comparison & { readonly id: string }> {
    const present = existsSync(this.file("comparison"));
    if (overwrite) await this.#clear(comparison);
    const there = present && !overwrite ? await this.read() : null;
    const whole = { ...(there ? this.#grow(there, comparison) : comparison), id: there?.id ?? randomUUID() };
    for (const run of runsOf(whole)) {
      const folder = new RunFolder(runPath(this.path, run));
      if (folder.has("config")) await folder.resume(run.config); // throws when another run is in its place
    }
    await writeFileAtomic(this.file("comparison"), `${JSON.stringify({ format, ...whole }, null, 2)}\n`);
    return whole;
  }

  /** Writes results.json and results.csv, whole. */
  async writeResults(results: ComparisonResults): Promise<void> {
    await writeFileAtomic(this.file("results"), `${JSON.stringify(results, null, 2)}\n`);
    await writeFileAtomic(this.file("table"), resultsCsv(results));
  }

  /** What is there and what is asked for, together. */
  #grow(there: Comparison, asked: Comparison): Comparison {
    const changed = [
      ...(there.title === asked.title ? [] : [`"${asked.title}" (the folder has "${there.title}")`]),
      ...different(there.config, asked.config),
      ...asked.contestants.flatMap(({ label, config }) => {
        const same = there.contestants.find((contestant) => contestant.label === label);
        return same ? different(same.config, config).map((text) => `${label} with ${text}`) : [];
      }),
    ];
    if (changed.length > 0) {
      throw new ComparisonFolderError(
        `${this.path} must go on as the comparison that it holds, got ${changed.join(", ")}; replace it (--overwrite), ` +
          "or write elsewhere (--out)",
      );
    }
    return {
      ...asked,
      contestants: together(there.contestants, asked.contestants, ({ label }: Contestant) => label),
      seeds: together(there.seeds, asked.seeds, String),
    };
  }

  async #clear(comparison: Comparison): Promise<void> {
    const former = existsSync(this.file("comparison")) ? await this.read().catch(() => null) : null;
    for (const run of [...(former ? runsOf(former) : []), ...runsOf(comparison)]) {
      await rm(runPath(this.path, run), { recursive: true, force: true });
    }
    for (const name of ["measurements", "results", "table", "report", "charts"] as const) {
      await rm(this.file(name), { recursive: true, force: true });
    }
  }
}

/** The fields that differ, as text: those of one that the other lacks, too. */
function different(there: Partial<TrainConfig>, asked: Partial<TrainConfig>): string[] {
  const fields = new Set([...Object.keys(there), ...Object.keys(asked)] as (keyof TrainConfig)[]);
  const shown = (value: unknown): string => (value === undefined ? "unset" : String(value));
  return [...fields]
    .filter((field) => there[field] !== asked[field])
    .map((field) => `${field} ${shown(asked[field])} (the folder has ${shown(there[field])})`);
}

/** All of both, in the order of `asked` if that has all. */
function together<T>(there: readonly T[], asked: readonly T[], key: (item: T) => string): readonly T[] {
  const [old, wanted] = [there, asked].map((items) => new Set(items.map(key)));
  if (there.every((item) => wanted.has(key(item)))) return asked;
  return [...there, ...asked.filter((item) => !old.has(key(item)))];
}

/**
 * @file The folder of a comparison.
 *
 *     compare.json                first: the comparison, which may grow by contestants and seeds
 *     runs/ID/                    each training run, see training/runFolder.ts
 *     measurements.json           time and memory of a training step of each contestant, see measure.ts
 *     results.json, results.csv   all of the above together, after each run that ends
 *     report.html, charts/NAME.svg, strip.png, points-LABEL.svg      and as pictures, see report/writeReport.ts
 *
 * What has one of these names is ours only where compare.json says so, and where it says which labels and seeds there
 * are. Nothing else is replaced or deleted.
 */

import { randomUUID } from "node:crypto";
import { lstatSync } from "node:fs";
import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";

import { showJson } from "@gridgrad/core";
import { ConfigError, resolveConfig, type TrainConfig } from "@gridgrad/dysample";
import { RunFolder } from "@gridgrad/dysample/internal/node";
import { isMissing, readWhole, writeFileAtomic } from "@gridgrad/nn/node";

import { checkComparison, type Comparison, type Contestant, runIds, runPath, runsOf } from "./comparison.ts";
import type { ComparisonResults } from "./results.ts";
import { resultsCsv } from "./resultsCsv.ts";

const files = {
  comparison: "compare.json",
  measurements: "measurements.json",
  results: "results.json",
  table: "results.csv",
  report: "report.html",
  strip: "strip.png",
  charts: "charts",
  runs: "runs",
} as const;

/** Of the files in the folder of charts, without their ending. */
export const chartNames = [
  "iou",
  "accuracy-latency",
  "loss",
  "validation",
  "validation-mIoU",
  "validation-boundaryIoU",
  "validation-loss",
  "boundary-errors",
] as const;

export type ChartName = (typeof chartNames)[number];

/** The file of a contestant's sampling points. */
export function pointsFile(label: string): string {
  return `points-${label}.svg`;
}

const format = "gridgrad-compare-1";

/** When a comparison is killed, its runs end after the step that is under way. Who deletes them waits for that. */
const patienceMs = 30_000;

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
    const comparison = await this.#readNames();
    try {
      runsOf(comparison);
      resolveConfig(comparison.config); // what all runs have replaced is shown, too
      return comparison;
    } catch (error) {
      throw this.#damaged(error);
    }
  }

  /**
   * Makes the folder one of `comparison`: a new one, or one that has it already, or part of it, which is then kept.
   *
   * @param options.overwrite - delete the runs and results of a comparison that is there; other files stay.
   * @returns all that the folder holds from now on.
   * @throws {ConfigError} when a label or a seed cannot be part of a name.
   * @throws {ComparisonFolderError} when another comparison is there and `overwrite` is not set, or something of other
   *   kind is in the place of a file or a run; nothing is touched then.
   * @throws {FolderInUseError} when another process is at work on a run that is to be deleted.
   */
  async begin(
    comparison: Comparison,
    { overwrite = false }: { overwrite?: boolean } = {},
  ): Promise<Comparison & { readonly id: string }> {
    const asked = checkComparison(comparison);
    const present = lstatSync(this.file("comparison"), { throwIfNoEntry: false }) !== undefined;
    const former = present ? await this.#readNames() : null;
    const there = overwrite || !former ? null : await this.read();
    const whole = { ...(there ? this.#grow(there, asked) : asked), id: there?.id ?? randomUUID() };
    const runs = runsOf(whole);
    await this.#checkRoom(whole, former);
    const replaced = former && overwrite ? runIds(former) : [];
    for (const run of runs) {
      const folder = new RunFolder(runPath(this.path, run));
      if (!folder.has("config") || (replaced.includes(run.id) && (await folder.holdsRun()))) continue;
      await folder.resume(run.config); // throws when another run is in its place
    }
    if (former && overwrite) await this.#clear(former);
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

  /** The comparison that is there, of any configuration: whose files and runs these are. */
  async #readNames(): Promise<Comparison> {
    const path = this.file("comparison");
    if (!lstatSync(path, { throwIfNoEntry: false })) {
      throw new ComparisonFolderError(
        `${this.path} must be the folder of a comparison, but it has no ${files.comparison}; check the path`,
      );
    }
    const bytes = await readWhole(path);
    try {
      const json: Record<string, unknown> = JSON.parse(bytes.toString()) ?? {};
      if (json.format !== format) {
        throw new ConfigError(`format must be "${format}", got ${showJson(json.format ?? null)}`);
      }
      return checkComparison(json);
    } catch (error) {
      throw this.#damaged(error);
    }
  }

  #damaged(error: unknown): ComparisonFolderError {
    const problem = `${this.file("comparison")} must be as it was written, but ${(error as Error).message}`;
    return new ComparisonFolderError(problem, { cause: error });
  }

  /** Makes sure that nothing of somebody else's has a name of the comparison's. */
  async #checkRoom(whole: Comparison, former: Comparison | null): Promise<void> {
    const known = former ? [...namesOf(former), ...runIds(former)] : [];
    const taken = namesOf(whole).filter((name) => !known.includes(name) && isThere(join(this.path, name)));
    const runs = lstatSync(join(this.path, files.runs), { throwIfNoEntry: false });
    if (runs?.isFile()) taken.push(files.runs);
    else {
      for (const id of runIds(whole)) {
        const run = new RunFolder(runPath(this.path, { id }));
        if (!known.includes(id) && !(await run.isFree()) && !(await run.holdsRun())) taken.push(join(files.runs, id));
      }
    }
    if (taken.length === 0) return;
    throw new ComparisonFolderError(
      `${this.path} must have room for the comparison, but ${taken.join(", ")} in it ${taken.length === 1 ? "is" : "are"} not ` +
        "of one; move away what is yours, or write elsewhere (--out)",
    );
  }

  /** Deletes the runs and results of a comparison, and what is left of files that were being written. */
  async #clear(former: Comparison): Promise<void> {
    for (const name of [files.runs, files.charts]) {
      if (!lstatSync(join(this.path, name), { throwIfNoEntry: false })?.isSymbolicLink()) continue;
      throw new ComparisonFolderError(
        `${join(this.path, name)} must be a folder, but it is a link; delete yourself what it leads to, or write elsewhere (--out)`,
      );
    }
    for (const id of runIds(former)) await new RunFolder(runPath(this.path, { id })).clear({ patienceMs });
    await this.#deleteFiles(this.path, new Set(namesOf(former)));
    await this.#deleteFiles(this.file("charts"), new Set(chartNames.map((name) => `${name}.svg`)));
    await rmdir(this.file("charts")).catch(() => {}); // what is not ours stays, and its folder with it
  }

  /** Deletes the files of some names in a folder: no folders, no links. */
  async #deleteFiles(folder: string, names: ReadonlySet<string>): Promise<void> {
    const there = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    for (const entry of there) {
      const [, unfinished] = /^(.+)\.[-0-9a-f]{36}\.tmp$/.exec(entry.name) ?? [];
      if (!names.has(entry.name) && !(unfinished !== undefined && names.has(unfinished))) continue;
      if (entry.isFile()) await rm(join(folder, entry.name), { force: true });
    }
  }
}

/** What a comparison writes beside its runs and compare.json. */
function namesOf({ contestants }: Comparison): string[] {
  const { measurements, results, table, report, strip, charts } = files;
  return [measurements, results, table, report, strip, charts, ...contestants.map(({ label }) => pointsFile(label))];
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
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

/** @file Carries out a comparison in its folder: trains what is missing, measures, and keeps the results and the report up to date. */

import { lockFolder, madeHere, RunFolder } from "@gridgrad/dysample/internal/node";

import { collect, costsOf } from "./compare/collect.ts";
import { type Comparison, type Run, runPath, runsOf } from "./compare/comparison.ts";
import { ComparisonFolder } from "./compare/comparisonFolder.ts";
import { measure, measuredSteps, readMeasurements } from "./compare/measure.ts";
import type { ComparisonResults } from "./compare/results.ts";
import { type PoolEvents, runAll } from "./compare/runPool.ts";

/** What a comparison begins with. */
export interface ComparisonBeginning {
  /** What is asked for, and what the folder holds besides: all of it goes on. */
  readonly comparison: Comparison;
  readonly runs: readonly Run[];
  /** Those of them that are not complete. */
  readonly missing: readonly Run[];
}

/** Told what happens, in this order. All are optional. */
export interface ComparisonEvents extends PoolEvents {
  readonly onBegin?: (beginning: ComparisonBeginning) => void;
  /** No run is under way any more: all have ended, or the signal has stopped them. */
  readonly onTrained?: () => void;
  /** So many rounds of `total` are measured; 0 when it begins. */
  readonly onMeasuring?: (done: number, total: number) => void;
  /** Measuring has ended, in whatever way. */
  readonly onMeasured?: (outcome: "complete" | "stopped" | "failed", message?: string) => void;
}

/** Others that train, in the place of the pool of this machine. */
export interface Workers {
  /** @param comparison - its id. */
  train(comparison: string): typeof runAll;
  close(): void;
}

export interface RunComparisonOptions {
  /** Runs at once. Default: as many as there are cores. */
  readonly jobs?: number;
  /** Called once it is known that the comparison can be carried out. Default: runs are trained on this machine. */
  readonly openWorkers?: () => Promise<Workers>;
  /** Replace a comparison that is there. */
  readonly overwrite?: boolean;
  /** When it is aborted, runs under way write their checkpoints; calling again goes on. */
  readonly signal?: AbortSignal;
  readonly events?: ComparisonEvents;
  /** The command line that asks for it, for the report. */
  readonly command?: string;
}

/** `complete`: all that could be done is done. */
export type ComparisonOutcome =
  | { readonly status: "stopped" }
  | {
      readonly status: "complete";
      readonly results: ComparisonResults;
      /** The path of the report. */
      readonly report: string;
      /** What went wrong in runs, by their ids. */
      readonly failures: ReadonlyMap<string, string>;
      /** Whether time and memory are known. */
      readonly measured: boolean;
    };

/**
 * Trains, measures, and writes the files of `ComparisonFolder` and the report.
 *
 * @param path - of the comparison's folder. What it holds of the same comparison is kept, and what is missing is done.
 * @throws {ConfigError} when a contestant does not fit the network; nothing is written then.
 * @throws {ComparisonFolderError} when another comparison is in the folder.
 * @throws {FolderInUseError} when another process is at work in it.
 */
export async function runComparison(
  asked: Comparison,
  path: string,
  { openWorkers, ...options }: RunComparisonOptions = {},
): Promise<ComparisonOutcome> {
  await costsOf(asked);
  const workers = await openWorkers?.();
  try {
    const unlock = await lockFolder(path);
    try {
      return await runInFolder(asked, path, { ...options, workers });
    } finally {
      await unlock();
    }
  } finally {
    workers?.close();
  }
}

async function runInFolder(
  asked: Comparison,
  path: string,
  {
    jobs,
    overwrite,
    signal,
    events = {},
    command,
    workers,
  }: Omit<RunComparisonOptions, "openWorkers"> & { workers?: Workers },
): Promise<ComparisonOutcome> {
  const folder = new ComparisonFolder(path);
  const comparison = await folder.begin(asked, { overwrite });
  const costs = await costsOf(comparison);
  const failures = new Map<string, string>();
  const made = { ...(await madeHere()), ...(command !== undefined && { command }) };
  const publish = inTurn(async () => {
    const results = await collect(comparison, path, { costs, failures, made });
    await folder.writeResults(results);
    const { writeReport } = await import("./report/writeReport.ts"); // it loads slowly, and only here
    return { results, report: await writeReport(comparison, results, path) };
  });

  const runs = runsOf(comparison);
  const missing = runs.filter((run) => !new RunFolder(runPath(path, run)).has("result"));
  events.onBegin?.({ comparison, runs, missing });
  try {
    await publish();
    const train = workers ? workers.train(comparison.id) : runAll;
    await train(missing, {
      folder: path,
      jobs,
      signal,
      events: {
        ...events,
        async onEnd(run, outcome) {
          if (outcome.status === "failed") failures.set(run.id, outcome.message);
          await events.onEnd?.(run, outcome);
          publish().catch(() => {}); // no run waits for it, and what is wrong shows when all is written again at the end
        },
      },
    });
  } finally {
    events.onTrained?.();
  }
  const trained = await publish();
  if (signal?.aborted) return { status: "stopped" };
  const measured = await measureAll(comparison, path, signal, events);
  if (measured === "stopped") return { status: "stopped" };
  const published = measured === "complete" ? await publish() : trained;
  return { status: "complete", ...published, failures, measured: measured === "complete" };
}

/** Measures the contestants, unless that was done before. */
async function measureAll(
  comparison: Comparison,
  path: string,
  signal: AbortSignal | undefined,
  events: ComparisonEvents,
): Promise<"complete" | "stopped" | "failed"> {
  if (await readMeasurements(comparison, path)) return "complete";
  const onRound = (done: number): void => events.onMeasuring?.(done, measuredSteps);
  onRound(0);
  let told: Parameters<NonNullable<ComparisonEvents["onMeasured"]>> = ["failed"];
  try {
    const outcome = await measure(comparison, path, { signal, onRound });
    told = outcome.status === "failed" ? ["failed", outcome.message] : [outcome.status];
    return outcome.status;
  } finally {
    events.onMeasured?.(...told);
  }
}

/** Calls of `body` one after the other: those that come while one is under way have one call in common after it. */
function inTurn<T>(body: () => Promise<T>): () => Promise<T> {
  let current: Promise<unknown> = Promise.resolve();
  let waiting: Promise<T> | null = null;
  return () =>
    (waiting ??= current.then(() => {
      waiting = null;
      const result = body();
      current = result.catch(() => {});
      return result;
    }));
}

/** @file Carries out a comparison in its folder: trains what is missing, keeps the results up to date, and prints a table. */

import { formatBytes } from "@gridgrad/core";

import { collect, costsOf } from "../compare/collect.ts";
import { type Comparison, runPath, runsOf } from "../compare/comparison.ts";
import { ComparisonFolder } from "../compare/comparisonFolder.ts";
import { measure, measuredSteps, readMeasurements } from "../compare/measure.ts";
import type { QueueAddress } from "../compare/queue/redisConnection.ts";
import { type ComparisonResults, spreadOf } from "../compare/results.ts";
import { runAll } from "../compare/runPool.ts";
import { resolveConfig } from "../training/config.ts";
import { lockFolder } from "../training/folderLock.ts";
import { RunFolder } from "../training/runFolder.ts";
import { interruptCode } from "./interrupt.ts";
import type { Io } from "./io.ts";
import { Progress } from "./progress.ts";
import { RunsProgress } from "./runsProgress.ts";
import { type Workers, workersAt } from "./workersAt.ts";
import { table } from "./table.ts";

export interface RunComparisonOptions {
  /** Runs at once. */
  readonly jobs?: number;
  /** Leave the training to the workers there. */
  readonly queue?: QueueAddress;
  /** Replace a comparison that is there. */
  readonly overwrite?: boolean;
}

export interface RunComparisonOutcome {
  /** `complete`: all that could be done is done. */
  readonly status: "complete" | "stopped";
  /** For the process: 0, 1 when something has failed, or that of the signal that has stopped it. */
  readonly exitCode: number;
}

/**
 * Trains, measures, and prints a table. Files are those of `ComparisonFolder`.
 *
 * @throws {ConfigError} when a contestant does not fit the network; nothing is written then.
 * @throws {ComparisonFolderError} when another comparison is in the folder.
 * @throws {FolderInUseError} when another process is at work in it.
 */
export async function runComparison(
  io: Io,
  asked: Comparison,
  path: string,
  { jobs, queue, overwrite }: RunComparisonOptions = {},
): Promise<RunComparisonOutcome> {
  await costsOf(asked);
  const elsewhere = queue && (await workersAt(io, queue));
  try {
    const unlock = await lockFolder(path);
    try {
      return await runInFolder(io, asked, path, { jobs, elsewhere, overwrite });
    } finally {
      await unlock();
    }
  } finally {
    elsewhere?.close();
  }
}

async function runInFolder(
  io: Io,
  asked: Comparison,
  path: string,
  { jobs, elsewhere, overwrite }: Pick<RunComparisonOptions, "jobs" | "overwrite"> & { elsewhere?: Workers },
): Promise<RunComparisonOutcome> {
  const folder = new ComparisonFolder(path);
  const comparison = await folder.begin(asked, { overwrite });
  const costs = await costsOf(comparison);
  const failures = new Map<string, string>();
  const publish = inTurn(async () => {
    const results = await collect(comparison, path, { costs, failures });
    await folder.writeResults(results);
    const { writeReport } = await import("../compare/report/writeReport.ts"); // it loads slowly, and only here
    return { results, report: await writeReport(comparison, results, path) };
  });

  const runs = runsOf(comparison);
  const missing = runs.filter((run) => !new RunFolder(runPath(path, run)).has("result"));
  tellBeginning(io, comparison, asked, { path, runs: runs.length, missing: missing.length });
  const signal = io.interrupted();
  const progress = new RunsProgress(io, missing);
  await publish();
  try {
    const train = elsewhere ? elsewhere.train(comparison.id) : runAll;
    await train(missing, {
      folder: path,
      jobs,
      signal,
      events: {
        ...progress.events,
        async onEnd(run, outcome) {
          if (outcome.status === "failed") failures.set(run.id, outcome.message);
          await progress.events.onEnd!(run, outcome);
          publish().catch(() => {}); // no run waits for it, and what is wrong shows when all is written again at the end
        },
      },
    });
  } finally {
    progress.stop();
  }
  const trained = await publish();
  if (signal.aborted) return stopped(signal);
  const measured = await measureAll(io, comparison, path, signal);
  if (measured === "stopped") return stopped(signal);
  const { results, report } = measured === "complete" ? await publish() : trained;
  io.out(`\n${resultsTable(results)}\n`);
  for (const [id, message] of failures) io.out(`${id} failed: ${message}`);
  io.out(`The report: ${report}`);
  io.out(`All numbers: ${folder.file("results")}, ${folder.file("table")}`);
  return { status: "complete", exitCode: failures.size > 0 || measured === "failed" ? 1 : 0 };
}

function stopped(signal: AbortSignal): RunComparisonOutcome {
  return { status: "stopped", exitCode: interruptCode(signal) };
}

/** Measures the contestants, unless that was done before. */
async function measureAll(
  io: Io,
  comparison: Comparison,
  path: string,
  signal: AbortSignal,
): Promise<"complete" | "stopped" | "failed"> {
  if (await readMeasurements(comparison, path)) return "complete";
  const progress = new Progress(io, "measuring", 0, measuredSteps, "rounds");
  const onRound = (done: number): void => progress.update(done);
  const outcome = await measure(comparison, path, { signal, onRound }).finally(() => progress.stop());
  if (outcome.status === "failed") io.note(`time and memory were not measured: ${outcome.message}`);
  return outcome.status;
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

function tellBeginning(
  io: Io,
  { contestants, seeds, config }: Comparison,
  asked: Comparison,
  { path, runs, missing }: { path: string; runs: number; missing: number },
): void {
  const labels = contestants.map(({ label }) => label).join(", ");
  const count = seeds.length === 1 ? "1 seed" : `${seeds.length} seeds`;
  const done = missing === runs ? "" : `, ${runs - missing} of them complete`;
  io.out(`Comparing ${labels} with ${count}: ${runs} runs of ${resolveConfig(config).steps} steps${done}.`);
  if (contestants.length > asked.contestants.length || seeds.length > asked.seeds.length) {
    io.note(`${path} holds more than was asked for, and all of it goes on`);
  }
}

/** One line per contestant. */
function resultsTable(results: ComparisonResults): string {
  const metrics = ["mIoU", "boundaryIoU", "pixelAccuracy"];
  const header = ["", "mIoU", "boundary IoU", "accuracy", "parameters", "MACs", "ms/step", "peak"];
  const rows = results.contestants.map((contestant) => {
    const { label, upsamplerParameters, upsamplerMacs, msPerStep, peakBytes } = contestant;
    return [
      label,
      ...metrics.map((metric) => formatSpread(spreadOf(contestant, metric))),
      upsamplerParameters.toLocaleString("en"),
      formatMacs(upsamplerMacs),
      msPerStep === null ? "-" : msPerStep.toFixed(0),
      peakBytes === null ? "-" : formatBytes(peakBytes),
    ];
  });
  return `${table(header, rows)}\nParameters and MACs are those of the upsamplers, for one picture.`;
}

function formatSpread(spread: ReturnType<typeof spreadOf>): string {
  if (spread === null) return "-";
  const { mean, std, n } = spread;
  return mean.toFixed(4) + (n > 1 ? ` ± ${std.toFixed(4)}` : "");
}

/** 1234567 as "1.23 M". */
function formatMacs(macs: number): string {
  return macs === 0 ? "0" : `${(macs / 1e6).toPrecision(3)} M`;
}

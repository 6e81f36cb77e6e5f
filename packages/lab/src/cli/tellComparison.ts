/** @file Carries out a comparison for a command: tells how it goes, and prints a table of what came out. */

import { formatBytes } from "@gridgrad/core";
import { resolveConfig } from "@gridgrad/dysample";

import type { Comparison } from "../compare/comparison.ts";
import { ComparisonFolder } from "../compare/comparisonFolder.ts";
import { type ComparisonResults, spreadOf } from "../compare/results.ts";
import { type ComparisonBeginning, runComparison } from "../runComparison.ts";
import type { QueueAddress } from "../queue/redisConnection.ts";
import type { Paint } from "./colours.ts";
import { interruptCode, interruptionOf } from "./interrupt.ts";
import type { Io } from "./io.ts";
import { Progress } from "./progress.ts";
import { RunsProgress } from "./runsProgress.ts";
import { table } from "./table.ts";
import { workersAt } from "./workersAt.ts";

export interface TellComparisonOptions {
  /** Runs at once. */
  readonly jobs?: number;
  /** Leave the training to the workers there. */
  readonly queue?: QueueAddress;
  /** Replace a comparison that is there. */
  readonly overwrite?: boolean;
}

export interface ToldComparison {
  /** `complete`: all that could be done is done. */
  readonly status: "complete" | "stopped";
  /** For the process: 0, 1 when something has failed, or that of the signal that has stopped it. */
  readonly exitCode: number;
}

/** Trains, measures, and prints a table. Errors are those of `runComparison`. */
export async function tellComparison(
  io: Io,
  asked: Comparison,
  path: string,
  { jobs, queue, overwrite }: TellComparisonOptions = {},
): Promise<ToldComparison> {
  const { signal, listen } = interruptionOf(io);
  let runs: RunsProgress | undefined;
  let rounds: Progress | undefined;
  const outcome = await runComparison(asked, path, {
    jobs,
    overwrite,
    ...(io.commandLine !== "" && { command: io.commandLine }),
    openWorkers: queue && (() => workersAt(io, queue)),
    signal,
    events: {
      onBegin(beginning) {
        tellBeginning(io, beginning, asked, path);
        listen();
        runs = new RunsProgress(io, beginning.missing);
      },
      onStart: (...of) => runs!.events.onStart!(...of),
      onProgress: (...of) => runs!.events.onProgress!(...of),
      onEvaluated: (...of) => runs!.events.onEvaluated!(...of),
      onRetry: (...of) => runs!.events.onRetry!(...of),
      onEnd: (...of) => runs!.events.onEnd!(...of),
      onTrained: () => runs!.stop(),
      onMeasuring(done, total) {
        rounds ??= new Progress(io, "measuring", 0, total, "rounds");
        if (done > 0) rounds.update(done);
      },
      onMeasured(status, message) {
        rounds!.stop();
        if (status === "failed" && message !== undefined) io.error(`time and memory were not measured: ${message}`);
      },
    },
  });
  if (outcome.status === "stopped") return { status: "stopped", exitCode: interruptCode(signal) };
  const { results, report, failures, measured } = outcome;
  const folder = new ComparisonFolder(path);
  io.out(`${io.quiet ? "" : "\n"}${resultsTable(results, io.paint.out)}\n`);
  for (const [id, message] of failures) io.out(`${id} ${io.paint.out("red", "failed")}: ${message}`);
  io.out(`The report: ${report}`);
  io.out(`All numbers: ${folder.file("results")}, ${folder.file("table")}`);
  return { status: "complete", exitCode: failures.size > 0 || !measured ? 1 : 0 };
}

function tellBeginning(
  io: Io,
  { comparison: { contestants, seeds, config }, runs, missing }: ComparisonBeginning,
  asked: Comparison,
  path: string,
): void {
  const labels = contestants.map(({ label }) => label).join(", ");
  const count = seeds.length === 1 ? "1 seed" : `${seeds.length} seeds`;
  const done = missing.length === runs.length ? "" : `, ${runs.length - missing.length} of them complete`;
  if (!io.quiet)
    io.out(`Comparing ${labels} with ${count}: ${runs.length} runs of ${resolveConfig(config).steps} steps${done}.`);
  if (contestants.length > asked.contestants.length || seeds.length > asked.seeds.length) {
    io.note(`${path} holds more than was asked for, and all of it goes on`);
  }
}

/** One line per contestant. */
function resultsTable(results: ComparisonResults, paint: Paint): string {
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
  return `${table(header, rows, paint)}\nParameters and MACs are those of the upsamplers, for one picture.`;
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

/**
 * @file Time and memory of a training step of each contestant. All are measured in one process that does nothing else, in turns, on all
 * threads, after the training is done: runs that share the machine say little about the time of one. So times are comparable with each other
 * only, and when the contestants are others than before, all are measured again.
 */

import { existsSync } from "node:fs";

import { resolveConfig, type TrainConfig } from "@gridgrad/dysample";
import {
  checkMade,
  coresToUse,
  dictionary,
  either,
  list,
  type Made,
  madeHere,
  number,
  optional,
  readWritten,
  record,
  same,
  text,
} from "@gridgrad/dysample/internal/node";
import { WrittenFileError } from "@gridgrad/dysample/node";
import { writeFileAtomic } from "@gridgrad/nn/node";

import type { Comparison } from "./comparison.ts";
import { ComparisonFolder } from "./comparisonFolder.ts";
import { endOf, forkSource } from "./sourceProcess.ts";

export interface Measurement {
  /** Median. */
  readonly msPerStep: number;
  /** Of the device, at most. */
  readonly peakBytes: number;
}

/** From the parent to the child: the contestants' configurations, and how many steps of each count. */
export interface MeasureRequest {
  readonly configs: readonly TrainConfig[];
  readonly rounds: number;
}

/** From the child to the parent. */
export type MeasureReport =
  { readonly type: "round"; readonly done: number } | { readonly type: "outcome"; readonly outcome: ChildOutcome };

type ChildOutcome =
  | { readonly status: "measured"; readonly measurements: readonly Measurement[] }
  | { readonly status: "stopped" }
  | { readonly status: "failed"; readonly message: string };

/** How measuring ended. */
export type MeasureOutcome =
  | { readonly status: "complete" }
  | { readonly status: "stopped" }
  | { readonly status: "failed"; readonly message: string };

/** Steps of each that count: an odd number, so that the median is one of them. */
export const measuredSteps = 7;

const format = "gridgrad-measurements-1";

/** What measurements.json holds. */
interface Measurements {
  readonly format: typeof format;
  readonly threads: number;
  /** Of each, that count. */
  readonly steps: number;
  /** Where; files of versions that did not tell lack it. */
  readonly made?: Made;
  readonly contestants: readonly ({ readonly label: string; readonly config: TrainConfig } & Measurement)[];
}

const checkMeasurements = record({
  format: same(format),
  made: optional(checkMade),
  contestants: list(
    record<{ label: string; config: Readonly<Record<string, string | number>>; msPerStep: number; peakBytes: number }>({
      label: text,
      config: dictionary(either(text, number)),
      msPerStep: number,
      peakBytes: number,
    }),
  ),
});

/** What was measured, and where. */
export interface Measured {
  /** By the contestants' labels. */
  readonly of: ReadonlyMap<string, Measurement>;
  readonly made?: Made;
}

/** The measurements in a comparison's folder; `null` when they are not of all of these contestants, or damaged. */
export async function readMeasurements(comparison: Comparison, folder: string): Promise<Measured | null> {
  const path = new ComparisonFolder(folder).file("measurements");
  if (!existsSync(path)) return null;
  const measurements = await readWritten(path, checkMeasurements, "they are measured again").catch((error: unknown) => {
    if (error instanceof WrittenFileError) return null;
    throw error;
  });
  if (measurements === null) return null;
  const { contestants, made } = measurements;
  const asText = (list: readonly { label: string; config: object }[]): string =>
    JSON.stringify(list.map(({ label, config }) => [label, Object.entries(config).sort()]).sort());
  if (asText(contestants) !== asText(contestantsOf(comparison))) return null;
  const of = new Map(contestants.map(({ label, msPerStep, peakBytes }) => [label, { msPerStep, peakBytes }]));
  return { of, ...(made && { made }) };
}

/** Measures all contestants of a comparison, and writes measurements.json into its folder. */
export async function measure(
  comparison: Comparison,
  folder: string,
  { signal, onRound }: { signal?: AbortSignal; onRound?: (done: number) => void } = {},
): Promise<MeasureOutcome> {
  const contestants = contestantsOf(comparison);
  const threads = coresToUse();
  const request: MeasureRequest = { configs: contestants.map(({ config }) => config), rounds: measuredSteps };
  const outcome = await inProcess(request, threads, { signal, onRound });
  if (outcome.status !== "measured") return outcome;
  const json: Measurements = {
    format,
    threads,
    steps: measuredSteps,
    made: await madeHere(),
    contestants: contestants.map((contestant, i) => ({ ...contestant, ...outcome.measurements[i] })),
  };
  await writeFileAtomic(new ComparisonFolder(folder).file("measurements"), `${JSON.stringify(json, null, 2)}\n`);
  return { status: "complete" };
}

function contestantsOf({ contestants, config, seeds }: Comparison): { label: string; config: TrainConfig }[] {
  return contestants.map(({ label, config: own }) => ({
    label,
    config: resolveConfig({ ...config, ...own, seed: seeds[0] }),
  }));
}

function inProcess(
  request: MeasureRequest,
  threads: number,
  { signal, onRound }: { signal?: AbortSignal; onRound?: (done: number) => void },
): Promise<ChildOutcome> {
  const child = forkSource("measureProcess", import.meta.url, { threads });
  const stop = (): void => void child.kill();
  let outcome: ChildOutcome | undefined;
  child.on("message", (report: MeasureReport) => {
    if (report.type === "round") onRound?.(report.done);
    else outcome = report.outcome;
  });
  child.send(request, () => {}); // a child that has died cannot be told anything; its end is reported below
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop);
  return new Promise<ChildOutcome>((resolve) => {
    const failed = (how: string) => resolve({ status: "failed", message: `its process ${how}` });
    child.on("error", (error) => failed(`could not be started: ${error.message}`));
    child.on("close", (code, ended) => {
      if (outcome) resolve(outcome);
      else if (signal?.aborted) resolve({ status: "stopped" });
      else failed(endOf(code, ended));
    });
  }).finally(() => signal?.removeEventListener("abort", stop));
}

/**
 * @file metrics.jsonl: one JSON object a line, for each training step, for each evaluation on the way, and at the end for the last one.
 * A loss that is no number, such as the mean over a batch without a label, stands there as null, for which JSON has no other word.
 */

import { existsSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

import { FileError, readWhole, writeFileAtomic } from "@gridgrad/nn/node";

import { checkMetrics } from "./runResult.ts";
import type { Metrics } from "../tasks/task.ts";
import { type Check, checkText, count, number, numberOrNaN, record } from "./writtenFile.ts";

/** A training step, counted from 1. */
export interface StepMetrics {
  readonly step: number;
  /** Before the update. */
  readonly loss: number;
  readonly lr: number;
  /** Euclidean norm of all gradients together. */
  readonly gradNorm: number;
  /** From the pictures to the new weights, without the compilation of kernels, which is done once. */
  readonly ms: number;
}

/** An evaluation on the way, after a step. */
export interface Validation {
  readonly step: number;
  readonly validation: Metrics;
}

interface FinalEvaluation {
  readonly step: number;
  readonly evaluation: Metrics;
}

/** The open file of a run. */
export class MetricsLog {
  readonly #file: FileHandle;
  readonly #path: string;

  private constructor(file: FileHandle, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /**
   * Opens the log behind the line of step `after`; what stands there already of later steps is dropped.
   *
   * @throws {WrittenFileError} when a line is not as it was written.
   */
  static async open(path: string, after: number): Promise<MetricsLog> {
    const kept = (await readLines(path)).filter(
      (line) => line.step <= after && ("loss" in line || "validation" in line),
    );
    await writeFileAtomic(path, kept.map((line) => `${JSON.stringify(line)}\n`).join(""));
    return new MetricsLog(await open(path, "a"), path);
  }

  async write(line: StepMetrics | Validation | FinalEvaluation): Promise<void> {
    await this.#file.appendFile(`${JSON.stringify(line)}\n`).catch((error: unknown) => {
      throw new FileError(this.#path, "a file to write into", error); // the system's error does not name it
    });
  }

  /** Returns when all lines are on the disk. */
  sync(): Promise<void> {
    return this.#file.sync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/**
 * The steps of a log.
 *
 * @throws {WrittenFileError} when a line is not as it was written.
 */
export async function readSteps(path: string): Promise<StepMetrics[]> {
  return (await readLines(path)).filter((line) => "loss" in line);
}

/**
 * The evaluations on the way.
 *
 * @throws {WrittenFileError} when a line is not as it was written.
 */
export async function readValidations(path: string): Promise<Validation[]> {
  return (await readLines(path)).filter((line) => "validation" in line);
}

type Line = StepMetrics | Validation | FinalEvaluation;

const checkStep = record<{ [K in keyof StepMetrics]: number }>({
  step: count,
  loss: numberOrNaN,
  lr: number,
  gradNorm: number,
  ms: number,
});
const checkValidation = record({ step: count, validation: checkMetrics });
const checkEvaluation = record({ step: count, evaluation: checkMetrics });

const checkLine: Check<Line> = (value, field) => {
  if (typeof value === "object" && value !== null) {
    if ("validation" in value) return checkValidation(value, field);
    if ("evaluation" in value) return checkEvaluation(value, field);
  }
  return checkStep(value, field);
};

/** What a log holds. The line that a killed process was writing is left out. */
async function readLines(path: string): Promise<Line[]> {
  if (!existsSync(path)) return [];
  const lines = (await readWhole(path)).toString().split("\n").slice(0, -1); // what follows the last line end is not a line
  return lines.map((line, i) => checkText(line, `${path}, line ${i + 1},`, checkLine, "delete that line"));
}

/** The middle one of the steps' times, which pauses and warm-up do not move; NaN without steps. */
export function medianMs(steps: readonly StepMetrics[]): number {
  return median(steps.map(({ ms }) => ms));
}

/** The middle one of some numbers, or the mean of the middle two; NaN without numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * @file A training run in a process of its own: it has its own threads, and when it dies, the others go on. The child is
 * runProcess.ts; the two talk over the channel between them.
 */

import type { TrainConfig } from "@gridgrad/dysample";

import { endOf, forkSource } from "./sourceProcess.ts";

export interface RunOrder {
  readonly config: TrainConfig;
  /** The run's folder: one that is not there or empty is begun, one with a run is gone on with. */
  readonly path: string;
  /** Of the device `cpu`. */
  readonly threads: number;
}

/** Told what happens in the child. All are optional. */
export interface RunHooks {
  /** The run begins, or goes on after `done` steps. */
  readonly onStart?: (done: number) => void;
  readonly onProgress?: (progress: { step: number; steps: number; loss: number }) => void;
  /** The evaluation has come so far. */
  readonly onEvaluated?: (images: number) => void;
  /** A checkpoint of the state after `step` steps is on the disk. */
  readonly onCheckpoint?: (step: number) => void;
  /** When it is aborted, the step under way is finished and a checkpoint is written. */
  readonly signal?: AbortSignal;
}

/** How a run ended. With `retry`, starting it again may help: its process has died, which says nothing about the run. */
export type RunOutcome =
  | { readonly status: "complete" }
  | { readonly status: "stopped"; readonly step: number }
  | { readonly status: "failed"; readonly message: string; readonly retry: boolean };

/** From the parent to the child. */
export type RunRequest = { readonly type: "run"; readonly order: RunOrder } | { readonly type: "stop" };

/** From the child to the parent. */
export type RunReport =
  | { readonly type: "start"; readonly done: number }
  /** NaN comes as null: messages are JSON. */
  | { readonly type: "progress"; readonly step: number; readonly steps: number; readonly loss: number | null }
  | { readonly type: "evaluated"; readonly images: number }
  | { readonly type: "checkpoint"; readonly step: number }
  | { readonly type: "outcome"; readonly outcome: RunOutcome };

/** Trains one run in a process of its own, and resolves when that has ended, however it did. */
export function startRun(order: RunOrder, hooks: RunHooks = {}): Promise<RunOutcome> {
  const child = forkSource("runProcess", import.meta.url, order);
  // A child that has just died cannot be told anything; its end is reported below.
  const request = (message: RunRequest) => child.connected && child.send(message, () => {});
  const stop = () => void request({ type: "stop" });
  let outcome: RunOutcome | undefined;
  child.on("message", (report: RunReport) => {
    if (report.type === "start") hooks.onStart?.(report.done);
    else if (report.type === "progress") {
      hooks.onProgress?.({ step: report.step, steps: report.steps, loss: report.loss ?? NaN });
    } else if (report.type === "evaluated") hooks.onEvaluated?.(report.images);
    else if (report.type === "checkpoint") hooks.onCheckpoint?.(report.step);
    else outcome = report.outcome;
  });
  request({ type: "run", order });
  if (hooks.signal?.aborted) stop();
  hooks.signal?.addEventListener("abort", stop);
  return new Promise<RunOutcome>((resolve) => {
    const failed = (how: string) => resolve({ status: "failed", message: `its process ${how}`, retry: true });
    child.on("error", (error) => failed(`could not be started: ${error.message}`));
    child.on("close", (code, signal) => {
      if (outcome) resolve(outcome);
      else failed(endOf(code, signal));
    });
  }).finally(() => hooks.signal?.removeEventListener("abort", stop));
}

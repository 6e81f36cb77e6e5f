/**
 * @file The coordinator: puts runs into the queue, follows what workers on any machine make of them, and brings the files of those
 * that are complete into their folders. It may end and begin again at any time; jobs go on meanwhile.
 */

import { RunFolder } from "@gridgrad/dysample/internal/node";
import type { Job } from "bullmq";

import { runPath, type Run } from "../compare/comparison.ts";
import type { PoolOptions } from "../compare/runPool.ts";
import type { RunOutcome } from "../compare/startRun.ts";
import { loadQueuePackage } from "./queuePackages.ts";
import type { RedisConnection } from "./redisConnection.ts";
import { readRunFiles, writeRunFiles } from "./runFiles.ts";
import { JobFiles, jobFormat, jobIdOf, type JobProgress, queueName, queuePrefix, type RunJob } from "./runQueue.ts";

export interface QueueOptions extends Pick<PoolOptions, "folder" | "signal" | "events"> {
  readonly connection: RedisConnection;
  /** The comparison's id. */
  readonly comparison: string;
}

/** A run whose process has died is tried once more, as `runAll` does. */
const attempts = 2;

/** Events may be missed, as when Redis was restarted: each run is looked at now and then. */
const lookEveryMs = 2000;

/**
 * Has all runs trained by workers, and resolves to how each ended, in their order: `null` for those that were not done when the
 * signal came. Jobs are removed from Redis when their files are in the folder, or their failure was told.
 */
export async function runQueued(
  runs: readonly Run[],
  { folder, signal, events = {}, connection, comparison }: QueueOptions,
): Promise<(RunOutcome | null)[]> {
  const { Queue, QueueEvents } = await loadQueuePackage("bullmq", () => import("bullmq"));
  const common = { connection: connection.options, prefix: queuePrefix };
  const queue = new Queue<RunJob>(queueName, common);
  const listener = new QueueEvents(queueName, common);
  queue.on("error", () => {}); // connectRedis tells of a lost connection
  listener.on("error", () => {});
  const files = new JobFiles(connection.client);
  const pending = new Map(runs.map((run) => [jobIdOf(comparison, run.id), run]));
  const outcomes = new Map<Run, RunOutcome>();

  const remove = async (job: Job<RunJob>): Promise<void> => {
    await files.remove(job.id!);
    await job.remove();
  };

  /** Brings a run nearer to its outcome, and returns that if it has one. */
  const look = async (jobId: string, run: Run): Promise<RunOutcome | null> => {
    const path = runPath(folder, run);
    const job: Job<RunJob> | undefined = await queue.getJob(jobId);
    if (!job) {
      if (new RunFolder(path).has("result")) return { status: "complete" }; // another coordinator was here
      await files.seed(jobId, await readRunFiles(path));
      await queue.add(run.id, { format: jobFormat, id: run.id, config: run.config }, { jobId, attempts });
      return null;
    }
    const state = await job.getState();
    if (state === "failed") {
      await remove(job);
      return { status: "failed", message: job.failedReason, retry: false };
    }
    if (state !== "completed") return null;
    const trained = await files.read(jobId);
    if (trained["result"]) await writeRunFiles(path, trained);
    await remove(job);
    if (!trained["result"]) return null; // somebody has deleted them: the run begins again
    return { status: "complete" };
  };

  let wake = (): void => {};
  const follow = async (): Promise<void> => {
    while (pending.size > 0) {
      const slept = sleep(lookEveryMs, (wakened) => (wake = wakened));
      for (const [jobId, run] of pending) {
        const outcome = await look(jobId, run);
        if (signal?.aborted) return;
        if (!outcome) continue;
        pending.delete(jobId);
        outcomes.set(run, outcome);
        await events.onEnd?.(run, outcome);
      }
      if (pending.size > 0) await slept;
    }
  };

  listener.on("completed", () => wake());
  listener.on("failed", () => wake());
  listener.on("progress", ({ jobId, data }) => {
    const run = pending.get(jobId);
    if (!run) return;
    const progress = data as unknown as JobProgress;
    if (progress.type === "start") events.onStart?.(run, progress.done);
    else if (progress.type === "evaluated") events.onEvaluated?.(run, progress.images);
    else events.onProgress?.(run, { ...progress, loss: progress.loss ?? NaN });
  });
  try {
    await Promise.race([follow(), aborted(signal)]); // while Redis is away, `follow` waits for it
  } finally {
    wake();
    connection.stopRetrying();
    await Promise.all([queue.close(), listener.close()]);
  }
  return runs.map((run) => outcomes.get(run) ?? null);
}

/** Resolves after `ms`, or when what `give` was called with is called. */
function sleep(ms: number, give: (wake: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    give(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve();
    signal?.addEventListener("abort", () => resolve());
  });
}

/**
 * @file A worker: takes runs from the queue and trains each in a process and a folder of its own. The state of a run goes to Redis
 * with every checkpoint, so whoever takes it next goes on from there, to the same bits.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { makeFolder } from "@gridgrad/nn/node";
import type { Job } from "bullmq";

import { startRun } from "../compare/startRun.ts";
import { LatestOnly } from "./latestOnly.ts";
import { QueueError } from "./queueError.ts";
import { loadQueuePackage } from "./queuePackages.ts";
import type { RedisConnection } from "./redisConnection.ts";
import { readRunFiles, writeRunFiles } from "./runFiles.ts";
import { type Hold, JobFiles, jobFormat, type JobProgress, queueName, queuePrefix, type RunJob } from "./runQueue.ts";

export interface WorkerSettings {
  /** Runs at once. */
  readonly jobs: number;
  /** Of each run. */
  readonly threads: number;
  /** Where the folders of the runs are made, each for as long as it is trained here. */
  readonly folder: string;
  /** A worker that has not been heard of for this long is taken for dead, and its runs are given to others. */
  readonly leaseMs: number;
  /** End when no run waits and none is worked on by anybody. */
  readonly untilDone: boolean;
  /** When it is aborted, the runs finish their steps and go back to the queue. */
  readonly signal: AbortSignal;
  /** Told what happens, line by line. */
  readonly note: (line: string) => void;
}

/** A lease is renewed this many times before it would run out: a short pause costs nothing. */
const renewals = 3;

/** A run that has taken down so many workers does so again. */
const mostStalls = 100;

/** Between two looks at an empty queue, and two reports of the same run. */
const pauseMs = 500;

/**
 * Works until the signal is aborted, or there is nothing left to do.
 *
 * @throws {QueueError} when the queue's runs are of another version; they stay in it.
 */
export async function workOnQueue(connection: RedisConnection, settings: WorkerSettings): Promise<void> {
  const { Queue, UnrecoverableError, WaitingError, Worker } = await loadQueuePackage("bullmq", () => import("bullmq"));
  const { jobs, threads, folder, leaseMs, signal, note } = settings;
  const files = new JobFiles(connection.client);
  const ending = new AbortController();
  let problem: QueueError | null = null;

  const process = async (job: Job<RunJob>, token: string): Promise<void> => {
    const { format, id, config } = job.data;
    const giveBack = async (): Promise<never> => {
      await job.moveToWait(token);
      throw new WaitingError(); // BullMQ leaves the job as it is
    };
    if (format !== jobFormat) {
      problem = new QueueError(
        `the runs in the queue must be of format ${jobFormat}, got ${JSON.stringify(format)}; use the version of gridgrad ` +
          "here that compares there",
      );
      ending.abort();
    }
    if (ending.signal.aborted) return giveBack();

    await makeFolder(folder);
    const path = await mkdtemp(join(folder, "run-"));
    const hold: Hold = { jobId: job.id!, token, beginning: job.attemptsStarted, leaseMs };
    const lost = new AbortController();
    const keep = async (withFiles: boolean): Promise<boolean> => {
      const kept = !lost.signal.aborted && (await files.keep(hold, withFiles ? await readRunFiles(path) : {}));
      if (!kept) lost.abort();
      return kept;
    };
    // One at a time each: while Redis is away, they wait for it, and the run goes on.
    const tell = ({ message }: Error): void => note(message);
    const renewal = new LatestOnly(() => keep(false), tell);
    const upload = new LatestOnly(() => keep(true), tell);
    const report = new LatestOnly(async (progress: JobProgress) => {
      if (await keep(false)) await job.updateProgress(progress); // which BullMQ does for any job
    }, tell);
    const renewing = setInterval(() => renewal.ask(), leaseMs / renewals);
    try {
      await writeRunFiles(path, await files.read(job.id!));
      let reported = -Infinity;
      const outcome = await startRun(
        { config, path, threads },
        {
          signal: AbortSignal.any([ending.signal, lost.signal]),
          onStart(done) {
            note(done === 0 ? `${id}: begins` : `${id}: goes on after step ${done}`);
            report.ask({ type: "start", done });
          },
          onProgress(progress) {
            if (performance.now() - reported < pauseMs && progress.step < progress.steps) return;
            reported = performance.now();
            report.ask({ type: "step", ...progress });
          },
          onEvaluated: (images) => report.ask({ type: "evaluated", images }),
          onCheckpoint: () => upload.ask(),
        },
      );
      clearInterval(renewing);
      // Files that were read before the last ones are must not come after them.
      await Promise.all([renewal, upload, report].map((each) => each.end()));
      if (!(await keep(outcome.status !== "failed"))) {
        note(`${id}: taken over by another worker, which this one has not been heard by in time; nothing is changed`);
        throw new WaitingError();
      }
      if (outcome.status === "complete") return note(`${id}: complete`);
      if (outcome.status === "stopped") {
        note(`${id}: stopped after step ${outcome.step}, and given back`);
        return await giveBack();
      }
      note(`${id}: failed: ${outcome.message}`);
      throw outcome.retry ? new Error(outcome.message) : new UnrecoverableError(outcome.message);
    } finally {
      clearInterval(renewing);
      await rm(path, { recursive: true, force: true });
    }
  };

  const worker = new Worker<RunJob>(queueName, (job: Job<RunJob>, token?: string) => process(job, token!), {
    connection: connection.options,
    prefix: queuePrefix,
    concurrency: jobs,
    lockDuration: leaseMs,
    skipLockRenewal: true, // a hold can be renewed after its lock has run out, which BullMQ's own renewal gives up
    stalledInterval: leaseMs / 2,
    maxStalledCount: mostStalls,
    runRetryDelay: pauseMs,
  });
  // Of a connection that is lost, connectRedis tells; of a job that is lost, the run does.
  worker.on("error", (error) => void (/ECONN|Connection is closed|lock/i.test(error.message) || note(error.message)));
  const queue = new Queue<RunJob>(queueName, { connection: connection.options, prefix: queuePrefix });
  queue.on("error", () => {});
  const stop = (): void => ending.abort();
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    while (!ending.signal.aborted) {
      if (settings.untilDone && (await queue.getJobCountByTypes("waiting", "active", "delayed")) === 0) break;
      await pause(pauseMs, undefined, { signal: ending.signal }).catch(() => {}); // or until it is aborted
    }
  } finally {
    signal.removeEventListener("abort", stop);
    const givingUp = setTimeout(() => connection.stopRetrying(), leaseMs); // after that the runs are others' anyway
    await worker.close();
    await queue.close();
    clearTimeout(givingUp);
  }
  if (problem) throw problem as QueueError;
}

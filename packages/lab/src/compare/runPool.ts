/**
 * @file The runs of a comparison, several at once, each in a process of its own. One that fails does not stop the others, and one
 * whose process has died is tried once more, from its checkpoint.
 */

import { coresToUse } from "@gridgrad/dysample/internal/node";

import { runPath, type Run } from "./comparison.ts";

import { type RunHooks, type RunOutcome, startRun } from "./startRun.ts";

/** Told what happens to each run. All are optional; arguments behind the run are those of `RunHooks`. */
export interface PoolEvents {
  readonly onStart?: (run: Run, done: number) => void;
  readonly onProgress?: (run: Run, progress: { step: number; steps: number; loss: number }) => void;
  readonly onEvaluated?: (run: Run, images: number) => void;
  readonly onCheckpoint?: (run: Run, step: number) => void;
  /** Its process has died, and it begins again at its checkpoint. */
  readonly onRetry?: (run: Run, message: string) => void;
  /** The next run waits for it. */
  readonly onEnd?: (run: Run, outcome: RunOutcome) => void | Promise<void>;
}

export interface PoolOptions {
  /** Of the comparison. */
  readonly folder: string;
  /** Runs at once. Default: as many as there are cores, see `coresToUse`. */
  readonly jobs?: number;
  /** Of each run. Default: the cores, shared out among the runs at once. */
  readonly threads?: number;
  /** When it is aborted, runs under way write their checkpoints, and no other is started. */
  readonly signal?: AbortSignal;
  readonly events?: PoolEvents;
}

/**
 * How many runs at once, with how many threads each. Threads of one run wait for each other at every kernel, so runs side by side
 * come first, and threads only where cores are left.
 *
 * @example
 * ```ts
 * shareOut(24, { cores: 8 }); // { jobs: 8, threads: 1 }
 * shareOut(3, { cores: 8 }); // { jobs: 3, threads: 2 }
 * ```
 */
export function shareOut(
  runs: number,
  { jobs, threads, cores = coresToUse() }: { jobs?: number; threads?: number; cores?: number } = {},
): { jobs: number; threads: number } {
  const atOnce = Math.max(1, Math.min(runs, jobs ?? cores));
  return { jobs: atOnce, threads: threads ?? Math.max(1, Math.floor(cores / atOnce)) };
}

/** Trains all runs, and resolves to how each ended, in their order: `null` for those that the signal kept from starting. */
export async function runAll(
  runs: readonly Run[],
  { folder, jobs: wantedJobs, threads: wantedThreads, signal, events = {} }: PoolOptions,
): Promise<(RunOutcome | null)[]> {
  const { jobs, threads } = shareOut(runs.length, { jobs: wantedJobs, threads: wantedThreads });
  const outcomes: (RunOutcome | null)[] = runs.map(() => null);

  const attempt = (run: Run): Promise<RunOutcome> => {
    const hooks: RunHooks = {
      signal,
      onStart: (done) => events.onStart?.(run, done),
      onProgress: (progress) => events.onProgress?.(run, progress),
      onEvaluated: (images) => events.onEvaluated?.(run, images),
      onCheckpoint: (step) => events.onCheckpoint?.(run, step),
    };
    return startRun({ config: run.config, path: runPath(folder, run), threads }, hooks);
  };

  let next = 0;
  const work = async (): Promise<void> => {
    while (next < runs.length && !signal?.aborted) {
      const i = next++;
      let outcome = await attempt(runs[i]);
      if (outcome.status === "failed" && outcome.retry && !signal?.aborted) {
        events.onRetry?.(runs[i], outcome.message);
        outcome = await attempt(runs[i]);
      }
      outcomes[i] = outcome;
      await events.onEnd?.(runs[i], outcome);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return outcomes;
}

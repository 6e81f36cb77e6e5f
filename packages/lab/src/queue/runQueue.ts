/**
 * @file What coordinator and workers agree on: one job per run in a BullMQ queue, and the run's files beside it, as bytes in a hash.
 *
 *     gridgrad:runs:...             the queue, as BullMQ keeps it
 *     gridgrad:runs:JOB             a job: the configuration of its run, and how often it was begun
 *     gridgrad:runs:JOB:lock        who works on it, for as long as the lease of that worker lasts
 *     gridgrad:files:JOB            the files of the run as of its last checkpoint, in the end all of them
 *
 * Only the holder of a job may write its files. A worker that was frozen or cut off, and whose job others have taken, is refused.
 */

import type { TrainConfig } from "@gridgrad/dysample";
import type { Redis } from "ioredis";

import type { RunFiles } from "./runFiles.ts";

/** Changes with anything that a worker of another version would do differently. */
export const jobFormat = "gridgrad-job-1";

export interface RunJob {
  readonly format: typeof jobFormat;
  /** Of the run, for messages. */
  readonly id: string;
  readonly config: TrainConfig;
}

/** What a worker tells on the way. */
export type JobProgress =
  | { readonly type: "start"; readonly done: number }
  /** NaN comes as null: what Redis holds is JSON. */
  | { readonly type: "step"; readonly step: number; readonly steps: number; readonly loss: number | null }
  | { readonly type: "evaluated"; readonly images: number };

export const queueName = "runs";

export const queuePrefix = "gridgrad";

/** The same for the same run of the same comparison, so that it is in the queue once however often it is added. */
export function jobIdOf(comparison: string, run: string): string {
  return `${comparison}-${run}`;
}

/** A worker's hold on a job: the lock that BullMQ gave it, and which beginning of the job it was given for. */
export interface Hold {
  readonly jobId: string;
  readonly token: string;
  readonly beginning: number;
  readonly leaseMs: number;
}

/**
 * Renews a hold and, with files, puts them in the place of those that are there. A lock that has run out is taken again, but only
 * as long as the job was not given to anybody else: it is still among those worked on, and was begun no more often.
 *
 * Redis runs a script as a whole, so nobody takes the job between the question and the answer.
 */
const holdScript = `
local job, lock, active, stalled, files = unpack(KEYS)
local token, beginning, lease, id = unpack(ARGV, 1, 4)
local holder = redis.call("GET", lock)
if holder and holder ~= token then return 0 end
if not holder and not redis.call("LPOS", active, id) then return 0 end
if redis.call("HGET", job, "ats") ~= beginning then return 0 end
redis.call("SET", lock, token, "PX", lease)
redis.call("SREM", stalled, id)
if #ARGV > 4 then
  redis.call("DEL", files)
  for i = 5, #ARGV, 2 do redis.call("HSET", files, ARGV[i], ARGV[i + 1]) end
end
return 1`;

/** Puts files where there are none. */
const seedScript = `
if redis.call("EXISTS", KEYS[1]) == 1 then return 0 end
for i = 1, #ARGV, 2 do redis.call("HSET", KEYS[1], ARGV[i], ARGV[i + 1]) end
return 1`;

/** The files of jobs, and the holds on them. */
export class JobFiles {
  readonly #client: Redis;

  constructor(client: Redis) {
    this.#client = client;
  }

  /**
   * Renews a hold and writes the files, if there are any.
   *
   * @returns whether the job is still ours; otherwise nothing was changed.
   */
  async keep({ jobId, token, beginning, leaseMs }: Hold, files: RunFiles = {}): Promise<boolean> {
    const job = `${queuePrefix}:${queueName}:${jobId}`;
    const of = (name: string): string => `${queuePrefix}:${queueName}:${name}`;
    const keys = [job, `${job}:lock`, of("active"), of("stalled"), key(jobId)];
    const args = [token, beginning, leaseMs, jobId, ...Object.entries(files).flat()];
    return (await this.#client.eval(holdScript, keys.length, ...keys, ...args)) === 1;
  }

  /** Gives a job that is not in the queue yet the files of a run that was begun elsewhere. Files that are there stay. */
  async seed(jobId: string, files: RunFiles): Promise<void> {
    const args = Object.entries(files).flat();
    if (args.length > 0) await this.#client.eval(seedScript, 1, key(jobId), ...args);
  }

  read(jobId: string): Promise<RunFiles> {
    return this.#client.hgetallBuffer(key(jobId));
  }

  async remove(jobId: string): Promise<void> {
    await this.#client.del(key(jobId));
  }
}

function key(jobId: string): string {
  return `${queuePrefix}:files:${jobId}`;
}

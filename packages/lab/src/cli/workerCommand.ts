/** @file `gridgrad worker`: trains runs of comparisons that are made elsewhere. */

import { tmpdir } from "node:os";
import { join } from "node:path";

import { makeWritableFolder } from "@gridgrad/nn/node";
import type { Command } from "commander";

import { asksRedis, connectRedis, type QueueAddress } from "../queue/redisConnection.ts";
import { workOnQueue } from "../queue/workOnQueue.ts";
import { shareOut } from "../compare/runPool.ts";
import { interruptCode } from "./interrupt.ts";
import type { Io } from "./io.ts";
import { newCommand } from "./newCommand.ts";
import { folderOption, integerOption, positiveOption, queueOption } from "./options.ts";

interface Options {
  readonly queue: QueueAddress;
  readonly jobs?: number;
  readonly work: string;
  readonly lease: number;
  readonly untilDone?: boolean;
}

/** Long enough for a machine that is short of breath, and short enough to wait for when one has died. */
const defaultLeaseS = 30;

export function workerCommand(io: Io): Command {
  return newCommand("worker")
    .addOption(queueOption("where the runs are waiting").makeOptionMandatory())
    .addOption(integerOption("--jobs <n>", "runs at once (one per core)"))
    .addOption(
      folderOption("--work <dir>", "folder for runs while they are trained").default(join(tmpdir(), "gridgrad-worker")),
    )
    .addOption(
      positiveOption("--lease <seconds>", "a worker that is silent for so long loses its runs to others").default(
        defaultLeaseS,
      ),
    )
    .option("--until-done", "end when no run is waiting or being trained anywhere, instead of waiting for more")
    .addHelpText(
      "after",
      `
Ctrl-C finishes the steps under way and gives the runs back to the queue: other workers go on with them, bit by bit as if they had
not stopped.

Examples:
  ${io.program} worker --queue redis://head-node:6379
  GRIDGRAD_QUEUE=redis://:PASSWORD@head-node:6379/2 ${io.program} worker --jobs 4 --until-done`,
    )
    .action((options: Options) => runWorker(io, options));
}

async function runWorker(io: Io, { queue, jobs: asked, work, lease, untilDone = false }: Options): Promise<void> {
  const note = (line: string): void => io.note(line);
  await makeWritableFolder(work); // before it takes a run from those that can train it
  const connection = await connectRedis(queue, note);
  const { jobs, threads } = shareOut(Infinity, { jobs: asked });
  const signal = io.interrupted();
  const each = threads === 1 ? "1 thread" : `${threads} threads`;
  if (!io.quiet) io.out(`Waiting for runs at ${queue.shown}: ${jobs} at once, with ${each} each.`);
  try {
    const settings = { jobs, threads, folder: work, leaseMs: lease * 1000, untilDone, signal, note };
    await asksRedis(queue, () => workOnQueue(connection, settings));
  } finally {
    connection.close();
  }
  if (signal.aborted) io.exitCode = interruptCode(signal);
}

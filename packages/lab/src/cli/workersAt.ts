/** @file `compare --queue`: leaves the training to workers, and says how to start them. */

import { asksRedis, connectRedis, type QueueAddress } from "../queue/redisConnection.ts";
import { runQueued } from "../queue/runQueued.ts";
import type { Workers } from "../runComparison.ts";
import type { runAll } from "../compare/runPool.ts";
import type { Io } from "./io.ts";

/** @throws {QueueError} when there is no queue. */
export async function workersAt(io: Io, queue: QueueAddress): Promise<Workers> {
  const connection = await connectRedis(queue, (line) => io.note(line));
  const train =
    (comparison: string): typeof runAll =>
    async (runs, options) => {
      if (runs.length === 0) return [];
      io.note(
        `${runs.length} runs are left to workers; start as many as you like, on any machine that reaches the queue:`,
      );
      io.note(`  ${io.program} worker --queue ${queue.shown}`);
      return asksRedis(queue, () => runQueued(runs, { ...options, connection, comparison }));
    };
  return { train, close: () => connection.close() };
}

/** @file The way to Redis: an address that makes sense, a first connection that answers, and what is told when it is lost. */

import type { Redis } from "ioredis";

/** A queue that cannot be used: the message says why, and what to do. */
export class QueueError extends Error {
  override name = "QueueError";
}

/** Where a queue is. */
export interface QueueAddress {
  readonly url: string;
  /** Without the password. */
  readonly shown: string;
}

/** An open connection, and how others like it are opened. */
export interface RedisConnection {
  readonly client: Redis;
  readonly options: {
    readonly url: string;
    readonly maxRetriesPerRequest: null;
    readonly retryStrategy: () => number | null;
  };
  /** From now on, commands that wait for a lost connection fail. */
  stopRetrying(): void;
  close(): void;
}

/** A host that does not answer within this time is not there. */
const connectMs = 10_000;

/** Between two attempts to get a lost connection back. */
const retryMs = 1000;

/**
 * Reads `redis://[[user]:password@]host[:port][/database]`; `rediss:` for TLS.
 *
 * @throws {QueueError} for anything else.
 */
export function parseQueueUrl(text: string): QueueAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  const wellFormed = url && /^rediss?:$/.test(url.protocol) && url.hostname !== "" && /^(\/\d*)?$/.test(url.pathname);
  if (!wellFormed || url.search !== "" || url.hash !== "") {
    throw new QueueError(
      `a queue must be redis://host:port or redis://host:port/database, got ${withoutPassword(text)}`,
    );
  }
  return { url: text, shown: withoutPassword(text) };
}

function withoutPassword(text: string): string {
  return text.replace(/(\/\/[^/@]*):[^/]*@/, "$1:***@");
}

/**
 * Connects, and makes sure that Redis answers.
 *
 * @param note - told once when the connection is lost, and once when it is back; in between it is tried again and again.
 * @throws {QueueError} when there is no Redis, or it lets nobody in.
 */
export async function connectRedis(
  { url, shown }: QueueAddress,
  note: (line: string) => void,
): Promise<RedisConnection> {
  const { Redis } = await import("ioredis");
  const first = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: connectMs });
  let cause: Error | undefined;
  first.on("error", (error: Error) => (cause = error));
  try {
    await first.connect();
    await first.ping();
    if (cause) throw cause; // a database that is not there does not keep it from connecting
  } catch (error) {
    throw new QueueError(explain(shown, cause ?? (error as Error)), { cause: error });
  } finally {
    first.disconnect();
  }

  // Commands wait for a lost connection instead of failing: BullMQ asks for the null.
  let retrying = true;
  const options = { url, maxRetriesPerRequest: null, retryStrategy: () => (retrying ? retryMs : null) };
  const client = new Redis(url, options);
  let lost = false;
  client.on("error", () => {}); // what closes the connection is told below, once
  client.on("reconnecting", () => {
    if (!lost) note(`the connection to ${shown} is lost; trying again until it is back`);
    lost = true;
  });
  client.on("ready", () => {
    if (lost) note(`the connection to ${shown} is back`);
    lost = false;
  });
  const stopRetrying = (): void => void (retrying = false);
  return {
    client,
    options,
    stopRetrying,
    close() {
      stopRetrying();
      client.disconnect();
    },
  };
}

function explain(shown: string, error: Error): string {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const { message } = error;
  if (/^(NOAUTH|WRONGPASS|NOPERM)|invalid password|without any password/i.test(message)) {
    return `Redis at ${shown} must let us in, but says "${message}"; give its password as redis://:PASSWORD@host:port`;
  }
  if (/DB index/i.test(message)) return `Redis at ${shown} must have that database, but says "${message}"`;
  const why = code === "" ? message : code;
  return `a Redis must answer at ${shown}, but there is none (${why}); start one (redis-server), or check host and port`;
}

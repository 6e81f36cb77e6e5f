/** @file The way to Redis: an address that makes sense, a first connection that answers, and what is told when it is lost. */

import type { Redis } from "ioredis";

import { QueueError } from "./queueError.ts";
import { loadQueuePackage } from "./queuePackages.ts";

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
 * @throws {QueueError} for anything else. The message never holds what might be a password.
 */
export function parseQueueUrl(text: string): QueueAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  const shown = url && withoutPassword(url);
  if (
    !url ||
    !shown ||
    !/^rediss?:$/.test(url.protocol) ||
    url.hostname === "" ||
    !/^(\/\d*)?$/.test(url.pathname) ||
    !isPercentEncoded(url.username + url.password)
  ) {
    const given = plainPlace.test(text) ? text : (shown ?? "an address that is not shown, as a password may be in it");
    throw new QueueError(
      `a queue must be redis://host:port or redis://host:port/database, with redis://:PASSWORD@host:port for a password, in ` +
        `which % / # ? @ : are percent-encoded: %25 %2F %23 %3F %40 %3A; got ${given}`,
    );
  }
  return { url: text, shown };
}

/** A host with what may stand around it, and no place for a password. */
const plainPlace = /^([a-z]+:\/\/)?([\w.-]+(:\d+)?(\/[\w/]*)?)?$/i;

/** `null` where a part of the password may have been taken for another part of the address. */
function withoutPassword({ protocol, username, password, host, pathname, search, hash }: URL): string | null {
  if (host === "" || /@/.test(pathname) || search !== "" || hash !== "") return null;
  const who = password !== "" ? `${username}:***@` : username !== "" ? "***@" : "";
  return `${protocol}//${who}${host}${pathname}`;
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
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
  const { Redis } = await loadQueuePackage("ioredis", () => import("ioredis"));
  await loadQueuePackage("bullmq", () => import("bullmq")); // before anything is done: nothing goes on without it
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
  if (/CERT|UNABLE_TO_(GET|VERIFY)/.test(code)) {
    return (
      `Redis at ${shown} must have a certificate that is trusted here, but: ${message} (${code}); let NODE_EXTRA_CA_CERTS ` +
      "name a file with the certificate that has signed it"
    );
  }
  if (/^ERR_SSL_|EPROTO/.test(code)) {
    return `Redis at ${shown} must speak TLS, but does not (${why}); without TLS its address is redis://host:port`;
  }
  if (code === "ECONNRESET") {
    return `Redis at ${shown} must answer, but has closed the connection (${why}); if it wants TLS, its address is rediss://host:port`;
  }
  return `a Redis must answer at ${shown}, but there is none (${why}); start one (redis-server), or check host and port`;
}

/** Runs what has Redis do something. What it refuses is the user's to repair. */
export async function asksRedis<T>({ shown }: QueueAddress, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "ReplyError") throw error;
    const remedy = /^READONLY/.test(error.message)
      ? "; this one is a replica: give the address of the Redis that it copies"
      : /^OOM/.test(error.message)
        ? "; give it more memory (maxmemory)"
        : "";
    throw new QueueError(`Redis at ${shown} must take the runs, but says "${error.message}"${remedy}`, {
      cause: error,
    });
  }
}

import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { createServer as createTlsServer } from "node:tls";

import { Queue, Worker } from "bullmq";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { hasTier } from "@gridgrad/core/testing/tier";
import { resolveConfig } from "@gridgrad/dysample";

import { missingRedis, RedisServer } from "../testing/redisServer.ts";
import { selfSigned } from "../testing/selfSigned.ts";
import { QueueError } from "./queueError.ts";
import { asksRedis, connectRedis, parseQueueUrl } from "./redisConnection.ts";
import { type Hold, JobFiles, jobFormat, jobIdOf, queueName, queuePrefix } from "./runQueue.ts";

const missing = hasTier("ci") ? missingRedis() : "a larger tier has it";

describe.skipIf(missing !== null)(`a job's files${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  const jobId = jobIdOf("comparison", "bilinear-seed0");
  const checkpoint = (text: string) => ({ checkpoint: Buffer.from(text) });
  let server: RedisServer;
  let files: JobFiles;
  let queue: Queue;
  let fetcher: Worker;

  beforeAll(async () => {
    server = await RedisServer.start();
    const common = { connection: { url: server.url, maxRetriesPerRequest: null }, prefix: queuePrefix };
    queue = new Queue(queueName, common);
    fetcher = new Worker(queueName, null, { ...common, lockDuration: 60_000 });
    files = new JobFiles(server.client);
  });

  afterAll(async () => {
    await fetcher.close();
    await queue.close();
    await server.stop();
  });

  beforeEach(() => server.client.flushall());

  const add = () => queue.add("run", { format: jobFormat, id: "run", config: resolveConfig() }, { jobId });
  const take = async (token: string): Promise<Hold> => {
    const job = (await fetcher.getNextJob(token, { block: false }))!;
    return { jobId, token, beginning: job.attemptsStarted, leaseMs: 60_000 };
  };
  const lockRunsOut = () => server.client.del(`${queuePrefix}:${queueName}:${jobId}:lock`);
  const othersTakeIt = async (token: string): Promise<Hold> => {
    await lockRunsOut();
    // A job counts as stalled when two checks in a row find it without a lock.
    for (const _ of [1, 2]) {
      await server.client.del(`${queuePrefix}:${queueName}:stalled-check`);
      await fetcher.getBackend().moveStalledJobsToWait();
    }
    return take(token);
  };

  test("a job that is added twice is in the queue once", async () => {
    await add();
    await add();
    expect(await queue.getWaitingCount()).toBe(1);
  });

  test("are written by who holds it, in the place of the former ones", async () => {
    await add();
    const hold = await take("a");
    expect(await files.keep(hold, { ...checkpoint("1"), halfway: Buffer.from([0xff, 0]) })).toBe(true);
    expect(await files.read(jobId)).toEqual({ ...checkpoint("1"), halfway: Buffer.from([0xff, 0]) });
    expect(await files.keep(hold, checkpoint("2"))).toBe(true);
    expect(await files.keep(hold)).toBe(true);
    expect(await files.read(jobId)).toEqual(checkpoint("2"));
  });

  test("are still written by one whose lock has run out, as long as nobody else has the job", async () => {
    await add();
    const hold = await take("a");
    await lockRunsOut();
    expect(await files.keep(hold, checkpoint("late"))).toBe(true);
    expect(await server.client.get(`${queuePrefix}:${queueName}:${jobId}:lock`)).toBe("a");
  });

  test.each(["b", "a"])(
    "are not written by one whose job was given away, also not to its own token: %s",
    async (to) => {
      await add();
      const former = await take("a");
      const successor = await othersTakeIt(to);
      expect(await files.keep(successor, checkpoint("successor"))).toBe(true);
      expect(await files.keep(former, checkpoint("former"))).toBe(false);
      await lockRunsOut();
      expect(await files.keep(former, checkpoint("former"))).toBe(false);
      expect(await files.read(jobId)).toEqual(checkpoint("successor"));
    },
  );

  test("are not written when the job waits, is complete, or is gone", async () => {
    await add();
    const hold = await take("a");
    const job = (await queue.getJob(jobId))!;
    await job.moveToWait("a");
    expect(await files.keep(hold, checkpoint("waits"))).toBe(false);
    const again = await take("b");
    await job.moveToCompleted(null, "b", false);
    expect(await files.keep(again, checkpoint("complete"))).toBe(false);
    await job.remove();
    expect(await files.keep(again, checkpoint("gone"))).toBe(false);
    expect(await files.read(jobId)).toEqual({});
  });

  test("are not written by one who held a job of the same name, before that was removed and added again", async () => {
    await add();
    const former = await take("a");
    await server.client.flushall();
    await add();
    const successor = await take("b");
    expect(successor.beginning).toBe(former.beginning);
    expect(await files.keep(former, checkpoint("former"))).toBe(false);
    expect(await files.keep(successor, checkpoint("successor"))).toBe(true);
  });

  test("are brought along only where there are none", async () => {
    await files.seed(jobId, checkpoint("first"));
    await files.seed(jobId, checkpoint("second"));
    expect(await files.read(jobId)).toEqual(checkpoint("first"));
    await files.remove(jobId);
    await files.seed(jobId, {});
    expect(await files.read(jobId)).toEqual({});
  });

  test("a Redis that lets nobody in says so, and one that lacks the database", async () => {
    const guarded = await RedisServer.start("--requirepass", "secret");
    try {
      const failure = (url: string) =>
        connectRedis(parseQueueUrl(url), () => {}).catch((error: Error) => error.message);
      const port = guarded.url.split(":")[2];
      const inOrder = [
        await failure(guarded.url),
        await failure(`redis://:wrong@127.0.0.1:${port}`),
        await failure(`redis://:secret@127.0.0.1:${port}/99`),
      ].map((message) => String(message).replaceAll(port, "PORT"));
      expect(inOrder).toMatchInlineSnapshot(`
        [
          "Redis at redis://127.0.0.1:PORT must let us in, but says "NOAUTH Authentication required."; give its password as redis://:PASSWORD@host:port",
          "Redis at redis://:***@127.0.0.1:PORT must let us in, but says "WRONGPASS invalid username-password pair or user is disabled."; give its password as redis://:PASSWORD@host:port",
          "Redis at redis://:***@127.0.0.1:PORT/99 must have that database, but says "ERR DB index is out of range"",
        ]
      `);
    } finally {
      await guarded.stop();
    }
  });

  test("a Redis that refuses to write says so, and what would do", async () => {
    const refusal = async (...args: string[]) => {
      const limited = await RedisServer.start(...args);
      const address = parseQueueUrl(limited.url);
      try {
        const connection = await connectRedis(address, () => {});
        const write = asksRedis(address, () => connection.client.set("key", "x".repeat(2 ** 20)));
        const message = await write.catch((error: unknown) => error instanceof QueueError && error.message);
        connection.close();
        return String(message).replaceAll(limited.url, "ADDRESS");
      } finally {
        await limited.stop();
      }
    };
    expect(await refusal("--replicaof", "127.0.0.1 1")).toMatchInlineSnapshot(
      `"Redis at ADDRESS must take the runs, but says "READONLY You can't write against a read only replica."; this one is a replica: give the address of the Redis that it copies"`,
    );
    expect(await refusal("--maxmemory", "1200kb", "--maxmemory-policy", "noeviction")).toMatchInlineSnapshot(
      `"Redis at ADDRESS must take the runs, but says "OOM command not allowed when used memory > 'maxmemory'."; give it more memory (maxmemory)"`,
    );
    const bug = asksRedis(parseQueueUrl("redis://host"), () => Promise.reject(new TypeError("a bug")));
    await expect(bug).rejects.toThrow(TypeError);
  });
});

test("where TLS is missing on one of both sides, or a certificate is not trusted, that is said", async () => {
  const refusal = async (scheme: string, server: Server): Promise<string> => {
    await once(server.listen(0, "127.0.0.1"), "listening");
    const port = String((server.address() as AddressInfo).port);
    const message = await connectRedis(parseQueueUrl(`${scheme}://:s3cret@127.0.0.1:${port}`), () => {}).catch(String);
    server.close();
    return String(message).replaceAll(port, "PORT");
  };
  const tls = createTlsServer(selfSigned);
  tls.on("tlsClientError", () => {});
  expect(await refusal("rediss", tls)).toMatchInlineSnapshot(
    `"QueueError: Redis at rediss://:***@127.0.0.1:PORT must have a certificate that is trusted here, but: self-signed certificate (DEPTH_ZERO_SELF_SIGNED_CERT); let NODE_EXTRA_CA_CERTS name a file with the certificate that has signed it"`,
  );
  const plain = createServer((socket) => socket.on("error", () => {}).end("-ERR unknown command\r\n"));
  expect(await refusal("rediss", plain)).toMatchInlineSnapshot(
    `"QueueError: Redis at rediss://:***@127.0.0.1:PORT must speak TLS, but does not (ERR_SSL_WRONG_VERSION_NUMBER); without TLS its address is redis://host:port"`,
  );
  const silent = createServer((socket) => socket.on("error", () => {}).once("data", () => socket.resetAndDestroy()));
  expect(await refusal("redis", silent)).toMatchInlineSnapshot(
    `"QueueError: Redis at redis://:***@127.0.0.1:PORT must answer, but has closed the connection (ECONNRESET); if it wants TLS, its address is rediss://host:port"`,
  );
});

/** What is told of an address, and `null` where it is taken. */
function refusal(address: string): string | null {
  try {
    parseQueueUrl(address);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

test("an address that is none is refused", () => {
  const given = (text: string): string => refusal(text)!.split("; got ")[1];
  expect(refusal("localhost:6379")).toMatchInlineSnapshot(
    `"a queue must be redis://host:port or redis://host:port/database, with redis://:PASSWORD@host:port for a password, in which % / # ? @ : are percent-encoded: %25 %2F %23 %3F %40 %3A; got localhost:6379"`,
  );
  expect(["http://host", "redis://", "redis://host/1/2"].map(given)).toEqual([
    "http://host",
    "redis://",
    "redis://host/1/2",
  ]);
  expect(given("redis://:secret@host/first")).toBe("redis://:***@host/first");
  expect(given("redis://secret@host/first")).toBe("redis://***@host/first");
});

test("an address is shown without its password", () => {
  expect(parseQueueUrl("rediss://me:secret@host:1/2").shown).toBe("rediss://me:***@host:1/2");
  expect(parseQueueUrl("redis://:se%2Fcr%40t@host:1").shown).toBe("redis://:***@host:1");
  expect(parseQueueUrl("redis://:se@cret@host").shown).toBe("redis://:***@host");
  expect(parseQueueUrl("redis://host:1").shown).toBe("redis://host:1");
});

test("no password is shown, whatever stands in it and wherever it stands", () => {
  const password = fc
    .string({ unit: fc.constantFrom(..."/#?@:%&=[] \\'\"\n1a"), maxLength: 5 })
    .map((odd) => `${odd}s3cret${odd}`);
  const place = fc.constantFrom(
    (p: string) => `redis://:${p}@host:6379`,
    (p: string) => `redis://user:${p}@host:6379/2`,
    (p: string) => `rediss://${p}@host`,
    (p: string) => `redis://host:6379?password=${p}`,
    (p: string) => `redis://host:6379/0#${p}`,
    (p: string) => `redis::${p}@host`,
    (p: string) => `user:${p}`,
    (p: string) => `:${p}@host:6379`,
    (p: string) => `http://:${p}@host`,
  );
  fc.assert(
    fc.property(password, place, (p, at) => {
      const told = refusal(at(p)) ?? parseQueueUrl(at(p)).shown;
      expect(told).not.toContain("s3cret");
    }),
  );
});

test("a redis-server that is required must be there", () => {
  expect(missingRedis({}, "no-such-program")).toBe("no redis-server found; `apt-get install redis-server`");
  expect(missingRedis({ GRIDGRAD_TEST_REDIS: "none" })).toBe("GRIDGRAD_TEST_REDIS is none");
  expect(() => missingRedis({ GRIDGRAD_TEST_REDIS: "required" }, "no-such-program")).toThrow(
    "GRIDGRAD_TEST_REDIS is required: no redis-server found",
  );
  expect(() => missingRedis({ GRIDGRAD_TEST_REDIS: "1" })).toThrow("must be required, none or unset, got 1");
});

import { Queue, Worker } from "bullmq";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { hasTier } from "@gridgrad/core/testing/tier";

import { resolveConfig } from "../../training/config.ts";
import { missingRedis, RedisServer } from "../../testing/redisServer.ts";
import { connectRedis, parseQueueUrl } from "./redisConnection.ts";
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
});

test("an address that is none is refused", () => {
  const refused = ["localhost:6379", "http://host", "redis://", "redis://:secret@host/first", "redis://host/1/2"].map(
    (text) => {
      try {
        return parseQueueUrl(text);
      } catch (error) {
        return (error as Error).message;
      }
    },
  );
  expect(refused).toMatchInlineSnapshot(`
    [
      "a queue must be redis://host:port or redis://host:port/database, got localhost:6379",
      "a queue must be redis://host:port or redis://host:port/database, got http://host",
      "a queue must be redis://host:port or redis://host:port/database, got redis://",
      "a queue must be redis://host:port or redis://host:port/database, got redis://:***@host/first",
      "a queue must be redis://host:port or redis://host:port/database, got redis://host/1/2",
    ]
  `);
  expect(parseQueueUrl("rediss://me:secret@host:1/2").shown).toBe("rediss://me:***@host:1/2");
});

test("a redis-server that is required must be there", () => {
  expect(missingRedis({}, "no-such-program")).toBe("no redis-server found; `apt-get install redis-server`");
  expect(missingRedis({ GRIDGRAD_TEST_REDIS: "none" })).toBe("GRIDGRAD_TEST_REDIS is none");
  expect(() => missingRedis({ GRIDGRAD_TEST_REDIS: "required" }, "no-such-program")).toThrow(
    "GRIDGRAD_TEST_REDIS is required: no redis-server found",
  );
  expect(() => missingRedis({ GRIDGRAD_TEST_REDIS: "1" })).toThrow("must be required, none or unset, got 1");
});

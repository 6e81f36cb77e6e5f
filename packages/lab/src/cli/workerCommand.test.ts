import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Queue } from "bullmq";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";

import { hasTier } from "@gridgrad/core/testing/tier";

import { queueName, queuePrefix } from "../queue/runQueue.ts";
import { freePort, missingRedis, RedisServer } from "../testing/redisServer.ts";
import { runCommand, startCommand } from "../testing/runCommand.ts";

const missing = hasTier("ci") ? missingRedis() : "a larger tier has it";

// Long enough to be caught on the way, and short.
const tiny = ["--steps", "60", "--batch", "1", "--eval-images", "2", "--warmup", "2", "--checkpoint-every", "5"];
const comparison = ["compare", ...tiny, "--device", "cpu", "--upsamplers", "bilinear,dysample", "--seeds", "1"];
const single = ["compare", ...tiny, "--device", "cpu", "--upsamplers", "bilinear", "--seeds", "1"];

/** Seconds. Short, and long beside the pauses of a busy machine. */
const lease = "3";

afterEach(() => void vi.unstubAllEnvs());

describe.skipIf(missing !== null)(`compare --queue${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  let server: RedisServer;
  let queue: Queue;
  let base: string;
  let pool: string;
  const running = new Set<ChildProcess>();

  beforeAll(async () => {
    server = await RedisServer.start();
    queue = new Queue(queueName, {
      connection: { url: server.url, maxRetriesPerRequest: null },
      prefix: queuePrefix,
    });
    pool = await mkdtemp(join(tmpdir(), "gridgrad-pool-"));
    expect(await start(pool, comparison).result).toMatchObject({ code: 0 });
  });

  afterAll(async () => {
    await queue.close();
    await server.stop();
  });

  beforeEach(async () => {
    await server.client.flushall();
    base = await mkdtemp(join(tmpdir(), "gridgrad-queue-"));
  });

  afterEach(async () => {
    for (const child of running) child.kill("SIGKILL");
    await Promise.all([...running].map((child) => once(child, "close")));
  });

  /** A command in a process of its own. `says` resolves when it has printed what matches. */
  function start(folder: string, args: readonly string[]) {
    const { child, result } = startCommand(folder, args);
    running.add(child);
    child.once("close", () => running.delete(child));
    let text = "";
    for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (part: string) => (text += part));
    const says = (what: RegExp) =>
      until(
        () => what.test(text),
        () => `${what} in:\n${text}`,
      );
    return { child, result, says };
  }
  const compare = (args = comparison) => start(base, [...args, "--queue", server.url]);
  const worker = (...args: string[]) =>
    start(base, ["worker", "--queue", server.url, "--lease", lease, "--work", "work", "--jobs", "1", ...args]);

  const keys = (pattern: string) => server.client.keys(`${queuePrefix}:${pattern}`);
  const queued = () => until(async () => (await queue.getWaitingCount()) > 0);
  /** Until a run has left a checkpoint in Redis. */
  const checkpointed = () =>
    until(async () => {
      for (const key of await keys("files:*")) if (await server.client.hexists(key, "checkpoint")) return true;
      return false;
    });

  const timesAndPlaces = ["msPerStep", "peakBytes", "made", "measured"];
  const results = async (folder: string) => {
    const text = await readFile(join(folder, "runs", "compare", "results.json"), "utf8");
    return JSON.parse(text, (key, value) => (timesAndPlaces.includes(key) ? undefined : value));
  };
  const weights = (folder: string, run: string) =>
    readFile(join(folder, "runs", "compare", "runs", run, "weights.safetensors"));

  const expectSameAsPool = async () => {
    expect(await results(base)).toEqual(await results(pool));
    for (const run of ["bilinear-seed0", "dysample-seed0"]) {
      expect((await weights(base, run)).equals(await weights(pool, run))).toBe(true);
    }
  };

  test("two workers give the results of the pool, also when one is killed on the way", async () => {
    const coordinator = compare();
    const first = worker();
    await checkpointed();
    first.child.kill("SIGKILL");
    const second = worker();
    expect(await coordinator.result).toMatchObject({
      code: 0,
      err: expect.stringContaining(`gridgrad worker --queue ${server.url}`),
    });
    await second.says(/seed0: goes on after step \d/);
    await expectSameAsPool();
    expect(await queue.getJobCountByTypes("waiting", "active", "completed", "failed")).toBe(0);
    expect(await keys("files:*")).toEqual([]);
  });

  test("a worker that is asked to stop gives its run back at once", async () => {
    const coordinator = compare(single);
    const first = worker("--lease", "600"); // nobody could take the run from it
    await checkpointed();
    first.child.kill("SIGTERM");
    expect(await first.result).toMatchObject({
      code: 143,
      err: expect.stringMatching(/bilinear-seed0: stopped after step \d+, and given back/),
    });
    expect(await queue.getWaitingCount()).toBe(1);
    const second = worker("--until-done");
    await second.says(/bilinear-seed0: goes on after step \d/);
    expect(await second.result).toMatchObject({ code: 0 });
    expect(await coordinator.result).toMatchObject({ code: 0 });
    expect((await weights(base, "bilinear-seed0")).equals(await weights(pool, "bilinear-seed0"))).toBe(true);
  });

  test("a run is never counted twice: not by a coordinator that comes back, nor by a worker that wakes up late", async () => {
    const first = compare(single);
    await queued();
    first.child.kill("SIGINT");
    expect(await first.result).toMatchObject({ code: 130 });
    const second = compare(single);
    const frozen = worker();
    await second.says(/^step \d+\/60 /m); // it follows the job that the first one has added
    await checkpointed();
    frozen.child.kill("SIGSTOP");
    second.child.kill("SIGINT");
    expect(await second.result).toMatchObject({ code: 130 });
    expect(await queue.getJobCountByTypes("waiting", "active", "completed", "failed")).toBe(1);

    expect(await worker("--until-done").result).toMatchObject({ code: 0 });
    const jobs = await queue.getCompleted();
    expect(jobs).toHaveLength(1);
    const state = async () => {
      const [hash, job] = [await keys("files:*"), jobs[0].id!];
      return { files: await server.client.hgetallBuffer(hash[0]), job: (await queue.getJob(job))!.asJSON() };
    };
    const before = await state();
    expect(Object.keys(before.files)).toContain("result");
    frozen.child.kill("SIGCONT");
    await frozen.says(/bilinear-seed0: taken over by another worker/);
    expect(await state()).toEqual(before);

    expect(await compare(single).result).toMatchObject({ code: 0 });
    expect((await weights(base, "bilinear-seed0")).equals(await weights(pool, "bilinear-seed0"))).toBe(true);
  });

  test("a run goes on while the connection is lost, which is told once", async () => {
    const coordinator = compare(single);
    await queued();
    const only = worker("--until-done");
    await checkpointed();
    for (const _ of [1, 2, 3]) await server.client.client("KILL", "TYPE", "normal", "SKIPME", "yes");
    expect(await coordinator.result).toMatchObject({ code: 0 });
    const { code, err } = await only.result;
    expect(code).toBe(0);
    expect(err.replaceAll(server.url, "URL").split("\n").slice(0, -1)).toEqual([
      "bilinear-seed0: begins",
      "the connection to URL is lost; trying again until it is back",
      "the connection to URL is back",
      "bilinear-seed0: complete",
    ]);
  });

  test("a run that ends while Redis does not answer has all its files", async () => {
    const coordinator = compare(single);
    const only = worker("--lease", "600");
    await checkpointed();
    await server.client.client("PAUSE", 5000, "ALL"); // checkpoints and the end of the run wait
    expect(await coordinator.result).toMatchObject({ code: 0 });
    only.child.kill("SIGTERM");
    const { err } = await only.result;
    expect(err.match(/^bilinear.*/gm)).toEqual(["bilinear-seed0: begins", "bilinear-seed0: complete"]);
    expect((await weights(base, "bilinear-seed0")).equals(await weights(pool, "bilinear-seed0"))).toBe(true);
  });

  test("a run that was begun here goes on there, also when Redis loses the job, or the run its process", async () => {
    const here = start(base, single);
    const checkpoint = join(base, "runs", "compare", "runs", "bilinear-seed0", "checkpoint.safetensors");
    await until(() => existsSync(checkpoint));
    here.child.kill("SIGINT");
    expect(await here.result).toMatchObject({ code: 130 });

    const coordinator = compare(single);
    await queued();
    await server.client.flushall();
    await queued();
    const only = worker();
    await only.says(/bilinear-seed0: goes on after step \d/);
    await checkpointed();
    const list = execFileSync("ps", ["-o", "pid=,args=", "--ppid", `${only.child.pid}`], { encoding: "utf8" });
    for (const line of list.split("\n")) if (line.includes("runProcess.ts")) process.kill(parseInt(line), "SIGKILL");
    await only.says(/bilinear-seed0: failed: its process was ended by SIGKILL\n.*: goes on after step \d/);
    expect(await coordinator.result).toMatchObject({ code: 0 });
    expect((await weights(base, "bilinear-seed0")).equals(await weights(pool, "bilinear-seed0"))).toBe(true);
  });

  test("a run that fails for good is reported, and tried again by the next command", async () => {
    const failing = [...single, "--lr", "1e30", "--warmup", "0"];
    const helping = worker();
    for (const _ of [1, 2]) {
      const { code, out } = await compare(failing).result;
      expect(code).toBe(1);
      expect(out).toMatch(/^bilinear-seed0 failed: step \d: gradients must be finite/m);
      expect(await queue.getJobCountByTypes("waiting", "active", "completed", "failed")).toBe(0);
    }
    helping.child.kill("SIGTERM");
    expect(await helping.result).toMatchObject({ code: 143 });
  });

  test("a worker leaves runs of another version in the queue", async () => {
    await queue.add("run", { format: "gridgrad-job-0", id: "run", config: {} }, { jobId: "other" });
    const { code, err } = await worker().result;
    expect(code).toBe(1);
    expect(err).toMatchInlineSnapshot(`
      "gridgrad: the runs in the queue must be of format gridgrad-job-1, got "gridgrad-job-0"; use the version of gridgrad here that compares there
      "
    `);
    expect(await queue.getWaitingCount()).toBe(1);
  });
});

test("where no Redis answers, both commands say so, and nothing is written", async () => {
  const port = await freePort();
  const base = await mkdtemp(join(tmpdir(), "gridgrad-queue-"));
  process.chdir(base);
  const url = `redis://:secret@127.0.0.1:${port}`;
  for (const args of [single, ["worker"]]) {
    const { code, err } = await runCommand(...args, "--queue", url);
    expect(code).toBe(1);
    expect(err.replaceAll(`${port}`, "PORT")).toBe(
      "gridgrad: a Redis must answer at redis://:***@127.0.0.1:PORT, but there is none (ECONNREFUSED); start one " +
        "(redis-server), or check host and port",
    );
  }
  expect(existsSync("runs")).toBe(false);
});

test("the password of a queue is not printed, whatever is wrong with the command line", async () => {
  for (const args of [
    ["worker", "--queue", "redis://:s3cr/et@host:6379"],
    ["worker", "--queue", "redis://:s3cr#et@host:6379"],
    ["compare", "--queue", "redis://host:6379?password=s3cret"],
    ["compare", "--queue=redis://:s3cret@host:6379/first"],
    ["compare", "--queue", "redis://:s3cret@host:6379", "--jobs", "2"],
    ["train", "--queue=redis://:s3cret@host:6379"],
    ["train", "--queue=:s3cret@host:6379"],
    ["redis://:s3cret@host:6379"],
    ["worker", "redis://:s3cret@host:6379"],
  ]) {
    const { code, out, err } = await runCommand(...args);
    expect([args, code, out]).toEqual([args, 2, ""]);
    expect(err).not.toMatch(/s3c/);
    expect(err).toMatch(/^gridgrad: [^\n]*$/);
  }
});

test("the address may stand in GRIDGRAD_QUEUE, where the list of processes does not show it", async () => {
  const port = await freePort();
  vi.stubEnv("GRIDGRAD_QUEUE", `redis://:s3cret@127.0.0.1:${port}`);
  for (const args of [["worker"], single]) {
    expect(await runCommand(...args)).toMatchObject({
      code: 1,
      err: expect.stringContaining("redis://:***@127.0.0.1"),
    });
  }
  vi.stubEnv("GRIDGRAD_QUEUE", "redis://:s3cr/et@host");
  expect((await runCommand("worker")).err).toMatchInlineSnapshot(
    `"gridgrad: a queue must be redis://host:port or redis://host:port/database, with redis://:PASSWORD@host:port for a password, in which % / # ? @ : are percent-encoded: %25 %2F %23 %3F %40 %3A; got an address that is not shown, as a password may be in it"`,
  );
  vi.stubEnv("GRIDGRAD_QUEUE", "");
  expect(await runCommand("worker")).toMatchObject({ code: 2, err: expect.stringContaining("not specified") });
  vi.unstubAllEnvs();
  for (const command of ["worker", "compare"]) {
    expect((await runCommand(command, "--help")).out).toMatch(/\(env:\s+GRIDGRAD_QUEUE\)/);
  }
});

test("options that make no sense are refused", async () => {
  const refused = [
    await runCommand("worker"),
    await runCommand("worker", "--queue", "localhost"),
    await runCommand("worker", "--queue", "redis://localhost", "--lease", "0"),
    await runCommand("compare", "--queue", "redis://localhost", "--jobs", "2"),
  ];
  expect(refused.map(({ code, err }) => [code, err])).toMatchInlineSnapshot(`
    [
      [
        2,
        "gridgrad: required option '--queue <url>' not specified",
      ],
      [
        2,
        "gridgrad: a queue must be redis://host:port or redis://host:port/database, with redis://:PASSWORD@host:port for a password, in which % / # ? @ : are percent-encoded: %25 %2F %23 %3F %40 %3A; got localhost",
      ],
      [
        2,
        "gridgrad: option '--lease <seconds>' argument '0' is invalid. It must be a number above 0.",
      ],
      [
        2,
        "gridgrad: --jobs is up to each worker with --queue; leave it out here",
      ],
    ]
  `);
});

/** Looks again and again until something is so; a test that is ended by its limit says for what it waited. */
async function until(holds: () => boolean | Promise<boolean>, what = () => "it"): Promise<void> {
  let over = false;
  onTestFinished(({ task }) => {
    if (!over && task.result?.state === "fail") console.error(`waited for ${what()}`);
  });
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
  over = true;
}

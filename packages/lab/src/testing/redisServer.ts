/**
 * @file A Redis of its own for a test file: on a free port of this machine, without a file on the disk.
 *
 * GRIDGRAD_TEST_REDIS=required makes a missing redis-server an error, and `none` leaves out the tests that need it.
 */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Redis } from "ioredis";

/**
 * Why tests that need Redis are skipped, or `null` when they are not.
 *
 * @throws {Error} when it is missing though it is required.
 */
export function missingRedis(
  env: Readonly<Record<string, string | undefined>> = process.env,
  program = "redis-server",
): string | null {
  const wanted = env["GRIDGRAD_TEST_REDIS"];
  if (wanted === "none") return "GRIDGRAD_TEST_REDIS is none";
  if (wanted !== undefined && wanted !== "required") {
    throw new Error(`GRIDGRAD_TEST_REDIS: must be required, none or unset, got ${wanted}`);
  }
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return null;
  } catch {
    const missing = "no redis-server found; `apt-get install redis-server`";
    if (wanted === "required") throw new Error(`GRIDGRAD_TEST_REDIS is required: ${missing}`);
    return missing;
  }
}

export class RedisServer {
  readonly url: string;
  readonly client: Redis;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(process: ChildProcess, folder: string, url: string) {
    this.#process = process;
    this.#folder = folder;
    this.url = url;
    this.client = new Redis(url, { retryStrategy: (times) => Math.min(10 * times, 100) });
    this.client.on("error", () => {}); // it is asked until it has started
  }

  /** @param options - such as `--requirepass`. */
  static async start(...options: string[]): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), "gridgrad-redis-"));
    const port = await freePort();
    const fixed = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
    const server = spawn("redis-server", [...fixed, ...options], { stdio: "ignore" });
    const started = new RedisServer(server, folder, `redis://127.0.0.1:${port}`);
    await started.client.ping().catch((error: Error) => {
      if (!/^NOAUTH/.test(error.message)) throw error;
    });
    return started;
  }

  async stop(): Promise<void> {
    this.client.disconnect();
    const ended = once(this.#process, "close");
    this.#process.kill("SIGKILL");
    await ended;
    await rm(this.#folder, { recursive: true });
  }
}

/** A port on which nobody listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

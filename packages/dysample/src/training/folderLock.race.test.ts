import { AsyncLocalStorage } from "node:async_hooks";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import type * as fs from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type * as folderLock from "./folderLock.ts";

type Module = typeof folderLock;

/** What waits for its turn before each call of the file system, and in place of each pause; and whether there are links. */
const turn = vi.hoisted(() => ({ wait: () => Promise.resolve(), links: true }));

vi.mock("node:fs/promises", async (importOriginal) => {
  const real = await importOriginal<typeof fs>();
  const inTurn = Object.entries(real)
    .filter(([, member]) => typeof member === "function")
    .map(([name, member]) => {
      const call = member as (...args: unknown[]) => Promise<unknown>;
      return [name, (...args: unknown[]) => turn.wait().then(() => call(...args))];
    });
  const calls = Object.fromEntries(inTurn) as typeof fs;
  const noLinks = () => Promise.reject(Object.assign(new Error("no links"), { code: "EPERM" }));
  return { ...real, ...calls, link: (from: string, to: string) => (turn.links ? calls.link(from, to) : noLinks()) };
});
vi.mock("node:timers/promises", () => ({ setTimeout: () => turn.wait() }));

/**
 * Processes that run one call after the other, in any order that is asked for. A call is done in one step, as the
 * system does it.
 */
class Schedule {
  readonly #steps: Iterator<number>;
  readonly #waiting = new Map<number, () => void>();
  readonly #who = new AsyncLocalStorage<number>();
  #running = 0;
  #stopped = (): void => {};

  /** @param steps - which of those that wait is next; after its end, each in turn. */
  constructor(steps: readonly number[]) {
    this.#steps = steps[Symbol.iterator]();
    turn.wait = () => this.wait();
  }

  /** A process that waits for its turn. */
  wait(): Promise<void> {
    const who = this.#who.getStore();
    if (who === undefined) return Promise.resolve();
    return new Promise((go) => {
      this.#waiting.set(who, go);
      this.#stop();
    });
  }

  /** Runs processes until all have ended, or are killed after `most` calls. */
  async run(bodies: readonly (() => Promise<void>)[], most = Infinity): Promise<void> {
    this.#waiting.clear();
    const failures: unknown[] = [];
    for (const [who, body] of bodies.entries()) {
      await this.#until(() => {
        void this.#who
          .run(who, body)
          .catch((error: unknown) => failures.push(error))
          .finally(() => this.#stop());
      });
    }
    for (let calls = 0; this.#waiting.size > 0 && calls < most; calls++) {
      const { value, done } = this.#steps.next();
      const all = [...this.#waiting.keys()];
      const next = all[(done ? calls : (value as number)) % all.length];
      const go = this.#waiting.get(next)!;
      this.#waiting.delete(next);
      await this.#until(go);
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Resolves when the one that was begun waits again, or has ended. */
  #until(begin: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#running++;
      this.#stopped = resolve;
      begin();
    });
  }

  #stop(): void {
    if (this.#running > 0) this.#running--;
    this.#stopped();
  }
}

let base: string;
beforeEach(() => {
  Object.assign(turn, { wait: () => Promise.resolve(), links: true });
  base = mkdtempSync(join(tmpdir(), "gridgrad-race-"));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

let folders = 0;

/** A folder with the lock of a process that is gone. */
function leftOver(): string {
  const folder = join(base, String(folders++));
  mkdirSync(folder);
  writeFileSync(join(folder, ".lock"), `${JSON.stringify({ id: "another", pid: 2 ** 31 - 1, host: hostname() })}\n`);
  return folder;
}

/** A process for a test: its own copy of the module, which takes all others for processes that are gone. */
async function newProcess(): Promise<Module> {
  vi.resetModules();
  return import("./folderLock.ts");
}

/** Takes the lock, or is refused, and notes how many were in at once. */
function contender(
  { lockFolder, FolderInUseError }: Module,
  folder: string,
  seen: { inside: number; most: number; entered: number },
  { patienceMs = 0 }: { patienceMs?: number } = {},
) {
  return async (): Promise<void> => {
    try {
      const unlock = await lockFolder(folder, { patienceMs });
      seen.entered++;
      seen.most = Math.max(seen.most, ++seen.inside);
      for (let work = 0; work < 3; work++) await turn.wait();
      seen.inside--;
      await unlock();
    } catch (error) {
      if (!(error instanceof FolderInUseError)) throw error;
    }
  };
}

const steps = fc.array(fc.nat({ max: 11 }), { minLength: 80, maxLength: 80 }); // 11 makes all equally likely for 2, 3, 4

test("of processes that find a left-over lock, one at a time gets in, in whatever order their calls come", async () => {
  const module = await newProcess();
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(0, Infinity), fc.constantFrom(2, 3, 4), async (order, patienceMs, n) => {
      const folder = leftOver();
      const seen = { inside: 0, most: 0, entered: 0 };
      const one = contender(module, folder, seen, { patienceMs });
      await new Schedule(order).run(Array.from({ length: n }, () => one));
      expect(seen).toEqual({ inside: 0, most: 1, entered: patienceMs > 0 ? n : expect.any(Number) });
      expect(seen.entered).toBeGreaterThan(0);
      expect(readdirSync(folder)).toEqual([]);
    }),
    { numRuns: 30 },
  );
});

test("the same after processes were killed at any moment, one after the other", async () => {
  const kills = fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 4 });
  const processes: Module[] = [];
  for (let i = 0; i < 5; i++) processes.push(await newProcess());
  await fc.assert(
    fc.asyncProperty(steps, kills, async (order, moments) => {
      const folder = leftOver();
      const schedule = new Schedule(order);
      for (const [i, calls] of moments.entries()) {
        const killed = contender(processes[i], folder, { inside: 0, most: 0, entered: 0 });
        await schedule.run([killed, killed], calls);
      }
      const seen = { inside: 0, most: 0, entered: 0 };
      const one = contender(processes[moments.length], folder, seen);
      await schedule.run([one, one, one]);
      expect(seen).toEqual({ inside: 0, most: 1, entered: expect.any(Number) });
      expect(existsSync(join(folder, ".lock"))).toBe(false);
    }),
    { numRuns: 30 },
  );
});

test("a file system without links has locks, too", async () => {
  const { lockFolder } = await newProcess();
  turn.links = false;
  const folder = leftOver();
  const unlock = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toThrow(`process ${process.pid} on`);
  await unlock();
  expect(readdirSync(folder)).toEqual([]);
});

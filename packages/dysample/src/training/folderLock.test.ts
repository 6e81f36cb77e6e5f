import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { beforeEach, expect, test } from "vitest";

import { lockFolder } from "./folderLock.ts";

beforeEach(async () => {
  process.chdir(await mkdtemp(join(tmpdir(), "gridgrad-lock-")));
});

/** The lock of a process, as that would write it. */
const leave = (pid: number, host = hostname()) =>
  writeFile("run/.lock", `${JSON.stringify({ id: "another", pid, host })}\n`);

/** Of a process that was there. */
const deadPid = () => Number(execFileSync(process.execPath, ["-e", "console.log(process.pid)"], { encoding: "utf8" }));

async function makeFolder(): Promise<void> {
  await (
    await lockFolder("run")
  )();
}

test("a folder has one holder at a time, and is free when that gives it back", async () => {
  const unlock = await lockFolder("run");
  const message = String(await lockFolder("run").catch((error: unknown) => error));
  expect(message.replace(`${process.pid}`, "PID").replace(hostname(), "HOST")).toMatchInlineSnapshot(
    `"FolderInUseError: run must not be in use, but process PID on HOST is at work in it; wait for that, or write elsewhere (--out). Should it be no gridgrad, delete run/.lock"`,
  );
  await unlock();
  expect(existsSync("run/.lock")).toBe(false);
  await (
    await lockFolder("run")
  )();
});

test("who waits gets it as soon as it is free", async () => {
  const unlock = await lockFolder("run");
  const next = lockFolder("run", { patienceMs: 60_000 });
  await unlock();
  await (
    await next
  )();
});

test("the lock of a process that lives is respected, here and elsewhere", async () => {
  await makeFolder();
  await leave(process.ppid);
  await expect(lockFolder("run")).rejects.toThrow(`process ${process.ppid} on`);
  await leave(deadPid(), "another-host"); // whether it lives cannot be seen from here
  await expect(lockFolder("run")).rejects.toThrow("on another-host is at work in it");
});

test("the lock of a process that was killed is taken over, also where its number is ours today", async () => {
  await makeFolder();
  for (const pid of [deadPid(), process.pid]) {
    await leave(pid);
    const unlock = await lockFolder("run");
    expect(JSON.parse(await readFile("run/.lock", "utf8"))).toMatchObject({ pid: process.pid });
    await unlock();
  }
});

test("a lock that names nobody is one that is being written, and later one that never was", async () => {
  await makeFolder();
  await writeFile("run/.lock", "");
  const start = performance.now();
  await (
    await lockFolder("run")
  )();
  expect(performance.now() - start).toBeGreaterThan(1000);

  await writeFile("run/.lock", '{"id":');
  await utimes("run/.lock", new Date(0), new Date(0));
  await (
    await lockFolder("run")
  )();
});

test("who has lost the folder to another does not take it from that one", async () => {
  const unlock = await lockFolder("run");
  await leave(process.ppid, "another-host");
  await unlock();
  expect(existsSync("run/.lock")).toBe(true);
});

test("of several processes that find a left-over lock, one at a time gets in", async () => {
  await makeFolder();
  await leave(deadPid());
  // Each one that is in must be alone: a second file of the same name would be an error.
  const script = `
    import { lockFolder } from ${JSON.stringify(new URL("folderLock.ts", import.meta.url).href)};
    import { rm, writeFile } from "node:fs/promises";
    for (let i = 0; i < 10; i++) {
      const unlock = await lockFolder("run", { patienceMs: 60000 });
      await writeFile("inside", "", { flag: "wx" });
      await rm("inside");
      await unlock();
    }`;
  const args = ["--import", import.meta.resolve("tsx"), "--input-type=module", "-e", script];
  await Promise.all([1, 2, 3, 4].map(() => promisify(execFile)(process.execPath, args)));
  expect(existsSync("run/.lock")).toBe(false);
});

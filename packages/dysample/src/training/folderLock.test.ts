import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { beforeEach, expect, test } from "vitest";

import { hasTier } from "@gridgrad/core/testing/tier";

import { lockFolder } from "./folderLock.ts";

const typescript = new URL("../../../../scripts/typescript.mjs", import.meta.url).href;

beforeEach(async () => {
  process.chdir(await mkdtemp(join(tmpdir(), "gridgrad-lock-")));
});

/** The lock of a process, as that would write it. */
const leave = (pid: number, host = hostname()) =>
  writeFile("run/.lock", `${JSON.stringify({ id: "another", pid, host })}\n`);

/** Of a process that was there. */
const ended = Number(execFileSync(process.execPath, ["-e", "console.log(process.pid)"], { encoding: "utf8" }));

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
  await leave(ended, "another-host"); // whether it lives cannot be seen from here
  await expect(lockFolder("run")).rejects.toThrow("on another-host is at work in it");
});

test("the lock of a process that was killed is taken over, also where its number is ours today", async () => {
  await makeFolder();
  for (const pid of [ended, process.pid]) {
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

test("what is no lock is named, and left alone", async () => {
  await makeFolder();
  const told: string[] = [];
  for (const text of ["null", "{}", "mine", '{"id":"../../x","pid":1,"host":"h"}', '{"id":"x","pid":-1,"host":"h"}']) {
    await writeFile("run/.lock", text);
    told.push(String(await lockFolder("run").catch((error: unknown) => error)));
    expect(await readFile("run/.lock", "utf8")).toBe(text);
    await rm("run/.lock");
  }
  await mkdir("run/.lock");
  told.push(String(await lockFolder("run").catch((error: unknown) => error)));
  expect(new Set(told.map((line) => line.replace(process.cwd(), "")))).toMatchInlineSnapshot(`
    Set {
      "FileError: /run/.lock must be the lock of a gridgrad, but it is none; delete it, or write elsewhere (--out)",
    }
  `);
  expect(await readdir("run")).toEqual([".lock"]);
});

test("what killed processes have left of their attempts is deleted, and nothing else", async () => {
  await makeFolder();
  const dead = { id: "another", pid: ended, host: hostname() };
  await leave(dead.pid);
  const files = [".lock.another", ".lock.a-third.tmp", ".lock.living.tmp", ".lock.txt", ".lockfile"];
  const owners = [{ ...dead, id: "heir" }, dead, { ...dead, pid: process.ppid }, "mine", dead];
  for (const [i, name] of files.entries()) await writeFile(`run/${name}`, JSON.stringify(owners[i]));
  const unlock = await lockFolder("run");
  expect((await readdir("run")).sort()).toEqual([".lock", ".lock.living.tmp", ".lock.txt", ".lockfile"]);
  await unlock();
});

test("rights that lead in a circle are no endless search", async () => {
  await makeFolder();
  const dead = { id: "another", pid: ended, host: hostname() };
  for (const name of [".lock", ".lock.another"]) await writeFile(`run/${name}`, JSON.stringify(dead));
  await expect(lockFolder("run")).rejects.toThrow(".lock.another must be the lock of a gridgrad, but it is none");
});

test.skipIf(process.platform !== "linux")("a folder into which nothing can be written is one error", async () => {
  expect([
    String(await lockFolder("/proc/gridgrad").catch((error: unknown) => error)),
    String(await lockFolder("/proc").catch((error: unknown) => error)),
  ]).toMatchInlineSnapshot(`
    [
      "FileError: /proc/gridgrad must be a folder that can be made, but it is refused (ENOENT); name another place",
      "FileError: /proc must be a folder to write into, but nothing can be made in it; write elsewhere (--out)",
    ]
  `);
});

test("who has lost the folder to another does not take it from that one", async () => {
  const unlock = await lockFolder("run");
  await leave(process.ppid, "another-host");
  await unlock();
  expect(existsSync("run/.lock")).toBe(true);
});

test.runIf(hasTier("ci"))("of several processes that find a left-over lock, one at a time gets in", async () => {
  await makeFolder();
  await leave(ended);
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
  const args = ["--import", typescript, "--input-type=module", "-e", script];
  await Promise.all([1, 2, 3, 4].map(() => promisify(execFile)(process.execPath, args)));
  expect(existsSync("run/.lock")).toBe(false);
});

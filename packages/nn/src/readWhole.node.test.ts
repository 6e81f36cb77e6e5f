import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { open, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { hasTier } from "@gridgrad/core/testing/tier";

import { readWhole } from "./readWhole.node.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gridgrad-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const problem = async (path: string, pipes = false) =>
  String(await readWhole(path, { pipes }).then(() => "read", (error: unknown) => error)).replaceAll(`${folder}/`, ""); // prettier-ignore

test("a file is read as a whole, also through a link, and where it does not say how long it is", async () => {
  writeFileSync(at("a"), "content");
  writeFileSync(at("empty"), "");
  symlinkSync("a", at("link"));
  expect(String(await readWhole(at("link")))).toBe("content");
  expect(await readWhole(at("empty"))).toHaveLength(0);
  if (process.platform === "linux") expect(String(await readWhole("/proc/self/status"))).toMatch(/^Name:/);
});

test("what is no file is refused before it is opened, with its name", async () => {
  execFileSync("mkfifo", [at("pipe")]);
  mkdirSync(at("folder"));
  const places = [at("none"), at("folder"), at("pipe"), "/dev/zero"];
  expect(await Promise.all(places.map((path) => problem(path)))).toMatchInlineSnapshot(`
    [
      "Error: ENOENT: no such file or directory, open 'none'",
      "FileError: folder must be a file that can be read, but it is a folder; name a file",
      "FileError: pipe must be a file that can be read, but it is a pipe; save what comes out of it as a file",
      "FileError: /dev/zero must be a file that can be read, but it is a device; name a file",
    ]
  `);
  expect(await problem("/dev/zero", true)).toContain("it is a device");
});

test("a file of more than 2 GiB is refused", async () => {
  writeFileSync(at("large"), "");
  truncateSync(at("large"), 2 ** 31); // a hole, which takes no room
  expect(await problem(at("large"))).toMatchInlineSnapshot(
    `"FileError: large must be a file that can be read, but it has 2147483648 bytes, more than the 2147483647 that fit; name another"`,
  );
});

test.runIf(hasTier("ci"))("a pipe is read to its end, or to where it is too long", async () => {
  execFileSync("mkfifo", [at("pipe")]);
  const bytes = Buffer.alloc(3_000_000, "abc");
  const [read] = await Promise.all([readWhole(at("pipe"), { pipes: true }), writeFile(at("pipe"), bytes)]);
  expect(read.equals(bytes)).toBe(true);

  const endless = async (): Promise<void> => {
    const pipe = await open(at("pipe"), "w");
    try {
      for (;;) await pipe.write(bytes);
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe("EPIPE"); // the reader has left
    } finally {
      await pipe.close();
    }
  };
  const [told] = await Promise.all([problem(at("pipe"), true), endless()]);
  expect(told).toMatchInlineSnapshot(
    `"FileError: pipe must be a file that can be read, but it does not end after 268435456 bytes; save them as a file first"`,
  );
});

import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { makeFolder, makeWritableFolder } from "./makeFolder.node.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gridgrad-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const problem = async (path: string, make = makeFolder) =>
  String(await make(path).then(() => "made", (error: unknown) => error)).replaceAll(`${folder}/`, ""); // prettier-ignore

test("folders are made with those that they are in, also by several at once, and through a link", async () => {
  mkdirSync(at("big"));
  symlinkSync("big", at("disk"));
  await Promise.all(["disk/x/y", "disk/x/y/z", "disk/x/y", "disk/x"].map((name) => makeFolder(at(name))));
  await makeWritableFolder(at("disk/x/y"));
  expect(readdirSync(at("big"), { recursive: true })).toEqual(["x", "x/y", "x/y/z"]);
});

test("what stands in the way is named", async () => {
  writeFileSync(at("file"), "");
  symlinkSync("nowhere", at("link"));
  const places = ["file", "file/x/y", "link", "link/x"];
  expect(await Promise.all(places.map((name) => problem(at(name))))).toMatchInlineSnapshot(`
    [
      "FileError: file must be a folder that can be made, but it is no folder; name another place",
      "FileError: file/x/y must be a folder that can be made, but file is no folder; name another place",
      "FileError: link must be a folder that can be made, but it is a link that leads nowhere; delete it, or name another place",
      "FileError: link/x must be a folder that can be made, but link is a link that leads nowhere; delete it, or name another place",
    ]
  `);
  expect(readdirSync(folder).sort()).toEqual(["file", "link"]);
});

test.skipIf(process.platform !== "linux")(
  "where the system makes no folders, that is an error and no endless wait",
  async () => {
    expect([
      await problem("/proc/gridgrad"),
      await problem("/proc/gridgrad/x"),
      await problem("/proc", makeWritableFolder),
    ]).toMatchInlineSnapshot(`
    [
      "FileError: /proc/gridgrad must be a folder that can be made, but it is refused (ENOENT); name another place",
      "FileError: /proc/gridgrad/x must be a folder that can be made, but /proc/gridgrad is refused (ENOENT); name another place",
      "FileError: /proc must be a folder to write into, but nothing can be made in it; name another",
    ]
  `);
  },
);

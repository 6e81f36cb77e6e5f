import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs"; // prettier-ignore
import { open, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { replaceFile, temporaryName, writeFileAtomic } from "./replaceFile.node.ts";

/** What Node needs to run the sources. */
const typescript = new URL("../../../scripts/typescript.mjs", import.meta.url).href;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gridgrad-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (...names: string[]) => join(folder, ...names);
const text = (...names: string[]) => readFileSync(at(...names), "utf8");
/** What a call fails with, its folder left out. */
const problem = async (path: string) =>
  String(await replaceFile(path, "new").catch((error: unknown) => error)).replaceAll(`${folder}/`, "");

/** Makes a node of a kind, where the user may. */
function makeNode(name: string, ...kind: string[]): boolean {
  try {
    execFileSync("mknod", [at(name), ...kind], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe("a file", () => {
  test("is written as text and as bytes, over a former one as well, with nothing left beside it", async () => {
    await writeFileAtomic(at("a.txt"), "one");
    await writeFileAtomic(at("a.txt"), new Uint8Array([116, 119, 111]));
    expect(text("a.txt")).toBe("two");
    expect(readdirSync(folder)).toEqual(["a.txt"]);
  });

  test("comes with the folders that are missing, or with none", async () => {
    await writeFileAtomic(at("x", "y", "a.txt"), "one");
    expect(text("x", "y", "a.txt")).toBe("one");
    expect(await problem(at("z", "a.txt"))).toMatchInlineSnapshot(
      `"FileError: z/a.txt must be a place to write a file, but there is no such file or folder; check the path"`,
    );
  });

  test("that cannot be written leaves the former one, and nothing else", async () => {
    mkdirSync(at("taken"));
    writeFileSync(at("taken", "inside"), "former");
    expect(await problem(at("taken"))).toMatchInlineSnapshot(
      `"FileError: taken must be a place to write a file, but it is a folder; name a file"`,
    );
    await expect(writeFileAtomic(at("taken", "inside", "a.txt"), "new")).rejects.toThrow(
      "inside must be a folder that can be made, but it is no folder",
    );
    await expect(writeFileAtomic(at("taken", "inside"), { length: 1 } as Uint8Array)).rejects.toThrow(TypeError);
    expect(text("taken", "inside")).toBe("former");
    expect(readdirSync(folder, { recursive: true })).toEqual(["taken", "taken/inside"]);
  });

  test("is whole when many write it at once", async () => {
    const size = 300_000;
    await Promise.all(Array.from({ length: 8 }, (_, k) => writeFileAtomic(at("a"), new Uint8Array(size).fill(k))));
    const bytes = readFileSync(at("a"));
    expect(bytes.length).toBe(size);
    expect(bytes.every((byte) => byte === bytes[0])).toBe(true);
    expect(readdirSync(folder)).toEqual(["a"]);
  });

  test("is another one than before: who reads the former one reads it to its end", async () => {
    await writeFileAtomic(at("a.txt"), "one");
    const reader = await open(at("a.txt"));
    try {
      await writeFileAtomic(at("a.txt"), "another");
      expect(await reader.readFile("utf8")).toBe("one");
    } finally {
      await reader.close();
    }
    expect(text("a.txt")).toBe("another");
  });

  test("has the permissions and the owner of the former one", async () => {
    writeFileSync(at("a.txt"), "one");
    chmodSync(at("a.txt"), 0o640);
    const { uid, gid } = lstatSync(at("a.txt"));
    await replaceFile(at("a.txt"), "two");
    expect(lstatSync(at("a.txt"))).toMatchObject({ mode: 0o100640, uid, gid });
    await replaceFile(at("b.txt"), "two");
    expect(lstatSync(at("b.txt")).mode & 0o777).toBe(0o666 & ~process.umask());
  });

  test("may have the longest name that file systems take", async () => {
    for (const name of ["n".repeat(255), "é".repeat(127)]) {
      for (const content of ["former", "new"]) await replaceFile(at(name), content);
      expect(text(name)).toBe("new");
    }
    await expect(replaceFile(at("n".repeat(256)), "new")).rejects.toThrow("ENAMETOOLONG");
    expect(readdirSync(folder)).toHaveLength(2);
  });
});

test("names of temporary files begin with the name, as far as there is room, and never with half a character", () => {
  const short = (name: string) => temporaryName(name).replace(/[-0-9a-f]{36}/, "ID");
  expect(short("config.json")).toBe("config.json.ID.tmp");
  expect(short(`a${"é".repeat(100)}`)).toBe(`a${"é".repeat(31)}.ID.tmp`);
});

describe("a link", () => {
  test("stays, and what it leads to is replaced, beside which nothing is left", async () => {
    mkdirSync(at("big"));
    writeFileSync(at("big", "file"), "former");
    symlinkSync("big", at("disk"));
    symlinkSync("disk/file", at("first"));
    symlinkSync("first", at("second"));
    const reader = await open(at("big", "file"));
    try {
      await replaceFile(at("second"), "new");
      expect(await reader.readFile("utf8")).toBe("former");
    } finally {
      await reader.close();
    }
    expect(text("big", "file")).toBe("new");
    expect([readlinkSync(at("first")), readlinkSync(at("second"))]).toEqual(["disk/file", "first"]);
    expect(readdirSync(at("big"))).toEqual(["file"]);
    expect(readdirSync(folder).sort()).toEqual(["big", "disk", "first", "second"]);
  });

  test("whose file is yet to be written leads to it", async () => {
    mkdirSync(at("big"));
    mkdirSync(at("run"));
    symlinkSync("../big/file", at("run", "first"));
    symlinkSync("run/first", at("second"));
    await writeFileAtomic(at("second"), "new");
    expect(text("big", "file")).toBe("new");
    expect(readlinkSync(at("run", "first"))).toBe("../big/file");
    symlinkSync("gone/file", at("lost"));
    expect(await problem(at("lost"))).toContain(
      "lost must be a place to write a file, but there is no such file or folder",
    );
    expect(readlinkSync(at("lost"))).toBe("gone/file");
  });

  test("in a circle, or to a folder, is an error", async () => {
    symlinkSync("b", at("a"));
    symlinkSync("a", at("b"));
    symlinkSync(".", at("here"));
    expect(await problem(at("a"))).toContain("a must be a place to write a file, but the system says: ELOOP");
    expect(await problem(at("here"))).toContain("it is a folder; name a file");
    expect(readdirSync(folder).sort()).toEqual(["a", "b", "here"]);
  });
});

describe("what is no file is written into, and stays what it is", () => {
  test("a pipe", async () => {
    execFileSync("mkfifo", [at("pipe")]);
    symlinkSync("pipe", at("link"));
    const size = 200_000; // more than a pipe holds
    for (const name of ["pipe", "link"]) {
      const [bytes] = await Promise.all([readFile(at("pipe")), replaceFile(at(name), new Uint8Array(size).fill(7))]);
      expect([bytes.length, bytes.every((byte) => byte === 7)]).toEqual([size, true]);
    }
    expect(lstatSync(at("pipe")).isFIFO()).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(["link", "pipe"]);
  });

  test.skipIf(process.getuid?.() !== 0)("a device (only root can make one)", async () => {
    expect(makeNode("null", "c", "1", "3")).toBe(true);
    expect(makeNode("full", "c", "1", "7")).toBe(true);
    await replaceFile(at("null"), "new");
    expect(await problem(at("full"))).toMatchInlineSnapshot(
      `"FileError: full must be a place to write a file, but the disk is full; make room, or name another place"`,
    );
    for (const name of ["null", "full"]) expect(lstatSync(at(name)).isCharacterDevice()).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(["full", "null"]);
  });

  test("the standard output, whatever that is", async () => {
    const script = `import { replaceFile } from ${JSON.stringify(new URL("replaceFile.node.ts", import.meta.url).href)};
      await replaceFile("output", new Uint8Array(200000).fill(55)); console.log("end");`;
    symlinkSync("/dev/fd/1", at("output")); // as /dev/stdout is, and with nothing of the machine's in its place to lose
    writeFileSync(at("write.mjs"), script);
    writeFileSync(at("out"), "before, ");
    const command = `"$1" --import "$2" write.mjs`;
    // a socket, as Node connects its children; a pipe; a file that is appended to
    const shell = (line: string) => {
      const { execPath } = process;
      return spawn("sh", ["-c", line, "sh", execPath, typescript], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] }); // prettier-ignore
    };
    const children = [command, `${command} | cat`, `${command} >> out`].map(shell);
    const printed = await Promise.all(
      children.map(async (child) => {
        const [parts] = await Promise.all([child.stdout.setEncoding("utf8").toArray(), once(child, "close")]);
        return parts.join("");
      }),
    );
    const written = `${"7".repeat(200_000)}end\n`;
    expect(printed.map((all) => all === written)).toEqual([true, true, false]);
    expect(text("out") === `before, ${written}`).toBe(true);
  });
});

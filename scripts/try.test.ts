/** @file `npm run try -- FILE` from a folder that has nothing to do with the clone. */

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";

import { findExamples } from "./findExamples.ts";
import { readText, root } from "./findPackages.ts";
import { saidLines } from "./saidLines.ts";

const script = fileURLToPath(new URL("try.mjs", import.meta.url));
const folder = realpathSync(mkdtempSync(join(tmpdir(), "gridgrad-try-")));

const files = {
  "args.ts": `import { writeFileSync } from "node:fs";
import { tensor, type Tensor } from "gridgrad";
import { checkGradients } from "@gridgrad/core/testing";
import { twice } from "./part.js";
const x: Tensor = tensor([twice(2)]);
console.log(await x.item(), typeof checkGradients, process.argv.slice(1), process.cwd());
console.log(import.meta.url, import.meta.dirname, "import.meta.url");
writeFileSync("written.txt", "");
process.exitCode = 7;`,
  "part.ts": "export const twice = (x: number): number => 2 * x;",
  "throws.mts": `import { tensor } from "gridgrad";
interface Unused {}

tensor([1, 2, 3]).mul(tensor([1, 2]));`,
  "broken.ts": "const x = 1;\nconst = x;",
  "imports.ts": `import { a } from "no-such-package/part";
import { b } from "gridgrad/nothing";
import { c } from "./nothing.ts";
const d = require("node:fs");
console.log(a, b, c, d);`,
  "page.html": "",
};

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function start(command: string, args: readonly string[], env = process.env): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(command, args, { cwd: folder, env }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

/** What `npm run try -- ...args` does, without npm. */
function tryIt(...args: string[]): Promise<Ended> {
  return start(process.execPath, [script, ...args]);
}

beforeAll(() => {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  mkdirSync(join(folder, "folder"));
});

test.each(["ts", "mjs"])("the first program of README.md runs as a file in %s", async (language) => {
  const [program] = findExamples("README.md", readText("README.md"));
  writeFileSync(join(folder, `slope.${language}`), program.code);
  const args = ["--prefix", root, "run", "-s", "try", "--", `slope.${language}`];
  const { code, stdout, stderr } = await start("npm", args);
  expect({ code, stderr, lines: stdout.trimEnd().split("\n") }).toEqual({
    code: 0,
    stderr: "",
    lines: saidLines(program),
  });
});

test("a program has its arguments, exit code and parts, gridgrad of the clone, and paths from the folder of its caller", async () => {
  const file = join(folder, "args.ts");
  const { code, stdout, stderr } = await tryIt("args.ts", "--one", "two");
  expect({ code, stderr }).toEqual({ code: 7, stderr: "" });
  expect(stdout).toBe(`4 function [ '${file}', '--one', 'two' ] ${folder}\nfile://${file} ${folder} import.meta.url\n`);
});

test("npm moves to the clone, and the program back to where npm was called", async () => {
  const env = { ...process.env, npm_lifecycle_event: "try", INIT_CWD: join(folder, "folder") };
  const { code, stdout } = await start(process.execPath, [script, "../args.ts"], env);
  expect({ code, stdout }).toEqual({ code: 7, stdout: expect.stringContaining(` ${join(folder, "folder")}\n`) });
});

test("an error names file and line of the program", async () => {
  const { code, stderr } = await tryIt("throws.mts");
  expect(code).toBe(1);
  expect(stderr).toContain("ShapeError: mul: shapes must broadcast");
  expect(stderr).toMatch(new RegExp(`at .*${join(folder, "throws.mts")}:4:\\d+`));
});

test("what does not compile is told with its line, and nothing of gridgrad's", async () => {
  expect(await tryIt("broken.ts")).toMatchInlineSnapshot(`
    {
      "code": 1,
      "stderr": "✘ [ERROR] Expected identifier but found "="

        broken.ts:2:6:
          2 │ const = x;
            ╵       ^

    ",
      "stdout": "",
    }
  `);
});

test("an import that leads nowhere says what would", async () => {
  const { code, stdout, stderr } = await tryIt("imports.ts");
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  const errors = stderr.split("\n").filter((line) => /ERROR|:\d+:\d+:/.test(line));
  expect(errors.map((line) => line.trim()).sort()).toMatchInlineSnapshot(`
    [
      "imports.ts:1:18:",
      "imports.ts:2:18:",
      "imports.ts:3:18:",
      "imports.ts:4:18:",
      "✘ [ERROR] A program must be an ES module: write import in place of require("node:fs")",
      "✘ [ERROR] An import must be one of gridgrad, gridgrad/node, gridgrad/lab, gridgrad/testing or of a package below them, got "gridgrad/nothing"",
      "✘ [ERROR] Could not resolve "./nothing.ts"",
      "✘ [ERROR] The package "no-such-package/part" must be installed where this file is: npm install no-such-package",
    ]
  `);
});

test("a FILE that is not there, none, a folder or another file is told in one line", async () => {
  const ended = await Promise.all([[], ["nothing.ts"], ["folder"], ["page.html"]].map((args) => tryIt(...args)));
  for (const { code, stdout } of ended) expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(ended.map(({ stderr }) => stderr.replace(folder, "/home/me").trim())).toMatchInlineSnapshot(`
    [
      "try: a FILE must be named, got none: npm run try -- FILE",
      "try: FILE must be there, got nothing.ts, which is not (looked for /home/me/nothing.ts)",
      "try: FILE must be a file, got the folder folder",
      "try: FILE must be an ES module of TypeScript or JavaScript, a name in .ts, .mts, .js or .mjs, got page.html",
    ]
  `);
});

/**
 * @file Runs every ```ts block of the README files and of docs/, and every program of examples/, as a reader does who saves it to a file and
 * calls `npm run try`: each with its own imports, type-checked, and what it prints is compared with what its comments say.
 */

import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { decodePng } from "gridgrad/node";
import { beforeAll, describe, expect, test } from "vitest";

import { checkTypes } from "../scripts/checkTypes.ts";
import { findExamples } from "../scripts/findExamples.ts";
import { filesBelow, findPackages, readText, root } from "../scripts/findPackages.ts";
import { type Run, runPrograms } from "../scripts/runPrograms.ts";
import { saidLines } from "../scripts/saidLines.ts";

const pages = ["README.md", ...filesBelow("docs"), ...findPackages().map(({ folder }) => `${folder}/README.md`)].filter(
  (file) => file.endsWith(".md") && existsSync(join(root, file)),
);
const examples = filesBelow("examples").filter((file) => file.endsWith(".ts"));
const programs = [
  ...pages.flatMap((file) => findExamples(file, readText(file))),
  ...examples.map((file) => ({ file, title: "a program", line: 1, code: readText(file) })),
];

/** Their mistakes must be found: a function without a type, an argument of another type, a value that differs, an error. */
const mistaken = [
  'import { tensor } from "gridgrad";\nconst f = (x) => x;\nconsole.log(f(tensor([1, 2]).sum("0"))); // none',
  "const x: number = 2;\nconsole.log(x); // 3\nconsole.log(x); // 2",
  "console.log(1); // 1\nthrow new Error('no');",
].map((code, i) => ({ file: `mistaken${i}.md`, title: "mistaken", line: 10, code }));

const all = [...programs, ...mistaken];
let run: Run;
beforeAll(async () => {
  run = await runPrograms(all, ["dysample.png"]);
});

test("all of them type-check, and mistakes do not", () => {
  expect(checkTypes(all)).toEqual([
    "mistaken0.md:11: Parameter 'x' implicitly has an 'any' type.",
    expect.stringContaining("mistaken0.md:12: Argument of type "),
  ]);
});

/** Throws unless the program has printed what it says. */
function check(program: (typeof all)[number]): void {
  const { printed, error } = run.outcomes[all.indexOf(program)];
  if (error !== null) throw new Error(error);
  const lines = printed.replace(/\n$/, "").split("\n");
  expect(lines.map((line) => line.trimEnd())).toEqual(saidLines(program));
}

describe.each([...new Set(programs.map(({ file }) => file))])("%s", (file) => {
  for (const program of programs.filter((each) => each.file === file)) {
    test(`${program.title}, line ${program.line}`, () => check(program));
  }
});

test("a value that differs, and a program that throws, are found", () => {
  const [, differs, throws] = mistaken;
  expect(() => check(differs)).toThrow(/to deeply equal \[ '3', '2' \]/);
  expect(() => check(throws)).toThrow(/Error: no\n[^]*mistaken2\.md:11/);
});

test("the examples are among what runs, have their lines in examples/README.md, and the picture is written", () => {
  expect(examples).toContain("examples/hill.ts");
  for (const file of examples) expect(readText("examples/README.md")).toContain(`](${basename(file)})`);
  const { width, height, channels } = decodePng(run.files.get("dysample.png")!);
  expect({ width, height, channels }).toEqual({ width: 192, height: 64, channels: 3 });
});

test("links to files of the repository lead to files", () => {
  const others = ["CONTRIBUTING.md", "examples/README.md", "goldens/README.md"];
  const lost = [...pages, ...others].flatMap((page) =>
    [...readText(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)(#[^)]*)?\)/g)]
      .map(([, path]) => join(dirname(page), path))
      .filter((path) => !existsSync(join(root, path)))
      .map((path) => `${page} -> ${path}`),
  );
  expect(lost).toEqual([]);
});

/** @file Every op of core and ops has what an op must have. What that is stands in checkOpFile.ts and checkOpRecords.ts. */

import { describe, expect, test } from "vitest";

import { checkOpFile } from "../scripts/checkOpFile.ts";
import { checkOpRecords, type OpRecord } from "../scripts/checkOpRecords.ts";
import {
  type Exports,
  filesBelow,
  findPackages,
  importFile,
  importPackage,
  readText,
} from "../scripts/findPackages.ts";

/** Functions in op files that are no ops. They are public for authors of ops: parts of shape rules, loops and gradients. */
const forAuthors = [
  "reducedOperand", // where a reduction's loop stores
  "reducedShape", // the shape rule of reductions
  "stretchBack", // the gradient of reductions, and of whatever is made like them
  "sumTo", // the gradient of whatever broadcasts
];

const { goldenFiles } = await importPackage("@gridgrad/core/testing/goldenFiles");
const { finiteExceptions } = await importPackage("@gridgrad/core/testing");

/** The op files of a package, with what they export and with what the package does. */
async function opFiles(name: string): Promise<{ file: string; own: Exports; ofPackage: Exports }[]> {
  const found = findPackages().find((each) => each.name === name);
  if (!found?.entries.has(name)) return [];
  const ofPackage = await importPackage(name);
  const files = filesBelow(`${found.folder}/src/ops`).filter((file) => /(?<!\.test|\/index)\.ts$/.test(file));
  return Promise.all(files.map(async (file) => ({ file, own: await importFile(file), ofPackage })));
}

const all = [...(await opFiles("@gridgrad/core")), ...(await opFiles("@gridgrad/ops"))];

describe("every op is complete", () => {
  for (const { file, own, ofPackage } of all) {
    const ops = Object.keys(own).filter(
      (name) =>
        typeof own[name] === "function" &&
        ofPackage[name] === own[name] &&
        !forAuthors.includes(name) &&
        !name.endsWith("Kernel"), // parts of kernels that other ops' kernels call
    );
    if (ops.length === 0) continue;
    test(`${ops.join(", ")} in ${file}`, () => {
      const folder = file.slice(0, file.lastIndexOf("/"));
      const tests = filesBelow(folder)
        .filter((path) => path.endsWith(".test.ts"))
        .map(readText);
      expect(checkOpFile({ file, source: readText(file), ops, tests, matchesGolden })).toEqual([]);
    });
  }
});

test("every record of an op is complete, and has a name of its own across the packages", () => {
  const records = all.flatMap(({ file, own, ofPackage }) =>
    Object.keys(own)
      .filter((name) => name.endsWith("Op"))
      .map((name): OpRecord => {
        const record = own[name] as OpRecord["record"];
        return { file, exportName: name, record, isPublic: ofPackage[name] === record };
      }),
  );
  const names = records.map(({ exportName }) => exportName);
  expect(names).toContain("addOp"); // of core
  expect(names).toContain("conv2dOp"); // of ops
  expect(checkOpRecords(records)).toEqual([]);
});

test("the functions for authors of ops are all still there", () => {
  const exported = all.flatMap(({ own }) => Object.keys(own));
  expect(forAuthors.filter((name) => !exported.includes(name))).toEqual([]);
});

test("docs/5-gpu.md lists the exceptions for values that are not finite as the tests have them", () => {
  type Exception = { readonly devices: string[]; readonly ops: string[]; readonly what: string; readonly why: string };
  const rows = (finiteExceptions as readonly Exception[]).map(({ devices, ops, what, why }) => {
    const names = devices.map((name) => (name === "all" ? name : `\`${name}\``)).join(", ");
    return [names, ops.join(", "), what, why];
  });
  expect(rows.length).toBeGreaterThan(0);
  const [, section] = readText("docs/5-gpu.md").split("### What is not finite\n");
  const lines = section.split("\n### ")[0].split("\n");
  const cells = lines.filter((line) => line.startsWith("|")).map((line) => line.split("|").slice(1, -1));
  expect(cells.slice(2).map((row) => row.map((cell) => cell.trim()))).toEqual(rows);
});

function matchesGolden(pattern: string): boolean {
  try {
    return (goldenFiles as (pattern: string) => unknown[])(pattern).length > 0;
  } catch {
    return false; // no such folder, or no file in it
  }
}

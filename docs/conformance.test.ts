/** @file Every op of core and ops has what an op must have. What that is stands in checkOpFile.ts and checkOpRecords.ts. */

import { describe, expect, test } from "vitest";

import { checkOpFile } from "../scripts/checkOpFile.ts";
import { checkOpRecords, type OpRecord } from "../scripts/checkOpRecords.ts";
import { findImportCycles } from "../scripts/findImportCycles.ts";
import { findOps, forAuthors } from "../scripts/findOps.ts";
import { filesBelow, importPackage, readText } from "../scripts/findPackages.ts";

const { goldenFiles } = await importPackage("@gridgrad/core/testing/goldenFiles");
const { finiteExceptions } = await importPackage("@gridgrad/core/testing");

const all = await findOps();

describe("every op is complete", () => {
  for (const { file, ops } of all) {
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

test("core has floors: the files that import each other in a circle are few, each for its reason", () => {
  const files = filesBelow("packages/core/src").filter((file) => /(?<!testing\/.*|\.test)\.ts$/.test(file));
  const cycles = findImportCycles(
    new Map(files.map((file) => [file.replace("packages/core/src/", ""), readText(file)])),
  );
  expect(files).toContain("packages/core/src/tensor.ts");
  expect(cycles).toEqual([
    ["eager.ts", "run.ts"], // eager mode runs one op at a time, and a run keeps the recipes of its results then
    ["errors.ts", "shape.ts"], // an error prints shapes, and what checks shapes throws errors
    ["ops/expand.ts", "ops/sum.ts"], // each is the gradient of the other
  ]);
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

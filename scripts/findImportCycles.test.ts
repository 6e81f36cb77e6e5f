import { expect, test } from "vitest";

import { findImportCycles } from "./findImportCycles.ts";

const sources = (texts: Readonly<Record<string, string>>): Map<string, string> => new Map(Object.entries(texts));

test("files that import each other are a circle, also by way of others and of re-exports", () => {
  const cycles = findImportCycles(
    sources({
      "src/a.ts": 'import { b } from "./ops/b.ts";',
      "src/ops/b.ts": 'import "./c.ts";',
      "src/ops/c.ts": 'export { a } from "../a.ts";',
      "src/top.ts": 'export * from "./a.ts";',
    }),
  );
  expect(cycles).toEqual([["src/a.ts", "src/ops/b.ts", "src/ops/c.ts"]]);
});

test("types tie nothing, but an import that is left without names does", () => {
  const b = 'import { a } from "./a.ts";';
  expect(findImportCycles(sources({ "a.ts": 'import type { B } from "./b.ts";', "b.ts": b }))).toEqual([]);
  expect(findImportCycles(sources({ "a.ts": 'export type { B } from "./b.ts";', "b.ts": b }))).toEqual([]);
  expect(findImportCycles(sources({ "a.ts": 'import { type B } from "./b.ts";', "b.ts": b }))).toEqual([
    ["a.ts", "b.ts"],
  ]);
});

test("two circles are two, and one file in both makes them one", () => {
  const two = {
    "a.ts": 'import "./b.ts";',
    "b.ts": 'import "./a.ts";',
    "c.ts": 'import "./d.ts"; import "./a.ts";',
    "d.ts": 'import "./c.ts"; import "vitest";',
  };
  expect(findImportCycles(sources(two))).toEqual([["a.ts", "b.ts"], ["c.ts", "d.ts"]]); // prettier-ignore
  expect(findImportCycles(sources({ ...two, "b.ts": 'import "./a.ts"; import "./d.ts";' }))).toHaveLength(1);
});

test("a file that imports itself is a circle", () => {
  expect(findImportCycles(sources({ "a.ts": 'import "./a.ts";' }))).toEqual([["a.ts"]]);
});

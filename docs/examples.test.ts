/** @file Runs every `@example` of the sources and compares the values it shows. The programs of pages are run by pages.test.ts. */

import { beforeEach, describe, expect, test } from "vitest";

import { findExamples } from "../scripts/findExamples.ts";
import { filesBelow, findPackages, importFile, importPackage, readText } from "../scripts/findPackages.ts";
import { runExample } from "../scripts/runExample.ts";

const packages = findPackages();

const files = packages
  .flatMap(({ folder }) => filesBelow(`${folder}/src`))
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));

/** Everything that the packages export: examples use it without an import. */
const scope: Record<string, unknown> = {};
for (const { name, entries } of packages) if (entries.has(name)) Object.assign(scope, await importPackage(name));

beforeEach(async () => {
  // A device of its own for each example: while one counts buffers, those of another must not be freed.
  const { setDevice } = await importPackage("@gridgrad/core");
  (setDevice as (name: string) => void)("cpu"); // what a reader gets
});

for (const file of files) {
  const examples = findExamples(file, readText(file));
  if (examples.length === 0) continue;
  describe(file, () => {
    for (const example of examples) {
      test(`${example.title}, line ${example.line}`, async () => {
        // The file's own exports come first: not all of them are exported by its package.
        const own = await importFile(file);
        expect(await runExample(example, { scope: { ...scope, ...own }, load: importPackage })).toBeGreaterThan(0);
      });
    }
  });
}

test("the examples of ops are among those that run", () => {
  expect(files).toContain("packages/core/src/ops/add.ts");
});

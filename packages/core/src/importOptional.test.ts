import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { importOptional } from "./importOptional.ts";

const name = "nobody-has-this"; // the runner of the tests finds those of the workspace from any folder

/** What Node says of a package that is not there. */
async function missing(): Promise<never> {
  throw Object.assign(new Error(`Cannot find package '${name}'`), { code: "ERR_MODULE_NOT_FOUND" });
}

/** A folder in which the package is this program. */
function folderWith(program: string): string {
  const folder = mkdtempSync(join(tmpdir(), "gridgrad-optional-"));
  const place = join(folder, "node_modules", name);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "package.json"), JSON.stringify({ name, main: "index.js" }));
  writeFileSync(join(place, "index.js"), program);
  return folder;
}

test("a package is that of the program, else that of the folder, else none", async () => {
  const folder = folderWith("exports.of = 'the folder';");
  expect(await importOptional(name, async () => ({ of: "the program" }), folder)).toEqual({ of: "the program" });
  expect(await importOptional(name, missing, folder)).toEqual({ of: "the folder" });
  expect(await importOptional(name, missing)).toBeNull();
});

test("a package that is there and does not load keeps its own error", async () => {
  await expect(importOptional(name, missing, folderWith("throw new Error('no such library');"))).rejects.toThrow(
    "no such library",
  );
  await expect(importOptional(name, missing, folderWith("require('another-one');"))).rejects.toThrow("'another-one'");
});

import { readdirSync, readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { version } from "./version.ts";

test("all packages that are published have the version that core tells", () => {
  const packages = new URL("../../", import.meta.url);
  const manifests = readdirSync(packages).map(
    (name) => JSON.parse(readFileSync(new URL(`${name}/package.json`, packages), "utf8")) as Record<string, unknown>,
  );
  const published = manifests.filter((manifest) => !manifest["private"]);
  expect(published.map(({ name }) => name)).toEqual([
    "@gridgrad/core",
    "@gridgrad/dysample",
    "gridgrad",
    "@gridgrad/nn",
    "@gridgrad/ops",
  ]);
  expect(published.map((manifest) => manifest["version"])).toEqual(published.map(() => version));
});

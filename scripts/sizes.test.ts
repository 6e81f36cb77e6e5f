import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { quickBuild } from "./build/quickBuild.mjs";
import { budgets, measure, showSizes } from "./sizes.mjs";

let folder: string;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "sizes-")));
  await quickBuild(folder);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** The lines of the table that are over their budget. */
function tooLarge(sizes: Awaited<ReturnType<typeof measure>>): string[] {
  return showSizes(sizes)
    .split("\n")
    .filter((line) => line.includes("too large"));
}

test("a page loads no more than it may, by what it imports", async () => {
  const sizes = await measure(budgets, folder);
  expect(tooLarge(sizes), showSizes(sizes)).toEqual([]);
  expect(sizes.length).toBe(5);
  expect(sizes.every(({ bytes }) => bytes > 5000)).toBe(true); // 0 where the device does not come later
});

test("what comes too early is found, and the table shows it", async () => {
  const engine = "./node_modules/@gridgrad/ops/dist/devices/cpu/cpuEngine.js";
  const [, one] = budgets;
  const sizes = await measure(
    [{ ...one, entry: `${one.entry} import * as e from "${engine}"; console.log(e);` }],
    folder,
  );
  expect(tooLarge(sizes).map((line) => line.replace(/\d+\.\d/, "nn.n"))).toMatchInlineSnapshot(`
    [
      "tensor, grad, gridSample: before the first run    nn.n    40.0  too large",
    ]
  `);
  const low = await measure([{ page: "little", entry: budgets[2].entry, first: 9000 }], folder);
  expect(showSizes(low).replace(/1\d\.\d/, "nn.n")).toMatchInlineSnapshot(`
    "KB under gzip, minified         size  at most
    little: before the first run    nn.n     9.0  too large"
  `);
});

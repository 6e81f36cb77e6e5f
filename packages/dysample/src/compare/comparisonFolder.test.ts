import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeEach, expect, test } from "vitest";

import { type TrainConfig } from "../training/config.ts";
import { RunFolder } from "../training/runFolder.ts";
import { runPath, runsOf } from "./comparison.ts";
import { comparisonOf } from "./comparisonOf.ts";
import { ComparisonFolder } from "./comparisonFolder.ts";

let base: string;
let folder: ComparisonFolder;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "gridgrad-folder-"));
  process.chdir(base);
  folder = new ComparisonFolder("all");
});

const asked = (upsamplers: readonly string[], seeds: readonly number[], config: Partial<TrainConfig> = {}) =>
  comparisonOf({ upsamplers, seeds, config: { steps: 3, ...config } });

test("what is written is read again, and begins again as it was", async () => {
  const comparison = asked(["nearest", "dysample"], [0, 1]);
  expect(await folder.begin(comparison)).toMatchObject(comparison);
  expect(await folder.read()).toMatchObject(comparison);
  expect(await folder.begin(comparison)).toMatchObject(comparison);
});

test("a comparison grows by what it does not have, and never shrinks", async () => {
  await folder.begin(asked(["nearest", "dysample"], [1]));
  expect(await folder.begin(asked(["nearest", "bilinear", "dysample"], [0, 1]))).toMatchObject(
    asked(["nearest", "bilinear", "dysample"], [0, 1]),
  );
  expect(await folder.begin(asked(["pixel-shuffle"], [2]))).toMatchObject(
    asked(["nearest", "bilinear", "dysample", "pixel-shuffle"], [0, 1, 2]),
  );
  expect(await folder.read()).toMatchObject(asked(["nearest", "bilinear", "dysample", "pixel-shuffle"], [0, 1, 2]));
});

test("another comparison is refused, with what differs, unless it is to be replaced", async () => {
  const comparison = asked(["nearest"], [0]);
  await folder.begin(comparison);
  const [run] = runsOf(comparison);
  await new RunFolder(runPath("all", run)).begin(run.config);
  await writeFile("all/notes.txt", "mine");
  const refused = async (other: typeof comparison) =>
    String(await folder.begin(other).catch((error: unknown) => error));
  const renamed = { ...comparison, contestants: [{ label: "nearest", config: { upsampler: "bilinear", groups: 2 } }] };
  expect([
    await refused(asked(["nearest"], [0], { steps: 4, lr: 0.1 })),
    await refused(renamed),
    await refused(comparisonOf({ ablation: "scope", seeds: [0], config: { steps: 3 } })),
  ]).toMatchInlineSnapshot(`
    [
      "ComparisonFolderError: all must go on as the comparison that it holds, got steps 4 (the folder has 3), lr 0.1 (the folder has 0.01); replace it (--overwrite), or write elsewhere (--out)",
      "ComparisonFolderError: all must go on as the comparison that it holds, got nearest with upsampler bilinear (the folder has nearest), nearest with groups 2 (the folder has unset); replace it (--overwrite), or write elsewhere (--out)",
      "ComparisonFolderError: all must go on as the comparison that it holds, got "DySample's static scope" (the folder has "Upsamplers"); replace it (--overwrite), or write elsewhere (--out)",
    ]
  `);
  expect(await folder.read()).toMatchObject(comparison);
  expect(await readdir("all/runs")).toEqual(["nearest-seed0"]);

  expect(await folder.begin(renamed, { overwrite: true })).toMatchObject(renamed);
  expect(await readdir("all/runs")).toEqual([]);
  expect(await readFile("all/notes.txt", "utf8")).toBe("mine");
});

test("a comparison keeps its id as long as it is not replaced", async () => {
  const { id } = await folder.begin(asked(["nearest"], [0]));
  expect(id).toMatch(/^[-0-9a-f]{36}$/);
  expect((await folder.begin(asked(["nearest"], [0, 1]))).id).toBe(id);
  expect((await folder.begin(await folder.read())).id).toBe(id);
  expect((await folder.begin(asked(["nearest"], [0]), { overwrite: true })).id).not.toBe(id);
});

test("a folder that holds another run in the place of one of its own is refused", async () => {
  const comparison = asked(["nearest"], [0]);
  const [run] = runsOf(comparison);
  await new RunFolder(runPath("all", run)).begin({ ...run.config, steps: 9 });
  await expect(folder.begin(comparison)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[RunFolderError: all/runs/nearest-seed0 must be resumed with its own configuration, got steps 3 (the run has 9); leave these out, or start another run]`,
  );
  expect(await readdir("all")).toEqual(["runs"]);
});

test("a folder without a comparison, or with a damaged one, says so", async () => {
  const refused = async () => String(await folder.read().catch((error: unknown) => error));
  const errors = [await refused()];
  await mkdir("all");
  for (const text of ["{", "null", JSON.stringify({ ...asked(["nearest"], [0]), format: "gridgrad-compare-9" })]) {
    await writeFile("all/compare.json", text);
    errors.push(await refused());
  }
  expect(errors).toMatchInlineSnapshot(`
    [
      "ComparisonFolderError: all must be the folder of a comparison, but it has no compare.json; check the path",
      "ComparisonFolderError: all/compare.json must be as it was written, but Expected property name or '}' in JSON at position 1",
      "ComparisonFolderError: all/compare.json must be as it was written, but format must be "gridgrad-compare-1", got null",
      "ComparisonFolderError: all/compare.json must be as it was written, but format must be "gridgrad-compare-1", got "gridgrad-compare-9"",
    ]
  `);
});

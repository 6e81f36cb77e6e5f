import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { beforeEach, expect, test } from "vitest";

import type { TrainConfig } from "@gridgrad/dysample";
import { RunFolder } from "@gridgrad/dysample/internal/node";

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

/** Files with contents of their own. */
async function fill(...names: string[]): Promise<void> {
  for (const name of names) {
    await mkdir(dirname(join("all", name)), { recursive: true });
    await writeFile(join("all", name), "mine");
  }
}

/** The files in the folder, but for compare.json. */
async function files(): Promise<string[]> {
  const entries = await readdir("all", { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  return paths.map((path) => path.slice("all/".length)).filter((path) => path !== "compare.json").sort(); // prettier-ignore
}

test("without a comparison in the folder, names that are taken are refused, to be replaced or not", async () => {
  const named = [
    "charts/mine/figure.txt",
    "points-dysample.svg",
    "report.html",
    "results.csv",
    "runs/nearest-seed0/notes.txt",
  ];
  await fill(...named, "runs/other/config.json", "points-mine.svg");
  const before = await files();
  for (const overwrite of [false, true]) {
    const error = await folder.begin(asked(["nearest", "dysample"], [0]), { overwrite }).catch(String);
    expect(error).toMatchInlineSnapshot(
      `"ComparisonFolderError: all must have room for the comparison, but results.csv, report.html, charts, points-dysample.svg, runs/nearest-seed0 in it are not of one; move away what is yours, or write elsewhere (--out)"`,
    );
    expect(await files()).toEqual(before);
  }
  for (const name of named) {
    await rm("all", { recursive: true });
    await fill(name);
    await expect(folder.begin(asked(["nearest", "dysample"], [0]), { overwrite: true })).rejects.toThrow(
      " is not of one;",
    );
  }
  await rm("all", { recursive: true });
  await fill("runs/other/config.json", "points-mine.svg", "charts.txt");
  await folder.begin(asked(["nearest", "dysample"], [0]));
});

test("a comparison does not grow onto what is somebody else's", async () => {
  await folder.begin(asked(["nearest"], [0]));
  await fill("points-dysample.svg", "runs/nearest-seed1/notes.txt");
  await expect(folder.begin(asked(["dysample"], [0]))).rejects.toThrow("points-dysample.svg in it is not of one");
  await expect(folder.begin(asked(["nearest"], [0, 1]))).rejects.toThrow("runs/nearest-seed1 in it is not of one");
  await expect(folder.begin(asked(["nearest"], [1]), { overwrite: true })).rejects.toThrow("in it is not of one");
  await mkdir("all/runs/nearest-seed2");
  await folder.begin(asked(["nearest"], [2]));
});

test("overwriting deletes files that the comparison has made, and no others", async () => {
  const comparison = asked(["nearest", "dysample"], [0]);
  await folder.begin(comparison);
  for (const run of runsOf(comparison)) await new RunFolder(runPath("all", run)).begin(run.config);
  const id = "01234567-89ab-cdef-0123-456789abcdef";
  const own = ["results.csv", "results.json", "report.html", "measurements.json", "strip.png", "points-dysample.svg"];
  await fill(...own, "charts/iou.svg", `charts/loss.svg.${id}.tmp`, `report.html.${id}.tmp`);
  const foreign = [
    "charts/mine/figure.txt",
    "charts/mine.svg",
    "notes.txt",
    "points-mine.svg",
    "runs/mine-seed0/config.json",
    "runs/nearest-seed0/notes.txt",
    "runs/nearest-seed0/plots/a.svg",
  ];
  await fill("runs/nearest-seed0/weights.safetensors", ...foreign);
  await folder.begin(asked(["dysample"], [1]), { overwrite: true });
  expect(await files()).toEqual(foreign.sort());
  expect((await readdir("all/runs")).sort()).toEqual(["mine-seed0", "nearest-seed0"]);

  await rm("all/charts", { recursive: true });
  await fill("charts/loss.svg");
  await folder.begin(asked(["dysample"], [2]), { overwrite: true });
  expect((await readdir("all")).sort()).toEqual(["compare.json", "notes.txt", "points-mine.svg", "runs"]);
});

test("overwriting deletes nothing that is not in the folder", async () => {
  const comparison = asked(["nearest"], [0]);
  const [run] = runsOf(comparison);
  await folder.begin(comparison);
  await new RunFolder("mine/nearest-seed0").begin(run.config);
  await mkdir("all/runs");
  await symlink("../../mine/nearest-seed0", "all/runs/nearest-seed0");
  const told = [await folder.begin(comparison, { overwrite: true }).catch(String)];
  await rm("all/runs", { recursive: true });
  await symlink("../mine", "all/runs");
  told.push(await folder.begin(comparison, { overwrite: true }).catch(String));
  expect(told).toMatchInlineSnapshot(`
    [
      "RunFolderError: all/runs/nearest-seed0 must be a folder to be deleted, but it is a link; delete it yourself",
      "ComparisonFolderError: all/runs must be a folder, but it is a link; delete yourself what it leads to, or write elsewhere (--out)",
    ]
  `);
  expect(await readdir("mine/nearest-seed0")).toEqual(["config.json"]);
});

test("a file that is called compare.json and holds something else is left alone", async () => {
  for (const text of ["mine", '{"format":"gridgrad-compare-9"}']) {
    await mkdir("all", { recursive: true });
    await writeFile("all/compare.json", text);
    await fill("results.csv");
    for (const overwrite of [false, true]) {
      await expect(folder.begin(asked(["nearest"], [0]), { overwrite })).rejects.toThrow("must be as it was written");
    }
    expect(await readFile("all/compare.json", "utf8")).toBe(text);
    expect(await files()).toEqual(["results.csv"]);
  }
});

test("names that lead out of the folder, and all that cannot be part of a name, are refused with their field", async () => {
  await folder.begin(asked(["nearest"], [0]));
  const good = JSON.parse(await readFile("all/compare.json", "utf8")) as Record<string, unknown>;
  const victim = new RunFolder("victim-seed0");
  await victim.begin(runsOf(asked(["nearest"], [0]))[0].config);
  const label = (...labels: unknown[]) => ({ contestants: labels.map((each) => ({ label: each, config: { upsampler: "nearest" } })) }); // prettier-ignore
  const told: unknown[] = [];
  for (const change of [
    ...["../../../victim", "/victim", "a/b", "a\\b", "..", ".", "", "a\n", "é", "n".repeat(101), 7, null].map((each) =>
      label(each),
    ),
    label("nearest", "nearest"),
    label("nearest", "Nearest"),
    { contestants: [] },
    { contestants: [null] },
    { contestants: [{ label: "nearest" }] },
    ...[[-1], [0.5], ["0"], [2 ** 53], [0, 0], [], "0"].map((seeds) => ({ seeds })),
    { title: 7 },
    { id: "../x" },
    { config: [] },
  ]) {
    await writeFile("all/compare.json", JSON.stringify({ ...good, ...change }));
    const error = await folder.read().catch(String);
    expect(await folder.begin(asked(["nearest"], [0]), { overwrite: true }).catch(String)).toBe(error);
    told.push(String(error).replace("ComparisonFolderError: all/compare.json must be as it was written, but ", ""));
  }
  expect(told).toMatchInlineSnapshot(`
    [
      "contestants[0].label must be at most 100 letters, digits and + - . _, and not only dots, got "../../../victim"",
      "contestants[0].label must be at most 100 letters, digits and + - . _, and not only dots, got "/victim"",
      "contestants[0].label must be at most 100 letters, digits and + - . _, and not only dots, got "a/b"",
      "contestants[0].label must be at most 100 letters, digits and + - . _, and not only dots, got "a\\\\b"",
      "contestants[0].label must be at most 100 letters, digits and + - . _, and not only dots, got ".."",
      "contestants[0].label must be at most 100 letters, digits and + - . _, and not only dots, got "."",
      "contestants[0].label must be at most 100 letters, digits and + - . _, and not only dots, got """,
      "contestants[0].label must be at most 100 letters, digits and + - . _, and not only dots, got "a\\n"",
      "contestants[0].label must be at most 100 letters, digits and + - . _, and not only dots, got "é"",
      "contestants[0].label must be at most 100 letters, digits and + - . _, and not only dots, got "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn...",
      "contestants[0].label must be at most 100 letters, digits and + - . _, and not only dots, got 7",
      "contestants[0].label must be at most 100 letters, digits and + - . _, and not only dots, got null",
      "contestants[1].label must be another than those before, got "nearest"",
      "contestants[1].label must be another than those before, got "Nearest"",
      "contestants must be a list of at least one, got []",
      "contestants[0] must be an object, got null",
      "contestants[0].config must be an object, got nothing",
      "seeds[0] must be an integer of at least 0, got -1",
      "seeds[0] must be an integer of at least 0, got 0.5",
      "seeds[0] must be an integer of at least 0, got "0"",
      "seeds[0] must be an integer of at least 0, got 9007199254740992",
      "seeds[1] must be another than those before, got 0",
      "seeds must be a list of at least one, got []",
      "seeds must be a list of at least one, got "0"",
      "title must be a text, got 7",
      "id must be a UUID in small letters, got "../x"",
      "config must be an object, got []",
    ]
  `);
  expect(await readdir("victim-seed0")).toEqual(["config.json"]);
  const bad = { ...asked(["nearest"], [0]), ...label("../x") } as ReturnType<typeof asked>;
  await expect(new ComparisonFolder("other").begin(bad)).rejects.toThrow("contestants[0].label must be at most");
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
  for (const text of [
    "{",
    "null",
    JSON.stringify({ ...asked(["nearest"], [0]), format: "gridgrad-compare-9" }),
    JSON.stringify({ ...asked(["nearest"], [0]), config: { steps: "2" }, format: "gridgrad-compare-1" }),
    JSON.stringify({ ...asked(["nearest"], [0]), config: { upsampler: null }, format: "gridgrad-compare-1" }),
  ]) {
    await writeFile("all/compare.json", text);
    errors.push(await refused());
  }
  expect(errors).toMatchInlineSnapshot(`
    [
      "ComparisonFolderError: all must be the folder of a comparison, but it has no compare.json; check the path",
      "ComparisonFolderError: all/compare.json must be as it was written, but Expected property name or '}' in JSON at position 1",
      "ComparisonFolderError: all/compare.json must be as it was written, but format must be "gridgrad-compare-1", got null",
      "ComparisonFolderError: all/compare.json must be as it was written, but format must be "gridgrad-compare-1", got "gridgrad-compare-9"",
      "ComparisonFolderError: all/compare.json must be as it was written, but config: steps must be an integer of at least 1, got "2"",
      "ComparisonFolderError: all/compare.json must be as it was written, but config: upsampler must be one of nearest, bilinear, bicubic, transposed-conv, pixel-shuffle, carafe, fade, sapa-b, dysample, dysample+, dysample-s, dysample-s+, got null",
    ]
  `);
});

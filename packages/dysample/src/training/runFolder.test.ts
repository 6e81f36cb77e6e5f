import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeEach, expect, test } from "vitest";

import { resolveConfig } from "./config.ts";
import { RunFolder } from "./runFolder.ts";

const config = resolveConfig({ steps: 3 });

let base: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "gridgrad-folder-"));
  process.chdir(base); // so that messages have short paths
});

test("a new run has its configuration, and its folder comes with it", async () => {
  const folder = new RunFolder("deep/run");
  await folder.begin(config);
  expect(await readdir("deep")).toEqual(["run"]);
  expect(await readdir("deep/run")).toEqual(["config.json"]);
  expect(await folder.readConfig()).toEqual(config);
});

test("an empty folder can become a run, and so can one with other files, which stay", async () => {
  await mkdir("run");
  await writeFile("run/notes.txt", "mine");
  await new RunFolder("run").begin(config);
  expect((await readdir("run")).sort()).toEqual(["config.json", "notes.txt"]);
});

test("a folder with any file of a run is refused and left as it is", async () => {
  await mkdir("run");
  await writeFile("run/weights.safetensors", "precious");
  await expect(new RunFolder("run").begin(config)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[RunFolderError: run must not hold a run yet, but it has weights.safetensors; go on with it (--resume run), replace it (--overwrite), or write elsewhere (--out)]`,
  );
  expect(await readdir("run")).toEqual(["weights.safetensors"]);
  expect(await readFile("run/weights.safetensors", "utf8")).toBe("precious");
});

test("overwriting deletes the files of the run and no others", async () => {
  const folder = new RunFolder("run");
  await folder.begin(resolveConfig({ steps: 99 }));
  for (const name of ["result.json", "strip.png", "checkpoint.safetensors", "metrics.jsonl", "notes.txt"]) {
    await writeFile(join("run", name), "");
  }
  await folder.begin(config, { overwrite: true });
  expect((await readdir("run")).sort()).toEqual(["config.json", "notes.txt"]);
  expect(await folder.readConfig()).toEqual(config);
});

test("weights to begin with are there before the configuration, also in the place of another run", async () => {
  const killed = new Error("killed");
  const dying = async (path: string): Promise<void> => {
    await writeFile(path, "half");
    throw killed;
  };
  const folder = new RunFolder("run");
  await expect(folder.begin(config, { saveStart: dying })).rejects.toBe(killed);
  expect(existsSync("run")).toBe(false);

  await folder.begin(config, { saveStart: (path) => writeFile(path, "old") });
  expect((await readdir("run")).sort()).toEqual(["config.json", "start.safetensors"]);
  await expect(folder.begin(config, { overwrite: true, saveStart: dying })).rejects.toBe(killed);
  await expect(folder.resume({})).rejects.toThrow("it has no config.json");

  await folder.begin(config, { overwrite: true, saveStart: (path) => writeFile(path, "new") });
  expect(await folder.resume({})).toEqual(config);
  expect(await readFile("run/start.safetensors", "utf8")).toBe("new");
});

test("resuming deletes what a kill has left half written", async () => {
  const folder = new RunFolder("run");
  await folder.begin(config);
  const id = "01234567-89ab-cdef-0123-456789abcdef";
  for (const name of [`checkpoint.safetensors.${id}.tmp`, `.strip.png.${id}.tmp`, `mine.${id}.tmp`]) {
    await writeFile(join("run", name), "");
  }
  expect(await folder.resume({ steps: 3 })).toEqual(config);
  expect((await readdir("run")).sort()).toEqual(["config.json", `mine.${id}.tmp`]);
});

test("resuming with another configuration is refused", async () => {
  const folder = new RunFolder("run");
  await folder.begin(config);
  await expect(folder.resume({ steps: 4, upsampler: "bilinear", seed: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[RunFolderError: run must be resumed with its own configuration, got upsampler bilinear (the run has dysample), steps 4 (the run has 3); leave these out, or start another run]`,
  );
});

test("what is no run, or has a damaged configuration, is told apart", async () => {
  await mkdir("empty");
  await expect(new RunFolder("nowhere").resume({})).rejects.toThrowErrorMatchingInlineSnapshot(
    `[RunFolderError: nowhere must be the folder of a training run, but there is no such folder; check the path]`,
  );
  await expect(new RunFolder("empty").resume({})).rejects.toThrowErrorMatchingInlineSnapshot(
    `[RunFolderError: empty must be the folder of a training run, but it has no config.json; check the path]`,
  );

  const folder = new RunFolder("run");
  await folder.begin(config);
  const json = await readFile("run/config.json", "utf8");
  const damaged = async (text: string): Promise<string> => {
    await writeFile("run/config.json", text);
    return folder.readConfig().then(String, String);
  };
  expect(await damaged(json.slice(0, 40))).toMatch(
    /^RunFolderError: run\/config.json must be as the run wrote it, but /,
  );
  expect(await damaged("null")).toMatchInlineSnapshot(
    `"RunFolderError: run/config.json must be as the run wrote it, but format must be "gridgrad-run-1", got null"`,
  );
  expect(await damaged(json.replace("gridgrad-run-1", "gridgrad-run-2"))).toMatchInlineSnapshot(
    `"RunFolderError: run/config.json must be as the run wrote it, but format must be "gridgrad-run-1", got "gridgrad-run-2""`,
  );
  expect(await damaged(json.replace('"steps": 3', '"steps": "3"'))).toMatchInlineSnapshot(
    `"RunFolderError: run/config.json must be as the run wrote it, but config: steps must be an integer of at least 1, got "3""`,
  );
  expect(await damaged(json.replace('  "steps": 3,\n', ""))).toMatchInlineSnapshot(
    `"RunFolderError: run/config.json must be as the run wrote it, but it lacks steps"`,
  );
});

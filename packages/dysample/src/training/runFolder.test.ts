import { execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeEach, expect, test } from "vitest";

import { resolveConfig } from "../tasks/config.ts";
import { lockFolder } from "./folderLock.ts";
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
  expect(await readdir(".")).toEqual([]);

  await folder.begin(config, { saveStart: (path) => writeFile(path, "old") });
  expect((await readdir("run")).sort()).toEqual(["config.json", "start.safetensors"]);
  await expect(folder.begin(config, { overwrite: true, saveStart: dying })).rejects.toBe(killed);
  await expect(folder.resume({})).rejects.toThrowErrorMatchingInlineSnapshot(
    `[RunFolderError: run/config.json must be as the run wrote it, but a process that began the run was killed meanwhile; start it again (--overwrite)]`,
  );

  await folder.begin(config, { overwrite: true, saveStart: (path) => writeFile(path, "new") });
  expect(await folder.resume({})).toEqual(config);
  expect(await readFile("run/start.safetensors", "utf8")).toBe("new");
});

test("overwriting replaces a run and no files of anybody else's that have the names of a run's", async () => {
  await mkdir("web");
  await writeFile("web/config.json", '{"theme":"dark"}');
  await writeFile("web/weights.safetensors", "precious");
  await mkdir("linked");
  await new RunFolder("other").begin(config);
  await symlink("../other/config.json", "linked/config.json");
  await mkdir("odd/result.json", { recursive: true });
  await cp("other/config.json", "odd/config.json");
  const told: string[] = [];
  for (const path of ["web", "linked", "odd"]) {
    const saveStart = () => writeFile(join(path, "start.safetensors"), "new");
    told.push(String(await new RunFolder(path).begin(config, { overwrite: true, saveStart }).catch(String)));
  }
  expect(told).toMatchInlineSnapshot(`
    [
      "RunFolderError: web must hold a run to be replaced, but it has weights.safetensors, config.json without the config.json of one; move away what is yours, or write elsewhere (--out)",
      "RunFolderError: linked/config.json must be a file to be deleted, but it is a link or no file; delete it yourself, or write elsewhere (--out)",
      "RunFolderError: odd/result.json must be a file to be deleted, but it is a link or no file; delete it yourself, or write elsewhere (--out)",
    ]
  `);
  expect(await readFile("web/config.json", "utf8")).toBe('{"theme":"dark"}');
  expect((await readdir("web")).sort()).toEqual(["config.json", "weights.safetensors"]);
  expect(await readlink("linked/config.json")).toBe("../other/config.json");
});

test("a run is deleted with its folder, or without it where somebody else's files are in it", async () => {
  for (const path of ["alone", "shared", "foreign"]) await new RunFolder(path).begin(config);
  const id = "01234567-89ab-cdef-0123-456789abcdef";
  for (const name of ["weights.safetensors", `strip.png.${id}.tmp`]) await writeFile(join("alone", name), "");
  await writeFile("shared/weights.safetensors", "");
  await mkdir("shared/plots");
  await writeFile("foreign/config.json", "{}");
  await symlink("shared", "link");
  expect(await new RunFolder("link").clear().catch(String)).toMatchInlineSnapshot(
    `"RunFolderError: link must be a folder to be deleted, but it is a link; delete it yourself"`,
  );
  expect((await readdir("shared")).sort()).toEqual(["config.json", "plots", "weights.safetensors"]);
  for (const path of ["alone", "shared", "foreign", "nowhere"]) await new RunFolder(path).clear();
  expect((await readdir(".", { recursive: true })).sort()).toEqual([
    "foreign",
    "foreign/config.json",
    "link",
    "link/plots",
    "shared",
    "shared/plots",
  ]);
});

test("a run that another process is at work on is not deleted", async () => {
  await new RunFolder("run").begin(config);
  const unlock = await lockFolder("run");
  await expect(new RunFolder("run").clear()).rejects.toThrow("run must not be in use");
  await unlock();
  expect(await readdir("run")).toEqual(["config.json"]);
});

test("what is in the place of a file, and is none, is named, and nothing waits for it", async () => {
  await new RunFolder("run").begin(config);
  await mkdir("run/result.json");
  execFileSync("mkfifo", ["run/checkpoint.safetensors"]);
  const folder = new RunFolder("run");
  expect(() => folder.has("result")).toThrowErrorMatchingInlineSnapshot(
    `[RunFolderError: run/result.json must be a file of a run, but it is no file; move it away]`,
  );
  expect(() => folder.has("checkpoint")).toThrow("checkpoint.safetensors must be a file of a run, but it is no file");
  await rm("run/config.json");
  execFileSync("mkfifo", ["run/config.json"]);
  await expect(folder.readConfig()).rejects.toThrow("config.json must be a file of a run, but it is no file");
  expect(await folder.holdsRun()).toBe(false);
});

test("a link in the place of a file stays, and its file is written", async () => {
  await mkdir("big");
  await mkdir("run");
  await symlink("../big/config.json", "run/config.json");
  await new RunFolder("run").begin(config);
  expect(await readlink("run/config.json")).toBe("../big/config.json");
  expect(await readdir("big")).toEqual(["config.json"]);
  expect(await new RunFolder("run").readConfig()).toEqual(config);
});

test("where no folder can be made, that is one error, and nothing is left", async () => {
  await symlink("nowhere", "link");
  await writeFile("file", "");
  const errors = [];
  for (const path of ["link", "file/run", ...(process.platform === "linux" ? ["/proc/gridgrad"] : [])]) {
    errors.push(await new RunFolder(path).begin(config).catch(String));
  }
  expect(errors).toMatchInlineSnapshot(`
    [
      "RunFolderError: link must be a folder, but it is a link that leads nowhere; delete it",
      "FileError: file must be a folder that can be made, but it is no folder; name another place",
      "FileError: /proc/gridgrad must be a folder that can be made, but nothing can be made there; write elsewhere (--out)",
    ]
  `);
  expect((await readdir(".")).sort()).toEqual(["file", "link"]);
});

test("the folder of a run may have the longest name that file systems take", async () => {
  const folder = new RunFolder("n".repeat(255));
  await folder.begin(config);
  expect(await folder.readConfig()).toEqual(config);
  expect(await readdir(".")).toHaveLength(1);
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

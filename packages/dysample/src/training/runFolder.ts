/**
 * @file The folder of a run, and the order in which it is written: whenever the process is killed, what is there can be resumed.
 *
 *     start.safetensors         the weights that a run begins with, where it does not draw them itself; before config.json
 *     config.json               in place together with the folder
 *     metrics.jsonl             a line per step, before the checkpoint that includes the step
 *     halfway.safetensors       the weights after half of the steps, before the checkpoint that includes them
 *     checkpoint.safetensors    every few steps; without one a run resumes from its beginning
 *     weights.safetensors, strip.png, result.json      at the end, the result last: it says that the run is complete
 *
 * Files are written beside their place and renamed into it, so each of them is whole. A link in the place of one stays,
 * and its file is written. Nothing is deleted but files of these names, in a folder whose config.json says that it is
 * of a run.
 */

import { existsSync, lstatSync, statSync } from "node:fs";
import { lstat, mkdir, readdir, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

import { showJson } from "@gridgrad/core";
import { FileError, isMissing, makeFolder, readWhole, temporaryName, writeFileAtomic } from "@gridgrad/nn/node";

import { ConfigError, differences, resolveConfig, type TrainConfig } from "../tasks/config.ts";
import { configFormat, configText, partsOfConfig } from "./configFile.ts";
import { lockFiles, lockFolder } from "./folderLock.ts";
import { madeHere } from "./made.ts";

/** In the order in which a run is deleted: as long as its configuration is there, the rest can be made again. */
const files = {
  result: "result.json",
  strip: "strip.png",
  weights: "weights.safetensors",
  checkpoint: "checkpoint.safetensors",
  halfway: "halfway.safetensors",
  start: "start.safetensors",
  metrics: "metrics.jsonl",
  config: "config.json",
} as const;

/** One of the files of a run. */
export type RunFile = keyof typeof files;

/** A file of this name was being written when its process was killed. */
const unfinished = /^\.?(result\.json|strip\.png|(weights|checkpoint|halfway|start)\.safetensors|metrics\.jsonl|config\.json)\.[-0-9a-f]{36}\.tmp$/; // prettier-ignore

/** A folder that cannot serve as the run that it was given for: the message says why, and what to do. */
export class RunFolderError extends Error {
  override name = "RunFolderError";
}

export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Where a file of the run is. */
  file(name: RunFile): string {
    return join(this.path, files[name]);
  }

  /** @throws {RunFolderError} when something else is in the place of the file. */
  has(name: RunFile): boolean {
    const path = this.file(name);
    if (!existsSync(path)) return false;
    if (statSync(path).isFile()) return true;
    throw new RunFolderError(`${path} must be a file of a run, but it is no file; move it away`);
  }

  /**
   * Whether a run is there, or was begun there: its configuration says whose it is, even if it is damaged otherwise.
   */
  async holdsRun(): Promise<boolean> {
    try {
      return (await this.#readJson()).format === configFormat;
    } catch {
      return false;
    }
  }

  /** Whether there is nothing in it, or no such folder. */
  async isFree(): Promise<boolean> {
    const names = await readdir(this.path).catch((error: unknown) => {
      if (isMissing(error)) return lstatSync(this.path, { throwIfNoEntry: false }) ? ["no folder"] : [];
      throw error;
    });
    return names.every((name) => lockFiles.test(name));
  }

  /**
   * Begins a run.
   *
   * @param options.overwrite - delete the files of a run that is there already; files that are not of a run stay.
   * @param options.saveStart - writes the file with the weights that the run begins with. That is done before there is a
   *   configuration: no run resumes from others.
   * @throws {RunFolderError} when there is a run and `overwrite` is not set, or there are files of its names that are
   *   of no run; nothing is touched then.
   * @throws {FileError} when nothing can be written there.
   */
  async begin(
    config: TrainConfig,
    { overwrite = false, saveStart }: { overwrite?: boolean; saveStart?: (path: string) => Promise<void> } = {},
  ): Promise<void> {
    const present = Object.values(files).filter((name) => existsSync(join(this.path, name)));
    if (present.length > 0 && !overwrite) {
      throw new RunFolderError(
        `${this.path} must not hold a run yet, but it has ${present.join(", ")}; go on with it (--resume ${this.path}), ` +
          "replace it (--overwrite), or write elsewhere (--out)",
      );
    }
    if (present.length > 0) await this.#checkOwn(present);
    const json = configText(config, await madeHere());
    if (existsSync(this.path)) {
      // From here on, and whenever the process is killed, it is the folder of a run, but of none to go on with.
      if (saveStart) await writeFileAtomic(this.file("config"), `${JSON.stringify({ format: configFormat })}\n`);
      for (const name of present) if (name !== files.config) await rm(join(this.path, name), { force: true });
      await saveStart?.(this.file("start"));
      await writeFileAtomic(this.file("config"), json);
    } else await this.#make(json, saveStart);
    await this.#sweep();
  }

  /**
   * Deletes the run that is there, and the folder with it, where nothing else is in it. Where no run is, nothing is
   * deleted.
   *
   * @throws {RunFolderError} when a link is in the place of the folder or of a file.
   * @throws {FolderInUseError} when another process is at work in it.
   */
  async clear({ patienceMs }: { patienceMs?: number } = {}): Promise<void> {
    if (!(await this.holdsRun())) return;
    if ((await lstat(resolve(this.path))).isSymbolicLink()) {
      throw new RunFolderError(`${this.path} must be a folder to be deleted, but it is a link; delete it yourself`);
    }
    const unlock = await lockFolder(this.path, { patienceMs });
    try {
      const present = Object.values(files).filter((name) => existsSync(join(this.path, name)));
      await this.#checkOwn(present);
      await this.#sweep();
      for (const name of present) await rm(join(this.path, name), { force: true });
    } finally {
      await unlock();
    }
    await rmdir(this.path).catch((error: NodeJS.ErrnoException) => {
      if (!["ENOTEMPTY", "EEXIST", "ENOENT"].includes(error.code ?? "")) throw error;
    });
  }

  /** A new folder, which comes with its configuration. */
  async #make(json: string, saveStart?: (path: string) => Promise<void>): Promise<void> {
    const place = resolve(this.path);
    await makeFolder(dirname(this.path));
    if (lstatSync(place, { throwIfNoEntry: false })) {
      throw new RunFolderError(`${this.path} must be a folder, but it is a link that leads nowhere; delete it`);
    }
    const temporary = join(dirname(place), `.${temporaryName(basename(place))}`);
    await mkdir(temporary).catch((error: unknown) => {
      const problem = isMissing(error) ? "nothing can be made there; write elsewhere (--out)" : error;
      throw new FileError(this.path, "a folder that can be made", problem);
    });
    try {
      await saveStart?.(join(temporary, files.start));
      await writeFileAtomic(join(temporary, files.config), json);
      await rename(temporary, place);
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw error;
    }
  }

  /** Makes sure that files may be deleted: they are of a run, and not what somebody else has put there. */
  async #checkOwn(names: readonly string[]): Promise<void> {
    if (!(await this.holdsRun())) {
      throw new RunFolderError(
        `${this.path} must hold a run to be replaced, but it has ${names.join(", ")} without the ${files.config} of one; ` +
          "move away what is yours, or write elsewhere (--out)",
      );
    }
    const other = names.find((name) => !lstatSync(join(this.path, name), { throwIfNoEntry: false })?.isFile());
    if (other === undefined) return;
    throw new RunFolderError(
      `${join(this.path, other)} must be a file to be deleted, but it is a link or no file; delete it yourself, or write ` +
        "elsewhere (--out)",
    );
  }

  /**
   * The configuration of the run that is there.
   *
   * @throws {RunFolderError} when there is none, or it is damaged.
   */
  async readConfig(): Promise<TrainConfig> {
    if (!this.has("config")) {
      const problem = existsSync(this.path) ? "it has no config.json" : "there is no such folder";
      throw new RunFolderError(`${this.path} must be the folder of a training run, but ${problem}; check the path`);
    }
    try {
      const { format, settings: config } = partsOfConfig(await this.#readJson());
      if (format !== configFormat) {
        throw new ConfigError(`format must be "${configFormat}", got ${showJson(format ?? null)}`);
      }
      if (Object.keys(config).length === 0) {
        throw new ConfigError("a process that began the run was killed meanwhile; start it again (--overwrite)");
      }
      const resolved = resolveConfig(config);
      if (Object.keys(config).length === Object.keys(resolved).length) return resolved;
      const missing = Object.keys(resolved).filter((field) => !Object.hasOwn(config, field));
      throw new ConfigError(`it lacks ${missing.join(", ")}`);
    } catch (error) {
      throw new RunFolderError(`${this.file("config")} must be as the run wrote it, but ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  /**
   * The configuration with which to go on.
   *
   * @param given - fields that the caller asks for.
   * @throws {RunFolderError} when one of them is not that of the run.
   */
  async resume(given: Partial<TrainConfig>): Promise<TrainConfig> {
    const config = await this.readConfig();
    const changed = differences(config, given);
    if (changed.length > 0) {
      const list = changed.map((field) => `${field} ${given[field]} (the run has ${config[field]})`).join(", ");
      throw new RunFolderError(
        `${this.path} must be resumed with its own configuration, got ${list}; leave these out, or start another run`,
      );
    }
    await this.#sweep();
    return config;
  }

  async #readJson(): Promise<Record<string, unknown>> {
    const json: unknown = JSON.parse((await readWhole(this.file("config"))).toString());
    return typeof json === "object" && json !== null ? (json as Record<string, unknown>) : {};
  }

  /** Deletes what a killed process left half written. */
  async #sweep(): Promise<void> {
    for (const entry of await readdir(this.path, { withFileTypes: true })) {
      if (entry.isFile() && unfinished.test(entry.name)) await rm(join(this.path, entry.name), { force: true });
    }
  }
}

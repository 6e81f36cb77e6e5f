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
 * Files are written beside their place and renamed into it, so each of them is whole.
 */

import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { writeFileAtomic } from "@gridgrad/nn/node";

import { ConfigError, differences, resolveConfig, type TrainConfig } from "./config.ts";

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

const format = "gridgrad-run-1";

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

  has(name: RunFile): boolean {
    return existsSync(this.file(name));
  }

  /**
   * Begins a run.
   *
   * @param options.overwrite - delete the files of a run that is there already; files that are not of a run stay.
   * @param options.saveStart - writes the file with the weights that the run begins with. That is done before there is a
   *   configuration: no run resumes from others.
   * @throws {RunFolderError} when there is a run and `overwrite` is not set; nothing is touched then.
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
    const json = `${JSON.stringify({ format, ...config }, null, 2)}\n`;
    if (existsSync(this.path)) {
      for (const name of present) if (saveStart || name !== files.config) await rm(join(this.path, name));
      await saveStart?.(this.file("start"));
      await writeFileAtomic(this.file("config"), json);
    } else {
      const temporary = join(dirname(this.path), `.${basename(this.path)}.${randomUUID()}.tmp`);
      await mkdir(temporary, { recursive: true });
      await saveStart?.(join(temporary, files.start));
      await writeFileAtomic(join(temporary, files.config), json);
      await rename(temporary, this.path);
    }
    await this.#sweep();
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
      const json: Record<string, unknown> = JSON.parse(await readFile(this.file("config"), "utf8")) ?? {};
      const { format: found, ...config } = json;
      if (found !== format) {
        throw new ConfigError(`format must be "${format}", got ${JSON.stringify(found ?? null)}`);
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

  /** Deletes what a killed process left half written. */
  async #sweep(): Promise<void> {
    for (const name of await readdir(this.path)) if (unfinished.test(name)) await rm(join(this.path, name));
  }
}

/**
 * @file config.json: every setting of a run, and how the run was made. A file of the same form, with some of the settings, is where another run
 * can take them from.
 */

import { showJson } from "@gridgrad/core";
import { isMissing } from "@gridgrad/nn/node";

import { fieldNames, type TrainConfig } from "../tasks/config.ts";
import type { Made } from "./made.ts";
import { anyRecord, type Check, optional, readWritten, same, WrittenFileError } from "./writtenFile.ts";

export const configFormat = "gridgrad-run-1";

/** The text of the file. */
export function configText(config: TrainConfig, made: Made): string {
  return `${JSON.stringify({ format: configFormat, ...config, made }, null, 2)}\n`;
}

/** What is in the file, taken apart. How the run was made is nobody's to check: it may have any form. */
export function partsOfConfig(json: Readonly<Record<string, unknown>>): {
  readonly format: unknown;
  readonly settings: Readonly<Record<string, unknown>>;
} {
  const { format, made: _, ...settings } = json;
  return { format, settings };
}

/**
 * Settings from a file, as they stand there: `resolveConfig` checks their values, together with others.
 *
 * @throws {WrittenFileError} when it is no such file, or has fields that are no settings.
 * @throws {FileError} when it cannot be read.
 */
export async function readSettings(path: string): Promise<Partial<TrainConfig>> {
  const rule = "hold settings, as the config.json of a run does";
  const settings = await readWritten(path, checkSettings, "correct it, or name another file", rule).catch(
    (error: unknown) => {
      if (!isMissing(error)) throw error;
      throw new WrittenFileError(`${path} must ${rule}, but there is no such file; check the path`, { cause: error });
    },
  );
  const unknown = Object.keys(settings).find((name) => !(fieldNames as readonly string[]).includes(name));
  if (unknown === undefined) return settings;
  throw new WrittenFileError(
    `${path} must ${rule}, but ${showJson(unknown)} is none; the settings are ${fieldNames.join(", ")}`,
  );
}

const checkSettings: Check<Readonly<Record<string, unknown>>> = (value, field) => {
  const { format, settings } = partsOfConfig(anyRecord(value, field));
  optional(same(configFormat))(format, "format");
  return settings;
};

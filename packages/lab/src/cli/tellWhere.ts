/**
 * @file Settings come from the command line and from a file, and what is wrong with one of them is told of the place where it stands: as an
 * option, or in the file.
 */

import { ConfigError, type TrainConfig } from "@gridgrad/dysample";

import { UsageError, UserError } from "./userError.ts";

/** Where settings stand. What is in both places, the command line says. */
export interface Places {
  /** Of the command line. Fields that are no settings may be among them. */
  readonly options: Readonly<Partial<Record<string, unknown>>>;
  /** What `--config` names, with what it says. */
  readonly file?: { readonly path: string; readonly settings: Partial<TrainConfig> };
}

/** Runs what uses the settings. */
export async function tellsWhere<T>({ options, file }: Places, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof ConfigError) || error.wrong === null) throw error;
    const { field, problem } = error.wrong;
    if (options[field] !== undefined) throw new UsageError(`${flagOf(field)} ${problem}`);
    if (file?.settings[field] !== undefined) {
      throw new UserError(`${file.path}: ${field} ${problem}`, { cause: error });
    }
    throw error;
  }
}

/** `evalEvery` as `--eval-every`. */
export function flagOf(field: string): string {
  return `--${field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

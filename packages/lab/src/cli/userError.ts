/**
 * @file Errors that the user can do something about: they are told in one line. All others are bugs and keep their stack.
 */

import { OutOfMemoryError, SafetensorsError } from "@gridgrad/core";
import { ConfigError, DivergedError } from "@gridgrad/dysample";
import {
  FolderInUseError,
  RunFolderError,
  TrainingError,
  WeightsError,
  WrittenFileError,
} from "@gridgrad/dysample/node";
import { FileError } from "@gridgrad/nn/node";

import { ComparisonFolderError } from "../compare/comparisonFolder.ts";
import { QueueError } from "../queue/queueError.ts";

/** Says in one line what must hold, what was given, and how to repair it. */
export class UserError extends Error {
  override name = "UserError";
  readonly exitCode: number;

  constructor(message: string, { exitCode = 1, cause }: { exitCode?: 1 | 2; cause?: unknown } = {}) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}

/** Options that do not go together. */
export class UsageError extends UserError {
  constructor(message: string) {
    super(message, { exitCode: 2 });
  }
}

/** Runs what reads the user's input: a picture, a name, a size. The errors that it documents are the user's. */
export async function readsInput<T>(body: () => T | Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof UserError) throw error;
    const documented =
      error instanceof Error && !(error instanceof TypeError) && !error.message.startsWith("internal:");
    throw documented ? new UserError(error.message, { cause: error }) : error;
  }
}

/** Whether the user, and not we, can repair it. */
export function isUserError(error: unknown): error is Error {
  const kinds = [
    UserError,
    FileError,
    ConfigError,
    RunFolderError,
    FolderInUseError,
    ComparisonFolderError,
    QueueError,
    WeightsError,
    WrittenFileError,
    TrainingError,
    SafetensorsError,
    OutOfMemoryError,
    DivergedError,
  ];
  return kinds.some((kind) => error instanceof kind) || isSystemError(error);
}

/** A full disk, a missing permission: the file system's own words. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}

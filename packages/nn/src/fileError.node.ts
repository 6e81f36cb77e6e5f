/**
 * @file What is told when a file or a folder cannot be used: which one, what it must be, why it is not, and what to do.
 */

/** A file or folder that cannot be used as it was asked for. */
export class FileError extends Error {
  override name = "FileError";
  /** Why, and what to do, without the path. */
  readonly problem: string;
  /** Of the system's error, where there is one: `ENOSPC`. */
  readonly code: string | undefined;

  /**
   * @param path - as it was given.
   * @param rule - what it must be: `a file that can be read`.
   * @param problem - why it is none, or the error that says so.
   */
  constructor(path: string, rule: string, problem: unknown) {
    const text = typeof problem === "string" ? problem : fileProblem(problem);
    super(`${path} must be ${rule}, but ${text}`, typeof problem === "string" ? undefined : { cause: problem });
    this.problem = text;
    this.code = (problem as NodeJS.ErrnoException).code;
  }
}

/** What an error of the file system means, as the end of a sentence: why, and what to do. */
export function fileProblem(error: unknown): string {
  if (error instanceof FileError) return error.problem;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "there is no such file or folder; check the path";
  if (code === "EISDIR") return "it is a folder; name a file";
  if (code === "EACCES" || code === "EPERM") return "permission is denied; change the permissions or the path";
  if (code === "EROFS") return "nothing can be written there; name another place";
  if (code === "ENOSPC") return "the disk is full; make room, or name another place";
  return `the system says: ${message}`;
}

/** Whether an error says that there is nothing of that name. */
export function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
}

/** Whether an error is the system's, and no mistake of a program. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}

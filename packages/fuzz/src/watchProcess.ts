/** @file Runs a program that writes down what it is at, and tells what that was when it hangs or ends in the middle. */

import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The descriptor that the program writes to, from the beginning of the file each time: the first one behind the usual three. */
export const progressDescriptor = 3;

export type Watched =
  /** The program has come to its end. */
  | { readonly code: number }
  /** It has not: what has become of it, and the last that it wrote down. */
  | { readonly problem: string; readonly at: string };

/**
 * Runs Node with these arguments; what it prints is printed.
 *
 * @param options.longestMs - without a word for so long, it hangs.
 * @param options.codes - of a program that has come to its end.
 */
export async function watchProcess(
  args: readonly string[],
  { longestMs, codes = [0, 1] }: { readonly longestMs: number; readonly codes?: readonly number[] },
): Promise<Watched> {
  const folder = mkdtempSync(join(tmpdir(), "gridgrad-fuzz-"));
  const file = join(folder, "case");
  const progress = openSync(file, "w");
  const read = (): string => readFileSync(file, "utf8").trim();
  try {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit", progress] });
    return await new Promise<Watched>((resolve, reject) => {
      let last = "";
      let since = performance.now();
      let hangs = false;
      const timer = setInterval(
        () => {
          const now = read();
          if (now !== last) [last, since] = [now, performance.now()];
          if (performance.now() - since < longestMs) return;
          hangs = true;
          child.kill("SIGKILL");
        },
        Math.min(1000, longestMs / 4),
      );
      child.on("error", reject);
      child.on("close", (code, signal) => {
        clearInterval(timer);
        if (hangs) resolve({ problem: `a case did not end within ${longestMs / 1000} s`, at: read() });
        else if (code !== null && codes.includes(code)) resolve({ code });
        else resolve({ problem: `the process has ended with ${signal ?? `exit code ${code}`}`, at: read() });
      });
    });
  } finally {
    closeSync(progress);
    rmSync(folder, { recursive: true });
  }
}

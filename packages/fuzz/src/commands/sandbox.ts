/**
 * @file A folder for commands to run in, with others beside it that no command has any business with.
 *
 *     work/       where commands run: a copy of `kept/`, made again for each case
 *     kept/       runs and a comparison as gridgrad leaves them
 *     outside/    what must stay as it is, under names that a run could have
 */

import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { runCommand, runInterrupted } from "@gridgrad/lab/testing/runCommand";

/** Somebody's own file, in folders of ours as well. */
const notes = "notes.txt";

export interface Sandbox {
  /** The folder of all. */
  readonly root: string;
  readonly work: string;
  /** Makes `work` anew. */
  reset(): void;
  /** What has become of files that are not ours; null if nothing has. */
  harm(): string | null;
  close(): void;
}

const small = [
  ["--steps", "2", "--batch", "1", "--warmup", "0", "--eval-images", "1"],
  ["--eval-every", "1", "--checkpoint-every", "1", "--device", "reference"],
].flat();

/** Makes the folder; `fill` puts what is kept into the current folder: a run, one that was stopped half way, and a comparison. */
export async function makeSandbox(fill: () => Promise<void> = fillWithRuns): Promise<Sandbox> {
  const root = mkdtempSync(join(tmpdir(), "gridgrad-fuzz-commands-"));
  const [kept, work, outside] = ["kept", "work", "outside"].map((name) => join(root, name));
  for (const folder of [kept, join(outside, "victim-seed0")]) mkdirSync(folder, { recursive: true });
  for (const file of ["notes.txt", "victim-seed0/config.json", "victim-seed0/notes.txt"]) {
    writeFileSync(join(outside, file), "somebody's own\n");
  }
  await within(kept, fill);
  for (const folder of ["a-run", "a-stopped-run", "a-comparison"]) writeFileSync(join(kept, folder, notes), "mine\n");

  const before = listing(outside);
  let fresh: string | null = null; // what `work` looks like before a command
  return {
    root,
    work,
    reset() {
      if (fresh !== null && stampsOf(work) === fresh) return;
      rmSync(work, { recursive: true, force: true });
      cpSync(kept, work, { recursive: true });
      fresh = stampsOf(work);
    },
    harm() {
      const others = readdirSync(root).filter((name) => !["kept", "work", "outside"].includes(name));
      if (others.length > 0) {
        for (const name of others) rmSync(join(root, name), { recursive: true, force: true });
        return `outside of its folder there is ${others.join(", ")}`;
      }
      const after = listing(outside);
      if (after !== before) {
        const what = `files outside of its folder were ${JSON.stringify(before)} and are ${JSON.stringify(after)}`;
        rmSync(outside, { recursive: true, force: true });
        mkdirSync(outside);
        for (const [path, text] of JSON.parse(before) as [string, string | null][]) {
          if (text === null) mkdirSync(join(outside, path), { recursive: true });
          else writeFileSync(join(outside, path), text);
        }
        return what;
      }
      for (const folder of ["a-run", "a-stopped-run", "a-comparison"]) {
        const path = join(work, folder, notes);
        if (!existsSync(path) || readFileSync(path, "utf8") !== "mine\n")
          return `${folder}/${notes}, somebody's own, is gone`;
      }
      return null;
    },
    close: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Real runs, though of two steps: a few seconds. */
async function fillWithRuns(): Promise<void> {
  const upsampler = ["--upsampler", "dysample"];
  await mustEnd(0, runCommand("train", ...upsampler, ...small, "--out", "a-run"));
  await mustEnd(130, runInterrupted("train", ...upsampler, ...small, "--out", "a-stopped-run"));
  const compare = ["compare", "--upsamplers", "nearest", "--seeds", "1", ...small, "--out", "a-comparison"];
  await mustEnd(130, runInterrupted(...compare));
}

/** Runs `body` with `folder` as the current one. */
export async function within<T>(folder: string, body: () => Promise<T>): Promise<T> {
  const before = process.cwd();
  process.chdir(folder);
  try {
    return await body();
  } finally {
    process.chdir(before);
  }
}

async function mustEnd(code: number, running: ReturnType<typeof runCommand>): Promise<void> {
  const result = await running;
  if (result.code !== code)
    throw new Error(`internal: fuzz: a command must end with ${code}, got ${result.code}: ${result.err}`);
}

/** What is in a folder, and when each file was written: most commands are refused, and change nothing. */
function stampsOf(folder: string): string {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return names
    .map((name) => {
      const { ino, size, mtimeMs, ctimeMs } = lstatSync(join(folder, name));
      return [name, ino, size, mtimeMs, ctimeMs].join(" ");
    })
    .join("\n");
}

/** Folders and files with what they hold, folders first. */
function listing(folder: string): string {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return JSON.stringify(
    names.map((name) => {
      const path = join(folder, name);
      return [name, statSync(path).isDirectory() ? null : readFileSync(path, "utf8")];
    }),
  );
}

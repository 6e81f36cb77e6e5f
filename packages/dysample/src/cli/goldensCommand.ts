/** @file `gridgrad goldens`: holds the ops to PyTorch's numbers. goldens/README.md describes the files. */

import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { join, sep } from "node:path";

import { checkGolden, type GoldenResult, parseGolden } from "@gridgrad/core/testing/golden";
import { type FileError, readWhole } from "@gridgrad/nn/node";
import { Command } from "commander";

import { resolveConfig, type TrainConfig } from "../training/config.ts";
import { goldenRuns } from "./goldenRuns.ts";
import type { Io } from "./io.ts";
import { deviceOption, dtypeOption } from "./options.ts";
import { Progress } from "./progress.ts";
import { chooseDevice, reportDevice, useDevice } from "./useDevice.ts";
import { UserError } from "./userError.ts";

const manifestFormat = "golden-manifest-1";

/** What the manifest says of a case. */
interface ManifestEntry {
  readonly file: string;
  readonly op: string;
  readonly bytes: number;
  readonly sha256: string;
}

export function goldensCommand(io: Io): Command {
  return new Command("goldens")
    .description("Run the golden cases of a folder and compare outputs and gradients with PyTorch's.")
    .argument("<dir>", "a folder with a MANIFEST.json")
    .addOption(deviceOption())
    .addOption(dtypeOption())
    .addHelpText(
      "after",
      `
float64 is held far closer than a case's own tolerance, which is made for float32.

Examples:
  ${io.program} goldens goldens/network
  ${io.program} goldens goldens/arithmetic --dtype float64`,
    )
    .action((dir: string, options: Partial<TrainConfig>) => runGoldens(io, dir, options));
}

async function runGoldens(io: Io, dir: string, given: Partial<TrainConfig>): Promise<void> {
  const { device, dtype } = resolveConfig(await chooseDevice(given));
  const entries = await readManifest(dir);
  await useDevice(io, device);
  const progress = new Progress(io, "case", 0, entries.length, "cases");
  const failures: string[] = [];
  for (const [done, entry] of entries.entries()) {
    const problem = await problemOf(dir, entry, dtype);
    if (problem !== null) failures.push(`FAILED ${entry.file}: ${problem}`);
    progress.update(done + 1);
  }
  progress.stop();
  for (const line of failures) io.out(line);
  io.out(`${entries.length - failures.length} passed, ${failures.length} failed`);
  reportDevice(io);
  if (failures.length > 0) io.exitCode = 1;
}

/** Runs one case; `null` if it passes. */
async function problemOf(
  dir: string,
  { file, op, bytes, sha256 }: ManifestEntry,
  dtype: "float32" | "float64",
): Promise<string | null> {
  try {
    const path = join(dir, file);
    const contents = await readWhole(path);
    if (!(await realpath(path)).startsWith(`${await realpath(dir)}${sep}`)) {
      return "the file must be in the manifest's folder, but a link leads out of it";
    }
    const hash = createHash("sha256").update(contents).digest("hex");
    if (contents.length !== bytes || hash !== sha256) {
      return `the file must be the one in the manifest, of ${bytes} bytes with sha256 ${sha256}, got ${contents.length} bytes with ${hash}`;
    }
    if (!Object.hasOwn(goldenRuns, op)) return `there is no adapter for the operation ${op}`;
    const results = await checkGolden(parseGolden(contents), goldenRuns[op], dtype);
    if (results.length === 0) return "the case must have an output or a gradient, got none";
    const wrong = results.filter(({ ok }) => !ok);
    return wrong.length === 0 ? null : wrong.map(describe).join("; ");
  } catch (error) {
    if (error instanceof TypeError) throw error;
    return (error as Error).message; // a case that throws has failed, and the others still count
  }
}

function describe({ name, error, limit, ratio }: GoldenResult): string {
  const off = `${name} is off by ${error.toExponential(2)}`;
  if (limit === 0) return `${off} and must be equal`;
  return `${off}, ${ratio.toPrecision(3)} times its limit ${limit.toExponential(2)}`;
}

async function readManifest(dir: string): Promise<ManifestEntry[]> {
  const path = join(dir, "MANIFEST.json");
  let manifest: { format?: unknown; cases?: unknown; files?: unknown };
  try {
    manifest = JSON.parse((await readWhole(path)).toString()) ?? {};
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const { problem: why, message } = error as FileError;
    const problem = missing ? "there is no such file; check the path" : (why ?? message);
    throw new UserError(`${path} must be a manifest of golden cases, but ${problem}`, { cause: error });
  }
  const { format, cases, files } = manifest;
  const entries = Array.isArray(files) ? files.filter(isEntry) : [];
  if (format !== manifestFormat || entries.length === 0 || entries.length !== cases) {
    throw new UserError(
      `${path} must have format "${manifestFormat}" and as many files as cases, got format ${JSON.stringify(format)}, ` +
        `${String(cases)} cases and ${entries.length} files with their op, bytes and sha256`,
    );
  }
  const outside = entries.find(({ file }) => !isBelow(file));
  if (outside) {
    throw new UserError(
      `${path} must name files in its own folder, as network/case.safetensors, got ${JSON.stringify(outside.file)}; ` +
        "take the files from where they come from once more",
    );
  }
  return entries;
}

/** Whether a name leads to something in the folder that it is looked for in, on every system. */
function isBelow(file: string): boolean {
  return !/[\\:\0]/.test(file) && file.split("/").every((part) => !["", ".", ".."].includes(part));
}

function isEntry(entry: Partial<ManifestEntry> | null): entry is ManifestEntry {
  const texts = [entry?.file, entry?.op, entry?.sha256];
  return texts.every((text) => typeof text === "string") && typeof entry?.bytes === "number";
}

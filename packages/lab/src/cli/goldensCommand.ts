/** @file `gridgrad goldens`: holds the ops to PyTorch's numbers. goldens/README.md describes the files. */

import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { join, sep } from "node:path";

import { showJson } from "@gridgrad/core";
import { checkGolden, type GoldenResult, parseGolden } from "@gridgrad/core/testing/golden";
import { resolveConfig, type TrainConfig } from "@gridgrad/dysample";
import { type FileError, readWhole } from "@gridgrad/nn/node";
import type { Command } from "commander";

import { countsOf } from "./countsOf.ts";
import { goldenRuns } from "./goldenRuns.ts";
import type { Io } from "./io.ts";
import { newCommand } from "./newCommand.ts";
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
  return newCommand("goldens")
    .argument("<dir>", "a folder with a MANIFEST.json")
    .addOption(deviceOption())
    .addOption(dtypeOption())
    .option("--json", "print all results as JSON")
    .addHelpText(
      "after",
      `
float64 is held far closer than a case's own tolerance, which is made for float32.

Examples:
  ${io.program} goldens goldens/network
  ${io.program} goldens goldens/arithmetic --dtype float64`,
    )
    .action((dir: string, options: Options) => runGoldens(io, dir, options));
}

interface Options extends Partial<TrainConfig> {
  readonly json?: boolean;
}

/** What came out for a case, as `--json` prints it. */
interface CaseResult {
  readonly file: string;
  readonly op: string;
  readonly ok: boolean;
  /** What is wrong, where something is. */
  readonly problem?: string;
}

async function runGoldens(io: Io, dir: string, { json = false, ...given }: Options): Promise<void> {
  const { device, dtype } = resolveConfig(await chooseDevice(given));
  const entries = await readManifest(dir);
  await useDevice(io, device);
  const progress = new Progress(io, "case", 0, entries.length, "cases");
  const cases: CaseResult[] = [];
  for (const [done, entry] of entries.entries()) {
    const problem = await problemOf(dir, entry, dtype);
    const { file, op } = entry;
    cases.push(problem === null ? { file, op, ok: true } : { file, op, ok: false, problem });
    progress.update(done + 1);
  }
  progress.stop();
  const failures = cases.filter(({ ok }) => !ok);
  const passed = cases.length - failures.length;
  if (failures.length > 0) io.exitCode = 1;
  if (json) {
    io.out(JSON.stringify({ device, dtype, passed, failed: failures.length, cases }, null, 2));
    return;
  }
  const paint = io.paint.out;
  for (const { file, problem } of failures) io.out(`${paint("red", "FAILED")} ${file}: ${problem}`);
  io.out(countsOf(passed, failures.length, paint));
  reportDevice(io);
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
    if (!Object.hasOwn(goldenRuns, op)) return `op must be an operation that has an adapter, got ${showJson(op)}`;
    const results = await checkGolden(parseGolden(contents), goldenRuns[op], dtype);
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
  const refused = (field: string, rule: string, got: unknown): UserError =>
    new UserError(`${path}: ${field} must be ${rule}, got ${got === undefined ? "none" : showJson(got)}`);
  const { format, cases, files } = manifest;
  if (format !== manifestFormat) throw refused("format", JSON.stringify(manifestFormat), format);
  if (!Array.isArray(files) || files.length === 0) throw refused("files", "a list of at least one case", files);
  if (cases !== files.length) throw refused("cases", `the number of files, ${files.length}`, cases);
  const seen = new Set<unknown>();
  for (const [i, entry] of (files as (Partial<Record<string, unknown>> | null)[]).entries()) {
    if (!isInside(entry?.file)) throw refused(`files[${i}].file`, "the path of a file inside the folder", entry?.file);
    if (seen.has(entry.file)) throw refused(`files[${i}].file`, "a file that no other case names", entry.file);
    seen.add(entry.file);
    if (typeof entry.op !== "string") throw refused(`files[${i}].op`, "the name of an operation", entry.op);
    if (!Number.isSafeInteger(entry.bytes)) throw refused(`files[${i}].bytes`, "the size of the file", entry.bytes);
    if (typeof entry.sha256 !== "string" || !/^[0-9a-f]{64}$/.test(entry.sha256))
      throw refused(`files[${i}].sha256`, "a checksum of 64 hexadecimal digits", entry.sha256);
  }
  return files as ManifestEntry[];
}

/**
 * Whether it is a relative path, with slashes as on every system, that leads nowhere outside, and that a terminal can
 * print.
 */
function isInside(file: unknown): file is string {
  if (typeof file !== "string" || /[\p{Cc}\\:]/u.test(file)) return false;
  return file.split("/").every((name) => !["", ".", ".."].includes(name));
}

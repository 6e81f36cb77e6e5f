/**
 * @file What a page loads, by what it imports: bundled with esbuild, minified, and compressed with gzip.
 *
 *     node scripts/sizes.mjs
 *
 * Counted is what comes before the first run: the entry and all that it imports statically; and what the `cpu` device adds to that when the
 * first value arrives. gpu.js is left out: only a gpu device loads it.
 */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

import { quickBuild } from "./build/quickBuild.mjs";

/**
 * What a page may load, in bytes under gzip.
 *
 * @typedef {object} Budget
 * @property {string} page - What it imports.
 * @property {string} entry
 * @property {number} first - Before the first run.
 * @property {number} [cpu] - For the `cpu` device.
 */

/** @type {readonly Budget[]} */
export const budgets = [
  {
    page: "everything of core, ops and nn",
    entry: 'export * from "@gridgrad/core"; export * from "@gridgrad/ops"; export * from "@gridgrad/nn";',
    first: 60_000,
    cpu: 32_000,
  },
  {
    page: "tensor, grad, gridSample",
    entry: 'export { grad, tensor } from "@gridgrad/core"; export { gridSample } from "@gridgrad/ops";',
    first: 40_000,
    cpu: 32_000,
  },
  {
    page: "tensor, grad",
    entry: 'export { grad, tensor } from "@gridgrad/core";',
    first: 13_800, // decision 0015 tells what it consists of
  },
];

/**
 * @typedef {object} Size
 * @property {string} what
 * @property {number} bytes
 * @property {number} allowed
 */

/**
 * Bundles what each budget is for.
 *
 * @param {readonly Budget[]} list
 * @param {string} folder - with the built packages.
 * @returns {Promise<Size[]>}
 */
export async function measure(list, folder) {
  const sizes = await Promise.all(list.map((budget) => sizesOf(budget, folder)));
  return sizes.flat();
}

/** @param {Budget} budget @param {string} folder @returns {Promise<Size[]>} */
async function sizesOf({ page, entry, first, cpu }, folder) {
  const { metafile, outputFiles } = await build({
    stdin: { contents: entry, resolveDir: folder },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    splitting: true,
    outdir: join(folder, "out"),
    absWorkingDir: folder,
    external: ["gpu.js"],
    write: false,
    metafile: true,
    logLevel: "error",
  });
  const { outputs } = metafile;
  const compressed = new Map(
    outputFiles.map(({ path, contents }) => [path.slice(folder.length + 1), gzipSync(contents, { level: 9 }).length]),
  );
  /** The file and what it imports statically. @param {string} file @param {Set<string>} seen */
  const loadedWith = (file, seen = new Set()) => {
    if (seen.has(file)) return seen;
    seen.add(file);
    for (const { path, kind } of outputs[file].imports) if (kind === "import-statement") loadedWith(path, seen);
    return seen;
  };
  /** @param {Iterable<string>} files */
  const total = (files) => [...files].reduce((bytes, file) => bytes + (compressed.get(file) ?? NaN), 0);

  const atFirst = loadedWith("out/stdin.js");
  const sizes = [{ what: `${page}: before the first run`, bytes: total(atFirst), allowed: first }];
  if (cpu === undefined) return sizes;
  const engine = Object.keys(outputs).find((file) => outputs[file].entryPoint?.endsWith("devices/cpu/cpuEngine.js"));
  const later = engine && !atFirst.has(engine) ? [...loadedWith(engine)].filter((file) => !atFirst.has(file)) : [];
  return [...sizes, { what: `${page}: the cpu device`, bytes: total(later), allowed: cpu }];
}

/** A table of what was measured beside what is allowed. @param {readonly Size[]} sizes */
export function showSizes(sizes) {
  const width = Math.max(...sizes.map(({ what }) => what.length));
  /** @param {number} bytes */
  const kilobytes = (bytes) => (bytes / 1000).toFixed(1).padStart(6);
  const lines = sizes.map(
    ({ what, bytes, allowed }) =>
      `${what.padEnd(width)}  ${kilobytes(bytes)}  ${kilobytes(allowed)}${bytes > allowed ? "  too large" : ""}`,
  );
  return [`${"KB under gzip, minified".padEnd(width)}    size  at most`, ...lines].join("\n");
}

/** Measures all budgets on packages that are built for it. @param {readonly Budget[]} list @returns {Promise<Size[]>} */
export async function measureSources(list = budgets) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "gridgrad-sizes-")));
  try {
    await quickBuild(folder);
    return await measure(list, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sizes = await measureSources();
  process.stdout.write(`${showSizes(sizes)}\n`);
  process.exitCode = sizes.every(({ bytes, allowed }) => bytes <= allowed) ? 0 : 1;
}

/**
 * @file Compiles the kernels of the `cpu` device: packages/ops/assembly to WebAssembly, and its worker to a script, both as strings in
 * packages/ops/src/devices/cpu/module.generated.ts, so that they need no files at run time, in Node, in a browser or in a bundle.
 *
 *     node scripts/buildKernels.mjs
 *
 * Set-up (setup.mjs) runs it. It does nothing when the sources are those of the last build.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const assembly = join(root, "packages", "ops", "assembly");
const device = join(root, "packages", "ops", "src", "devices", "cpu");
const target = join(device, "module.generated.ts");

/** Bytes; what a page has to load. The compiler knows nothing of it, so it is held here. */
const largestModule = 64 * 1024;

const require = createRequire(import.meta.url);
const asc = join(require.resolve("assemblyscript/package.json"), "..", "bin", "asc.js");

const options = [
  ...["-O3", "--noAssert", "--runtime", "stub"],
  ...["--importMemory", "--sharedMemory", "--initialMemory", "1", "--maximumMemory", "65536"], // 64 KiB pages: 4 GiB
  ...["--enable", "simd", "--enable", "threads"],
];

const stamp = `// sources: ${fingerprint()}`;
if (!existsSync(target) || !readFileSync(target, "utf8").startsWith(stamp)) await build();

/** Hash of what the result is made of. */
function fingerprint() {
  const sources = readdirSync(assembly)
    .filter((name) => name.endsWith(".ts"))
    .sort();
  const files = [
    ...sources.map((name) => join(assembly, name)),
    join(device, "worker.ts"),
    join(device, "packedBytes.ts"),
    fileURLToPath(import.meta.url),
  ];
  const hash = createHash("sha256").update(require("assemblyscript/package.json").version);
  for (const file of files) hash.update(`\n${file.slice(root.length)}\n`).update(readFileSync(file));
  return hash.digest("hex");
}

async function build() {
  const wasm = compile();
  if (wasm.length > largestModule) fail(`the module must be at most ${largestModule} bytes, got ${wasm.length}`);
  const { WebAssembly } = /** @type {any} */ (globalThis); // Node's types for 20 lack it
  /** @type {{ kind: string, name: string }[]} */
  const exported = WebAssembly.Module.exports(new WebAssembly.Module(wasm));
  const names = exported.filter(({ kind }) => kind === "function").map(({ name }) => name);
  const packedBytes = transpile(join(device, "packedBytes.ts"));
  /** @type {{ packBytes(bytes: Uint8Array): string }} */
  const { packBytes } = await import(`data:text/javascript,${encodeURIComponent(packedBytes)}`);
  const text = [
    stamp,
    "/** @file Made by scripts/buildKernels.mjs from packages/ops/assembly and worker.ts. Not to be edited, not in version control. */",
    "/** A kernel that the module exports. */",
    `export type KernelName = ${names.map((name) => JSON.stringify(name)).join(" | ")};`,
    "/** The module, as packedBytes.ts has it. */",
    `export const packedModule = ${JSON.stringify(packBytes(wasm))};`,
    "/** What a worker runs, as a classic script for Node and browsers. */",
    `export const workerSource = ${JSON.stringify(workerScript())};`,
    "",
  ].join("\n");
  const temporary = `${target}.${process.pid}`;
  writeFileSync(temporary, text);
  renameSync(temporary, target);
}

function compile() {
  const folder = mkdtempSync(join(tmpdir(), "gridgrad-"));
  try {
    const out = join(folder, "kernels.wasm");
    const result = spawnSync(process.execPath, [asc, join(assembly, "index.ts"), "--outFile", out, ...options], {
      encoding: "utf8",
    });
    if (result.status !== 0) fail(`asc must compile packages/ops/assembly; it says:\n${result.stdout}${result.stderr}`);
    return readFileSync(out);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** worker.ts as JavaScript, and its start in either world, made short: it is a string, which no bundler makes shorter. */
function workerScript() {
  const start =
    'if (typeof require === "function") work(require("node:worker_threads").workerData);\n' +
    "else onmessage = ({ data }) => work(data);";
  const script = `(() => {\n${transpile(join(device, "worker.ts")).replace(/^export /gm, "")}${start}\n})();\n`;
  return require("esbuild").transformSync(script, { minify: true, target: "es2022" }).code;
}

/** A source that imports nothing as JavaScript. @param {string} path @returns {string} */
function transpile(path) {
  const { ModuleKind, ScriptTarget, transpileModule } = require("typescript");
  return transpileModule(readFileSync(path, "utf8"), {
    compilerOptions: { module: ModuleKind.ESNext, target: ScriptTarget.ES2022, removeComments: true },
  }).outputText;
}

/** @param {string} message */
function fail(message) {
  process.stderr.write(`buildKernels: ${message}\n`);
  process.exit(1);
}

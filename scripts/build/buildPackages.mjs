/**
 * @file `npm run build`: makes what users install, `dist/` in each package that is published.
 *
 *     sources -> compiled, one file for each -> kernels get their texts -> gpu.js and the charts become files of ours
 *             -> dist/ of each package: whatever its doors lead to -> the command as one bundle
 *
 * In the workspace everything goes on running from the sources.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { build } from "esbuild";

import { bakeFolder } from "./bakeKernels.mjs";
import { compilePackages } from "./compilePackages.mjs";
import { filesBelow } from "./filesBelow.mjs";
import { bundleGpuJs } from "./gpuJs.mjs";
import { thirdPartyNotices } from "./notices.mjs";
import { pathsOfDoors } from "./pathsOfDoors.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Those that are published; `lab` is a part of `gridgrad`. */
export const published = ["core", "ops", "nn", "dysample", "gridgrad"];

/** Programs of `lab` that run in processes of their own. */
const forked = ["compare/runProcess", "compare/measureProcess"];

/** @typedef {Record<string, string | Record<string, string>>} Exports */

/** @param {string} name @returns {{ exports: Exports, publishConfig?: { exports: Exports } }} */
function manifestOf(name) {
  return JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8"));
}

/** Makes `dist/` of every published package anew. */
export async function buildPackages() {
  const out = mkdtempSync(join(tmpdir(), "gridgrad-build-"));
  try {
    const sources = [...published, "lab"].flatMap(sourcesOfDoors);
    const programs = ["cli/gridgrad", ...forked].map((name) => join(root, "packages", "lab", "src", `${name}.ts`));
    compilePackages(root, [...sources, ...programs], out, ["lab"]);
    for (const name of [...published, "lab"]) bakeFolder(join(out, name));
    const gpuJs = await insertGpuJs(join(out, "ops", "devices", "gpu"));
    const charts = await bundleInPlace(join(out, "lab", "report", "echarts.js"));
    for (const name of published) rmSync(join(root, "packages", name, "dist"), { recursive: true, force: true });
    for (const name of published) copyReachable(join(out, name), join(root, "packages", name, "dist"), doorsOf(name));
    const home = join(root, "packages", "gridgrad", "dist");
    copyReachable(join(out, "lab"), join(home, "lab"), ["index", ...forked]);
    copySources(join(root, "packages", "lab", "src"), join(home, "lab"), join(home, "src", "lab"));
    const command = await bundleCommand(out, join(home, "bin"));
    writeFileSync(join(root, "packages", "ops", "THIRD-PARTY-NOTICES.txt"), thirdPartyNotices(gpuJs));
    writeFileSync(
      join(root, "packages", "gridgrad", "THIRD-PARTY-NOTICES.txt"),
      thirdPartyNotices([...gpuJs, ...charts, ...command]),
    );
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** The sources behind the names that a package can be imported by, in the workspace. @param {string} name */
function sourcesOfDoors(name) {
  const paths = pathsOfDoors(manifestOf(name).exports);
  return paths.filter((path) => path.endsWith(".ts")).map((path) => join(root, "packages", name, path));
}

/** `index`, `testing/index`, ..: the files of `dist` behind the names that users can import. @param {string} name */
function doorsOf(name) {
  const paths = pathsOfDoors(manifestOf(name).publishConfig?.exports);
  const own = paths.filter((path) => path.endsWith(".js") && !path.startsWith("./dist/lab/"));
  return own.map((path) => path.replace(/^\.\/dist\/(.*)\.js$/, "$1"));
}

/** Copies the compiled files that `doors` lead to, with their types and maps. @param {string} from @param {string} to @param {readonly string[]} doors */
function copyReachable(from, to, doors) {
  const queue = doors.flatMap((door) => [join(from, `${door}.js`), join(from, `${door}.d.ts`)]);
  const seen = new Set(queue);
  for (const file of queue) {
    if (!existsSync(file)) throw new Error(`${relative(root, to)}: there must be ${relative(from, file)}`);
    for (const [, path] of readFileSync(file, "utf8").matchAll(relativeImport)) {
      // Types of a file that has been imported for its types alone are in the .d.ts beside it.
      const target = join(dirname(file), path);
      const next = file.endsWith(".d.ts") ? target.replace(/\.js$/, ".d.ts") : target;
      if (!seen.has(next)) queue.push(next);
      seen.add(next);
    }
    for (const path of [file, `${file}.map`]) {
      if (!existsSync(path)) continue; // a bundle has no map
      const target = join(to, relative(from, path));
      mkdirSync(dirname(target), { recursive: true });
      cpSync(path, target);
    }
  }
}

/** `from "./x.js"`, `import("./x.js")`, `import "./x.js"`, `declare module "./x.js"` */
const relativeImport = /(?:\bfrom\s*|\bimport\s*\(?\s*|\bmodule )"(\.{1,2}\/[^"\n]+\.js)"/g;

/** Copies the sources of the compiled files in `compiled`, for their maps. @param {string} from @param {string} compiled @param {string} to */
function copySources(from, compiled, to) {
  for (const file of filesBelow(compiled)) {
    if (!file.endsWith(".js") && !file.endsWith(".d.ts")) continue;
    const path = relative(compiled, file).replace(/(\.d\.ts|\.js)$/, ".ts");
    mkdirSync(dirname(join(to, path)), { recursive: true });
    cpSync(join(from, path), join(to, path));
  }
}

/** gpu.js becomes a file beside the one that loads it. Returns what it is made of. @param {string} folder */
async function insertGpuJs(folder) {
  const loader = join(folder, "gpujs.js");
  const code = readFileSync(loader, "utf8");
  if (!code.includes('import("gpu.js")')) throw new Error(`internal: gpujs.ts must load gpu.js by import("gpu.js")`);
  writeFileSync(loader, code.replace('import("gpu.js")', 'import("./gpujs.bundle.js")'));
  const entry = join(root, "packages", "ops", "src", "devices", "gpu", "gpujs.ts"); // gpu.js is found as that file finds it
  const bundle = await bundleGpuJs('export { GPU } from "gpu.js";', dirname(entry));
  writeFileSync(join(folder, "gpujs.bundle.js"), bundle.code);
  return bundle.inputs;
}

/** A compiled file of `lab`, with all that it imports from npm inside. Returns what it is made of. @param {string} file */
async function bundleInPlace(file) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: readFileSync(file, "utf8"), resolveDir: join(root, "packages", "lab", "src"), loader: "js" },
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: "esm",
    target: "es2023",
    legalComments: "none", // THIRD-PARTY-NOTICES.txt has them
    absWorkingDir: root,
    logLevel: "error",
  });
  writeFileSync(file, outputFiles[0].text);
  rmSync(`${file}.map`, { force: true });
  return Object.keys(metafile.inputs).map((path) => join(root, path));
}

/**
 * The command, with everything that it needs but the packages of a queue: it starts by reading a few files. Returns what it is made of.
 *
 * @param {string} out - compiled packages.
 * @param {string} to
 */
async function bundleCommand(out, to) {
  const lab = join(out, "lab");
  const { metafile } = await build({
    entryPoints: ["cli/gridgrad", ...forked].map((name) => join(lab, `${name}.js`)),
    entryNames: "[name]",
    chunkNames: "[name]-[hash]",
    outdir: to,
    bundle: true,
    metafile: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    keepNames: true,
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none", // THIRD-PARTY-NOTICES.txt has them
    external: ["bullmq", "ioredis", "gl", "webgpu"],
    plugins: [compiledPackages(out)],
    absWorkingDir: root,
    logLevel: "error",
    // Packages that are CommonJS ask for modules of Node by `require`.
    banner: {
      js: `import { createRequire as createRequireHere } from "node:module";const require=createRequireHere(import.meta.url);`,
    },
  });
  return Object.keys(metafile.inputs).map((path) => join(root, path));
}

/**
 * Finds packages of the workspace among the compiled ones, and those from npm where the sources find them.
 *
 * @param {string} out
 * @returns {import("esbuild").Plugin}
 */
function compiledPackages(out) {
  return {
    name: "compiled-packages",
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^@gridgrad\// }, ({ path }) => {
        const [, name, ...rest] = path.split("/");
        const door = manifestOf(name).exports[[".", ...rest].join("/")];
        const source = typeof door === "string" ? door : (door?.node ?? door?.default);
        if (!source) throw new Error(`${path} must be one of the exports of its package`);
        return { path: join(out, name, source.replace(/^\.\/src\//, "").replace(/\.ts$/, ".js")) };
      });
      onResolve({ filter: /^[^./]/ }, ({ path, kind, importer, pluginData }) => {
        if (pluginData === "asked" || path.startsWith("node:") || !importer.startsWith(out)) return undefined;
        const [name] = relative(out, importer).split("/");
        return resolve(path, { kind, importer, resolveDir: join(root, "packages", name, "src"), pluginData: "asked" });
      });
    },
  };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await buildPackages();

/**
 * @file Bundles a program of the sources into a few files of JavaScript, what it loads later in files of their own, and keeps them until a
 * source changes. Packages from npm stay outside.
 *
 * In the bundle `import.meta.url` is that of each source, so that paths beside a source lead where they say, and kernels of gpu.js keep the
 * text that they have there.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Whatever else a bundle depends on: this file, and where packages are. */
const always = [fileURLToPath(import.meta.url), join(root, "pnpm-lock.yaml")];

/** How long a bundle that was replaced stays for a process that is still to load a part of it, such as the report at its end, ms. */
const grace = 24 * 60 * 60 * 1000;

/**
 * What is kept beside a bundle.
 *
 * @typedef {object} Kept
 * @property {Record<string, string>} sources - Their states as they were read, by their paths. The bundle's folder is named after them.
 * @property {Record<string, number>} files - Bytes of the bundle's files, by their names.
 */

/**
 * Returns the path of the program's bundle; `null` where it cannot be kept.
 *
 * @param {string} entry - absolute path of a TypeScript file.
 * @param {string} cache - folder that exists.
 * @throws {import("esbuild").BuildFailure} when a source cannot be compiled; esbuild has told why.
 */
export async function bundle(entry, cache) {
  const folder = join(cache, `${basename(entry)}-${shortHash(entry)}`);
  const list = join(folder, "sources.json");
  const program = `${basename(entry, ".ts")}.mjs`;
  const kept = readKept(list);
  if (kept && isWhole(kept, folder)) return join(folder, nameOf(kept.sources), program);

  const { sources, outputs } = await build(entry);
  const name = nameOf(sources);
  const temporary = join(folder, `${process.pid}.tmp`);
  try {
    mkdirSync(temporary, { recursive: true });
    for (const { path, contents } of outputs) writeFileSync(join(temporary, basename(path)), contents);
    const files = Object.fromEntries(outputs.map(({ path, contents }) => [basename(path), contents.length]));
    const made = { sources, files };
    try {
      renameSync(temporary, join(folder, name));
    } catch {
      // One is there: of a process that was faster, or with files that are cut off.
      if (!isWhole(made, folder)) {
        rmSync(join(folder, name), { recursive: true });
        renameSync(temporary, join(folder, name));
      }
    }
    writeFileSync(`${list}.${process.pid}.tmp`, JSON.stringify(made));
    renameSync(`${list}.${process.pid}.tmp`, list);
    sweep(folder);
  } catch {
    return null; // a full disk, say
  } finally {
    for (const rest of [temporary, `${list}.${process.pid}.tmp`]) {
      try {
        rmSync(rest, { recursive: true, force: true });
      } catch {
        // What cannot be deleted stays.
      }
    }
  }
  return join(folder, name, program);
}

/** @param {string} entry */
async function build(entry) {
  const esbuild = await import("esbuild");
  /** @type {Map<string, string>} */
  const states = new Map();
  const { metafile, outputFiles } = await esbuild.build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: `node${process.versions.node}`,
    keepNames: true,
    sourcemap: true,
    sourcesContent: false,
    absWorkingDir: root,
    outdir: join(root, "node_modules", ".cache", "gridgrad", "bundle", "name"), // as deep as it will lie, for the paths in its source map
    outExtension: { ".js": ".mjs" },
    plugins: [asWritten(states), packagesOutside],
    logLevel: "error",
  });
  const paths = [...Object.keys(metafile.inputs).map((path) => join(root, path)), ...always];
  const sources = Object.fromEntries(paths.map((path) => [path, states.get(path) ?? stateOf(path)]));
  return { sources, outputs: outputFiles };
}

/** What changes whenever a file is written to. @param {string} path */
function stateOf(path) {
  const state = statSync(path, { throwIfNoEntry: false });
  return state ? `${state.mtimeMs} ${state.size}` : "none";
}

/** @param {string} list @returns {Kept | null} */
function readKept(list) {
  try {
    return JSON.parse(readFileSync(list, "utf8"));
  } catch {
    return null;
  }
}

/** Whether the bundle is that of the sources as they are now, and nobody has cut off its files. @param {Kept} kept @param {string} folder */
function isWhole({ sources, files }, folder) {
  try {
    const name = nameOf(sources);
    return (
      Object.entries(sources).every(([path, state]) => stateOf(path) === state) &&
      Object.entries(files).every(([file, bytes]) => statSync(join(folder, name, file)).size === bytes)
    );
  } catch {
    return false;
  }
}

/** @param {Kept["sources"]} sources */
function nameOf(sources) {
  return shortHash(JSON.stringify(sources));
}

/** @param {string} text */
function shortHash(text) {
  return createHash("sha256").update(process.version).update(text).digest("hex").slice(0, 16);
}

/** Deletes the bundles of former sources. @param {string} folder */
function sweep(folder) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const state = statSync(path, { throwIfNoEntry: false });
    if (state?.isDirectory() && Date.now() - state.mtimeMs > grace) rmSync(path, { recursive: true, force: true });
  }
}

/**
 * Functions that gpu.js reads, in the form in which esbuild prints one. Each keeps its text: in a bundle, where another function has the same
 * name, it is renamed.
 */
const kernel = /^(?:export )?(function (\w+Kernel|quotient)\([^]*?^\})/gm;

/**
 * @param {Map<string, string>} states - gets the state of each source before it is read: one that changes meanwhile is another one.
 * @returns {import("esbuild").Plugin}
 */
function asWritten(states) {
  return {
    name: "as-written",
    setup({ onLoad, esbuild }) {
      onLoad({ filter: /\.(ts|mjs)$/ }, async ({ path }) => {
        const loader = path.endsWith(".ts") ? "ts" : "js";
        states.set(path, stateOf(path));
        const text = readFileSync(path, "utf8").replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href));
        if (!/^(export )?function (\w+Kernel|quotient)\(/m.test(text)) return { contents: text, loader };
        const { code, map } = await esbuild.transform(text, { loader, sourcefile: path, sourcemap: "external" });
        const texts = [...code.matchAll(kernel)].map(
          ([, source, name]) => `${name}.kernelSource = ${JSON.stringify(source)};`,
        );
        const mapUrl = `data:application/json;base64,${Buffer.from(map).toString("base64")}`;
        return { contents: `${code}${texts.join("\n")}\n//# sourceMappingURL=${mapUrl}\n`, loader: "js" };
      });
    },
  };
}

/** @type {import("esbuild").Plugin} */
const packagesOutside = {
  name: "packages-outside",
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, kind, importer, resolveDir }) => {
      if (pluginData === "asked" || kind === "entry-point") return undefined;
      if (path.startsWith("node:")) return { external: true };
      const found = await resolve(path, { kind, importer, resolveDir, pluginData: "asked" });
      if (found.errors.length > 0 || found.external) return { path, external: true }; // missing: an error where it is imported
      return found.path.endsWith(".ts") ? undefined : { path: pathToFileURL(found.path).href, external: true };
    });
  },
};

/**
 * @file Bundles a program of the sources into a few files of JavaScript, what it loads later in files of their own, and keeps them until a
 * source changes. Packages from npm stay outside.
 *
 * In the bundle `import.meta.url` is that of each source, so that paths beside a source lead where they say, and kernels of gpu.js keep the
 * text that they have there.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Whatever else a bundle depends on: this file, and where packages are. */
const always = [import.meta.url, new URL("../pnpm-lock.yaml", import.meta.url)].map((url) => fileURLToPath(url));

/** How long a bundle that was replaced stays for a process that is still to load a part of it, such as the report at its end, ms. */
const grace = 24 * 60 * 60 * 1000;

/**
 * Returns the path of the program's bundle.
 *
 * @param {string} entry - absolute path of a TypeScript file.
 * @param {string} cache - folder that exists.
 */
export async function bundle(entry, cache) {
  const folder = join(cache, `${basename(entry)}-${shortHash(entry)}`);
  const list = join(folder, "sources.json");
  const file = `${basename(entry, ".ts")}.mjs`;
  const kept = readSources(list);
  if (kept) {
    const path = join(folder, nameFor(kept), file);
    if (statSync(path, { throwIfNoEntry: false })) return path;
  }
  const { build } = await import("esbuild");
  const outdir = join(folder, `${process.pid}.tmp`);
  const { metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    metafile: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: `node${process.versions.node}`,
    keepNames: true,
    sourcemap: true,
    sourcesContent: false,
    absWorkingDir: dirname(entry),
    outdir,
    outExtension: { ".js": ".mjs" },
    plugins: [asWritten, packagesOutside],
    logLevel: "error",
  });
  const sources = [...Object.keys(metafile.inputs).map((path) => join(dirname(entry), path)), ...always];
  const made = join(folder, nameFor(sources));
  try {
    renameSync(outdir, made);
  } catch (error) {
    if (!statSync(join(made, file), { throwIfNoEntry: false })) throw error;
    rmSync(outdir, { recursive: true }); // another process was faster
  }
  const temporary = `${list}.${process.pid}.tmp`;
  writeFileSync(temporary, JSON.stringify(sources));
  renameSync(temporary, list);
  sweep(folder);
  return join(made, file);
}

/** Sources of a bundle; `null` when there is none. @param {string} list */
function readSources(list) {
  try {
    return /** @type {string[]} */ (JSON.parse(readFileSync(list, "utf8")));
  } catch {
    return null;
  }
}

/** Another name whenever a source was written to. @param {readonly string[]} sources */
function nameFor(sources) {
  const states = sources.map((path) => {
    const state = statSync(path, { throwIfNoEntry: false });
    return [path, state?.mtimeMs, state?.size];
  });
  return shortHash(JSON.stringify([process.version, ...states]));
}

/** @param {string} text */
function shortHash(text) {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
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

/** @type {import("esbuild").Plugin} */
const asWritten = {
  name: "as-written",
  setup({ onLoad, esbuild }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const text = readFileSync(path, "utf8").replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href));
      if (!/^(export )?function (\w+Kernel|quotient)\(/m.test(text)) return { contents: text, loader: "ts" };
      const { code, map } = await esbuild.transform(text, { loader: "ts", sourcefile: path, sourcemap: "external" });
      const texts = [...code.matchAll(kernel)].map(
        ([, source, name]) => `${name}.kernelSource = ${JSON.stringify(source)};`,
      );
      const mapUrl = `data:application/json;base64,${Buffer.from(map).toString("base64")}`;
      return { contents: `${code}${texts.join("\n")}\n//# sourceMappingURL=${mapUrl}\n`, loader: "js" };
    });
  },
};

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

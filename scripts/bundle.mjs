/**
 * @file Bundles a program into a few files of JavaScript, what it loads later in files of their own, and keeps them until a source changes.
 * Packages from npm stay outside. The program is one of the sources, or lies anywhere on the disk: there `gridgrad` and `@gridgrad/...`
 * are the packages of this clone, whatever is installed.
 *
 * In the bundle `import.meta.url` is that of each source, so that paths beside a source lead where they say, and kernels of gpu.js keep the
 * text that they have there.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const packages = join(root, "packages");

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
 * @param {string} entry - absolute path of a file of TypeScript or JavaScript.
 * @param {string} cache - folder that exists.
 * @throws {import("esbuild").BuildFailure} when a source cannot be compiled; `explainFailure` tells why.
 */
export async function bundle(entry, cache) {
  const folder = join(cache, `${basename(entry)}-${shortHash(entry)}`);
  const list = join(folder, "sources.json");
  const program = `${basename(entry, extname(entry))}.mjs`;
  const kept = readKept(list);
  if (kept && isWhole(kept, folder)) return join(folder, nameOf(kept.sources), program);

  // As deep as it will lie, for the paths in its source map.
  const { sources, outputs } = await build([entry], join(folder, "name"));
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

/**
 * Programs that share the modules which they both import.
 *
 * @param {string[]} entries
 * @param {string} outdir - where the files will lie.
 * @throws {import("esbuild").BuildFailure}
 */
export async function build(entries, outdir) {
  const esbuild = await import("esbuild");
  /** @type {Map<string, string>} */
  const states = new Map();
  const { metafile, outputFiles } = await esbuild.build({
    entryPoints: entries,
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
    outdir,
    outExtension: { ".js": ".mjs" },
    plugins: [asWritten(states), packagesOutside],
    logLevel: "silent",
  });
  const paths = [...Object.keys(metafile.inputs).map((path) => resolve(root, path)), ...always];
  const sources = Object.fromEntries(paths.map((path) => [path, states.get(path) ?? stateOf(path)]));
  return { sources, outputs: outputFiles };
}

/**
 * What cannot be compiled, for a person: each error with its line, and files as seen from the current folder.
 *
 * @param {unknown} error - what `bundle` threw.
 * @returns {Promise<string | null>} `null` where it is an error of another kind.
 */
export async function explainFailure(error) {
  if (!(error instanceof Error) || !("errors" in error)) return null;
  const esbuild = await import("esbuild");
  const errors = /** @type {import("esbuild").BuildFailure} */ (error).errors.map(({ text, location, notes }) => ({
    text,
    location: location && { ...location, file: seenFromHere(resolve(root, location.file)) },
    notes: notes.filter((note) => note.location === null),
  }));
  return (await esbuild.formatMessages(errors, { kind: "error", color: process.stderr.isTTY === true })).join("");
}

/** @param {string} path */
function seenFromHere(path) {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") || isAbsolute(short) ? path : short;
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

/** Files that may speak of themselves, and how esbuild calls their language. @type {Record<string, "ts" | "js">} */
const loaders = { ".ts": "ts", ".mts": "ts", ".js": "js", ".mjs": "js" };

/**
 * @param {Map<string, string>} states - gets the state of each source before it is read: one that changes meanwhile is another one.
 * @returns {import("esbuild").Plugin}
 */
function asWritten(states) {
  return {
    name: "as-written",
    setup({ onLoad, esbuild }) {
      onLoad({ filter: /\.m?[jt]s$/ }, async ({ path }) => {
        states.set(path, stateOf(path));
        const loader = loaders[extname(path)];
        const contents = readFileSync(path, "utf8");
        const hasKernels = /^(export )?function (\w+Kernel|quotient)\(/m.test(contents);
        if (!hasKernels && !contents.includes("import.meta.")) return { contents, loader };
        const url = pathToFileURL(path).href;
        const define = {
          "import.meta.url": JSON.stringify(url),
          "import.meta.filename": JSON.stringify(path),
          "import.meta.dirname": JSON.stringify(dirname(path)),
        };
        try {
          const { code, map } = await esbuild.transform(contents, {
            loader,
            define,
            sourcefile: path,
            sourcemap: "external",
            logLevel: "silent",
          });
          const texts = [...code.matchAll(kernel)].map(
            ([, source, name]) => `${name}.kernelSource = ${JSON.stringify(source)};`,
          );
          const mapUrl = `data:application/json;base64,${Buffer.from(map).toString("base64")}`;
          return { contents: `${code}${texts.join("\n")}\n//# sourceMappingURL=${mapUrl}\n`, loader: "js" };
        } catch (error) {
          return { errors: /** @type {import("esbuild").TransformFailure} */ (error).errors };
        }
      });
    },
  };
}

/** @type {import("esbuild").Plugin} */
const packagesOutside = {
  name: "packages-outside",
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, kind, importer, resolveDir }) => {
      if (pluginData === "asked" || kind === "entry-point" || isAbsolute(path)) return undefined;
      const isOurs = importer.startsWith(packages + sep);
      if (!isOurs && kind === "require-call") {
        return { errors: [{ text: `A program must be an ES module: write import in place of require("${path}")` }] };
      }
      if (path.startsWith("node:")) return { external: true };
      const isDoor = !isOurs && /^(@gridgrad\/|gridgrad$|gridgrad\/)/.test(path);
      const from = isDoor ? join(packages, "gridgrad") : resolveDir;
      let found = await resolve(path, { kind, importer, resolveDir: from, pluginData: "asked" });
      if (found.errors.length > 0 && !isOurs && isPeer(path)) {
        found = await resolve(path, { kind, importer, resolveDir: root, pluginData: "asked" });
      }
      if (found.external) return { path, external: true };
      if (found.errors.length > 0) {
        // Sources take care of what is not installed when they import it.
        return isOurs || kind === "dynamic-import"
          ? { path, external: true }
          : { errors: [{ text: missing(path, isDoor) }] };
      }
      if (!/\.m?ts$/.test(found.path)) return { path: pathToFileURL(found.path).href, external: true };
      return { path: found.path, sideEffects: found.sideEffects };
    });
  },
};

/** @returns {{ exports: Record<string, string>, peerDependencies: Record<string, string> }} */
function manifestOfGridgrad() {
  return JSON.parse(readFileSync(join(packages, "gridgrad", "package.json"), "utf8"));
}

/** Whether a user of gridgrad installs it beside gridgrad, as fast-check: the clone has it already. @param {string} path */
function isPeer(path) {
  return Object.keys(manifestOfGridgrad().peerDependencies).includes(path);
}

/** @param {string} path @param {boolean} isDoor */
function missing(path, isDoor) {
  if (isDoor) {
    const doors = Object.keys(manifestOfGridgrad().exports).filter((door) => door !== "./package.json");
    return `An import must be one of ${doors.map((door) => join("gridgrad", door)).join(", ")} or of a package below them, got "${path}"`;
  }
  return `The package "${path}" must be installed where this file is: npm install ${path.replace(/^(@[^/]+\/[^/]+|[^/]+).*/, "$1")}`;
}

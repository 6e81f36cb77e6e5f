/**
 * @file Compiles the sources of the packages: for each source a file of JavaScript with its comments, its types, and a map of each that leads
 * back to the source. One run of the compiler for all of them, so that their types are checked together.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import ts from "typescript";

/**
 * Compiles whatever `entries` import, into `out`: `packages/core/src/tensor.ts` becomes `out/core/tensor.js` and so on.
 *
 * @param {string} root - of the workspace.
 * @param {readonly string[]} entries - absolute paths of sources.
 * @param {string} out - a folder that is empty or absent.
 * @param {readonly string[]} guests - packages whose files will lie in a folder of another one's `dist`, with their sources.
 * @throws {Error} when a source does not compile, with what the compiler says.
 */
export function compilePackages(root, entries, out, guests) {
  const { config } = ts.readConfigFile(join(root, "tsconfig.base.json"), (path) => readFileSync(path, "utf8"));
  const { options } = ts.convertCompilerOptionsFromJson(
    {
      ...config.compilerOptions,
      types: ["node"],
      noEmit: false,
      declaration: true,
      declarationMap: true,
      sourceMap: true,
      rewriteRelativeImportExtensions: true,
      newLine: "lf",
      rootDir: "packages",
      outDir: out,
    },
    root,
  );
  const program = ts.createProgram(entries, options);
  const problems = [...ts.getPreEmitDiagnostics(program)];
  problems.push(
    ...program.emit(undefined, (path, text) => {
      const [name, src, ...rest] = relative(out, path).split("/");
      if (src !== "src") throw new Error(`internal: ${path} is outside of the sources`);
      const target = join(out, name, ...rest);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, finish(text, join(name, ...rest), guests.includes(name)));
    }).diagnostics,
  );
  if (problems.length > 0) {
    const host = { getCanonicalFileName: String, getCurrentDirectory: () => root, getNewLine: () => "\n" };
    throw new Error(ts.formatDiagnostics(problems, host));
  }
}

/**
 * @param {string} text - as the compiler writes it.
 * @param {string} path - `core/tensor.js`: of a file that stands for `core/src/tensor.ts`.
 * @param {boolean} isGuest
 */
function finish(text, path, isGuest) {
  const [name, ...rest] = path.split("/");
  if (path.endsWith(".map")) {
    // A map names its source from where it lies itself, which is `dist`.
    const source = rest.join("/").replace(/(\.d\.ts|\.js)\.map$/, ".ts");
    const dist = isGuest ? join("dist", name) : "dist";
    const sources = isGuest ? join("dist", "src", name) : "src";
    const folder = join(dist, dirname(rest.join("/")));
    return JSON.stringify({
      ...JSON.parse(text),
      sources: [relative(folder, join(sources, source))],
    });
  }
  // The compiler renames imports in JavaScript only.
  return path.endsWith(".d.ts") ? text.replace(relativeSource, "$1.js$2") : text;
}

/** `from "./tensor.ts"`, `import("./tensor.ts")`, `declare module "./tensor.ts"` */
const relativeSource = /((?:\bfrom |\bimport\(|\bimport |\bmodule )"\.[^"\n]*)\.ts(")/g;

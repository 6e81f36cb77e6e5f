/**
 * @file Bundles gpu.js for @gridgrad/ops: one file that is loaded when a gpu device opens. As a dependency gpu.js brings 84 MB of a package
 * that it does not load, and lets a later version of itself in, whose private fields may be others.
 */
import { join } from "node:path";

import { build } from "esbuild";

/**
 * Packages and built-in modules that gpu.js asks for with `require`, which ES modules have not. In Node they are looked for as seen from this
 * file and from the folder of the process; in a browser there are none.
 */
const requireWhereThereIs = `
const { process } = globalThis;
const builtin = process?.getBuiltinModule?.bind(process);
const require = (name) => {
  if (!builtin) throw new Error("Cannot find module '" + name + "'");
  if (name !== "gl") return builtin(name);
  const { createRequire } = builtin("module");
  try {
    return createRequire(import.meta.url)(name);
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND") throw error;
    return createRequire(process.cwd() + "/")(name);
  }
};
`;

/**
 * @param {string} contents - a module that exports what is wanted of gpu.js.
 * @param {string} folder - from which gpu.js is found.
 * @returns {Promise<{ code: string, inputs: string[] }>} the bundle, and the files it is made of.
 */
export async function bundleGpuJs(contents, folder) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: folder },
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2023",
    minifyWhitespace: true,
    minifySyntax: true, // not names: gpu.js reads the text of some of its own functions
    legalComments: "none", // THIRD-PARTY-NOTICES.txt has them
    external: ["gl", "os", "worker_threads"],
    banner: { js: requireWhereThereIs },
    absWorkingDir: folder,
    logLevel: "error",
  });
  const inputs = Object.keys(metafile.inputs).filter((path) => path !== "<stdin>");
  return { code: outputFiles[0].text, inputs: inputs.map((path) => join(folder, path)) };
}

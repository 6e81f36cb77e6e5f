/**
 * @file Runs a program of the sources, which are TypeScript: `node scripts/run.mjs FILE [ARGUMENTS]`.
 *
 * It is bundled once, until a source changes: a few files are loaded instead of 250, in 0.2 s instead of 1.7 s. Where no bundle can be kept,
 * each module is compiled as it is loaded.
 */
import { realpathSync } from "node:fs";
import { pathToFileURL } from "node:url";

import { cacheFolder } from "./cache.mjs";

const file = realpathSync(process.argv[2]);
process.argv.splice(1, 2, file); // as if Node had been given the program
let program;
try {
  program = await makeProgram();
} catch (error) {
  if (!(error instanceof Error && "errors" in error)) throw error;
  process.exit(1); // the compiler has told what is wrong
}
await import(pathToFileURL(program).href);

/** A path that Node can load. */
async function makeProgram() {
  const cache = cacheFolder();
  const { bundle } = await import("./bundle.mjs");
  const bundled = cache === null ? null : await bundle(file, cache);
  if (bundled === null) await import("./typescript.mjs");
  else process.setSourceMapsEnabled(true);
  return bundled ?? file;
}

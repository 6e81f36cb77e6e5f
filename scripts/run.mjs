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
const cache = cacheFolder();
if (cache !== null) {
  const { bundle } = await import("./bundle.mjs");
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(await bundle(file, cache)).href);
} else {
  await import("./typescript.mjs");
  await import(pathToFileURL(file).href);
}

/**
 * @file `npm run try -- FILE [ARGUMENTS]`: runs a program of TypeScript or JavaScript that imports `gridgrad`. It may lie anywhere on the
 * disk, and nothing needs to be installed beside it. Paths, those of the program as well, start from the folder in which npm was called.
 */
import { statSync } from "node:fs";
import { extname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const { npm_lifecycle_event: script, INIT_CWD: callersFolder } = process.env;
if (script === "try" && callersFolder !== undefined) process.chdir(callersFolder); // npm has moved to the clone

const [, , given, ...args] = process.argv;
if (given === undefined) fail("a FILE must be named, got none: npm run try -- FILE");
const file = resolve(given);
const state = stateOf(file);
if (state === null) fail(`FILE must be there, got ${given}, which is not (looked for ${file})`);
if (state.isDirectory()) fail(`FILE must be a file, got the folder ${given}`);
if (!/^\.m?[jt]s$/.test(extname(file))) {
  fail(`FILE must be an ES module of TypeScript or JavaScript, a name in .ts, .mts, .js or .mjs, got ${given}`);
}
process.argv.splice(1, process.argv.length, fileURLToPath(new URL("run.mjs", import.meta.url)), file, ...args);
await import("./run.mjs");

/** `null` where there is nothing. @param {string} path */
function stateOf(path) {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

/** @param {string} message @returns {never} */
function fail(message) {
  console.error(`try: ${message}`);
  process.exit(2); // as for a wrong command line
}

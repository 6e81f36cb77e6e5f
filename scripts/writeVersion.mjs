/** @file Writes the version that changesets gave the packages into the source that tells it to users. Part of `npm run version`. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const at = (/** @type {string} */ path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const { version } = JSON.parse(readFileSync(at("packages/core/package.json"), "utf8"));
const file = at("packages/core/src/version.ts");
const text = readFileSync(file, "utf8");
writeFileSync(file, text.replace(/version = "[^"]*"/, `version = "${version}"`));

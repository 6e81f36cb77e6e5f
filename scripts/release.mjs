/**
 * @file `npm run release`: builds and packs all published packages, and says what would be published. With `-- --publish` the tarballs
 * go to the registry that npm is set to, those first that others need.
 */
import { spawnSync } from "node:child_process";
import { rmSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { buildPackages } from "./build/buildPackages.mjs";
import { packPackages } from "./build/packPackages.mjs";

const { values } = parseArgs({ options: { publish: { type: "boolean", default: false } } });
const folder = fileURLToPath(new URL("../release", import.meta.url));

if (values.publish) {
  const changes = spawnSync("git", ["status", "--porcelain"], { encoding: "utf8" }).stdout.trim();
  if (changes !== "") fail(`what is published must be committed, got changes:\n${changes}`);
}
rmSync(folder, { recursive: true, force: true });
await buildPackages();
for (const [name, tarball] of packPackages(folder)) {
  console.log(`${name}: ${tarball}, ${(statSync(tarball).size / 1e6).toFixed(2)} MB`);
  if (!values.publish) continue;
  const { status } = spawnSync("npm", ["publish", tarball, "--access", "public"], { stdio: "inherit" });
  if (status !== 0) fail(`${name} was not published; those above it are. After mending it, publish the rest by hand`);
}
if (!values.publish) console.log("Nothing is published; `npm run release -- --publish` does that.");

/** @param {string} message @returns {never} */
function fail(message) {
  console.error(`release: ${message}`);
  process.exit(1);
}

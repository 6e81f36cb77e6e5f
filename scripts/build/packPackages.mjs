/** @file Packs what is published, as npm would get it: pnpm writes versions for `workspace:` and `catalog:`, and the doors to `dist`. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { published } from "./buildPackages.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Packs each published package, whose `dist` is there, into `folder`.
 *
 * @param {string} folder
 * @returns {Map<string, string>} the paths of the tarballs by the names of the packages, in the order in which they need each other.
 */
export function packPackages(folder) {
  mkdirSync(folder, { recursive: true });
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return new Map(
    published.map((name) => {
      const cwd = join(root, "packages", name);
      const args = ["--yes", packageManager, "pack", "--json", "--pack-destination", folder];
      const { status, stdout, stderr } = spawnSync("npx", args, { cwd, encoding: "utf8", maxBuffer: 2 ** 26 });
      if (status !== 0) throw new Error(`packing ${name} failed:\n${stdout}${stderr}`);
      const made = JSON.parse(stdout);
      return [made.name, made.filename];
    }),
  );
}

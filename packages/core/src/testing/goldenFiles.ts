/** @file Finds golden cases on disk: the folders of goldens/ at the root of the repository. Needs Node. */

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../../goldens/", import.meta.url));

/**
 * The files that match `pattern`, a path such as `network/grid_sample/bilinear_*` in which `*` stands for any characters but
 * a slash.
 *
 * @throws {Error} when no file matches: a test that runs no case would pass whatever the code does.
 */
export function goldenFiles(pattern: string): { name: string; bytes: Uint8Array }[] {
  const folder = pattern.slice(0, pattern.lastIndexOf("/") + 1);
  const escaped = pattern.slice(folder.length).replace(/[.+?^${}()|[\]\\]/g, "\\$&");
  const matcher = new RegExp(`^${escaped.replaceAll("*", "[^/]*")}\\.safetensors$`);
  const files = readdirSync(root + folder)
    .filter((file) => matcher.test(file))
    .sort();
  if (files.length === 0) throw new Error(`goldenFiles: ${pattern} must match a file in ${root}${folder}, got none`);
  return files.map((file) => ({
    name: folder + file.replace(".safetensors", ""),
    bytes: readFileSync(root + folder + file),
  }));
}

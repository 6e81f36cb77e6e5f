/** @file The files of a folder and of all folders in it, as absolute paths. */
import { readdirSync } from "node:fs";
import { join } from "node:path";

/** @param {string} folder @returns {string[]} */
export function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

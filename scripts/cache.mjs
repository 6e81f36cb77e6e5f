/**
 * @file Where compiled sources are kept: in node_modules, which belongs to whoever has installed the packages. A temporary folder does not do:
 * another user of the machine could put code there.
 */
import { accessSync, constants, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The folder, made where it is not there; `null` where nothing can be written. */
export function cacheFolder() {
  const folder = fileURLToPath(new URL("../node_modules/.cache/gridgrad", import.meta.url));
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return folder;
  } catch {
    return null;
  }
}

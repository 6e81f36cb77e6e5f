/** @file The packages of the workspace and the files that their `exports` point at. Docs and tools find them here, not by name. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export interface Package {
  readonly name: string;
  /** Relative to `root`, such as `packages/core`. */
  readonly folder: string;
  /** What can be imported, such as `@gridgrad/core/testing`, and its source, relative to `root`. Only files that exist. */
  readonly entries: ReadonlyMap<string, string>;
}

interface Manifest {
  readonly name: string;
  /** Either a file, or one for Node and one for everything else. */
  readonly exports?: Readonly<Record<string, string | { readonly node: string }>>;
}

/** The root of the repository, with a slash at the end. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** All packages, in the order of their names. */
export function findPackages(): Package[] {
  return readdirSync(join(root, "packages"))
    .sort()
    .map((name) => `packages/${name}`)
    .filter((folder) => existsSync(join(root, folder, "package.json")))
    .map((folder) => {
      const { name, exports = {} } = JSON.parse(readText(`${folder}/package.json`)) as Manifest;
      const files = Object.entries(exports).map(([path, file]) => {
        const inNode = typeof file === "string" ? file : file.node;
        return [name + path.slice(1), join(folder, inNode)] as const;
      });
      return { name, folder, entries: new Map(files.filter(([, file]) => existsSync(join(root, file)))) };
    });
}

/** What a module exports, by name. */
export type Exports = Readonly<Record<string, unknown>>;

/** Imports a file by its path relative to `root`. */
export function importFile(path: string): Promise<Exports> {
  return import(/* @vite-ignore */ pathToFileURL(join(root, path)).href) as Promise<Exports>;
}

/** Imports a package of ours from its source, any other from node_modules. */
export function importPackage(specifier: string): Promise<Exports> {
  const file = findPackages()
    .find(({ entries }) => entries.has(specifier))
    ?.entries.get(specifier);
  return file ? importFile(file) : (import(/* @vite-ignore */ specifier) as Promise<Exports>);
}

/** The files below a folder, itself relative to `root`, sorted; none where there is no such folder. */
export function filesBelow(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
  return files.map((file) => `${folder}/${file.replaceAll("\\", "/")}`).sort();
}

/** The text of a file, given by its path relative to `root`. */
export function readText(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

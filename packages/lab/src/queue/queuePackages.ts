/** @file The packages of a queue, which only who has a queue installs. */

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { importOptional } from "@gridgrad/core";

import { QueueError } from "./queueError.ts";

/** With their major versions, those of the catalog. */
export const queuePackages = { bullmq: 6, ioredis: 5 } as const;

/**
 * Loads a package.
 *
 * @param load - imports it from where the program is.
 * @param folder - where to look for it then. Default: that of the process.
 * @throws {QueueError} when it is in neither place, with the command that installs it.
 */
export async function loadQueuePackage<T>(name: string, load: () => Promise<T>, folder?: string): Promise<T> {
  const found = await importOptional(name, load, folder);
  if (found !== null) return found;
  const all = Object.keys(queuePackages).join(" and ");
  throw new QueueError(
    `a queue must have the packages ${all}, but ${name} is not installed; ${howToInstall(fileURLToPath(import.meta.url))}`,
  );
}

/**
 * What to do for a program in this place, with the command.
 *
 * @param file - a file of the program.
 */
export function howToInstall(file: string): string {
  const path = file.replaceAll("\\", "/");
  const wanted = Object.entries(queuePackages).map(([name, major]) => `${name}@${major}`);
  if (path.includes("/_npx/")) {
    const asked = ["gridgrad", ...wanted].map((name) => `-p ${name}`).join(" ");
    return `start it with them: npx ${asked} gridgrad ..., and the same options`;
  }
  const packages = wanted.join(" ");
  if (path.includes("/.pnpm/"))
    return `install both: pnpm add ${/\/pnpm\/(.*\/)?global\//.test(path) ? "-g " : ""}${packages}`;
  return `install both: npm install ${isGlobal(file) ? "-g " : ""}${packages}`;
}

/** Packages for all projects lie in a folder that is no project. */
function isGlobal(file: string): boolean {
  const [, home] = /^(.*?)[\\/]node_modules[\\/]gridgrad[\\/]/.exec(file) ?? [];
  return home !== undefined && !existsSync(join(home, "package.json")) && dirname(home) !== home;
}

/**
 * @file The Chromium on this machine, for the tests that need a browser. Nothing downloads one.
 *
 * GRIDGRAD_CHROMIUM gives its path where it is not found. GRIDGRAD_TEST_BROWSER=required makes a missing one an error,
 * and `none` leaves out the tests that need it.
 */

import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where it is, or why the tests that need it are skipped. */
export type Chromium =
  { readonly path: string; readonly args: readonly string[]; readonly missing: null } | { readonly missing: string };

declare module "vitest" {
  export interface ProvidedContext {
    chromium: Chromium;
  }
}

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const onMacOs = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

const args = [
  "--no-sandbox", // which containers do not allow; the pages are ours
  // WebGPU and WebGL on SwiftShader, which computes on the CPU and the same on every machine.
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
  // A test needs no network but localhost.
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-quic",
];

/**
 * Looks for Chromium, or Chrome.
 *
 * @throws {Error} when it is missing though it is required, or is not where GRIDGRAD_CHROMIUM says.
 */
export function findChromium(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
): Chromium {
  const wanted = env["GRIDGRAD_TEST_BROWSER"];
  if (wanted === "none") return { missing: "GRIDGRAD_TEST_BROWSER is none" };
  if (wanted !== undefined && wanted !== "required") {
    throw new Error(`GRIDGRAD_TEST_BROWSER: must be required, none or unset, got ${wanted}`);
  }
  const given = env["GRIDGRAD_CHROMIUM"];
  if (given) {
    if (!isExecutable(given)) throw new Error(`GRIDGRAD_CHROMIUM: must be the path of a Chromium, got ${given}`);
    return { path: given, args, missing: null };
  }
  const onPath = (env["PATH"] ?? "").split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  const path = [...onPath, ...(platform === "darwin" ? onMacOs : [])].find(isExecutable);
  if (path) return { path, args, missing: null };
  const missing = "no Chromium found; `apt-get install chromium`, or set GRIDGRAD_CHROMIUM to the path of Chrome";
  if (wanted === "required") throw new Error(`GRIDGRAD_TEST_BROWSER is required: ${missing}`);
  return { missing };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * @file The packages that a page uses as a build leaves them, made in a second instead of a minute: types are stripped file by file, without
 * declarations and source maps, and kernels are baked. For tests and measurements of what bundlers make of them.
 */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { transform } from "esbuild";

import { bakeFolder } from "./bakeKernels.mjs";

const packages = fileURLToPath(new URL("../../packages/", import.meta.url));

/**
 * Writes core, ops and nn into `folder`/node_modules, with a link to gpu.js.
 *
 * @param {string} folder
 */
export async function quickBuild(folder) {
  await Promise.all(["core", "ops", "nn"].map((name) => buildPackage(name, folder)));
  symlinkSync(join(packages, "ops", "node_modules", "gpu.js"), join(folder, "node_modules", "gpu.js"));
}

/** @param {string} name @param {string} folder */
async function buildPackage(name, folder) {
  const source = join(packages, name, "src");
  const target = join(folder, "node_modules", "@gridgrad", name);
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !/(^|[\\/])testing[\\/]/.test(file),
  );
  await Promise.all(
    files.map(async (file) => {
      const { code } = await transform(readFileSync(join(source, file), "utf8"), { loader: "ts", target: "es2023" });
      const path = join(target, "dist", built(file));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(
        path,
        code.replace(/(["'])(\.{1,2}\/[^"']+\.ts)\1/g, (_, quote, to) => quote + built(to) + quote),
      );
    }),
  );
  bakeFolder(join(target, "dist"));
  const { version, type, sideEffects, exports } = JSON.parse(
    readFileSync(join(packages, name, "package.json"), "utf8"),
    (_, value) => (typeof value === "string" && value.startsWith("./src/") ? `./dist/${built(value.slice(6))}` : value),
  );
  const manifest = { name: `@gridgrad/${name}`, version, type, sideEffects, exports };
  writeFileSync(join(target, "package.json"), JSON.stringify(manifest, null, 2));
}

/** @param {string} file */
function built(file) {
  return file.replace(/\.ts$/, ".js");
}

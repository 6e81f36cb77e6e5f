/** @file What must hold for the files of a package that is published, whoever installs it. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import { filesBelow } from "../build/filesBelow.mjs";
import { pathsOfDoors } from "../build/pathsOfDoors.mjs";

/**
 * What is wrong with the files of an installed package; nothing when all is well.
 *
 * @param {string} folder
 * @returns {string[]}
 */
export function problemsOfFiles(folder) {
  const files = filesBelow(folder).filter((file) => !relative(folder, file).startsWith("node_modules"));
  const problems = [];
  for (const file of ["README.md", "LICENSE", "package.json"]) {
    if (!existsSync(join(folder, file))) problems.push(`there must be ${file}`);
  }
  const manifest = readFileSync(join(folder, "package.json"), "utf8");
  if (/"(workspace|catalog):/.test(manifest)) problems.push("package.json names versions of the workspace");
  const { exports } = JSON.parse(manifest);
  for (const path of pathsOfDoors(exports)) {
    if (!existsSync(join(folder, path))) problems.push(`package.json names ${path}, which is missing`);
  }
  for (const file of files) {
    const name = relative(folder, file);
    if (/\.test\.|(^|\/)(fixtures|goldens)\//.test(name)) problems.push(`${name} is of use to nobody`);
    if (!name.startsWith("dist/") || name.startsWith("dist/bin/")) continue;
    const text = readFileSync(file, "utf8");
    if (name.endsWith(".map")) {
      for (const source of JSON.parse(text).sources) {
        if (!existsSync(join(dirname(file), source))) problems.push(`${name} leads to ${source}, which is missing`);
      }
    }
    if (/\.(js|d\.ts)$/.test(name) && /\b(from|import|module)\s*\(?\s*"\.[^"\n]*\.ts"/.test(text)) {
      problems.push(`${name} imports TypeScript`);
    }
    // Whoever reads the packages reads what each file is for.
    const source = name.replace(/^dist\//, "src/").replace(/\.js$/, ".ts");
    if (name.endsWith(".js") && existsSync(join(folder, source))) {
      const [head] = /^(#!.*\n)?\/\*\*[^]*?@file[^]*?\*\//.exec(readFileSync(join(folder, source), "utf8")) ?? [""];
      if (!text.startsWith(head)) problems.push(`${name} has lost the comment at its head`);
    }
  }
  return problems;
}

/** @file The ops of core and ops, with the files that they are in. Tests that hold for every op find them here, not by name. */

import { type Exports, filesBelow, findPackages, importFile, importPackage } from "./findPackages.ts";

/** Functions in op files that are no ops. They are public for authors of ops: parts of shape rules, loops and gradients. */
export const forAuthors = [
  "aroundAxis", // a shape as softmax sees it: before, along and after one axis
  "reducedOperand", // where a reduction's loop stores
  "reducedShape", // the shape rule of reductions
  "stretchBack", // the gradient of reductions, and of whatever is made like them
  "sumTo", // the gradient of whatever broadcasts
];

/** A file with ops, or with parts of them. */
export interface OpFile {
  /** Relative to the root of the repository. */
  readonly file: string;
  readonly own: Exports;
  readonly ofPackage: Exports;
  /** The names of the ops in it. */
  readonly ops: readonly string[];
}

/** The op files of both packages. */
export async function findOps(): Promise<OpFile[]> {
  return [...(await opFiles("@gridgrad/core")), ...(await opFiles("@gridgrad/ops"))];
}

async function opFiles(name: string): Promise<OpFile[]> {
  const found = findPackages().find((each) => each.name === name);
  if (!found?.entries.has(name)) return [];
  const ofPackage = await importPackage(name);
  const files = filesBelow(`${found.folder}/src/ops`).filter((file) => /(?<!\.test|\/index)\.ts$/.test(file));
  return Promise.all(
    files.map(async (file) => {
      const own = await importFile(file);
      return { file, own, ofPackage, ops: Object.keys(own).filter((each) => isOp(each, own, ofPackage)) };
    }),
  );
}

function isOp(name: string, own: Exports, ofPackage: Exports): boolean {
  return (
    typeof own[name] === "function" &&
    ofPackage[name] === own[name] &&
    !forAuthors.includes(name) &&
    !name.endsWith("Kernel") // parts of kernels that other ops' kernels call
  );
}

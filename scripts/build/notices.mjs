/** @file The licences of packages that are bundled into one of ours, as their authors wrote them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * @param {Iterable<string>} files - absolute paths of what a bundle is made of.
 * @returns {string} the text of THIRD-PARTY-NOTICES.txt: each package once, by its name.
 * @throws {Error} when a package comes without its licence.
 */
export function thirdPartyNotices(files) {
  /** @type {Map<string, string>} */
  const folders = new Map();
  for (const file of files) {
    const folder = packageOf(file);
    if (folder) folders.set(folder, JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).name);
  }
  const packages = [...folders].sort(([, a], [, b]) => (a < b ? -1 : 1));
  const notices = packages.map(([folder, name]) => noticeOf(folder, name));
  return `This package contains code of ${packages.map(([, name]) => name).join(", ")}.\n\n${notices.join("\n")}`;
}

/** The folder of the installed package that a file belongs to; `null` for a file of the workspace. @param {string} file */
function packageOf(file) {
  if (!file.includes("/node_modules/")) return null;
  for (let folder = dirname(file); !folder.endsWith("/node_modules"); folder = dirname(folder)) {
    // A package may have manifests of its folders, which say no more than how their modules are to be read.
    const manifest = join(folder, "package.json");
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).version) return folder;
  }
  return null;
}

/** @param {string} folder @param {string} name */
function noticeOf(folder, name) {
  const { version, license, homepage } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const texts = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(licen[cs]e|notice|copying)/i.test(entry.name))
    .map((entry) => entry.name)
    .sort();
  if (texts.length === 0)
    throw new Error(`${name}: a package that is bundled must bring its licence, found none in ${folder}`);
  const body = texts.map((file) => readFileSync(join(folder, file), "utf8").trim()).join("\n\n");
  return `${"-".repeat(80)}\n${name} ${version} (${license})${homepage ? `, ${homepage}` : ""}\n\n${body}\n`;
}

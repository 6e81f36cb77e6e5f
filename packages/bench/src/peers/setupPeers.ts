/**
 * @file Installs the peers that the benchmark compares with into node_modules/.peers; see peerPackages.ts for which and why there.
 *
 *     npm run setup:peers
 *
 * Run again, it installs only where a version differs. No install script runs.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { installedPeer, type PeerPackage, peersFolder, peerVersions } from "./peerPackages.ts";

const names = Object.keys(peerVersions) as PeerPackage[];

if (names.every((name) => installedPeer(name) === peerVersions[name])) {
  console.log(`setup:peers: ${names.length} packages are installed already`);
} else {
  console.log("setup:peers: installing 216 MB into node_modules/.peers ...");
  const problem = install();
  if (problem === null) {
    for (const name of names) console.log(`${name} ${peerVersions[name]}`);
  } else {
    console.error(`setup:peers: ${problem}`);
    process.exitCode = 1;
  }
}

/** Lets npm install them. Returns the end of its output, if it fails. */
function install(): string | null {
  rmSync(peersFolder, { recursive: true, force: true });
  mkdirSync(peersFolder, { recursive: true });
  writeFileSync(join(peersFolder, "package.json"), JSON.stringify({ private: true, dependencies: peerVersions }));
  // npm's own arguments must not reach the npm below, which would take this workspace for its folder.
  const inherited = Object.entries(process.env).filter(
    ([key]) => !/^npm_(config_(local_)?prefix|package|lifecycle)/i.test(key),
  );
  const args = ["install", "--prefix", peersFolder, "--ignore-scripts", "--no-audit", "--no-fund"];
  const result = spawnSync("npm", args, {
    cwd: peersFolder,
    encoding: "utf8",
    env: { ...Object.fromEntries(inherited), npm_config_loglevel: "warn" },
    shell: process.platform === "win32", // there npm is a .cmd file, which only a shell can start
  });
  const missing = names.filter((name) => installedPeer(name) !== peerVersions[name]);
  if (result.status === 0 && missing.length === 0) return null;
  const why = result.error?.message ?? (result.signal ? `killed by ${result.signal}` : `exit code ${result.status}`);
  const lines = `${result.stdout ?? ""}\n${result.stderr ?? ""}`.split("\n").filter((line) => line.trim() !== "");
  const tail = lines.slice(-15).map((line) => `  ${line}`); // enough for npm's longest error
  return [`npm install must bring ${missing.join(", ")}, got ${why}; its last lines:`, ...tail].join("\n");
}

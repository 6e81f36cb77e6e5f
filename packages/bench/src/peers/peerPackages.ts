/**
 * @file The packages of the peers: which versions, where they lie, and how they are loaded.
 *
 * They are no dependencies: together they are 216 MB (onnxruntime-web 140, TensorFlow.js 65), and gridgrad needs none of them. So
 * `npm run setup:peers` puts them into node_modules/.peers.
 */

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Exact, so that two runs of the benchmark compare the same libraries. */
export const peerVersions = {
  "@jax-js/jax": "0.1.25",
  "@tensorflow/tfjs-backend-cpu": "4.22.0",
  "@tensorflow/tfjs-backend-wasm": "4.22.0",
  "@tensorflow/tfjs-core": "4.22.0",
  "onnxruntime-web": "1.30.0",
} as const;

export type PeerPackage = keyof typeof peerVersions;

export const peersFolder = fileURLToPath(new URL("../../../../node_modules/.peers", import.meta.url));

/** The version that is installed in `folder`, or null. */
export function installedPeer(name: PeerPackage, folder = peersFolder): string | null {
  const manifest = join(folder, "node_modules", name, "package.json");
  return existsSync(manifest) ? (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version : null;
}

/**
 * Loads a peer. The caller says what it uses of it: the types of packages that may be missing cannot be imported.
 *
 * @throws {Error} with the remedy, when it is missing or has another version.
 */
export function requirePeer<T>(name: PeerPackage, folder = peersFolder): T {
  const found = installedPeer(name, folder);
  if (found !== peerVersions[name]) {
    const got = found === null ? "it is not installed" : `got ${found}`;
    throw new Error(`${name} must be installed in version ${peerVersions[name]}, ${got}: npm run setup:peers`);
  }
  return createRequire(join(folder, "package.json"))(name) as T;
}

/** @file All kinds of cases, and the groups that `--only` may name. */

import { safetensorsKind } from "./files/safetensorsKind.ts";
import { commandsKind } from "./commands/commandsKind.ts";
import { goldensKind } from "./files/goldensKind.ts";
import { pngKind } from "./files/pngKind.ts";
import type { Kind } from "./kind.ts";
import { callsKind } from "./ops/callsKind.ts";
import { opsKind } from "./ops/opsKind.ts";

/** Made when they are asked for: some open devices or folders. */
const kinds: Readonly<Record<string, () => Kind>> = {
  safetensors: () => safetensorsKind(),
  png: () => pngKind(),
  goldens: () => goldensKind(),
  ops: () => opsKind(),
  calls: () => callsKind(),
  commands: () => commandsKind(),
};

const groups: Readonly<Record<string, readonly string[]>> = {
  files: ["safetensors", "png", "goldens"],
};

/** What `--only` takes: kinds, and groups of them under one name. */
export const choices = [...new Set([...Object.keys(groups), ...Object.keys(kinds)])];

/** The kinds that are named, each once; all where none is. `null` if there is no such kind. */
export function openKinds(named: readonly string[]): Kind[] | null {
  if (named.some((name) => !choices.includes(name))) return null;
  const names = named.length === 0 ? Object.keys(kinds) : named.flatMap((name) => groups[name] ?? [name]);
  return [...new Set(names)].map((name) => kinds[name]());
}

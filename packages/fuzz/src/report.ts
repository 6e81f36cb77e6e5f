/** @file What a campaign prints. */

import type { Finding } from "./campaign.ts";
import type { Kind } from "./kind.ts";
import type { Options } from "./options.ts";

/** Characters of an input, and of a line of a message, that are printed. */
const mostShown = 800;

/** A finding: what is wrong, the smallest input that shows it, and the command that repeats it. */
export function showFinding({ kind, index, path, fault, message, input, times }: Finding, options: Options): string {
  const more = times > 1 ? ` (${times} times)` : "";
  const lines = [
    `${options.warn ? "warning" : "FOUND"}: ${fault}${more}`,
    ...message.split("\n").map((line) => `  ${cut(line)}`),
    `  input: ${cut(input)}`,
    `  again: ${repeatCommand(kind, index, options.seed, path)}`,
  ];
  return lines.join("\n");
}

function cut(text: string): string {
  return text.length > mostShown ? `${text.slice(0, mostShown)}...` : text;
}

/** The command that runs one case again. */
export function repeatCommand(kind: string, index: number, seed: number, path?: string): string {
  return `npm run -s fuzz -- --only ${kind} --seed ${seed} --case ${index}${path === undefined ? "" : ` --path ${path}`}`;
}

/** How many cases of each kind ran, and what came of it. */
export function resultLine(cases: ReadonlyMap<Kind, number>, findings: readonly Finding[], { seed }: Options): string {
  const counts = [...cases].map(([{ name, unit, note }, count]) =>
    [name, count.toLocaleString("en-US"), unit, note].filter((part) => part !== undefined).join(" "),
  );
  return `${counts.join(", ")}; ${findings.length} finding${findings.length === 1 ? "" : "s"} (seed ${seed})`;
}

/** @file Why a state does not fit a module, in one sentence: short for another network, and for wrapped names with what takes them off. */

import type { StateDict } from "./module.ts";

/** Problems that are told one by one. */
const mostTold = 3;

/** What PyTorch puts before all names, and what does it. */
const wrappers: Readonly<Record<string, string>> = {
  "module.": "DataParallel",
  "_orig_mod.": "torch.compile",
};

/**
 * @param problems - one at least.
 * @param required - the names that the module cannot do without.
 */
export function misfit(problems: readonly string[], state: StateDict, required: readonly string[]): string {
  const prefix = prefixOf(state, required);
  if (prefix !== null) {
    const wrapper = wrappers[prefix] ? ` (${wrappers[prefix]})` : "";
    return `names that begin with "${prefix}"${wrapper}; rename each entry to name.slice(${prefix.length}), and they fit`;
  }
  const told = problems.slice(0, mostTold).join("; ");
  if (problems.length <= mostTold)
    return `${problems.length} ${problems.length === 1 ? "problem" : "problems"}: ${told}`;
  return `that of another network, with ${problems.length} problems: ${told}; and ${problems.length - mostTold} more`;
}

/** What stands before every name of the state that the module needs, or `null`. */
function prefixOf(state: StateDict, required: readonly string[]): string | null {
  const [first] = required;
  if (first === undefined) return null;
  const prefixes = Object.keys(state).flatMap((name) =>
    name.endsWith(`.${first}`) ? [name.slice(0, -first.length)] : [],
  );
  return prefixes.find((prefix) => required.every((name) => Object.hasOwn(state, prefix + name))) ?? null;
}

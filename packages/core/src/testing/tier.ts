/**
 * @file How much of the tests runs. Three tiers, each with everything of the one before it:
 *
 * - `quick`, `npm test`: the loops and `cpu`, every op, every command, the examples of the docs. For before each commit.
 * - `ci`, `.ci/run`: every backend, a browser, a queue, processes that are killed. For each push.
 * - `all`, `npm run check:all`: the longest matrices, too.
 *
 * A test whose cost is beyond its tier waits for a larger one. It is skipped until then, and never made smaller.
 */

import { inject } from "vitest";

export const tiers = ["quick", "ci", "all"] as const;

export type Tier = (typeof tiers)[number];

declare module "vitest" {
  export interface ProvidedContext {
    /** Of this run; see vitest.config.ts. */
    tier: Tier;
  }
}

/** Whether this run has the tests of `tier`: it is of that tier, or of a larger one. */
export function hasTier(tier: Tier): boolean {
  return tiers.indexOf(inject("tier")) >= tiers.indexOf(tier);
}

/**
 * The tier that a variable of the environment names.
 *
 * @param name - unset: `quick`.
 * @throws {Error} when there is no tier of that name.
 */
export function parseTier(name = "quick"): Tier {
  const tier = tiers.find((each) => each === name);
  if (!tier) throw new Error(`GRIDGRAD_TEST_TIER: must be ${tiers.join(", ")} or unset, got ${name}`);
  return tier;
}

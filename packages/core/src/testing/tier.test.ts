import { expect, inject, test } from "vitest";

import { hasTier, parseTier, tiers } from "./tier.ts";

test("a tier has the tests of the smaller ones", () => {
  const at = tiers.indexOf(inject("tier"));
  expect(tiers.map(hasTier)).toEqual(tiers.map((_, i) => i <= at));
  expect(hasTier("quick")).toBe(true);
});

test("the tier of a run is quick unless it is named", () => {
  expect([parseTier(), parseTier("ci"), parseTier("all")]).toEqual(["quick", "ci", "all"]);
  expect(() => parseTier("full")).toThrowErrorMatchingInlineSnapshot(
    `[Error: GRIDGRAD_TEST_TIER: must be quick, ci, all or unset, got full]`,
  );
});

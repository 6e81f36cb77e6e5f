import { expect, test } from "vitest";

import { ablationNames, type AblationName } from "./ablations.ts";
import { costsOf } from "./collect.ts";
import { runsOf } from "./comparison.ts";
import { comparisonOf } from "./comparisonOf.ts";

const preset = (ablation: AblationName) => comparisonOf({ ablation, seeds: [0], config: {} });

test.each(ablationNames)("every contestant of %s fits the network, and is another one", async (name) => {
  const comparison = preset(name);
  expect((await costsOf(comparison)).size).toBe(comparison.contestants.length);
  const runs = runsOf(comparison);
  expect(new Set(runs.map(({ config }) => JSON.stringify(config))).size).toBe(runs.length);
  for (const { label } of comparison.contestants) expect(label).toMatch(/^[a-zA-Z0-9+.-]+$/);
});

test("the steps change one thing after the other, from the first version to DySample+", () => {
  const told = runsOf(preset("steps")).map(({ label, config }) => {
    const { upsampler, init, scope, groups } = config;
    return [label, upsampler, init, scope, groups].join(" ");
  });
  expect(told).toEqual([
    "nearest-init dysample nearest 1 1",
    "bilinear-init dysample bilinear 1 1",
    "scope-0.25 dysample bilinear 0.25 1",
    "groups-2 dysample bilinear 0.25 2",
    "groups-4 dysample bilinear 0.25 4",
    "groups-8 dysample bilinear 0.25 8",
    "dynamic-scope dysample+ bilinear 0.25 4",
  ]);
});

import { expect, test } from "vitest";

import { resolveConfig } from "@gridgrad/dysample";

import { networkCost } from "./networkCost.ts";

const cost = (upsampler: string, groups = 4) => networkCost(resolveConfig({ upsampler, groups }));

// Convolutions of fpn4.ts, output pixels x channels out x what each of them reads:
const network =
  32 ** 2 * 16 * 27 + // e1
  16 ** 2 * 32 * 144 + // e2
  8 ** 2 * 48 * (288 + 432) + // e3, e4
  8 ** 2 * 32 * 48 + // l3
  16 ** 2 * 32 * (32 + 32) + // l2, f0
  32 ** 2 * 32 * 32 + // f1
  64 ** 2 * 6 * 32; // cls

/** Pixels that the three upsamplers read and write. */
const [coarse, fine] = [8 ** 2 + 16 ** 2 + 32 ** 2, 16 ** 2 + 32 ** 2 + 64 ** 2];

test("a network costs its convolutions, and its upsamplers as their formulas say", async () => {
  expect(await cost("nearest")).toEqual({
    parameters: 44_822,
    upsamplerParameters: 0,
    macs: network,
    upsamplerMacs: 0,
  });
  const upsamplers: Record<string, number> = {
    bilinear: fine * 32 * 4,
    "pixel-shuffle": coarse * 128 * 32 * 9,
    "transposed-conv": coarse * 32 * 32 * 16,
    dysample: coarse * 32 * 32 + fine * 32 * 4,
    "dysample+": 2 * coarse * 32 * 32 + fine * 32 * 4,
    "dysample-s": fine * 8 * 8 + fine * 32 * 4,
  };
  for (const [name, macs] of Object.entries(upsamplers)) {
    expect([name, await cost(name)]).toEqual([
      name,
      expect.objectContaining({ upsamplerMacs: macs, macs: network + macs }),
    ]);
  }
});

test("an upsampler that does not fit is refused", async () => {
  await expect(cost("dysample", 5)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: config: groups must divide the 32 channels that dysample upsamples: 1, 2, 4, 8, 16, 32, got 5]`,
  );
});

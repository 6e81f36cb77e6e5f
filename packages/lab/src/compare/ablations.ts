/**
 * @file Comparisons of DySample with itself: what does each of its parts bring?
 *
 * Source: Liu, Lu, Fu and Cao, "Learning to Upsample by Learning to Sample", ICCV 2023, arXiv:2308.15085, section 3.2, which builds DySample up
 * from a first version in these steps; each preset names the paragraph.
 */

import type { Comparison } from "./comparison.ts";

type Ablation = Pick<Comparison, "title" | "contestants">;

const scopes = [0.1, 0.25, 0.5, 1];
const groups = [1, 2, 4, 8];

/** The first version: points of a pixel start together at its centre, and an offset of 1 is a whole pixel. */
const first = { upsampler: "dysample", init: "nearest", scope: 1, groups: 1 } as const;
const spread = { ...first, init: "bilinear" } as const;
const scoped = { ...spread, scope: 0.25 } as const;

export const ablations = {
  /** All of section 3.2, one step after the other: initial sampling position, offset scope, grouping, dynamic scope factor. */
  steps: {
    title: "DySample step by step",
    contestants: [
      { label: "nearest-init", config: first },
      { label: "bilinear-init", config: spread },
      { label: "scope-0.25", config: scoped },
      { label: "groups-2", config: { ...scoped, groups: 2 } },
      { label: "groups-4", config: { ...scoped, groups: 4 } },
      { label: "groups-8", config: { ...scoped, groups: 8 } },
      { label: "dynamic-scope", config: { ...scoped, groups: 4, upsampler: "dysample+" } },
    ],
  },

  /** Section 3.2, offset generation styles: linear, then pixel shuffle, or the other way round. */
  style: {
    title: "DySample's styles of offsets",
    contestants: [
      { label: "lp", config: { upsampler: "dysample" } },
      { label: "pl", config: { upsampler: "dysample-s" } },
      { label: "lp-dynamic", config: { upsampler: "dysample+" } },
      { label: "pl-dynamic", config: { upsampler: "dysample-s+" } },
    ],
  },

  /** Section 3.2, grouping. */
  groups: {
    title: "DySample's groups",
    contestants: groups.map((n) => ({ label: `groups-${n}`, config: { upsampler: "dysample", groups: n } })),
  },

  /** Section 3.2, offset scope: with 0.25 the points of neighbours just begin to overlap when an offset reaches 1. */
  scope: {
    title: "DySample's static scope",
    contestants: scopes.map((scope) => ({ label: `scope-${scope}`, config: { upsampler: "dysample", scope } })),
  },
} satisfies Readonly<Record<string, Ablation>>;

export type AblationName = keyof typeof ablations;

export const ablationNames = Object.keys(ablations) as AblationName[];

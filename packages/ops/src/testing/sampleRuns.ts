/** @file How to run the golden cases of the sampling ops and of reassembly: PyTorch's names and attributes to ours. */

import type { GoldenRuns } from "@gridgrad/core/testing";

import { affineGrid } from "../ops/affineGrid.ts";
import { carafe, windowSimilarity } from "../ops/carafe.ts";
import { gridSample } from "../ops/gridSample.ts";
import { interpolate } from "../ops/interpolate.ts";

export const sampleRuns: GoldenRuns = {
  grid_sample: ({ x, grid }, attrs) =>
    gridSample(x, grid, {
      mode: attrs.word("mode", ["bilinear", "nearest", "bicubic"]),
      paddingMode: attrs.word("padding_mode", ["zeros", "border", "reflection"]),
      alignCorners: attrs.boolean("align_corners"),
    }),

  affine_grid: ({ theta }, attrs) =>
    affineGrid(theta, attrs.numbers("size"), { alignCorners: attrs.boolean("align_corners") }),

  interpolate: ({ x }, attrs) =>
    interpolate(x, {
      size: attrs.pair("size", undefined),
      scaleFactor: attrs.pair("scale_factor", undefined),
      mode: attrs.word("mode", ["nearest", "bilinear", "bicubic"]),
      alignCorners: attrs.boolean("align_corners", false),
    }),

  carafe({ x, kernels }, attrs) {
    attrs.repeats("scale_factor", kernels.shape[3] / x.shape[3]);
    return carafe(x, kernels, { kernelSize: attrs.number("kernel_size"), groups: attrs.number("groups") });
  },

  window_similarity({ query, key }, attrs) {
    attrs.repeats("scale_factor", query.shape[3] / key.shape[3]);
    return windowSimilarity(query, key, { kernelSize: attrs.number("kernel_size"), groups: attrs.number("groups") });
  },
};

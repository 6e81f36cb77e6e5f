/** @file How to run the golden cases of the sampling ops and of reassembly: PyTorch's names and attributes to ours. */

import type { GoldenRuns } from "@gridgrad/core/testing";

import { affineGrid } from "../ops/affineGrid.ts";
import { carafe, windowSimilarity } from "../ops/carafe.ts";
import { gridSample } from "../ops/gridSample.ts";
import { interpolate } from "../ops/interpolate.ts";

export const sampleRuns: GoldenRuns = {
  grid_sample: ({ x, grid }, { mode, padding_mode, align_corners }) =>
    gridSample(x, grid, { mode, paddingMode: padding_mode, alignCorners: align_corners }),

  affine_grid: ({ theta }, { size, align_corners }) => affineGrid(theta, size, { alignCorners: align_corners }),

  interpolate: ({ x }, { size, scale_factor, mode, align_corners }) =>
    interpolate(x, { size, scaleFactor: scale_factor, mode, alignCorners: align_corners ?? false }),

  carafe: ({ x, kernels }, { kernel_size, groups }) => carafe(x, kernels, { kernelSize: kernel_size, groups }),

  window_similarity: ({ query, key }, { kernel_size, groups }) =>
    windowSimilarity(query, key, { kernelSize: kernel_size, groups }),
};

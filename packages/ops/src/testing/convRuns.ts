/** @file How to run the golden cases of convolutions, pixel shuffle and pooling: PyTorch's names and attributes to ours. */

import type { GoldenRuns } from "@gridgrad/core/testing";

import { avgPool2d } from "../ops/avgPool2d.ts";
import { conv2d } from "../ops/conv2d.ts";
import { convTranspose2d } from "../ops/convTranspose2d.ts";
import { maxPool2d } from "../ops/maxPool2d.ts";
import { pixelShuffle, pixelUnshuffle } from "../ops/pixelShuffle.ts";

export const convRuns: GoldenRuns = {
  conv2d: ({ x, weight, bias }, { stride, padding, dilation, groups }) =>
    conv2d(x, weight, bias, { stride, padding, dilation, groups }),

  conv_transpose2d: ({ x, weight, bias }, { stride, padding, output_padding, groups, dilation }) =>
    convTranspose2d(x, weight, bias, { stride, padding, outputPadding: output_padding, groups, dilation }),

  pixel_shuffle: ({ x }, { upscale_factor }) => pixelShuffle(x, upscale_factor),

  pixel_unshuffle: ({ x }, { downscale_factor }) => pixelUnshuffle(x, downscale_factor),

  max_pool2d: ({ x }, { kernel_size, stride, padding, dilation }) =>
    maxPool2d(x, kernel_size, { stride, padding, dilation }),

  avg_pool2d: ({ x }, { kernel_size, stride, padding, count_include_pad }) =>
    avgPool2d(x, kernel_size, { stride, padding, countIncludePad: count_include_pad }),
};

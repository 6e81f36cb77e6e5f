/** @file How to run the golden cases of convolutions, pixel shuffle and pooling: PyTorch's names and attributes to ours. */

import { type GoldenRuns, optionalInput } from "@gridgrad/core/testing/golden";

import { avgPool2d } from "../ops/avgPool2d.ts";
import { conv2d } from "../ops/conv2d.ts";
import { convTranspose2d } from "../ops/convTranspose2d.ts";
import { maxPool2d } from "../ops/maxPool2d.ts";
import { pixelShuffle, pixelUnshuffle } from "../ops/pixelShuffle.ts";

export const convRuns: GoldenRuns = {
  conv2d: (inputs, attrs) =>
    conv2d(inputs.x, inputs.weight, optionalInput(inputs, "bias"), {
      stride: attrs.pair("stride"),
      padding: attrs.pair("padding"),
      dilation: attrs.pair("dilation"),
      groups: attrs.number("groups"),
    }),

  conv_transpose2d: (inputs, attrs) =>
    convTranspose2d(inputs.x, inputs.weight, optionalInput(inputs, "bias"), {
      stride: attrs.pair("stride"),
      padding: attrs.pair("padding"),
      outputPadding: attrs.pair("output_padding"),
      groups: attrs.number("groups"),
      dilation: attrs.pair("dilation"),
    }),

  pixel_shuffle: ({ x }, attrs) => pixelShuffle(x, attrs.number("upscale_factor")),

  pixel_unshuffle: ({ x }, attrs) => pixelUnshuffle(x, attrs.number("downscale_factor")),

  max_pool2d: ({ x }, attrs) =>
    maxPool2d(x, attrs.pair("kernel_size"), {
      stride: attrs.pair("stride"),
      padding: attrs.pair("padding"),
      dilation: attrs.pair("dilation", 1),
      ceilMode: attrs.boolean("ceil_mode", false),
    }),

  avg_pool2d: ({ x }, attrs) =>
    avgPool2d(x, attrs.pair("kernel_size"), {
      stride: attrs.pair("stride"),
      padding: attrs.pair("padding"),
      ceilMode: attrs.boolean("ceil_mode", false),
      countIncludePad: attrs.boolean("count_include_pad", true),
      divisorOverride: attrs.number("divisor_override", undefined),
    }),
};

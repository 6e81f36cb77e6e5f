/**
 * @file Sub-pixel convolution: a 3x3 convolution to s² times the channels, shuffled into space.
 *
 * Source: Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network",
 * CVPR 2016, arXiv:1609.05158.
 */

import { checkOptions, type Tensor } from "@gridgrad/core";
import { Conv2d, Module } from "@gridgrad/nn";
import { pixelShuffle } from "@gridgrad/ops";

import { checkScale, type Upsampler, type UpsamplerOptions, upsamplerOptions } from "./upsampler.ts";

export class PixelShuffleConv extends Module implements Upsampler {
  conv: Conv2d;
  readonly scale: number;

  constructor(inChannels: number, options?: UpsamplerOptions) {
    super();
    const call = "PixelShuffleConv(inChannels)";
    const { scale = 2, random } = checkOptions(call, upsamplerOptions, options, arguments);
    this.scale = checkScale("PixelShuffleConv", scale);
    this.conv = new Conv2d(inChannels, inChannels * scale ** 2, 3, { padding: 1, random });
  }

  forward(x: Tensor): Tensor {
    return pixelShuffle(this.conv.forward(x), this.scale);
  }
}

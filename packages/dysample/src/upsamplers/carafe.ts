/**
 * @file CARAFE: content-aware reassembly. Every output pixel is a weighted mean of the k x k input pixels around it, with
 * weights that two convolutions predict from the input.
 *
 *     w = softmax over k² of pixelShuffle(content_encoder(channel_compressor(x)), s)        [N, G k², s H, s W]
 *     y = carafe(x, w)                                                                       [N, C, s H, s W]
 *
 * Source: Wang et al., "CARAFE: Content-Aware ReAssembly of FEatures", ICCV 2019, arXiv:1905.02188; mmcv's CARAFEPack, whose
 * names and initialisation these are.
 */

import { checkOptions, type OptionNames, reshape, type Tensor, ValueError, zeros } from "@gridgrad/core";
import { Conv2d, type InitOptions, Module, normal, Parameter, xavierUniform } from "@gridgrad/nn";
import { carafe, pixelShuffle, softmax } from "@gridgrad/ops";

import { checkScale, type Upsampler, type UpsamplerOptions } from "./upsampler.ts";

export interface CarafeOptions extends UpsamplerOptions {
  /** k, in input pixels: odd. Default 5. */
  readonly kernelSize?: number;
  /** Groups of channels with weights of their own. Default 1. */
  readonly upGroups?: number;
  /** Channels to which the input is compressed before the weights are predicted. Default 64. */
  readonly compressedChannels?: number;
  /** Size of the convolution that predicts the weights, in input pixels: odd. Default 3. */
  readonly encoderKernel?: number;
}

const carafeOptions: OptionNames<CarafeOptions> = {
  scale: 1,
  kernelSize: 1,
  upGroups: 1,
  encoderKernel: 1,
  compressedChannels: 0,
  groups: 0,
  init: 0,
  scope: 0,
  guideChannels: 0,
  random: 0,
};

/**
 * @throws {ValueError} when a size is not odd, or `upGroups` does not divide the channels.
 *
 * @example
 * ```ts
 * const up = new Carafe(256);
 * up.forward(zeros([1, 256, 3, 5])).shape; // [1, 256, 6, 10]
 * up.parameterCount; // 74148
 * ```
 */
export class Carafe extends Module implements Upsampler {
  channel_compressor: Conv2d;
  content_encoder: Conv2d;
  readonly scale: number;
  readonly kernelSize: number;
  readonly upGroups: number;

  constructor(inChannels: number, options?: CarafeOptions) {
    super();
    const checked = checkOptions("Carafe(inChannels)", carafeOptions, options, arguments);
    const { scale = 2, kernelSize = 5, upGroups = 1, compressedChannels = 64, encoderKernel = 3, random } = checked;
    this.scale = checkScale("Carafe", scale);
    this.kernelSize = checkWindow("Carafe", "kernelSize", kernelSize);
    checkWindow("Carafe", "encoderKernel", encoderKernel);
    if (!Number.isInteger(upGroups) || upGroups < 1 || inChannels % upGroups !== 0) {
      const rule = `upGroups must be an integer of at least 1 that divides inChannels = ${inChannels}`;
      throw new ValueError("Carafe", rule, String(upGroups));
    }
    this.upGroups = upGroups;
    this.channel_compressor = xavierConv(inChannels, compressedChannels, { random });
    const weights = scale ** 2 * kernelSize ** 2 * upGroups;
    const encoder = new Conv2d(compressedChannels, weights, encoderKernel, {
      padding: (encoderKernel - 1) / 2,
      random,
    });
    encoder.weight = new Parameter(normal(encoder.weight.shape, { std: 0.001, random })); // starts as a mean, nearly
    encoder.bias = new Parameter(zeros([weights]));
    this.content_encoder = encoder;
  }

  forward(x: Tensor): Tensor {
    const { kernelSize, upGroups: groups } = this;
    return carafe(x, this.kernels(x), { kernelSize, groups });
  }

  /** The weights, `[N, upGroups k², s H, s W]`: those of a pixel add up to 1 in each group. */
  kernels(x: Tensor): Tensor {
    const encoded = this.content_encoder.forward(this.channel_compressor.forward(x));
    const logits = pixelShuffle(encoded, this.scale);
    const [N, , P, Q] = logits.shape;
    const perGroup = reshape(logits, [N * this.upGroups, this.kernelSize ** 2, P, Q]);
    return reshape(softmax(perGroup, 1), logits.shape);
  }
}

/** An odd size of a window, in pixels, checked. */
export function checkWindow(name: string, argument: string, size: number): number {
  if (!Number.isInteger(size) || size < 1 || size % 2 === 0)
    throw new ValueError(name, `${argument} must be an odd integer of at least 1`, String(size));
  return size;
}

/** A 1x1 convolution as mmcv's upsamplers start it: uniform by Xavier, the bias 0. */
export function xavierConv(
  inChannels: number,
  outChannels: number,
  { bias = true, random }: { readonly bias?: boolean } & InitOptions,
): Conv2d {
  const conv = new Conv2d(inChannels, outChannels, 1, { bias, random });
  conv.weight = new Parameter(xavierUniform(conv.weight.shape, { random }));
  if (bias) conv.bias = new Parameter(zeros([outChannels]));
  return conv;
}

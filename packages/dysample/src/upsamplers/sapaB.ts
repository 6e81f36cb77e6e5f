/**
 * @file SAPA-B: an output pixel is a mean of the k x k input pixels around it, weighted by how much each of them resembles the
 * guide there. Resemblance is a bilinear form, in two factors: dot products of two linear embeddings.
 *
 *     q = q(norm_y(guide)),  k = k(norm_x(x))                                  linear in the channels of each pixel
 *     y = carafe(x, softmax over k² of windowSimilarity(q, k))
 *
 * Pixels outside of x resemble by 0 and take their share of the softmax, as the authors have it.
 *
 * Source: Lu et al., "SAPA: Similarity-Aware Point Affiliation for Feature Upsampling", NeurIPS 2022, arXiv:2209.12866, and the
 * authors' module, github.com/poppinace/sapa, whose names and initialisation these are (its truncated normal cuts at 100 standard
 * deviations). With 32 channels of embedding it has the parameters and operations that the authors print for SAPA-B.
 */

import { checkOptions, type OptionNames, permute, type Tensor, zeros } from "@gridgrad/core";
import { type InitOptions, LayerNorm, Linear, Module, normal, Parameter } from "@gridgrad/nn";
import { carafe, softmax, windowSimilarity } from "@gridgrad/ops";

import { checkWindow } from "./carafe.ts";
import { checkGuide, checkScale, type Upsampler, type UpsamplerOptions, upsamplerOptions } from "./upsampler.ts";

export interface SapaBOptions extends UpsamplerOptions {
  /** k, in input pixels: odd. Default 5. */
  readonly kernelSize?: number;
  /** Channels of the embeddings. Default 32. */
  readonly embeddingDim?: number;
}

const sapaBOptions: OptionNames<SapaBOptions> = { ...upsamplerOptions, kernelSize: 0, embeddingDim: 0 };

/**
 * @throws {ValueError} when `kernelSize` is not odd.
 *
 * @example
 * ```ts
 * const up = new SapaB(256);
 * up.forward(zeros([1, 256, 3, 5]), zeros([1, 256, 6, 10])).shape; // [1, 256, 6, 10]
 * up.parameterCount; // 17472
 * ```
 */
export class SapaB extends Module implements Upsampler {
  norm_y: LayerNorm;
  norm_x: LayerNorm;
  q: Linear;
  k: Linear;
  readonly inChannels: number;
  readonly guideChannels: number;
  readonly scale: number;
  readonly kernelSize: number;

  constructor(inChannels: number, options?: SapaBOptions) {
    super();
    const checked = checkOptions("SapaB(inChannels)", sapaBOptions, options, arguments);
    const { scale = 2, kernelSize = 5, embeddingDim = 32, guideChannels = inChannels, random } = checked;
    this.scale = checkScale("SapaB", scale);
    this.kernelSize = checkWindow("SapaB", "kernelSize", kernelSize);
    this.norm_y = new LayerNorm(guideChannels);
    this.norm_x = new LayerNorm(inChannels);
    this.q = embedding(guideChannels, embeddingDim, { random });
    this.k = embedding(inChannels, embeddingDim, { random });
    this.inChannels = inChannels;
    this.guideChannels = guideChannels;
  }

  forward(x: Tensor, guide?: Tensor): Tensor {
    const { kernelSize } = this;
    return carafe(x, this.kernels(x, checkGuide("SapaB", x, guide, this)), { kernelSize });
  }

  /** The weights, `[N, k², s H, s W]`: those of a pixel add up to 1. */
  kernels(x: Tensor, guide: Tensor): Tensor {
    const query = embed(guide, this.norm_y, this.q);
    const key = embed(x, this.norm_x, this.k);
    return softmax(windowSimilarity(query, key, { kernelSize: this.kernelSize }), 1);
  }
}

function embedding(inChannels: number, outChannels: number, { random }: InitOptions): Linear {
  const linear = new Linear(inChannels, outChannels, { random });
  linear.weight = new Parameter(normal(linear.weight.shape, { std: 0.02, random }));
  linear.bias = new Parameter(zeros([outChannels]));
  return linear;
}

/** `[N, C, H, W]` to `[N, embeddingDim, H, W]`: the layers work on the last axis, so channels go there and back. */
function embed(features: Tensor, norm: LayerNorm, linear: Linear): Tensor {
  const channelsLast = permute(features, [0, 2, 3, 1]);
  return permute(linear.forward(norm.forward(channelsLast)), [0, 3, 1, 2]);
}

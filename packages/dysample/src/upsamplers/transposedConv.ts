/**
 * @file Transposed convolution as an upsampler: every input pixel adds a learned patch to the output.
 *
 * Source: Long, Shelhamer and Darrell, "Fully Convolutional Networks for Semantic Segmentation", CVPR 2015, arXiv:1411.4038.
 */

import { checkOptions, type OptionNames, ValueError } from "@gridgrad/core";
import { ConvTranspose2d } from "@gridgrad/nn";

import { checkScale, type Upsampler, type UpsamplerOptions, upsamplerOptions } from "./upsampler.ts";

export interface TransposedConvOptions extends UpsamplerOptions {
  /**
   * Rows and columns of a patch, at least the scale. Default 2s, for odd s 2s - 1, so that every output pixel lies in as many patches. The
   * paper's comparison has 3 for s = 2, where output pixels lie in one, two or four.
   */
  readonly kernelSize?: number;
}

const transposedConvOptions: OptionNames<TransposedConvOptions> = { ...upsamplerOptions, kernelSize: 0 };

/**
 * @example
 * ```ts
 * const up = new TransposedConv(2, { scale: 2 });
 * up.forward(zeros([1, 2, 5, 7])).shape; // [1, 2, 10, 14]
 * new TransposedConv(256, { kernelSize: 3 }).parameterCount; // 590080
 * ```
 */
export class TransposedConv extends ConvTranspose2d implements Upsampler {
  readonly scale: number;

  constructor(inChannels: number, options?: TransposedConvOptions) {
    const checked = checkOptions("TransposedConv(inChannels)", transposedConvOptions, options, arguments);
    const { scale = 2, random } = checked;
    checkScale("TransposedConv", scale);
    const { kernelSize = 2 * scale - (scale % 2) } = checked;
    if (!Number.isInteger(kernelSize) || kernelSize < scale) {
      const rule = `kernelSize must be an integer of at least the scale, ${scale}`;
      throw new ValueError("TransposedConv", rule, String(kernelSize));
    }
    // (H - 1) s - 2 padding + kernelSize + outputPadding = s H
    const padding = Math.ceil((kernelSize - scale) / 2);
    const outputPadding = scale + 2 * padding - kernelSize;
    super(inChannels, inChannels, kernelSize, { stride: scale, padding, outputPadding, random });
    this.scale = scale;
  }
}

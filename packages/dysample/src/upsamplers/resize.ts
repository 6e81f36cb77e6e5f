/**
 * @file Upsamplers without parameters: a resize by a fixed rule. Half-pixel centres, borders that repeat.
 *
 * Source: torch.nn.Upsample.
 */

import { checkOptions, type Tensor } from "@gridgrad/core";
import { Module } from "@gridgrad/nn";
import { interpolate, type InterpolateMode } from "@gridgrad/ops";

import { checkScale, type Upsampler, type UpsamplerOptions, upsamplerOptions } from "./upsampler.ts";

abstract class Resize extends Module implements Upsampler {
  readonly scale: number;
  abstract readonly mode: InterpolateMode;

  constructor(name: string, given: UpsamplerOptions | undefined, all: ArrayLike<unknown>) {
    super();
    const { scale = 2 } = checkOptions(`${name}(inChannels)`, upsamplerOptions, given, all);
    this.scale = checkScale(name, scale);
  }

  forward(x: Tensor): Tensor {
    return interpolate(x, { scaleFactor: this.scale, mode: this.mode });
  }
}

/** Repeats each pixel. */
export class Nearest extends Resize {
  readonly mode = "nearest";

  constructor(_inChannels: number, options?: UpsamplerOptions) {
    super("Nearest", options, arguments);
  }
}

/** Interpolates linearly between pixel centres. */
export class Bilinear extends Resize {
  readonly mode = "bilinear";

  constructor(_inChannels: number, options?: UpsamplerOptions) {
    super("Bilinear", options, arguments);
  }
}

/** Interpolates by cubic polynomials through four pixels along each axis, a = -0.75. Overshoots at edges. */
export class Bicubic extends Resize {
  readonly mode = "bicubic";

  constructor(_inChannels: number, options?: UpsamplerOptions) {
    super("Bicubic", options, arguments);
  }
}

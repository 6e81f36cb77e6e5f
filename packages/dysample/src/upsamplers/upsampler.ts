/**
 * @file The upsamplers that are compared, behind one interface and one table of names.
 */

import { type Tensor, ValueError } from "@gridgrad/core";
import { Conv2d, ConvTranspose2d, type InitOptions, type Layer, Module } from "@gridgrad/nn";
import { interpolate, pixelShuffle } from "@gridgrad/ops";

import { DySample, type DySampleOptions, dysampleVariants } from "./dysample.ts";

/** A layer from `[N, C, H, W]` to `[N, C, scale H, scale W]`. */
export interface Upsampler extends Layer {
  readonly scale: number;

  /**
   * @param guide - `[N, guideChannels, scale H, scale W]`, such as the encoder's feature of the output's size. Upsamplers that look
   *   at `x` only leave it aside.
   */
  forward(x: Tensor, guide?: Tensor): Tensor;
}

export interface UpsamplerOptions extends InitOptions {
  /** Output pixels per input pixel along each axis. Default 2. */
  readonly scale?: number;
  /** Groups of channels with their own sampling points, where the upsampler has any. Default 4. */
  readonly groups?: number;
  /** Where DySample's points start. Default `bilinear`. */
  readonly init?: DySampleOptions["init"];
  /** How far an offset of 1 moves a point of DySample at the start, in input pixels. Default 0.25. */
  readonly scope?: number;
  /** Channels of the guide, where the upsampler uses one. Default: as many as it upsamples. */
  readonly guideChannels?: number;
}

/** Repeats each pixel. No parameters. */
export class Nearest extends Module implements Upsampler {
  readonly scale: number;

  constructor(_inChannels: number, { scale = 2 }: UpsamplerOptions = {}) {
    super();
    this.scale = checkScale("Nearest", scale);
  }

  forward(x: Tensor): Tensor {
    return interpolate(x, { scaleFactor: this.scale, mode: "nearest" });
  }
}

/** Interpolates linearly between pixel centres. No parameters. */
export class Bilinear extends Module implements Upsampler {
  readonly scale: number;

  constructor(_inChannels: number, { scale = 2 }: UpsamplerOptions = {}) {
    super();
    this.scale = checkScale("Bilinear", scale);
  }

  forward(x: Tensor): Tensor {
    return interpolate(x, { scaleFactor: this.scale, mode: "bilinear" });
  }
}

/** Transposed convolution with a kernel of 2s (2s - 1 for odd s), so that every output pixel sees as many inputs. */
export class TransposedConv extends ConvTranspose2d implements Upsampler {
  readonly scale: number;

  constructor(inChannels: number, { scale = 2, random }: UpsamplerOptions = {}) {
    checkScale("TransposedConv", scale);
    super(inChannels, inChannels, 2 * scale - (scale % 2), { stride: scale, padding: Math.floor(scale / 2), random });
    this.scale = scale;
  }
}

/** A 3x3 convolution to s² times the channels, shuffled into space. */
export class PixelShuffleConv extends Module implements Upsampler {
  conv: Conv2d;
  readonly scale: number;

  constructor(inChannels: number, { scale = 2, random }: UpsamplerOptions = {}) {
    super();
    this.scale = checkScale("PixelShuffleConv", scale);
    this.conv = new Conv2d(inChannels, inChannels * scale ** 2, 3, { padding: 1, random });
  }

  forward(x: Tensor): Tensor {
    return pixelShuffle(this.conv.forward(x), this.scale);
  }
}

function dysample(variant: keyof typeof dysampleVariants) {
  return (inChannels: number, options: UpsamplerOptions): Upsampler =>
    new DySample(inChannels, { ...options, ...dysampleVariants[variant] });
}

function of(kind: new (inChannels: number, options: UpsamplerOptions) => Upsampler) {
  return (inChannels: number, options: UpsamplerOptions): Upsampler => new kind(inChannels, options);
}

const makers = {
  nearest: of(Nearest),
  bilinear: of(Bilinear),
  "transposed-conv": of(TransposedConv),
  "pixel-shuffle": of(PixelShuffleConv),
  dysample: dysample("dysample"),
  "dysample+": dysample("dysample+"),
  "dysample-s": dysample("dysample-s"),
  "dysample-s+": dysample("dysample-s+"),
};

export type UpsamplerName = keyof typeof makers;

/** The names that `createUpsampler` takes. */
export const upsamplerNames = Object.keys(makers) as UpsamplerName[];

/**
 * The upsampler of that name.
 *
 * @param name - one of `upsamplerNames`.
 * @param inChannels - C, the channels in and out.
 * @throws {ValueError} when there is no such upsampler, or the channels do not fit it.
 *
 * @example
 * ```ts
 * const up = createUpsampler("dysample-s+", 32);
 * up.forward(zeros([2, 32, 8, 8])).shape; // [2, 32, 16, 16]
 * up.parameterCount; // 136
 * ```
 */
export function createUpsampler(name: string, inChannels: number, options: UpsamplerOptions = {}): Upsampler {
  if (!Object.hasOwn(makers, name)) {
    throw new ValueError("createUpsampler", `name must be one of ${upsamplerNames.join(", ")}`, JSON.stringify(name));
  }
  return makers[name as UpsamplerName](inChannels, options);
}

function checkScale(name: string, scale: number): number {
  if (!Number.isInteger(scale) || scale < 1)
    throw new ValueError(name, "scale must be an integer of at least 1", String(scale));
  return scale;
}

/**
 * @file What the upsamplers that are compared have in common: one interface, one set of options.
 */

import { type OptionNames, ShapeError, type Tensor, ValueError } from "@gridgrad/core";
import type { InitOptions, Layer } from "@gridgrad/nn";

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
  readonly init?: "bilinear" | "nearest";
  /** How far an offset of 1 moves a point of DySample at the start, in input pixels. Default 0.25. */
  readonly scope?: number;
  /** Channels of the guide, where the upsampler uses one. Default: as many as it upsamples. */
  readonly guideChannels?: number;
}

/** What every upsampler takes, as the type says, those without groups or a guide as well. */
export const upsamplerOptions: OptionNames<UpsamplerOptions> = {
  scale: 1,
  groups: 0,
  init: 0,
  scope: 0,
  guideChannels: 0,
  random: 0,
};

/** The scale of the upsampler `name`, checked. */
export function checkScale(name: string, scale: number): number {
  if (!Number.isInteger(scale) || scale < 1)
    throw new ValueError(name, "scale must be an integer of at least 1", String(scale));
  return scale;
}

/**
 * The guide of the upsampler `name`, which must be there and fit.
 *
 * @throws {ValueError} when there is none.
 * @throws {ShapeError} when it is not `[N, guideChannels, scale H, scale W]` for an `x` of `[N, inChannels, H, W]`.
 */
export function checkGuide(
  name: string,
  x: Tensor,
  guide: Tensor | undefined,
  { inChannels, guideChannels, scale }: { inChannels: number; guideChannels: number; scale: number },
): Tensor {
  if (guide === undefined) {
    throw new ValueError(name, "forward(x, guide) must be given a guide of the output's size", "none");
  }
  const [N, C, H, W] = x.shape;
  const [M, G, P, Q] = guide.shape;
  const fits = x.shape.length === 4 && guide.shape.length === 4 && C === inChannels && G === guideChannels;
  if (!fits || M !== N || P !== scale * H || Q !== scale * W) {
    const rule = `x must be [N, ${inChannels}, H, W] and guide [N, ${guideChannels}, s*H, s*W] with s = ${scale}`;
    throw new ShapeError(name, rule, { x: x.shape, guide: guide.shape });
  }
  return guide;
}

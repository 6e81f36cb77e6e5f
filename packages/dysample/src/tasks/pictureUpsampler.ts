/**
 * @file An upsampler of pictures: three colours in, three colours out, whatever number of channels the upsampler itself needs.
 *
 *     [R G B] -> [R G B 0 ..]: a multiple of the groups, for `pl` of s² too -> upsampler -> [R G B]
 *
 * A picture has no encoder, so an upsampler that needs a guide sees the picture itself, resized bilinearly.
 */

import { pad, type Tensor } from "@gridgrad/core";
import { Module } from "@gridgrad/nn";
import { interpolate } from "@gridgrad/ops";

import { dysampleVariants } from "../upsamplers/dysample.ts";
import { createUpsampler, guidedUpsamplers } from "../upsamplers/createUpsampler.ts";
import type { Upsampler, UpsamplerOptions } from "../upsamplers/upsampler.ts";

const colours = 3;

/**
 * Upsamples `[N, 3, H, W]` to `[N, 3, s H, s W]`. With one group, the default, all colours are read at the same points, so edges
 * have no colour fringes.
 *
 * @throws {ValueError} when there is no such upsampler, or an option does not fit it.
 *
 * @example
 * ```ts
 * const up = new PictureUpsampler("dysample-s", { scale: 2 });
 * up.forward(zeros([1, 3, 5, 7])).shape; // [1, 3, 10, 14]
 * up.channels; // 4
 * ```
 */
export class PictureUpsampler extends Module {
  up: Upsampler;
  /** Channels that the upsampler sees, at least 3. */
  readonly channels: number;
  readonly guided: boolean;

  constructor(upsampler: string, options: Omit<UpsamplerOptions, "guideChannels"> = {}) {
    super();
    const { scale = 2, groups = 1 } = options;
    this.guided = guidedUpsamplers.includes(upsampler);
    this.channels = channelsFor(upsampler, scale, groups);
    this.up = createUpsampler(upsampler, this.channels, { ...options, scale, groups });
  }

  forward(x: Tensor): Tensor {
    const unused = this.channels - colours;
    if (unused === 0) return this.up.forward(x, this.guided ? this.#guide(x) : undefined);
    const padded = pad(x, [[0, 0], [0, unused], [0, 0], [0, 0]]); // prettier-ignore
    return this.up.forward(padded).slice([null, [0, colours]]);
  }

  #guide(x: Tensor): Tensor {
    return interpolate(x, { scaleFactor: this.up.scale, mode: "bilinear" });
  }
}

/** The least number of channels, from 3 on, that the upsampler can divide as it has to. */
function channelsFor(upsampler: string, scale: number, groups: number): number {
  const variants: Readonly<Record<string, { style: string }>> = dysampleVariants;
  if (!Object.hasOwn(variants, upsampler)) return colours;
  const divisors = variants[upsampler].style === "pl" ? [groups, scale ** 2] : [groups];
  let channels = colours;
  while (divisors.some((divisor) => divisor >= 1 && channels % divisor !== 0)) channels++;
  return channels;
}

/**
 * @file The upsamplers that are compared, in one table of names: fixed rules, convolutions, reassembly by predicted kernels, and
 * sampling at predicted points.
 */

import { checkOptions, ValueError } from "@gridgrad/core";

import { Carafe } from "./carafe.ts";
import { checkNoSize, DySample, dysampleVariants } from "./dysample.ts";
import { Fade } from "./fade.ts";
import { PixelShuffleConv } from "./pixelShuffleConv.ts";
import { Bicubic, Bilinear, Nearest } from "./resize.ts";
import { SapaB } from "./sapaB.ts";
import { TransposedConv } from "./transposedConv.ts";
import { type Upsampler, type UpsamplerOptions, upsamplerOptions } from "./upsampler.ts";

type Make = (inChannels: number, options: UpsamplerOptions) => Upsampler;

function of(kind: new (inChannels: number, options: UpsamplerOptions) => Upsampler): Make {
  return (inChannels, options) => new kind(inChannels, options);
}

function dysample(variant: keyof typeof dysampleVariants): Make {
  return (inChannels, { guideChannels: _, ...options }) =>
    new DySample(inChannels, { ...options, ...dysampleVariants[variant] });
}

const makers = {
  nearest: of(Nearest),
  bilinear: of(Bilinear),
  bicubic: of(Bicubic),
  "transposed-conv": of(TransposedConv),
  "pixel-shuffle": of(PixelShuffleConv),
  carafe: of(Carafe),
  fade: of(Fade),
  "sapa-b": of(SapaB),
  dysample: dysample("dysample"),
  "dysample+": dysample("dysample+"),
  "dysample-s": dysample("dysample-s"),
  "dysample-s+": dysample("dysample-s+"),
} satisfies Record<string, Make>;

export type UpsamplerName = keyof typeof makers;

/** The names that `createUpsampler` takes. */
export const upsamplerNames = Object.keys(makers) as UpsamplerName[];

/** Those that need a guide: the encoder's feature of the output's size. */
export const guidedUpsamplers: readonly string[] = ["fade", "sapa-b"] satisfies UpsamplerName[];

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
export function createUpsampler(name: string, inChannels: number, options?: UpsamplerOptions): Upsampler {
  if (!Object.hasOwn(makers, name)) {
    throw new ValueError("createUpsampler", `name must be one of ${upsamplerNames.join(", ")}`, JSON.stringify(name));
  }
  checkNoSize("createUpsampler", options);
  const checked = checkOptions("createUpsampler(name, inChannels)", upsamplerOptions, options, arguments);
  return makers[name as UpsamplerName](inChannels, checked);
}

/**
 * @file What an upsampler costs: its parameters, and the multiply-accumulates (MACs) of a forward pass, counted in the recorded graph.
 */

import { countMacs, zeros } from "@gridgrad/core";

import type { Upsampler } from "./upsampler.ts";

export interface UpsamplerCost {
  readonly parameters: number;
  readonly macs: number;
}

/**
 * The cost of upsampling one image.
 *
 * @param up - the upsampler.
 * @param shape - of its input, `[C, H, W]`.
 * @param guideChannels - of its guide. Default: C.
 * @throws {ShapeError} when the shape does not fit the upsampler.
 *
 * @example
 * ```ts
 * upsamplerCost(new Bilinear(8), [8, 5, 7]); // { parameters: 0, macs: 4480 }
 * ```
 */
export function upsamplerCost(up: Upsampler, [C, H, W]: readonly number[], guideChannels = C): UpsamplerCost {
  const guide = zeros([1, guideChannels, up.scale * H, up.scale * W]);
  return { parameters: up.parameterCount, macs: countMacs(up.forward(zeros([1, C, H, W]), guide)) };
}

/**
 * @file What a network costs: parameters, and multiply-accumulates (MACs) of a forward pass of one picture, of all of it and of its
 * upsamplers alone. Nothing is computed: a recorded graph knows the shapes of all of its ops.
 */

import { countMacs, zeros } from "@gridgrad/core";

import { decoderChannels, type Fpn4 } from "../toy/fpn4.ts";
import { shapes64 } from "../toy/shapes64.ts";
import type { TrainConfig } from "../training/config.ts";
import { createTask } from "../training/task.ts";

export interface NetworkCost {
  readonly parameters: number;
  /** Of the three upsamplers. */
  readonly upsamplerParameters: number;
  readonly macs: number;
  /** Of the three upsamplers. */
  readonly upsamplerMacs: number;
}

/**
 * The cost of the network that a segmentation run trains.
 *
 * @throws {ConfigError} when the upsampler does not fit the network.
 */
export async function networkCost(config: TrainConfig): Promise<NetworkCost> {
  const { model, upsamplerParameters } = await createTask({ ...config, dtype: "float32" });
  const { up0, up1, up2 } = model.eval() as Fpn4;
  const side = shapes64.size;
  const [x8, x16, x32] = [side / 8, side / 4, side / 2].map((n) => zeros([1, decoderChannels, n, n]));
  return {
    parameters: model.parameterCount,
    upsamplerParameters,
    macs: countMacs((model as Fpn4).forward(zeros([1, shapes64.channels, side, side]))),
    upsamplerMacs: countMacs(
      up0.forward(x8, zeros([1, decoderChannels, side / 4, side / 4])),
      up1.forward(x16, zeros([1, 16, side / 2, side / 2])),
      up2.forward(x32, zeros([1, shapes64.channels, side, side])),
    ),
  };
}

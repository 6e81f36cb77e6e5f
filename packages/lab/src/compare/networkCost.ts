/**
 * @file What a network costs: parameters, and multiply-accumulates (MACs) of a forward pass of one picture, of all of it and of its
 * upsamplers alone. Nothing is computed: a recorded graph knows the shapes of all of its ops.
 */

import { countMacs, zeros } from "@gridgrad/core";
import { createTask, decoderChannels, type Fpn4, shapes64, type TrainConfig, upsamplerCost } from "@gridgrad/dysample";
import { guideChannels } from "@gridgrad/dysample/internal";

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
  const network = model.eval() as Fpn4;
  const { size, channels } = shapes64;
  const ups = [network.up0, network.up1, network.up2];
  const costs = ups.map((up, i) =>
    upsamplerCost(up, [decoderChannels, (size / 8) * 2 ** i, (size / 8) * 2 ** i], guideChannels[i]),
  );
  return {
    parameters: model.parameterCount,
    upsamplerParameters,
    macs: countMacs(network.forward(zeros([1, channels, size, size]))),
    upsamplerMacs: costs.reduce((total, { macs }) => total + macs, 0),
  };
}

/**
 * @file What a network costs: parameters, and multiply-accumulates (MACs) of a forward pass of one picture, of all of it and of its
 * upsamplers alone. Nothing is computed: a recorded graph knows the shapes of all of its ops.
 */

import { dependencies, type Tensor, zeros } from "@gridgrad/core";

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

/**
 * Multiply-accumulates of everything that `targets` depend on. Matrix products, convolutions, and reading between pixels count; functions of
 * one element, sums and layout do not.
 *
 * @example
 * ```ts
 * countMacs(zeros([2, 3]).matmul(zeros([3, 5]))); // 30
 * ```
 */
export function countMacs(...targets: Tensor[]): number {
  return dependencies(targets).reduce((total, y) => {
    if (!y.recipe) return total;
    const { op, inputs, attrs } = y.recipe;
    return total + (macsOf[op.name]?.(y, inputs, attrs as { mode?: string; kernelSize?: number }) ?? 0);
  }, 0);
}

/** Pixels that one output element of a resize, or of a sample between pixels, is made of. */
const taps: Readonly<Record<string, number>> = { nearest: 0, bilinear: 4, bicubic: 16 };

type Macs = (y: Tensor, inputs: readonly Tensor[], attrs: { mode?: string; kernelSize?: number }) => number;

const macsOf: Readonly<Record<string, Macs>> = {
  matmul: (y, [a]) => y.size * a.shape[a.shape.length - 1],
  conv1x1: (y, [x]) => y.size * x.shape[1],
  conv2d: (y, [, weight]) => (y.size * weight.size) / weight.shape[0],
  conv2dInput: (_y, [dy, weight]) => (dy.size * weight.size) / weight.shape[0], // a transposed convolution
  interpolate: (y, _inputs, { mode }) => y.size * taps[mode!],
  gridSample: (y, _inputs, { mode }) => y.size * taps[mode!],
  sampleAtOffsets: (y) => y.size * taps.bilinear,
  carafe: (y, _inputs, { kernelSize }) => y.size * kernelSize! ** 2,
  carafeKernels: (_y, [query], { kernelSize }) => query.size * kernelSize! ** 2, // of each channel, in each group once
};

/**
 * @file The layers: modules around the ops, with PyTorch's names, defaults and initialisation.
 *
 * A layer's `forward` records ops and computes nothing. Options that PyTorch takes as further arguments stand in one object.
 *
 * Source: torch.nn.
 */

import { leakyRelu, ones, relu, sigmoid, type Tensor, tanh, tensor, ValueError, zeros } from "@gridgrad/core";
import {
  avgPool2d,
  batchNorm2d,
  conv2d,
  convTranspose2d,
  gelu,
  groupNorm,
  interpolate,
  layerNorm,
  linear,
  maxPool2d,
  pixelShuffle,
  pixelUnshuffle,
  silu,
  softmax,
} from "@gridgrad/ops";

import { fans, type InitOptions, kaimingUniform, uniform } from "./init.ts";
import { Module } from "./module.ts";
import { Buffer, Parameter } from "./slot.ts";

/** A module from one tensor to one tensor: what `Sequential` chains. */
export interface Layer extends Module {
  forward(x: Tensor): Tensor;
}

/** A number for both axes, or `[height, width]`. */
export type Pair = number | readonly [height: number, width: number];

/** PyTorch's start for convolutions and linear layers: uniform in ±1/√fanIn, weight and bias. */
function weightAndBias(shape: readonly number[], outputs: number, bias: boolean, { random }: InitOptions) {
  const weight = new Parameter(kaimingUniform(shape, { a: Math.sqrt(5), random }));
  const bound = 1 / Math.sqrt(fans("bias", shape).fanIn);
  return { weight, bias: bias ? new Parameter(uniform([outputs], { low: -bound, high: bound, random })) : null };
}

/** Throws unless each named number is an integer of at least 1. */
function checkCounts(layer: string, counts: Readonly<Record<string, number>>): void {
  for (const [name, n] of Object.entries(counts)) {
    if (!Number.isInteger(n) || n < 1)
      throw new ValueError(layer, `${name} must be an integer of at least 1`, String(n));
  }
}

export interface Conv2dOptions extends InitOptions {
  readonly stride?: Pair;
  readonly padding?: Pair;
  readonly dilation?: Pair;
  readonly groups?: number;
  /** Default true. */
  readonly bias?: boolean;
}

/**
 * Convolution, `[N, inChannels, H, W]` to `[N, outChannels, P, Q]`. See `conv2d`.
 *
 * @throws {ValueError} when a count is not a positive integer, or the channels are not divisible by `groups`.
 */
export class Conv2d extends Module {
  weight: Parameter;
  bias: Parameter | null;
  readonly options: Conv2dOptions;

  constructor(inChannels: number, outChannels: number, kernelSize: Pair, options: Conv2dOptions = {}) {
    super();
    const { groups = 1, bias = true } = options;
    const [kh, kw] = typeof kernelSize === "number" ? [kernelSize, kernelSize] : kernelSize;
    checkCounts("Conv2d", { inChannels, outChannels, kernelHeight: kh, kernelWidth: kw, groups });
    checkGroups("Conv2d", inChannels, outChannels, groups);
    const start = weightAndBias([outChannels, inChannels / groups, kh, kw], outChannels, bias, options);
    this.weight = start.weight;
    this.bias = start.bias;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight.tensor, this.bias?.tensor, this.options);
  }
}

export interface ConvTranspose2dOptions extends Conv2dOptions {
  readonly outputPadding?: Pair;
}

/**
 * Transposed convolution, `[N, inChannels, H, W]` to `[N, outChannels, P, Q]`. See `convTranspose2d`.
 *
 * @throws {ValueError} when a count is not a positive integer, or the channels are not divisible by `groups`.
 */
export class ConvTranspose2d extends Module {
  weight: Parameter;
  bias: Parameter | null;
  readonly options: ConvTranspose2dOptions;

  constructor(inChannels: number, outChannels: number, kernelSize: Pair, options: ConvTranspose2dOptions = {}) {
    super();
    const { groups = 1, bias = true } = options;
    const [kh, kw] = typeof kernelSize === "number" ? [kernelSize, kernelSize] : kernelSize;
    checkCounts("ConvTranspose2d", { inChannels, outChannels, kernelHeight: kh, kernelWidth: kw, groups });
    checkGroups("ConvTranspose2d", inChannels, outChannels, groups);
    const start = weightAndBias([inChannels, outChannels / groups, kh, kw], outChannels, bias, options);
    this.weight = start.weight;
    this.bias = start.bias;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight.tensor, this.bias?.tensor, this.options);
  }
}

function checkGroups(layer: string, inChannels: number, outChannels: number, groups: number): void {
  if (inChannels % groups !== 0 || outChannels % groups !== 0) {
    throw new ValueError(
      layer,
      `inChannels and outChannels must be divisible by groups = ${groups}`,
      `${inChannels} and ${outChannels}`,
    );
  }
}

/** Affine map of the last axis, `[.., inFeatures]` to `[.., outFeatures]`. See `linear`. */
export class Linear extends Module {
  weight: Parameter;
  bias: Parameter | null;

  constructor(
    inFeatures: number,
    outFeatures: number,
    { bias = true, ...options }: { bias?: boolean } & InitOptions = {},
  ) {
    super();
    checkCounts("Linear", { inFeatures, outFeatures });
    const start = weightAndBias([outFeatures, inFeatures], outFeatures, bias, options);
    this.weight = start.weight;
    this.bias = start.bias;
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight.tensor, this.bias?.tensor);
  }
}

export interface BatchNorm2dOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Weight of a new batch in the running statistics. Default 0.1. */
  readonly momentum?: number;
}

/**
 * Batch normalisation of `[N, C, H, W]` per channel: by the batch's statistics in training, by the running ones in evaluation.
 * In training each forward pass records an update of the running statistics, which the optimiser's step computes.
 */
export class BatchNorm2d extends Module {
  weight: Parameter;
  bias: Parameter;
  running_mean: Buffer;
  running_var: Buffer;
  num_batches_tracked: Buffer;
  readonly options: BatchNorm2dOptions;

  constructor(channels: number, options: BatchNorm2dOptions = {}) {
    super();
    checkCounts("BatchNorm2d", { channels });
    this.weight = new Parameter(ones([channels]));
    this.bias = new Parameter(zeros([channels]));
    this.running_mean = new Buffer(zeros([channels]));
    this.running_var = new Buffer(ones([channels]));
    this.num_batches_tracked = new Buffer(tensor(0, [], { dtype: "int32" }), { optional: true });
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    const { y, runningMean, runningVar } = batchNorm2d(x, this.running_mean.tensor, this.running_var.tensor, {
      ...this.options,
      weight: this.weight.tensor,
      bias: this.bias.tensor,
      training: this.training,
    });
    if (this.training) {
      this.running_mean.update(runningMean);
      this.running_var.update(runningVar);
      this.num_batches_tracked.update(this.num_batches_tracked.tensor.add(1));
    }
    return y;
  }
}

/** Normalisation of `[N, C, ..]` per image and group of channels. See `groupNorm`. */
export class GroupNorm extends Module {
  weight: Parameter;
  bias: Parameter;
  readonly groups: number;
  readonly eps: number;

  constructor(groups: number, channels: number, { eps = 1e-5 }: { eps?: number } = {}) {
    super();
    checkCounts("GroupNorm", { groups, channels });
    if (channels % groups !== 0)
      throw new ValueError("GroupNorm", `channels must be divisible by groups = ${groups}`, String(channels));
    this.weight = new Parameter(ones([channels]));
    this.bias = new Parameter(zeros([channels]));
    this.groups = groups;
    this.eps = eps;
  }

  forward(x: Tensor): Tensor {
    return groupNorm(x, this.groups, { weight: this.weight.tensor, bias: this.bias.tensor, eps: this.eps });
  }
}

/** Normalisation over the last axes, which have the sizes `normalizedShape`. See `layerNorm`. */
export class LayerNorm extends Module {
  weight: Parameter;
  bias: Parameter;
  readonly normalizedShape: readonly number[];
  readonly eps: number;

  constructor(normalizedShape: number | readonly number[], { eps = 1e-5 }: { eps?: number } = {}) {
    super();
    this.normalizedShape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
    checkCounts(
      "LayerNorm",
      Object.fromEntries(this.normalizedShape.map((dim, axis) => [`normalizedShape[${axis}]`, dim])),
    );
    this.weight = new Parameter(ones(this.normalizedShape));
    this.bias = new Parameter(zeros(this.normalizedShape));
    this.eps = eps;
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.normalizedShape, { weight: this.weight.tensor, bias: this.bias.tensor, eps: this.eps });
  }
}

/** Layers one after another. Their names are their positions. */
export class Sequential extends Module {
  constructor(...layers: Layer[]) {
    super();
    Object.assign(this, layers); // fields 0, 1, ..: the names in PyTorch's state_dict
  }

  get layers(): Layer[] {
    return Object.entries(this)
      .filter(([key]) => /^\d+$/.test(key))
      .map(([, layer]) => layer as Layer);
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((y, layer) => layer.forward(y), x);
  }
}

/** Passes its input on. */
export class Identity extends Module {
  forward(x: Tensor): Tensor {
    return x;
  }
}

/** See `relu`. */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** See `leakyRelu`. */
export class LeakyReLU extends Module {
  readonly negativeSlope: number;

  constructor(negativeSlope = 0.01) {
    super();
    this.negativeSlope = negativeSlope;
  }

  forward(x: Tensor): Tensor {
    return leakyRelu(x, { negativeSlope: this.negativeSlope });
  }
}

/** See `sigmoid`. */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/** See `tanh`. */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return tanh(x);
  }
}

/** See `gelu`. */
export class GELU extends Module {
  readonly approximate: "none" | "tanh";

  constructor({ approximate = "none" }: { approximate?: "none" | "tanh" } = {}) {
    super();
    this.approximate = approximate;
  }

  forward(x: Tensor): Tensor {
    return gelu(x, { approximate: this.approximate });
  }
}

/** See `silu`. */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    return silu(x);
  }
}

/** See `softmax`. */
export class Softmax extends Module {
  readonly dim: number;

  constructor(dim: number) {
    super();
    this.dim = dim;
  }

  forward(x: Tensor): Tensor {
    return softmax(x, this.dim);
  }
}

/** See `pixelShuffle`. */
export class PixelShuffle extends Module {
  readonly upscaleFactor: number;

  constructor(upscaleFactor: number) {
    super();
    this.upscaleFactor = upscaleFactor;
  }

  forward(x: Tensor): Tensor {
    return pixelShuffle(x, this.upscaleFactor);
  }
}

/** See `pixelUnshuffle`. */
export class PixelUnshuffle extends Module {
  readonly downscaleFactor: number;

  constructor(downscaleFactor: number) {
    super();
    this.downscaleFactor = downscaleFactor;
  }

  forward(x: Tensor): Tensor {
    return pixelUnshuffle(x, this.downscaleFactor);
  }
}

/** Resizing by a fixed rule. See `interpolate`. */
export class Upsample extends Module {
  readonly options: Parameters<typeof interpolate>[1];

  constructor(options: Parameters<typeof interpolate>[1]) {
    super();
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return interpolate(x, this.options);
  }
}

/** See `maxPool2d`. */
export class MaxPool2d extends Module {
  readonly kernelSize: Pair;
  readonly options: Parameters<typeof maxPool2d>[2];

  constructor(kernelSize: Pair, options: Parameters<typeof maxPool2d>[2] = {}) {
    super();
    this.kernelSize = kernelSize;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.kernelSize, this.options);
  }
}

/** See `avgPool2d`. */
export class AvgPool2d extends Module {
  readonly kernelSize: Pair;
  readonly options: Parameters<typeof avgPool2d>[2];

  constructor(kernelSize: Pair, options: Parameters<typeof avgPool2d>[2] = {}) {
    super();
    this.kernelSize = kernelSize;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.kernelSize, this.options);
  }
}

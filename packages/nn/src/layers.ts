/**
 * @file The layers: modules around the ops, with PyTorch's names, defaults and initialisation.
 *
 * A layer's `forward` records ops and computes nothing. Options that PyTorch takes as further arguments stand in one object.
 *
 * Source: torch.nn.
 */

import {
  checkOptions,
  leakyRelu,
  ones,
  type OptionNames,
  relu,
  showValue,
  sigmoid,
  tanh,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from "@gridgrad/core";
import {
  avgPool2d,
  type AvgPoolOptions,
  batchNorm2d,
  conv2d,
  type ConvOptions,
  convTranspose2d,
  type ConvTransposeOptions,
  gelu,
  type GeluApproximation,
  groupNorm,
  interpolate,
  type InterpolateOptions,
  layerNorm,
  linear,
  maxPool2d,
  type MaxPoolOptions,
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

/** A number for both axes or a pair, both integers of at least 1, as a pair. */
function checkPair(layer: string, name: string, value: Pair): readonly [number, number] {
  const pair = typeof value === "number" ? [value, value] : value;
  if (Array.isArray(pair) && pair.length === 2 && pair.every((n) => Number.isInteger(n) && n >= 1))
    return [pair[0], pair[1]];
  const rule = `${name} must be an integer of at least 1, or a pair [height, width] of them`;
  throw new ValueError(layer, rule, Array.isArray(value) ? `[${value.join(", ")}]` : showValue(value));
}

/** Throws unless each named number is an integer of at least 1. */
function checkCounts(layer: string, counts: Readonly<Record<string, number>>): void {
  for (const [name, n] of Object.entries(counts)) {
    if (!Number.isInteger(n) || n < 1)
      throw new ValueError(layer, `${name} must be an integer of at least 1`, showValue(n));
  }
}

export interface Conv2dOptions extends ConvOptions, InitOptions {
  /** Whether to add a number per output channel. Default true. */
  readonly bias?: boolean;
}

const conv2dOptions: OptionNames<Conv2dOptions> = {
  stride: 1,
  padding: 1,
  dilation: 1,
  groups: 1,
  bias: 1,
  random: 0,
};

/**
 * Convolution, `[N, inChannels, H, W]` to `[N, outChannels, P, Q]`. See `conv2d`.
 *
 * @example
 * ```ts
 * const conv = new Conv2d(3, 8, 3, { padding: 1 });
 * conv.forward(zeros([1, 3, 5, 7])).shape; // [1, 8, 5, 7]
 * conv.parameterCount; // 224
 * ```
 */
export class Conv2d extends Module {
  /** `[outChannels, inChannels / groups, KH, KW]` */
  weight: Parameter;
  /** `[outChannels]` */
  bias: Parameter | null;
  readonly options: ConvOptions;

  /**
   * @param kernelSize - in pixels.
   * @param options - as `conv2d` has them, `bias`, and `random` to draw the first values from.
   * @throws {ValueError} when a count is not a positive integer, or the channels are not divisible by `groups`.
   */
  constructor(inChannels: number, outChannels: number, kernelSize: Pair, options?: Conv2dOptions) {
    super();
    const call = "Conv2d(inChannels, outChannels, kernelSize)";
    const { bias = true, random, ...ofOp } = checkOptions(call, conv2dOptions, options, arguments);
    const { groups = 1 } = ofOp;
    const kernel = checkConv("Conv2d", inChannels, outChannels, kernelSize, groups);
    const start = weightAndBias([outChannels, inChannels / groups, ...kernel], outChannels, bias, { random });
    this.weight = start.weight;
    this.bias = start.bias;
    this.options = ofOp;
  }

  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight.tensor, this.bias?.tensor, this.options);
  }
}

export interface ConvTranspose2dOptions extends ConvTransposeOptions, InitOptions {
  /** Whether to add a number per output channel. Default true. */
  readonly bias?: boolean;
}

const convTranspose2dOptions: OptionNames<ConvTranspose2dOptions> = {
  stride: 1,
  padding: 1,
  outputPadding: 1,
  groups: 1,
  bias: 1,
  dilation: 1,
  random: 0,
};

/**
 * Transposed convolution, `[N, inChannels, P, Q]` to `[N, outChannels, H, W]`. See `convTranspose2d`.
 *
 * @example
 * ```ts
 * const up = new ConvTranspose2d(4, 2, 4, { stride: 2, padding: 1 });
 * up.forward(zeros([1, 4, 5, 7])).shape; // [1, 2, 10, 14]
 * ```
 */
export class ConvTranspose2d extends Module {
  /** `[inChannels, outChannels / groups, KH, KW]` */
  weight: Parameter;
  /** `[outChannels]` */
  bias: Parameter | null;
  readonly options: ConvTransposeOptions;

  /**
   * @param kernelSize - in pixels.
   * @param options - as `convTranspose2d` has them, `bias`, and `random` to draw the first values from.
   * @throws {ValueError} when a count is not a positive integer, or the channels are not divisible by `groups`.
   */
  constructor(inChannels: number, outChannels: number, kernelSize: Pair, options?: ConvTranspose2dOptions) {
    super();
    const call = "ConvTranspose2d(inChannels, outChannels, kernelSize)";
    const { bias = true, random, ...ofOp } = checkOptions(call, convTranspose2dOptions, options, arguments);
    const { groups = 1 } = ofOp;
    const kernel = checkConv("ConvTranspose2d", inChannels, outChannels, kernelSize, groups);
    const start = weightAndBias([inChannels, outChannels / groups, ...kernel], outChannels, bias, { random });
    this.weight = start.weight;
    this.bias = start.bias;
    this.options = ofOp;
  }

  forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight.tensor, this.bias?.tensor, this.options);
  }
}

/** Height and width of the kernel, with all counts checked. */
function checkConv(
  layer: string,
  inChannels: number,
  outChannels: number,
  kernelSize: Pair,
  groups: number,
): readonly [number, number] {
  checkCounts(layer, { inChannels, outChannels, groups });
  const kernel = checkPair(layer, "kernelSize", kernelSize);
  if (inChannels % groups !== 0 || outChannels % groups !== 0) {
    const rule = `inChannels and outChannels must be divisible by groups = ${groups}`;
    throw new ValueError(layer, rule, `${inChannels} and ${outChannels}`);
  }
  return kernel;
}

export interface LinearOptions extends InitOptions {
  /** Whether to add a number per output feature. Default true. */
  readonly bias?: boolean;
}

const linearOptions: OptionNames<LinearOptions> = { bias: 1, random: 0 };

/**
 * Affine map of the last axis, `[.., inFeatures]` to `[.., outFeatures]`. See `linear`.
 *
 * @example
 * ```ts
 * const layer = new Linear(3, 2);
 * layer.forward(zeros([5, 3])).shape; // [5, 2]
 * layer.parameterCount; // 8
 * ```
 */
export class Linear extends Module {
  /** `[outFeatures, inFeatures]` */
  weight: Parameter;
  /** `[outFeatures]` */
  bias: Parameter | null;

  /**
   * @param options - `bias`, and `random` to draw the first values from.
   * @throws {ValueError} when a count is not a positive integer.
   */
  constructor(inFeatures: number, outFeatures: number, options?: LinearOptions) {
    super();
    const call = "Linear(inFeatures, outFeatures)";
    const { bias = true, random } = checkOptions(call, linearOptions, options, arguments);
    checkCounts("Linear", { inFeatures, outFeatures });
    const start = weightAndBias([outFeatures, inFeatures], outFeatures, bias, { random });
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

const batchNorm2dOptions: OptionNames<BatchNorm2dOptions> = { eps: 1, momentum: 1 };
const epsOption = { eps: 1 } as const;

/**
 * Batch normalisation of `[N, C, H, W]` per channel: by the batch's statistics in training, by the running ones in evaluation.
 * In training each forward pass records an update of the running statistics, which the optimiser's step computes. See
 * `batchNorm2d`.
 *
 * @example
 * ```ts
 * const bn = new BatchNorm2d(1, { momentum: 0.5, eps: 0 });
 * const x = tensor([1, 3], [2, 1, 1, 1]);
 * await bn.forward(x).data(); // [-1, 1]
 * await bn.running_mean.tensor.data(); // [1]
 * await bn.eval().forward(tensor([1], [1, 1, 1, 1])).data(); // [0], by the running mean
 * ```
 */
export class BatchNorm2d extends Module {
  /** `[channels]`, the scale. */
  weight: Parameter;
  /** `[channels]`, the shift. */
  bias: Parameter;
  running_mean: Buffer;
  /** Unbiased. */
  running_var: Buffer;
  num_batches_tracked: Buffer;
  readonly options: BatchNorm2dOptions;

  /** @throws {ValueError} when `channels` is not a positive integer. */
  constructor(channels: number, options?: BatchNorm2dOptions) {
    super();
    this.options = checkOptions("BatchNorm2d(channels)", batchNorm2dOptions, options, arguments);
    checkCounts("BatchNorm2d", { channels });
    this.weight = new Parameter(ones([channels]));
    this.bias = new Parameter(zeros([channels]));
    this.running_mean = new Buffer(zeros([channels]));
    this.running_var = new Buffer(ones([channels]));
    this.num_batches_tracked = new Buffer(tensor(0, [], { dtype: "int32" }), { optional: true });
  }

  forward(x: Tensor): Tensor {
    const { y, runningMean, runningVar } = batchNorm2d(x, this.running_mean.tensor, this.running_var.tensor, {
      ...this.options,
      weight: this.weight.tensor,
      bias: this.bias.tensor,
      training: this.training,
    });
    if (this.training) {
      this.running_mean.update(runningMean, x);
      this.running_var.update(runningVar, x);
      this.num_batches_tracked.update(this.num_batches_tracked.tensor.add(1), x);
    }
    return y;
  }
}

/**
 * Normalisation of `[N, C, ..]` per image and group of channels. See `groupNorm`.
 *
 * @example
 * ```ts
 * await new GroupNorm(2, 4, { eps: 0 }).forward(tensor([[1, 3, 10, 50]])).array(); // [[-1, 1, -1, 1]]
 * ```
 */
export class GroupNorm extends Module {
  /** `[channels]`, the scale. */
  weight: Parameter;
  /** `[channels]`, the shift. */
  bias: Parameter;
  readonly groups: number;
  readonly eps: number;

  /**
   * @param options.eps - added to the variance. Default 1e-5.
   * @throws {ValueError} when a count is not a positive integer, or `groups` does not divide `channels`.
   */
  constructor(groups: number, channels: number, options?: { eps?: number }) {
    super();
    const { eps = 1e-5 } = checkOptions("GroupNorm(groups, channels)", epsOption, options, arguments);
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

/**
 * Normalisation over the last axes, which have the sizes `normalizedShape`. See `layerNorm`.
 *
 * @example
 * ```ts
 * await new LayerNorm(2, { eps: 0 }).forward(tensor([[1, 3], [10, 50]])).array(); // [[-1, 1], [-1, 1]]
 * ```
 */
export class LayerNorm extends Module {
  /** Of the shape `normalizedShape`, the scale. */
  weight: Parameter;
  /** Of the shape `normalizedShape`, the shift. */
  bias: Parameter;
  readonly normalizedShape: readonly number[];
  readonly eps: number;

  /**
   * @param normalizedShape - a number for the last axis alone.
   * @param options.eps - added to the variance. Default 1e-5.
   * @throws {ValueError} when there is no size, or one is not a positive integer.
   */
  constructor(normalizedShape: number | readonly number[], options?: { eps?: number }) {
    super();
    const { eps = 1e-5 } = checkOptions("LayerNorm(normalizedShape)", epsOption, options, arguments);
    if (typeof normalizedShape !== "number" && !Array.isArray(normalizedShape)) {
      const rule = "normalizedShape must be a number or an array of them";
      throw new ValueError("LayerNorm", rule, showValue(normalizedShape));
    }
    this.normalizedShape = typeof normalizedShape === "number" ? [normalizedShape] : [...normalizedShape];
    if (this.normalizedShape.length === 0)
      throw new ValueError("LayerNorm", "normalizedShape must name at least one axis", "[]");
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

/**
 * Layers one after another. Their names are their positions.
 *
 * @example
 * ```ts
 * const up = new Sequential(new Conv2d(3, 4, 1), new ReLU(), new PixelShuffle(2));
 * up.forward(zeros([1, 3, 2, 2])).shape; // [1, 1, 4, 4]
 * [...up.namedParameters().keys()].join(" "); // 0.weight 0.bias
 * ```
 */
export class Sequential extends Module {
  constructor(...layers: Layer[]) {
    super();
    layers.forEach((layer, i) => {
      if (typeof (layer as Partial<Layer> | null | undefined)?.forward === "function") return;
      const one = Array.isArray(layer) ? "; layers stand one by one: new Sequential(a, b)" : "";
      throw new ValueError("Sequential", `layer ${i} must be a module with a method forward`, showValue(layer) + one);
    });
    Object.assign(this, layers); // fields 0, 1, ..: the names in PyTorch's state_dict
  }

  /** The layers, in order. */
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
    if (typeof negativeSlope !== "number")
      throw new ValueError("LeakyReLU", "negativeSlope must be a number", showValue(negativeSlope));
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
  readonly approximate: GeluApproximation;

  constructor(options?: { approximate?: GeluApproximation }) {
    super();
    const { approximate = "none" } = checkOptions("GELU()", { approximate: 1 }, options, arguments);
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
    if (!Number.isInteger(dim)) throw new ValueError("Softmax", "dim must be an integer, an axis", showValue(dim));
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
    checkCounts("PixelShuffle", { upscaleFactor });
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
    checkCounts("PixelUnshuffle", { downscaleFactor });
    this.downscaleFactor = downscaleFactor;
  }

  forward(x: Tensor): Tensor {
    return pixelUnshuffle(x, this.downscaleFactor);
  }
}

const upsampleOptions: OptionNames<InterpolateOptions> = { size: 1, scaleFactor: 1, mode: 1, alignCorners: 1 };

/** Resizing by a fixed rule. See `interpolate`. */
export class Upsample extends Module {
  readonly options: InterpolateOptions;

  constructor(options: InterpolateOptions) {
    super();
    this.options = checkOptions("Upsample()", upsampleOptions, options, arguments);
  }

  forward(x: Tensor): Tensor {
    return interpolate(x, this.options);
  }
}

const maxPool2dOptions: OptionNames<MaxPoolOptions> = { stride: 1, padding: 1, dilation: 1, ceilMode: 0 };

/** See `maxPool2d`. */
export class MaxPool2d extends Module {
  readonly kernelSize: Pair;
  readonly options: MaxPoolOptions;

  constructor(kernelSize: Pair, options?: MaxPoolOptions) {
    super();
    this.options = checkOptions("MaxPool2d(kernelSize)", maxPool2dOptions, options, arguments);
    checkPair("MaxPool2d", "kernelSize", kernelSize);
    this.kernelSize = kernelSize;
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.kernelSize, this.options);
  }
}

const avgPool2dOptions: OptionNames<AvgPoolOptions> = {
  stride: 1,
  padding: 1,
  ceilMode: 1,
  countIncludePad: 1,
  divisorOverride: 1,
};

/** See `avgPool2d`. */
export class AvgPool2d extends Module {
  readonly kernelSize: Pair;
  readonly options: AvgPoolOptions;

  constructor(kernelSize: Pair, options?: AvgPoolOptions) {
    super();
    this.options = checkOptions("AvgPool2d(kernelSize)", avgPool2dOptions, options, arguments);
    checkPair("AvgPool2d", "kernelSize", kernelSize);
    this.kernelSize = kernelSize;
  }

  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.kernelSize, this.options);
  }
}

/**
 * @file Initialisers: leaves of random or constant values for parameters.
 *
 *     kaiming  std = gain / √fan        xavier  std = gain √(2 / (fanIn + fanOut))        uniform: bound = √3 std
 *
 * A weight `[O, I, ..kernel]` has fanIn = I · kernel elements, fanOut = O · kernel elements.
 *
 * Source: torch.nn.init; He et al. 2015, arXiv:1502.01852; Glorot and Bengio 2010.
 */

import {
  checkOptions,
  checkShape,
  full,
  type OptionNames,
  Random,
  type Shape,
  ShapeError,
  size,
  type Tensor,
  ValueError,
} from "@gridgrad/core";

let shared = new Random(0);

/**
 * Restarts the stream of random numbers from which layers are initialised when they are not given one of their own. A program
 * that does not call it starts from seed 0.
 *
 * @throws {ValueError} unless `seed` is an integer in [0, 2^32).
 *
 * @example
 * ```ts
 * manualSeed(1);
 * const first = await new Linear(3, 2).weight.tensor.data();
 * manualSeed(1);
 * const again = await new Linear(3, 2).weight.tensor.data();
 * first.every((value, i) => value === again[i]); // true
 * ```
 */
export function manualSeed(seed: number): void {
  shared = new Random(seed);
}

/** The stream that `manualSeed` restarts, for other uses and for checkpoints. */
export function defaultRandom(): Random {
  return shared;
}

export interface InitOptions {
  /** Where the random numbers come from. Default: the stream that `manualSeed` restarts. */
  readonly random?: Random;
}

export interface KaimingOptions extends InitOptions {
  /** Slope of the negative side of the leaky relu that follows. Default 0, a plain relu. */
  readonly a?: number;
  /** Keep the variance of activations (`fanIn`) or of gradients (`fanOut`). Default `fanIn`. */
  readonly mode?: "fanIn" | "fanOut";
}

const kaimingOptions: OptionNames<KaimingOptions> = { a: 1, mode: 1, random: 0 };

/**
 * Normal with the standard deviation that keeps the variance through a relu.
 *
 * @param shape - of a weight, at least two axes.
 * @throws {ShapeError} when `shape` has fewer than two axes.
 * @throws {ValueError} when `mode` is none of the two, or `a` is not finite.
 */
export function kaimingNormal(shape: Shape, options?: KaimingOptions): Tensor {
  const checked = checkOptions("kaimingNormal(shape)", kaimingOptions, options, arguments);
  const { a = 0, mode = "fanIn", random = shared } = checked;
  return random.normal(shape, { std: kaimingStd("kaimingNormal", shape, a, mode) });
}

/**
 * Uniform with the standard deviation that keeps the variance through a relu. With `a = √5` it is what PyTorch's convolutions and
 * linear layers start from.
 *
 * @param shape - of a weight, at least two axes.
 * @throws {ShapeError} when `shape` has fewer than two axes.
 * @throws {ValueError} when `mode` is none of the two, or `a` is not finite.
 */
export function kaimingUniform(shape: Shape, options?: KaimingOptions): Tensor {
  const checked = checkOptions("kaimingUniform(shape)", kaimingOptions, options, arguments);
  const { a = 0, mode = "fanIn", random = shared } = checked;
  const bound = Math.sqrt(3) * kaimingStd("kaimingUniform", shape, a, mode);
  return random.uniform(shape, { low: -bound, high: bound });
}

export interface XavierOptions extends InitOptions {
  /** Factor of the standard deviation. Default 1. */
  readonly gain?: number;
}

const xavierOptions: OptionNames<XavierOptions> = { gain: 1, random: 0 };
const normalOptions = { mean: 1, std: 1, random: 0 } as const;
const uniformOptions = { low: 1, high: 1, random: 0 } as const;

/**
 * Normal with the standard deviation that balances activations and gradients.
 *
 * @param shape - of a weight, at least two axes.
 * @throws {ShapeError} when `shape` has fewer than two axes.
 * @throws {ValueError} when `gain` is negative or not finite.
 */
export function xavierNormal(shape: Shape, options?: XavierOptions): Tensor {
  const { gain = 1, random = shared } = checkOptions("xavierNormal(shape)", xavierOptions, options, arguments);
  return random.normal(shape, { std: xavierStd("xavierNormal", shape, gain) });
}

/**
 * Uniform with the standard deviation that balances activations and gradients.
 *
 * @param shape - of a weight, at least two axes.
 * @throws {ShapeError} when `shape` has fewer than two axes.
 * @throws {ValueError} when `gain` is negative or not finite.
 */
export function xavierUniform(shape: Shape, options?: XavierOptions): Tensor {
  const { gain = 1, random = shared } = checkOptions("xavierUniform(shape)", xavierOptions, options, arguments);
  const bound = Math.sqrt(3) * xavierStd("xavierUniform", shape, gain);
  return random.uniform(shape, { low: -bound, high: bound });
}

/**
 * Normal around `mean`.
 *
 * @param shape - any.
 * @throws {ValueError} when `std` is negative or NaN.
 */
export function normal(shape: Shape, options?: { mean?: number; std?: number } & InitOptions): Tensor {
  const { mean = 0, std = 1, random = shared } = checkOptions("normal(shape)", normalOptions, options, arguments);
  if (!(std >= 0)) throw new ValueError("normal", "std must be at least 0", String(std));
  return random.normal(shape, { mean, std });
}

/**
 * Uniform in [low, high).
 *
 * @param shape - any.
 * @throws {ValueError} when `low` is above `high`, or one is not finite.
 */
export function uniform(shape: Shape, options?: { low?: number; high?: number } & InitOptions): Tensor {
  const { low = 0, high = 1, random = shared } = checkOptions("uniform(shape)", uniformOptions, options, arguments);
  if (!(low <= high) || !Number.isFinite(high - low))
    throw new ValueError("uniform", "low must be at most high, both finite", `low ${low} and high ${high}`);
  return random.uniform(shape, { low, high });
}

/**
 * The same value everywhere.
 *
 * @param shape - any.
 */
export function constant(shape: Shape, value: number): Tensor {
  return full(shape, value);
}

/** Elements of a weight that feed one output, and that one input feeds. */
export function fans(op: string, shape: Shape): { fanIn: number; fanOut: number } {
  checkShape(op, shape);
  if (shape.length < 2)
    throw new ShapeError(op, "a weight must have at least two axes [O, I, ..kernel]", { weight: shape });
  const kernel = size(shape.slice(2));
  return { fanIn: shape[1] * kernel, fanOut: shape[0] * kernel };
}

function kaimingStd(op: string, shape: Shape, a: number, mode: "fanIn" | "fanOut"): number {
  if (mode !== "fanIn" && mode !== "fanOut")
    throw new ValueError(op, 'mode must be "fanIn" or "fanOut"', JSON.stringify(mode));
  if (!Number.isFinite(a)) throw new ValueError(op, "a must be finite", String(a));
  return Math.sqrt(2 / (1 + a * a)) / Math.sqrt(fans(op, shape)[mode]);
}

function xavierStd(op: string, shape: Shape, gain: number): number {
  if (!(gain >= 0 && gain < Infinity)) throw new ValueError(op, "gain must be at least 0 and finite", String(gain));
  const { fanIn, fanOut } = fans(op, shape);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

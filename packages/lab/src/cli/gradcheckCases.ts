/**
 * @file What `gradcheck` checks: ops at float64 inputs away from their kinks, and upsamplers with their parameters.
 *
 * A kink is where a function has no derivative: relu at 0, a bilinear sample on a pixel centre or at the border. There finite
 * differences see both sides, and neither side is wrong.
 */

import {
  abs,
  add,
  clamp,
  div,
  exp,
  leaf,
  leakyRelu,
  log,
  matmul,
  max,
  maximum,
  mean,
  mul,
  pow,
  type Random,
  relu,
  sigmoid,
  sqrt,
  sub,
  sum,
  tanh,
  type Tensor,
  zeros,
} from "@gridgrad/core";
import { createUpsampler, guidedUpsamplers, upsamplerNames } from "@gridgrad/dysample";
import { functionalCall } from "@gridgrad/nn";
import {
  avgPool2d,
  batchNorm2d,
  bceWithLogits,
  conv2d,
  convTranspose2d,
  crossEntropy,
  gelu,
  gridSample,
  groupNorm,
  interpolate,
  layerNorm,
  linear,
  maxPool2d,
  mseLoss,
  pixelShuffle,
  pixelUnshuffle,
  silu,
  softmax,
} from "@gridgrad/ops";

export interface GradcheckCase {
  readonly f: (...xs: Tensor[]) => Tensor;
  readonly inputs: readonly Tensor[];
}

/** A case with fresh inputs. */
export type MakeCase = (random: Random) => GradcheckCase | Promise<GradcheckCase>;

type Shape = readonly number[];

/** Channels and size of the upsamplers' inputs: every style and group count fits, and inner and outer pixels occur. */
const upsamplerShape = [1, 8, 3, 4];

const between = (random: Random, low: number, high: number, shape: Shape): Tensor =>
  random.uniform(shape, { low, high, dtype: "float64" });

/** Values in [-2, 2], anywhere. */
const smooth = (random: Random, shape: Shape): Tensor => between(random, -2, 2, shape);

/** Magnitudes in [0.1, 2]: away from 0. */
function nonzero(random: Random, shape: Shape): Tensor {
  const values = Float64Array.from(random.uniform(shape, { low: 0.1, high: 2 }).values!);
  return leaf(shape, "float64", values.map((value) => (random.next() < 0.5 ? -value : value))); // prettier-ignore
}

/** Multiples of 1/8 in random order: no two are equal, nor near. */
function distinct(random: Random, shape: Shape): Tensor {
  const values = Float64Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => i / 8);
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(random.next() * (i + 1));
    [values[i], values[j]] = [values[j], values[i]];
  }
  return leaf(shape, "float64", values);
}

/** Sampling positions for an image of H x W: in the middle half of a cell, so 1/4 pixel from every pixel centre. */
function grid(random: Random, N: number, count: number, H: number, W: number): Tensor {
  const values = new Float64Array(N * count * 2);
  for (let i = 0; i < values.length; i++) {
    const side = i % 2 === 0 ? W : H;
    const cell = Math.floor(random.next() * (side - 1));
    const px = cell + 0.25 + random.next() / 2;
    values[i] = (2 * px + 1) / side - 1; // the inverse of alignCorners: false
  }
  return leaf([N, 1, count, 2], "float64", values);
}

const unary =
  (f: (x: Tensor) => Tensor, input = smooth, shape: Shape = [2, 3]): MakeCase =>
  (random) => ({ f, inputs: [input(random, shape)] });

const ofShapes =
  (f: (...xs: Tensor[]) => Tensor, ...shapes: Shape[]): MakeCase =>
  (random) => ({ f, inputs: shapes.map((shape) => smooth(random, shape)) });

const image: Shape = [2, 4, 5, 6];
const positive = (random: Random, shape: Shape): Tensor => between(random, 0.5, 2, shape);

const ops: Readonly<Record<string, MakeCase>> = {
  add: ofShapes(add, [2, 3], [3]),
  sub: ofShapes(sub, [2, 3], [2, 1]),
  mul: ofShapes(mul, [2, 3], [3]),
  div: (random) => ({ f: div, inputs: [smooth(random, [2, 3]), nonzero(random, [3])] }),
  pow: (random) => ({ f: pow, inputs: [positive(random, [2, 3]), smooth(random, [3])] }),
  maximum: (random) => {
    const a = smooth(random, [2, 3]);
    const apart = nonzero(random, [2, 3]).values!;
    return {
      f: maximum,
      inputs: [
        a,
        leaf(
          [2, 3],
          "float64",
          Float64Array.from(apart, (d, i) => a.values![i] + d),
        ),
      ],
    };
  },
  exp: unary(exp),
  log: unary(log, positive),
  sqrt: unary(sqrt, positive),
  abs: unary(abs, nonzero),
  clamp: unary((x) => clamp(x, { min: 0, max: 100 }), nonzero),
  relu: unary(relu, nonzero),
  leakyRelu: unary((x) => leakyRelu(x, { negativeSlope: 0.1 }), nonzero),
  sigmoid: unary(sigmoid),
  tanh: unary(tanh),
  gelu: unary((x) => gelu(x)),
  silu: unary(silu),
  softmax: unary((x) => softmax(x, 1)),
  sum: unary((x) => sum(x, 0)),
  mean: unary((x) => mean(x, 1)),
  max: unary((x) => max(x, 1), distinct),
  matmul: ofShapes(matmul, [2, 3, 4], [4, 2]),
  linear: ofShapes((x, w, b) => linear(x, w, b), [2, 3], [4, 3], [4]),
  conv2d: ofShapes((x, w, b) => conv2d(x, w, b, { stride: 2, padding: 1 }), image, [3, 4, 3, 3], [3]),
  conv1x1: ofShapes((x, w, b) => conv2d(x, w, b), image, [3, 4, 1, 1], [3]),
  convTranspose2d: ofShapes((x, w) => convTranspose2d(x, w, null, { stride: 2, padding: 1 }), image, [4, 3, 4, 4]),
  pixelShuffle: unary((x) => pixelShuffle(x, 2), smooth, image),
  pixelUnshuffle: unary((x) => pixelUnshuffle(x, 2), smooth, [1, 2, 4, 6]),
  gridSample: (random) => ({
    f: (x, at) => gridSample(x, at, { paddingMode: "border" }),
    inputs: [smooth(random, image), grid(random, 2, 7, 5, 6)],
  }),
  gridSampleBicubic: (random) => ({
    f: (x, at) => gridSample(x, at, { mode: "bicubic" }),
    inputs: [smooth(random, image), grid(random, 2, 7, 5, 6)],
  }),
  interpolate: unary((x) => interpolate(x, { scaleFactor: 2, mode: "bilinear" }), smooth, image),
  avgPool2d: unary((x) => avgPool2d(x, 2), smooth, image),
  maxPool2d: unary((x) => maxPool2d(x, 2), distinct, image),
  batchNorm2d: (random) => {
    const running = zeros([4], { dtype: "float64" });
    return {
      f: (x, weight, bias) => batchNorm2d(x, running, running, { weight, bias, training: true }).y,
      inputs: [image, [4], [4]].map((shape) => smooth(random, shape)),
    };
  },
  groupNorm: ofShapes((x, weight, bias) => groupNorm(x, 2, { weight, bias }), image, [4], [4]),
  layerNorm: ofShapes((x, weight, bias) => layerNorm(x, [6], { weight, bias }), image, [6], [6]),
  crossEntropy: (random) => {
    const labels = random.integers([2, 3], 4);
    return { f: (x) => crossEntropy(x, labels), inputs: [smooth(random, [2, 4, 3])] };
  },
  bceWithLogits: (random) => {
    const target = between(random, 0, 1, [2, 3]);
    return { f: (x) => bceWithLogits(x, target), inputs: [smooth(random, [2, 3])] };
  },
  mseLoss: ofShapes((x, target) => mseLoss(x, target), [2, 3], [2, 3]),
};

/** An upsampler by 2, as a function of its input, its guide where it needs one, and its parameters. */
const upsampler =
  (name: string): MakeCase =>
  async (random) => {
    const up = createUpsampler(name, upsamplerShape[1], { random });
    await up.to("float64");
    const names = [...up.namedParameters().keys()];
    // Weights of 0.05 move a sampling point by an eighth of a pixel at most: it starts a quarter of one from its kinks.
    const parameters = names.map((key) => between(random, -0.05, 0.05, up.namedParameters().get(key)!.shape));
    const x = between(random, -1, 1, upsamplerShape);
    const [N, C, H, W] = upsamplerShape;
    const guides = guidedUpsamplers.includes(name) ? [between(random, -1, 1, [N, C, 2 * H, 2 * W])] : [];
    return {
      f(at, ...values) {
        const tensors = Object.fromEntries(names.map((key, i) => [key, values[guides.length + i]]));
        return functionalCall(up, tensors, () => up.forward(at, ...values.slice(0, guides.length)));
      },
      inputs: [x, ...guides, ...parameters],
    };
  };

/** All cases by name, the upsamplers first. */
export const gradcheckCases: Readonly<Record<string, MakeCase>> = {
  ...Object.fromEntries(upsamplerNames.map((name) => [name, upsampler(name)])),
  ...ops,
};

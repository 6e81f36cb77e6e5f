import { describe, expect, test } from "vitest";

import {
  type DType,
  leakyRelu,
  mul,
  ones,
  Random,
  relu,
  type Shape,
  sigmoid,
  sum,
  tanh,
  type Tensor,
  tensor,
  zeros,
} from "@gridgrad/core";
import { checkGolden, type GoldenRun, parseGolden, u64 } from "@gridgrad/core/testing";
import { goldenFiles } from "@gridgrad/core/testing/goldenFiles";
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

import { functionalCall } from "./functionalCall.ts";
import { manualSeed } from "./init.ts";
import {
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  ConvTranspose2d,
  GELU,
  GroupNorm,
  Identity,
  type Layer,
  LayerNorm,
  LeakyReLU,
  Linear,
  MaxPool2d,
  PixelShuffle,
  PixelUnshuffle,
  ReLU,
  Sequential,
  Sigmoid,
  SiLU,
  Softmax,
  Tanh,
  Upsample,
} from "./layers.ts";
import { SGD } from "./optimizer.ts";

describe("a layer computes its op with its parameters and options", () => {
  const random = new Random(3);
  const image = random.normal([2, 4, 6, 8]);
  const rows = random.normal([2, 3, 4]);
  /** Replaces parameters by random ones, as ones and zeros would hide a mix-up. */
  function scrambled<T extends Layer>(layer: T): T {
    for (const p of layer.parameters()) p.set(random.normal(p.shape));
    return layer;
  }
  const convOptions = { stride: [2, 1], padding: [1, 0], dilation: 2, groups: 2 } as const;
  const transposeOptions = { stride: 2, padding: 1, outputPadding: 1, dilation: 1, groups: 2 } as const;
  const conv = scrambled(new Conv2d(4, 6, [3, 2], convOptions));
  const plain = scrambled(new Conv2d(4, 6, 1, { bias: false }));
  const transpose = scrambled(new ConvTranspose2d(4, 6, 3, transposeOptions));
  const dense = scrambled(new Linear(4, 5));
  const group = scrambled(new GroupNorm(2, 4, { eps: 0.5 }));
  const norm = scrambled(new LayerNorm([3, 4], { eps: 0.5 }));
  const parameters = ({ weight, bias }: { weight: { tensor: Tensor }; bias: { tensor: Tensor } | null }) => ({
    weight: weight.tensor,
    bias: bias!.tensor,
  });
  const pool = { stride: 1, padding: 1 } as const;
  const over = { stride: 3, ceilMode: true } as const;
  const up = { scaleFactor: 2, mode: "bilinear", alignCorners: true } as const;

  test.each<[string, Layer, Tensor, Tensor]>([
    ["Conv2d", conv, image, conv2d(image, conv.weight.tensor, conv.bias!.tensor, convOptions)],
    ["Conv2d without bias", plain, image, conv2d(image, plain.weight.tensor)],
    [
      "ConvTranspose2d",
      transpose,
      image,
      convTranspose2d(image, transpose.weight.tensor, transpose.bias!.tensor, transposeOptions),
    ],
    ["Linear", dense, rows, linear(rows, dense.weight.tensor, dense.bias!.tensor)],
    ["GroupNorm", group, image, groupNorm(image, 2, { ...parameters(group), eps: 0.5 })],
    ["LayerNorm", norm, rows, layerNorm(rows, [3, 4], { ...parameters(norm), eps: 0.5 })],
    ["Identity", new Identity(), image, image],
    ["ReLU", new ReLU(), image, relu(image)],
    ["LeakyReLU", new LeakyReLU(0.3), image, leakyRelu(image, { negativeSlope: 0.3 })],
    ["LeakyReLU by default", new LeakyReLU(), image, leakyRelu(image)],
    ["Sigmoid", new Sigmoid(), image, sigmoid(image)],
    ["Tanh", new Tanh(), image, tanh(image)],
    ["GELU", new GELU(), image, gelu(image)],
    ["GELU with tanh", new GELU({ approximate: "tanh" }), image, gelu(image, { approximate: "tanh" })],
    ["SiLU", new SiLU(), image, silu(image)],
    ["Softmax", new Softmax(1), image, softmax(image, 1)],
    ["PixelShuffle", new PixelShuffle(2), image, pixelShuffle(image, 2)],
    ["PixelUnshuffle", new PixelUnshuffle(2), image, pixelUnshuffle(image, 2)],
    ["Upsample", new Upsample(up), image, interpolate(image, up)],
    ["MaxPool2d", new MaxPool2d(3, pool), image, maxPool2d(image, 3, pool)],
    ["MaxPool2d by default", new MaxPool2d(2), image, maxPool2d(image, 2)],
    ["MaxPool2d with ceilMode", new MaxPool2d(2, over), image, maxPool2d(image, 2, over)],
    [
      "AvgPool2d with ceilMode",
      new AvgPool2d(2, { ...over, divisorOverride: 3 }),
      image,
      avgPool2d(image, 2, { ...over, divisorOverride: 3 }),
    ],
    [
      "AvgPool2d",
      new AvgPool2d([3, 2], { ...pool, countIncludePad: false }),
      image,
      avgPool2d(image, [3, 2], { ...pool, countIncludePad: false }),
    ],
    ["Sequential", new Sequential(plain, new ReLU()), image, relu(conv2d(image, plain.weight.tensor))],
    ["an empty Sequential", new Sequential(), image, image],
  ])("%s", async (_name, layer, x, expected) => {
    const y = layer.forward(x);
    expect(y.shape).toEqual(expected.shape);
    expect(await y.data()).toEqual(await expected.data());
  });
});

describe("a layer starts", () => {
  /** Notes the bounds of what it was asked for. */
  class Recorder extends Random {
    readonly asked: { shape: Shape; bound: number }[] = [];
    override uniform<D extends DType>(...[shape, options]: Parameters<typeof Random.prototype.uniform<D>>): Tensor<D> {
      expect(options!.low).toBe(-options!.high!);
      this.asked.push({ shape, bound: options!.high! });
      return super.uniform(shape, options);
    }
  }

  // Shapes and bounds that torch 2.13 hands to uniform_ in the layers' reset_parameters.
  test.each<[string, (random: Random) => Layer, Shape, number, number]>([
    ["Conv2d", (random) => new Conv2d(8, 6, [3, 5], { groups: 2, random }), [6, 4, 3, 5], 6, 0.12909944487358055],
    [
      "ConvTranspose2d",
      (random) => new ConvTranspose2d(8, 6, [3, 5], { groups: 2, random }),
      [8, 3, 3, 5],
      6,
      0.14907119849998596,
    ],
    ["Linear", (random) => new Linear(7, 3, { random }), [3, 7], 3, 0.3779644730092272],
  ])("as PyTorch's: %s", async (_name, create, shape, outputs, bound) => {
    const random = new Recorder(1);
    const layer = create(random);
    expect(random.asked.map((each) => each.shape)).toEqual([shape, [outputs]]);
    for (const each of random.asked) expect(Math.abs(each.bound - bound) / bound).toBeLessThanOrEqual(8 * u64); // a few roundings
    const again = create(new Random(1));
    expect(await layer.stateDict()).toEqual(await again.stateDict());
  });

  test("with ones and zeros where it normalises", async () => {
    const bn = new BatchNorm2d(2);
    const values = async (t: { tensor: Tensor }): Promise<number[]> => Array.from(await t.tensor.data());
    expect([await values(bn.weight), await values(bn.bias)]).toEqual([
      [1, 1],
      [0, 0],
    ]);
    expect([await values(bn.running_mean), await values(bn.running_var)]).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect([await values(bn.num_batches_tracked), bn.num_batches_tracked.tensor.dtype]).toEqual([[0], "int32"]);
    for (const layer of [new GroupNorm(1, 2), new LayerNorm(2)])
      expect([await values(layer.weight), await values(layer.bias)]).toEqual([
        [1, 1],
        [0, 0],
      ]);
  });

  test("from the shared stream when it is given none", async () => {
    manualSeed(9);
    const one = await new Linear(2, 2).stateDict();
    expect(await new Linear(2, 2).stateDict()).not.toEqual(one);
    manualSeed(9);
    expect(await new Linear(2, 2).stateDict()).toEqual(one);
    expect(await new Linear(2, 2, { random: new Random(9) }).stateDict()).toEqual(one);
  });
});

describe("BatchNorm2d", () => {
  /** The output of a layer with a case's tensors, and what is in the buffers of another one after an optimiser's step. */
  const run: GoldenRun = async (inputs, attrs) => {
    const training = attrs.boolean("training");
    const options = { momentum: attrs.number("momentum"), eps: attrs.number("eps") };
    const { x, ...tensors } = inputs;
    const layer = async (): Promise<BatchNorm2d> => {
      const made = new BatchNorm2d(x.shape[1], options).train(training);
      return made.to(x.dtype as "float32" | "float64");
    };
    const pure = await layer();
    const out = functionalCall(pure, tensors, () => pure.forward(x));
    expect(pure.running_mean.pending).toBe(null); // that was a function, and left no trace
    const bn = await layer();
    const slots = bn.namedSlots();
    for (const [name, t] of Object.entries(tensors)) slots.get(name)!.set(tensor(await t.data(), t.shape));
    await new SGD(bn.parameters(), { lr: 0.1 }).step(sum(bn.forward(x)));
    expect(await bn.num_batches_tracked.tensor.item()).toBe(training ? 1 : 0);
    if (!training) return out;
    return { out, running_mean_after: bn.running_mean.tensor, running_var_after: bn.running_var.tensor };
  };
  const files = ["network/batch_norm2d/*", "arithmetic/norm/batch_norm2d_*"].flatMap(goldenFiles);
  test.each(files.flatMap((file) => (["float32", "float64"] as const).map((dtype) => ({ ...file, dtype }))))(
    "gives PyTorch's output, gradients and running statistics: $name in $dtype",
    async ({ bytes, dtype }) => {
      const results = await checkGolden(parseGolden(bytes), run, dtype);
      expect(results.filter((result) => !result.ok)).toEqual([]);
      expect(results.length).toBeGreaterThan(1);
    },
  );

  test("normalises by the batch in training and by the running statistics in evaluation", async () => {
    const x = new Random(1).normal([4, 2, 3, 3], { mean: 5 });
    const bn = new BatchNorm2d(2, { momentum: 0.5 });
    const { weight, bias } = { weight: bn.weight.tensor, bias: bn.bias.tensor };
    const trained = batchNorm2d(x, zeros([2]), ones([2]), { weight, bias, training: true, momentum: 0.5 });
    expect(await bn.forward(x).data()).toEqual(await trained.y.data());
    const evaluated = batchNorm2d(x, trained.runningMean, trained.runningVar, { weight, bias });
    bn.eval();
    expect(await bn.forward(x).data()).toEqual(await evaluated.y.data()); // though no step has computed the statistics
    bn.train();
    await new SGD(bn.parameters(), { lr: 0 }).step(sum(bn.forward(x)));
    expect(await bn.num_batches_tracked.tensor.item()).toBe(2);
  });
});

describe("Sequential", () => {
  test("knows its layers, more than ten of them in order", () => {
    const layers = Array.from({ length: 12 }, () => new ReLU());
    const chain = new Sequential(...layers);
    expect(chain.layers).toEqual(layers);
    expect([...chain.namedModules().keys()].slice(1)).toEqual(layers.map((_, i) => String(i)));
  });

  test("keeps nested layers under their positions", () => {
    const chain = new Sequential(new Sequential(new Linear(1, 1, { bias: false })), new Linear(1, 1));
    expect([...chain.namedParameters().keys()]).toEqual(["0.0.weight", "1.weight", "1.bias"]);
  });
});

describe("errors", () => {
  test("counts that are none", () => {
    expect(() => new Conv2d(0, 1, 3)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Conv2d: inChannels must be an integer of at least 1, got 0]`,
    );
    expect(() => new Conv2d(1, 1, [3, 1.5])).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Conv2d: kernelSize must be an integer of at least 1, or a pair [height, width] of them, got [3, 1.5]]`,
    );
    expect(() => new ConvTranspose2d(1, -1, 3)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: ConvTranspose2d: outChannels must be an integer of at least 1, got -1]`,
    );
    expect(() => new Linear(2, NaN)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Linear: outFeatures must be an integer of at least 1, got NaN]`,
    );
    expect(() => new BatchNorm2d(0)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: BatchNorm2d: channels must be an integer of at least 1, got 0]`,
    );
    expect(() => new GroupNorm(0, 4)).toThrow(/^GroupNorm: groups must be an integer of at least 1, got 0$/);
    expect(() => new LayerNorm([2, 0])).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: LayerNorm: normalizedShape[1] must be an integer of at least 1, got 0]`,
    );
    expect(() => new LayerNorm([])).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: LayerNorm: normalizedShape must name at least one axis, got []]`,
    );
  });

  test("channels that groups do not divide", () => {
    expect(() => new Conv2d(4, 6, 1, { groups: 4 })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Conv2d: inChannels and outChannels must be divisible by groups = 4, got 4 and 6]`,
    );
    expect(() => new ConvTranspose2d(3, 6, 1, { groups: 2 })).toThrow(/^ConvTranspose2d: inChannels and outChannels/);
    expect(() => new GroupNorm(3, 4)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: GroupNorm: channels must be divisible by groups = 3, got 4]`,
    );
  });

  test("inputs that do not fit come from the op", () => {
    expect(() => new Conv2d(4, 6, 3).forward(zeros([1, 3, 5, 5]))).toThrow(/^conv2d: /);
    expect(() => new BatchNorm2d(4).forward(mul(zeros([1, 3, 5, 5]), 1))).toThrow(/^batchNorm2d: /);
  });
});

describe("PyTorch's arguments by position are answered with ours:", () => {
  test.each<[args: unknown[], make: new (...args: never[]) => unknown, meant: string]>([
    [[3, 8, 3, 1, 1], Conv2d, "new Conv2d(3, 8, 3, { stride: 1, padding: 1 })"],
    [
      [3, 8, [3, 5], 1, 0, 1, 1, false],
      Conv2d,
      "new Conv2d(3, 8, [3, 5], { stride: 1, padding: 0, dilation: 1, groups: 1, bias: false })",
    ],
    [[3, 8, 4, 2, 1, 0], ConvTranspose2d, "new ConvTranspose2d(3, 8, 4, { stride: 2, padding: 1, outputPadding: 0 })"],
    [[3, 4, false], Linear, "new Linear(3, 4, { bias: false })"],
    [[8, 1e-5], BatchNorm2d, "new BatchNorm2d(8, { eps: 0.00001 })"],
    [[2, 8, 1e-3], GroupNorm, "new GroupNorm(2, 8, { eps: 0.001 })"],
    [[[8, 8], 1e-3], LayerNorm, "new LayerNorm([8, 8], { eps: 0.001 })"],
    [[2, 2], MaxPool2d, "new MaxPool2d(2, { stride: 2 })"],
    [[3, 2, 1, true], AvgPool2d, "new AvgPool2d(3, { stride: 2, padding: 1, ceilMode: true })"],
    [["tanh"], GELU, 'new GELU({ approximate: "tanh" })'],
    [[[8, 9]], Upsample, "new Upsample({ size: [8, 9] })"],
  ])("%j", (args, make, meant) => {
    expect(() => new make(...(args as never[]))).toThrow(
      new RegExp(`; write ${meant.replace(/[()[\]{}.]/g, "\\$&")}$`),
    );
  });

  test("arguments that are missing or of another kind", () => {
    const no = (value: unknown) => value as never;
    expect(() => new Conv2d(3, 8, no(undefined))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Conv2d: kernelSize must be an integer of at least 1, or a pair [height, width] of them, got undefined]`,
    );
    expect(() => new MaxPool2d(no({ kernelSize: 2 }))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: MaxPool2d: kernelSize must be an integer of at least 1, or a pair [height, width] of them, got an object (Object)]`,
    );
    expect(() => new Conv2d(3, 8, 3, no({ kernel: 3, pad: 1 }))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Conv2d: unknown option "kernel"; it takes stride, padding, dilation, groups, bias, random]`,
    );
    expect(() => new LayerNorm(no(undefined))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: LayerNorm: normalizedShape must be a number or an array of them, got undefined]`,
    );
    expect(() => new LeakyReLU(no({ negativeSlope: 0.2 }))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: LeakyReLU: negativeSlope must be a number, got an object (Object)]`,
    );
    expect(() => new Softmax(no(undefined))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Softmax: dim must be an integer, an axis, got undefined]`,
    );
    expect(() => new PixelShuffle(no(undefined))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: PixelShuffle: upscaleFactor must be an integer of at least 1, got undefined]`,
    );
    expect(() => new PixelUnshuffle(0.5)).toThrow(
      /PixelUnshuffle: downscaleFactor must be an integer of at least 1, got 0.5/,
    );
    expect(() => new Sequential(no([new ReLU()]))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Sequential: layer 0 must be a module with a method forward, got an array of length 1; layers stand one by one: new Sequential(a, b)]`,
    );
    expect(() => new Sequential(new ReLU(), no(relu))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Sequential: layer 1 must be a module with a method forward, got a function (relu)]`,
    );
    expect(() => new Conv2d(3, 8, 3).forward(no(undefined))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: conv2d: x must be a Tensor, got undefined]`,
    );
  });
});

/**
 * @file Every function and class that takes options refuses those that it does not know, and every function that takes tensors tells what
 * is none. Which they are is read from the sources: a new one without a case here fails.
 */

import { expect, describe, test } from "vitest";

import { doorsOf, findDoors, findTensorFunctions, tensorFunctionsOf } from "../scripts/findDoors.ts";
import { importPackage } from "../scripts/findPackages.ts";

type Call = (...args: unknown[]) => unknown;
type Class = new (...args: unknown[]) => Record<string, Call>;
type Functions = Readonly<Record<string, Call & Class>>;

const core = (await importPackage("@gridgrad/core")) as Functions;
const ops = (await importPackage("@gridgrad/ops")) as Functions;
const nn = (await importPackage("@gridgrad/nn")) as Functions;
const files = (await importPackage("@gridgrad/nn/node")) as Functions;
const dysample = (await importPackage("@gridgrad/dysample")) as Functions;

const zeros = (...shape: number[]) => core.zeros(shape);
const labels = core.zeros([1, 2, 2], { dtype: "int32" });
const x = zeros(1, 4, 2, 2);
const layer = new nn.Linear(1, 1);
const parameters = () => layer.parameters();

/** Legal arguments of each function or class before its options, and of methods the object. */
const arguments_: Readonly<Record<string, readonly unknown[]>> = {
  // core
  "Random.normal": [[2]],
  "Random.uniform": [[2]],
  arange: [3],
  clamp: [x],
  elementwise: [() => 0],
  elementwiseStep: [() => 0, [1], []],
  full: [[2], 1],
  grad: [x, [x]],
  leakyRelu: [x],
  max: [x, 0],
  mean: [x, 0],
  min: [x, 0],
  ones: [[2]],
  pad: [x, [[0, 0]]],
  registerDevice: ["reference", () => new core.ReferenceDevice()], // as it is registered already
  sum: [x, 0],
  tensor: [[1], [1]],
  zeros: [[2]],
  // ops
  CpuDevice: [],
  GpuDevice: ["cpu"],
  affineGrid: [zeros(1, 2, 3), [1, 1, 2, 2]],
  avgPool2d: [x, 1],
  batchNorm2d: [x, zeros(4), zeros(4)],
  bceWithLogits: [x, x],
  carafe: [x, zeros(1, 1, 2, 2)],
  conv2d: [x, zeros(4, 4, 1, 1), null],
  convTranspose2d: [x, zeros(4, 4, 1, 1), null],
  crossEntropy: [x, labels],
  gelu: [x],
  gridSample: [x, zeros(1, 2, 2, 2)],
  groupNorm: [x, 2],
  interpolate: [x],
  l1Loss: [x, x],
  layerNorm: [x, [2]],
  maxPool2d: [x, 1],
  mseLoss: [x, x],
  runningAverage: [x, x, 0.5],
  smoothL1Loss: [x, x],
  windowSimilarity: [x, x],
  // nn
  Adam: [parameters()],
  AdamW: [parameters()],
  AvgPool2d: [2],
  BatchNorm2d: [4],
  Buffer: [x],
  Conv2d: [4, 4, 1],
  ConvTranspose2d: [4, 4, 1],
  GELU: [],
  GroupNorm: [2, 4],
  LayerNorm: [4],
  Linear: [4, 4],
  MaxPool2d: [2],
  "Module.loadStateDict": [{}],
  "Optimizer.step": [zeros()],
  SGD: [parameters()],
  Upsample: [],
  cosineLr: [],
  kaimingNormal: [[4, 4]],
  kaimingUniform: [[4, 4]],
  loadWeights: ["docs/doors.test.ts", layer], // no weights, but this is told first
  normal: [[2]],
  readWhole: ["docs/doors.test.ts"],
  stepLr: [],
  uniform: [[2]],
  xavierNormal: [[4, 4]],
  xavierUniform: [[4, 4]],
  // dysample
  Bicubic: [4],
  Bilinear: [4],
  Carafe: [4],
  DySample: [4],
  Fade: [4],
  Nearest: [4],
  PixelShuffleConv: [4],
  SapaB: [4],
  TransposedConv: [4],
  createUpsampler: ["dysample", 4],
};

/** What methods are called on. */
const objects: Readonly<Record<string, Record<string, Call>>> = {
  Random: new core.Random(0),
  Module: layer,
  Optimizer: new nn.SGD(parameters(), { lr: 1 }),
};

const packages = [
  { name: "@gridgrad/core", folder: "packages/core/src", exports: core },
  { name: "@gridgrad/ops", folder: "packages/ops/src", exports: ops },
  { name: "@gridgrad/nn", folder: "packages/nn/src", exports: nn },
  { name: "@gridgrad/nn/node", folder: "packages/nn/src", exports: files },
  { name: "@gridgrad/dysample", folder: "packages/dysample/src/upsamplers", exports: dysample },
];

const notDoors = new Set([
  "sumInParts", // for authors of kernels: sizes, all of them required
  "checkOptions", // it is what checks them
  "showTensor", // whoever prints never throws
  ...["max", "mean", "min", "sum"].map((name) => `Tensor.${name}`), // they hand theirs on to the functions
]);

/** Calls it and waits, whatever it is. */
async function knock(exports: Functions, door: string, args: readonly unknown[]): Promise<unknown> {
  const [owner, method] = door.split(".");
  if (method !== undefined) return objects[owner][method](...args);
  return /^[A-Z]/.test(door) ? new exports[door](...args) : exports[door](...args);
}

/** Legal arguments of each function that takes tensors. */
const tensors: Readonly<Record<string, readonly unknown[]>> = {
  // core
  ...Object.fromEntries(
    [
      "abs",
      "exp",
      "floor",
      "leakyRelu",
      "log",
      "mean",
      "max",
      "min",
      "neg",
      "relu",
      "sigmoid",
      "sign",
      "sqrt",
      "sum",
      "tanh",
    ].map((name) => [name, [x]]),
  ),
  ...Object.fromEntries(
    [
      "add",
      "div",
      "equal",
      "greater",
      "greaterEqual",
      "less",
      "lessEqual",
      "matmul",
      "maximum",
      "minimum",
      "mul",
      "notEqual",
      "pow",
      "sub",
    ].map((name) => [name, [x, x]]),
  ),
  ...Object.fromEntries(["countMacs", "explain", "profile", "realize"].map((name) => [name, [x, x]])),
  apply: [core.negOp, [x], {}],
  cast: [x, "float32"],
  clamp: [x, { min: 0 }],
  concat: [[x, x]],
  expand: [x, [1, 4, 2, 2]],
  flip: [x, 0],
  grad: [core.sum(x), [x], { allowUnused: true }],
  pad: [x, [[0, 0], [0, 0], [0, 0], [0, 0]]], // prettier-ignore
  permute: [x, [0, 1, 2, 3]],
  reshape: [x, [16]],
  slice: [x, [null]],
  stack: [[x, x]],
  transpose: [x, 0, 1],
  where: [x, x, x],
  // ops
  ...Object.fromEntries(["detach", "erf", "gelu", "silu"].map((name) => [name, [x]])),
  ...Object.fromEntries(["l1Loss", "mseLoss", "smoothL1Loss"].map((name) => [name, [x, x]])),
  adamUpdate: [x, x, x, zeros(), zeros(), 1],
  affineGrid: [zeros(1, 2, 3), [1, 1, 2, 2]],
  avgPool2d: [x, 1],
  batchNorm2d: [x, zeros(4), zeros(4), { weight: zeros(4), bias: zeros(4) }],
  bceWithLogits: [x, x, { weight: x, posWeight: x }],
  carafe: [x, zeros(1, 1, 2, 2), { kernelSize: 1 }],
  conv1x1: [x, zeros(4, 4, 1, 1), zeros(4)],
  conv2d: [x, zeros(4, 4, 2, 2), zeros(4)],
  convTranspose2d: [x, zeros(4, 4, 1, 1), zeros(4)],
  crossEntropy: [x, labels, { weight: zeros(4) }],
  gridSample: [x, zeros(1, 2, 2, 2)],
  groupNorm: [x, 2, { weight: zeros(4), bias: zeros(4) }],
  interpolate: [x, { scaleFactor: 2 }],
  layerNorm: [x, [2], { weight: zeros(2), bias: zeros(2) }],
  linear: [x, zeros(3, 2), zeros(3)],
  logSoftmax: [x, 1],
  maxPool2d: [x, 1],
  pixelShuffle: [x, 2],
  pixelUnshuffle: [x, 2],
  runningAverage: [x, x, 0.5],
  sampleAtOffsets: [x, zeros(1, 2, 2, 2), 1],
  softmax: [x, 1],
  standardize: [x, [1], 1],
  windowSimilarity: [x, x, { kernelSize: 1 }],
  // nn, dysample
  clipGradNorm: [[x, x], 1],
  sampleAt: [x, zeros(1, 2, 2, 2), 1],
};

/** They are called by other functions with what was checked. */
const inside = new Set(
  "dependencies gradientsOf isRealized operands readValues release scalarLike showTensor stretchBack sumTo takeAsLeaf".split(
    " ",
  ),
);

class Options {
  readonly eps = 1;
}

const message = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "no error",
    (error: Error) => `${error.name}: ${error.message}`,
  );

for (const { name, folder, exports } of packages) {
  const doors = (await findDoors(name, folder)).filter((door) => !notDoors.has(door));

  test(`${name}: each one with options has a case`, () => {
    expect(doors.length).toBeGreaterThan(0);
    expect(doors.filter((door) => !Object.hasOwn(arguments_, door))).toEqual([]);
  });

  test.each(doors.filter((door) => Object.hasOwn(arguments_, door)))(
    `${name}: %s refuses unknown options, and what is none`,
    async (door) => {
      const told = (options: unknown): Promise<string> => message(knock(exports, door, [...arguments_[door], options]));
      expect(await told({ nonsense: 1 })).toMatch(/^ValueError: [\w.]+: unknown option "nonsense"; it takes \w+/);
      for (const wrong of [null, 7.5, true, [7.5], () => 1, new Options(), x]) {
        expect(await told(wrong)).toMatch(/^ValueError: [\w.]+: options must stand in one object, got .*; write /s);
      }
      expect(await told({ nonsense: undefined })).not.toMatch(/option/); // counts as absent
    },
  );
}

/** The arguments with `wrong` in place of each tensor in turn, those in arrays and options as well. */
function spoilt(args: readonly unknown[], wrong: unknown): unknown[][] {
  return args.flatMap((arg, i) => {
    const isPlain = typeof arg === "object" && arg !== null && Object.getPrototypeOf(arg) === Object.prototype;
    const inner = arg instanceof core.Tensor ? [wrong] : Array.isArray(arg) ? spoilt(arg, wrong) : [];
    const named = isPlain
      ? Object.entries(arg).flatMap(([key, value]) => (value instanceof core.Tensor ? [{ ...arg, [key]: wrong }] : []))
      : [];
    return [...inner, ...named].map((changed) => args.with(i, changed));
  });
}

for (const { name, folder, exports } of packages.filter(({ name }) => name !== "@gridgrad/nn/node")) {
  const found = (await findTensorFunctions(name, folder)).filter((each) => !inside.has(each));

  test(`${name}: each function that takes tensors has a case`, async () => {
    expect(found.length).toBeGreaterThan(0);
    expect(found.filter((each) => !Object.hasOwn(tensors, each))).toEqual([]);
  });

  test.each(found.filter((each) => Object.hasOwn(tensors, each)))(
    `${name}: %s tells what is no tensor, and where`,
    async (door) => {
      const call = (args: readonly unknown[]): Promise<string> => message(knock(exports, door, args));
      expect(await call(tensors[door])).toBe("no error");
      for (const wrong of [
        null,
        undefined,
        "x",
        {},
        [1, 2],
        () => x,
        Promise.resolve(x),
        { shape: [2], dtype: "float32" },
      ]) {
        const calls = spoilt(tensors[door], wrong);
        expect(calls.length).toBeGreaterThan(0);
        for (const args of calls) {
          const told = await call(args);
          if (told === "no error" && (wrong === null || wrong === undefined)) continue; // of an optional one
          expect(told).toMatch(/^ValueError: \w+: .*must be a Tensor, got |^ValueError: \w+: .* must be an? array of/);
        }
      }
    },
  );
}

describe("what finds them", () => {
  test("sees options by name, by type, and where their fields are described, in functions, constructors and methods", () => {
    expect(
      doorsOf(`
        export function byName(x: Tensor, options?: Given) {}
        export function byType(x: Tensor, given: ConvOptions) {}
        export function byFields({ eps = 1 }: { eps?: number } = {}) {}
        export class Door {
          constructor(x: number, { eps }: { eps: number }) {}
          method(options?: object) {}
          protected hidden(options?: object) {}
        }
        export function without({ shape }: Tensor) {}
        function inside(options: object) {}
      `),
    ).toEqual(["byName", "byType", "byFields", "Door", "Door.method"]);
  });

  test("sees tensors alone, beside numbers and in arrays", () => {
    expect(
      tensorFunctionsOf(`
        export function one(n: number, x: Tensor) {}
        export function either(a: Tensor | number, b?: Tensor | null) {}
        export function several(xs: readonly Tensor[]) {}
        export function rest(...xs: Tensor[]) {}
        export function none(shape: Shape, tensors: TensorOptions) {}
        function inside(x: Tensor) {}
      `),
    ).toEqual(["one", "either", "several", "rest"]);
  });
});

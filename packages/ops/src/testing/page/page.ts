/**
 * @file A page that runs the kernels of all ops, bundled as an application would be: inlineKernels.test.ts builds and opens it.
 *
 * On each backend it computes values and gradients of first and second order in float32, and writes how far they are from the loops in
 * float64. `?backends=webasm,cpu` chooses the backends.
 */

import * as core from "@gridgrad/core";
import * as ops from "@gridgrad/ops";

const { gradientsOf, leaf, mul, Random, readValues, realize, sum, withDevice } = core;
type Tensor = core.Tensor;

/** What the page writes for a backend. */
export interface PageResult {
  /** Largest |got - wanted|, relative to the largest value of the tensor where that is above 1. */
  readonly error: number;
  /** The case it belongs to. */
  readonly in: string;
  /** Errors thrown, by case. */
  readonly thrown: Readonly<Record<string, string>>;
  /** Ops with kernels that no case runs. */
  readonly notRun: readonly string[];
  /** Ops that ran on the loops, with the reason. */
  readonly onLoops: Readonly<Record<string, string>>;
}

/** Inputs are uniform in [-1, 1] and of these shapes; `labels` is int32, of the classes 0 to 3. */
type Case = readonly [f: (...xs: Tensor[]) => Tensor, ...shapes: (readonly number[])[]];

const image = [1, 4, 5, 6];
const matrix = [3, 4];
const labels = leaf([3], "int32", Int32Array.of(0, 3, 1));
const like = ({ dtype }: Tensor): core.TensorOptions => ({ dtype });
const positive = (x: Tensor): Tensor => core.add(core.abs(x), 0.5);

const cases: Readonly<Record<string, Case>> = {
  abs: [core.abs, matrix],
  add: [core.add, matrix, [4]],
  clamp: [(x) => core.clamp(x, { min: -0.5, max: 0.5 }), matrix],
  compare: [
    (a, b) => {
      const all = [core.equal, core.notEqual, core.less, core.lessEqual, core.greater, core.greaterEqual];
      return core.concat(all.map((f) => core.cast(f(a, b), a.dtype)));
    },
    matrix,
    matrix,
  ],
  concat: [(a, b) => core.concat([a, b], 1), matrix, [3, 2]],
  div: [(a, b) => core.div(a, positive(b)), matrix, matrix],
  exp: [core.exp, matrix],
  expand: [(x) => core.expand(x, [2, 3, 4]), [3, 1]],
  flip: [(x) => core.flip(x, [0, 1]), matrix],
  floor: [(x) => core.floor(mul(x, 4)), matrix],
  leakyRelu: [(x) => core.leakyRelu(x), matrix],
  log: [(x) => core.log(positive(x)), matrix],
  matmul: [core.matmul, matrix, [4, 5]],
  max: [(x) => core.max(x, 1), matrix],
  maximum: [core.maximum, matrix, [4]],
  mean: [(x) => core.mean(x, 0), matrix],
  min: [(x) => core.min(x, 0), matrix],
  minimum: [core.minimum, matrix, [4]],
  mul: [core.mul, matrix, [3, 1]],
  neg: [core.neg, matrix],
  pad: [
    (x) =>
      core.pad(x, [
        [1, 2],
        [0, 1],
      ]),
    matrix,
  ],
  permute: [(x) => core.permute(x, [2, 0, 1]), [2, 3, 4]],
  pow: [(a, b) => core.pow(positive(a), b), matrix, matrix],
  relu: [core.relu, matrix],
  reshape: [(x) => core.reshape(x, [2, 6]), matrix],
  sigmoid: [core.sigmoid, matrix],
  sign: [core.sign, matrix],
  slice: [
    (x) =>
      core.slice(x, [
        [1, 3],
        [0, 4],
      ]),
    matrix,
  ],
  sqrt: [(x) => core.sqrt(positive(x)), matrix],
  stack: [(a, b) => core.stack([a, b], 1), matrix, matrix],
  sub: [core.sub, matrix, [4]],
  sum: [(x) => sum(x), [700]], // two stages
  tanh: [core.tanh, matrix],
  where: [(a, b) => core.where(core.less(a, b), a, b), matrix, matrix],

  adamUpdate: [
    (p, m, v) => ops.adamUpdate(p, m, positive(v), core.full([], 0.25, like(p)), core.full([], 0.5, like(p)), 0.125),
    matrix,
    matrix,
    matrix,
  ],
  affineGrid: [(theta) => ops.affineGrid(theta, [2, 3, 4, 5]), [2, 2, 3]],
  avgPool2d: [(x) => ops.avgPool2d(x, 2, { padding: 1, countIncludePad: false }), image],
  batchNorm2d: [
    (x) => ops.batchNorm2d(x, core.zeros([4], like(x)), core.ones([4], like(x)), { training: true }).y,
    [2, 4, 3, 3],
  ],
  bceWithLogits: [(x) => ops.bceWithLogits(x, core.full(matrix, 0.25, like(x))), matrix],
  carafe: [(x, kernels) => ops.carafe(x, kernels, { kernelSize: 3, groups: 2 }), image, [1, 18, 10, 12]],
  conv1x1: [ops.conv1x1, image, [3, 4, 1, 1], [3]],
  conv2d: [(x, w, b) => ops.conv2d(x, w, b, { stride: 2, padding: 1, groups: 2 }), image, [6, 2, 3, 3], [6]],
  convTranspose2d: [(x, w) => ops.convTranspose2d(x, w, null, { stride: 2, padding: 1 }), image, [4, 3, 3, 3]],
  crossEntropy: [(x) => ops.crossEntropy(x, labels, { labelSmoothing: 0.1 }), matrix],
  detach: [(x) => mul(ops.detach(x), x), matrix],
  erf: [ops.erf, matrix],
  gelu: [(x) => ops.gelu(x), matrix],
  geluTanh: [(x) => ops.gelu(x, { approximate: "tanh" }), matrix],
  gridSample: [(x, grid) => ops.gridSample(x, grid), image, [1, 4, 3, 2]],
  gridSampleReflected: [
    (x, grid) => ops.gridSample(x, mul(grid, 2), { paddingMode: "reflection", alignCorners: true }),
    image,
    [1, 4, 3, 2],
  ],
  gridSampleNearest: [(x, grid) => ops.gridSample(x, grid, { mode: "nearest" }), image, [1, 4, 3, 2]],
  gridSampleBicubic: [(x, grid) => ops.gridSample(x, grid, { mode: "bicubic" }), image, [1, 4, 3, 2]],
  groupNorm: [(x) => ops.groupNorm(x, 2), image],
  interpolate: [(x) => ops.interpolate(x, { scaleFactor: 2, mode: "bilinear" }), image],
  interpolateBicubic: [(x) => ops.interpolate(x, { scaleFactor: 2, mode: "bicubic" }), image],
  interpolateNearest: [(x) => ops.interpolate(x, { size: 3 }), image],
  l1Loss: [(x, target) => ops.l1Loss(x, target), matrix, matrix],
  layerNorm: [(x) => ops.layerNorm(x, [4]), matrix],
  linear: [ops.linear, matrix, [5, 4], [5]],
  logSoftmax: [(x) => ops.logSoftmax(x, 1), matrix],
  maxPool2d: [(x) => mul(ops.maxPool2d(x, 2), ops.maxPool2d(x, 2)), image],
  mseLoss: [(x, target) => ops.mseLoss(x, target), matrix, matrix],
  pixelShuffle: [(x) => ops.pixelShuffle(x, 2), image],
  pixelUnshuffle: [(x) => ops.pixelUnshuffle(x, 2), [1, 1, 4, 6]],
  runningAverage: [(a, b) => ops.runningAverage(a, b, 0.75), matrix, matrix],
  runningSquare: [(a, b) => ops.runningAverage(a, b, 0.75, { squared: true }), matrix, matrix],
  sampleAtOffsets: [(x, offsets) => ops.sampleAtOffsets(x, offsets, 2), image, [1, 16, 5, 6]],
  silu: [ops.silu, matrix],
  smoothL1Loss: [(x, target) => ops.smoothL1Loss(x, target), matrix, matrix],
  softmax: [(x) => ops.softmax(x, 1), matrix],
  windowSimilarity: [(y, x) => ops.windowSimilarity(y, x, { kernelSize: 3 }), [1, 4, 10, 12], image],
};

/** y, and the gradients by the inputs of a random projection of it, and of one of those. */
function results([f, ...shapes]: Case, dtype: "float32" | "float64"): Tensor[] {
  const random = new Random(1);
  const draw = (shape: core.Shape): Tensor => {
    const values = random.uniform(shape, { low: -1, high: 1 }).values!;
    return leaf(shape, dtype, dtype === "float64" ? Float64Array.from(values) : values);
  };
  const project = (t: Tensor): Tensor => sum(mul(t, draw(t.shape)));
  const xs = shapes.map(draw);
  const y = f(...xs);
  const first = gradientsOf(project(y), xs).filter((dx) => dx !== null);
  if (first.length === 0) return [y];
  const second = gradientsOf(first.map(project).reduce(core.add), xs).filter((dx) => dx !== null);
  return [y, ...first, ...second];
}

async function compute(device: core.Device, each: Case, dtype: "float32" | "float64"): Promise<core.Values[]> {
  return withDevice(device, async () => {
    const tensors = results(each, dtype);
    await realize(...tensors);
    return Promise.all(tensors.map(readValues));
  });
}

async function tryBackend(name: string): Promise<PageResult> {
  const reference = core.openDevice("reference");
  const device = core.openDevice(name) as ops.GpuDevice;
  const notRun = new Set(
    Object.entries({ ...core, ...ops } as Record<string, unknown>)
      .filter(([key, value]) => key.endsWith("Op") && (value as core.Op).gpu)
      .map(([, value]) => (value as core.Op).name),
  );
  const run = device.run.bind(device);
  device.run = (op, inputs, info) => {
    notRun.delete(op.name);
    return run(op, inputs, info);
  };
  let error = 0;
  let worst = "";
  const thrown: Record<string, string> = {};
  for (const [title, each] of Object.entries(cases)) {
    try {
      const wanted = await compute(reference, each, "float64");
      const got = await compute(device, each, "float32");
      wanted.forEach((values, k) => {
        let largest = 1;
        for (const value of values) largest = Math.max(largest, Math.abs(value));
        values.forEach((value, i) => {
          const off = Math.abs(got[k][i] - value) / largest;
          if (!Number.isFinite(off)) throw new Error(`must be ${value}, got ${got[k][i]}`);
          if (off <= error) return;
          error = off;
          worst = title;
        });
      });
    } catch (problem) {
      thrown[title] = String(problem);
    }
  }
  await device.close();
  return { error, in: worst, thrown, notRun: [...notRun], onLoops: Object.fromEntries(device.onLoops) };
}

/** The part of the browser's globals that is used: this file is type-checked with Node's. */
declare const document: { title: string; querySelector(selector: string): { textContent: string } };
declare const location: { readonly search: string };

const backends = new URLSearchParams(location.search).get("backends")?.split(",") ?? [
  "webgl2",
  "webgpu",
  "webasm",
  "cpu",
];
const written: Record<string, PageResult> = {};
for (const backend of backends) {
  written[backend] = await tryBackend(`gpu:${backend}`).catch((problem): PageResult => ({
    error: NaN,
    in: "",
    thrown: { [backend]: String(problem) },
    notRun: [],
    onLoops: {},
  }));
  document.querySelector("pre").textContent = JSON.stringify(written, null, 2);
}
document.title = "done";

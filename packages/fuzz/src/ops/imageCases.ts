/** @file Legal calls of the ops of @gridgrad/ops: how to draw one of each. */

import type { Tensor } from "@gridgrad/core";
import * as ops from "@gridgrad/ops";

import { type CaseDraw, type DrawCase, type Input, opCase } from "./opCase.ts";

const reductions = ["mean", "sum", "none"] as const;
const spread = { min: -1.5, max: 1.5 };

function unary(op: (x: Tensor) => Tensor): DrawCase {
  return (d) => opCase([d.float(d.shape())], {}, ([x]) => op(x));
}

/** A part of `options`, or none of it, which means the default. */
function maybe<T extends object>(d: CaseDraw, options: () => T): Partial<T> {
  return d.once() ? options() : {};
}

/** An optional tensor of a call: the one behind `count` others, if there is one. */
function optional(xs: readonly Tensor[], count: number): Tensor | undefined {
  return xs[count];
}

function loss<Options extends object>(
  op: (x: Tensor, target: Tensor, options: Options & { reduction?: (typeof reductions)[number] }) => Tensor,
  options: (d: CaseDraw) => Options,
): DrawCase {
  return (d) => {
    const shape = d.shape();
    const args = { ...options(d), ...maybe(d, () => ({ reduction: d.pick(reductions) })) };
    return opCase([d.float(shape), d.float(shape)], args, ([x, target], args) => op(x, target, args));
  };
}

/** Kernel, stride, padding and dilation that fit into images of at least the size that comes with them. */
function windows(d: CaseDraw): {
  kernel: [number, number];
  options: {
    stride?: number | [number, number];
    padding?: number | [number, number];
    dilation?: number | [number, number];
  };
  least: [number, number];
} {
  const kernel: [number, number] = [d.int(1, 3), d.int(1, 3)];
  const stride = maybe(d, () => ({ stride: d.pair(1, 3) }));
  const padding = maybe(d, () => ({ padding: d.pair(0, 2) }));
  const dilation = maybe(d, () => ({ dilation: d.pair(1, 2) }));
  const along = (value: number | [number, number] | undefined, axis: 0 | 1, usual: number): number =>
    value === undefined ? usual : typeof value === "number" ? value : value[axis];
  const least = ([0, 1] as const).map((axis) => {
    const extent = along(dilation.dilation, axis, 1) * (kernel[axis] - 1) + 1;
    return Math.max(1, extent - 2 * along(padding.padding, axis, 0));
  }) as [number, number];
  return { kernel, options: { ...stride, ...padding, ...dilation }, least };
}

function pool(
  op: (x: Tensor, kernelSize: number | [number, number], options: object) => Tensor,
  more: (d: CaseDraw) => { options: object; extent: number },
): DrawCase {
  return (d) => {
    const kernelSize = d.pair(1, 3);
    const smallest = typeof kernelSize === "number" ? kernelSize : Math.min(...kernelSize);
    const largest = typeof kernelSize === "number" ? kernelSize : Math.max(...kernelSize);
    const { options, extent } = more(d);
    const args = {
      kernelSize,
      options: {
        ...maybe(d, () => ({ stride: d.pair(1, 3) })),
        ...maybe(d, () => ({ padding: d.pair(0, Math.floor(smallest / 2)) })),
        ...maybe(d, () => ({ ceilMode: d.once() })),
        ...options,
      },
    };
    const [N, C, H, W] = d.image();
    const least = extent * (largest - 1) + 1;
    const x = d.float([N, C, Math.max(H, least), Math.max(W, least)]);
    return opCase([x], args, ([x], { kernelSize, options }) => op(x, kernelSize, options));
  };
}

/** Scale and shift of the channels, each there or not. `count` inputs come before them. */
function affine(d: CaseDraw, shape: readonly number[]): { inputs: Input[]; has: { weight: boolean; bias: boolean } } {
  const has = { weight: d.once(), bias: d.once() };
  return { inputs: [...(has.weight ? [d.float(shape)] : []), ...(has.bias ? [d.float(shape)] : [])], has };
}

function affineOf(
  xs: readonly Tensor[],
  count: number,
  { weight, bias }: { weight: boolean; bias: boolean },
): { weight?: Tensor; bias?: Tensor } {
  return {
    ...(weight ? { weight: optional(xs, count) } : {}),
    ...(bias ? { bias: optional(xs, count + (weight ? 1 : 0)) } : {}),
  };
}

const epsilons = [1e-5, 0.125, 1];

export const imageCases: Readonly<Record<string, DrawCase>> = {
  erf: unary(ops.erf),
  silu: unary(ops.silu),
  detach: (d) => opCase([d.any(d.shape())], {}, ([x]) => ops.detach(x)),

  gelu: (d) => {
    const args = maybe(d, () => ({ approximate: d.pick(["none", "tanh"] as const) }));
    return opCase([d.float(d.shape())], args, ([x], args) => ops.gelu(x, args));
  },

  softmax: (d) => {
    const shape = d.shape(1, 4);
    return opCase([d.float(shape)], { dim: d.axis(shape) }, ([x], { dim }) => ops.softmax(x, dim));
  },

  logSoftmax: (d) => {
    const shape = d.shape(1, 4);
    return opCase([d.float(shape)], { dim: d.axis(shape) }, ([x], { dim }) => ops.logSoftmax(x, dim));
  },

  mseLoss: loss(ops.mseLoss, () => ({})),
  l1Loss: loss(ops.l1Loss, () => ({})),
  smoothL1Loss: loss(ops.smoothL1Loss, (d) => maybe(d, () => ({ beta: d.pick([1, 0, 0.5, 2]) }))),

  bceWithLogits: (d) => {
    const shape = d.shape();
    const has = { weight: d.once(3), posWeight: d.once(3) };
    const own = (): Input => d.float(shape.slice(d.int(0, shape.length)), { min: 0, max: 2 });
    const inputs = [d.float(shape), d.float(shape, { min: 0, max: 1 })];
    if (has.weight) inputs.push(own());
    if (has.posWeight) inputs.push(own());
    const args = { has, options: maybe(d, () => ({ reduction: d.pick(reductions) })) };
    return opCase(inputs, args, (xs, { has, options }) =>
      ops.bceWithLogits(xs[0], xs[1], {
        ...options,
        ...(has.weight ? { weight: xs[2] } : {}),
        ...(has.posWeight ? { posWeight: xs[has.weight ? 3 : 2] } : {}),
      }),
    );
  },

  crossEntropy: (d) => {
    const [N, ...spatial] = d.shape(1, 3);
    const C = d.int(1, 4);
    const ignoreIndex = d.pick([-100, 0, -1, 255]);
    const labels = d.int32([N, ...spatial], 0, C - 1);
    const target = { ...labels, values: labels.values.map((label) => (d.once(5) ? ignoreIndex : label)) };
    const inputs = [d.float([N, C, ...spatial]), target];
    const has = { weight: d.once(3) };
    if (has.weight) inputs.push(d.float([C], { min: 0, max: 2 }));
    const options = {
      ignoreIndex,
      ...maybe(d, () => ({ labelSmoothing: d.pick([0, 0.25, 1]) })),
      ...maybe(d, () => ({ reduction: d.pick(reductions) })),
    };
    return opCase(inputs, { has, options }, ([logits, target, weight], { options }) =>
      ops.crossEntropy(logits, target, { ...options, ...(weight ? { weight } : {}) }),
    );
  },

  linear: (d) => {
    const [I, O] = d.large ? [d.int(1, 48), d.int(1, 48)] : [d.int(1, 4), d.int(1, 4)];
    const outputs = d.once(4) ? [] : [O];
    const inputs = [d.float([...d.shape(0, 2), I]), d.float([...outputs, I])];
    if (d.once()) inputs.push(d.float(outputs));
    return opCase(inputs, {}, ([x, weight, bias]) => ops.linear(x, weight, bias));
  },

  conv1x1: (d) => {
    const [N, C, H, W] = d.image();
    const O = d.channels();
    const inputs = [d.float([N, C, H, W]), d.float([O, C, 1, 1])];
    if (d.once()) inputs.push(d.float([O]));
    return opCase(inputs, {}, ([x, weight, bias]) => ops.conv1x1(x, weight, bias));
  },

  conv2d: (d) => {
    const { kernel, options, least } = windows(d);
    const groups = d.once(3) ? 2 : 1;
    const [N, C, H, W] = d.image(d.channels(groups));
    const O = d.channels(groups);
    const x = d.float([N, C, Math.max(H, least[0]), Math.max(W, least[1])]);
    const inputs = [x, d.float([O, C / groups, ...kernel])];
    if (d.once()) inputs.push(d.float([O]));
    const args = { options: { ...options, ...(groups > 1 ? { groups } : {}) } };
    return opCase(inputs, args, ([x, weight, bias], { options }) => ops.conv2d(x, weight, bias, options));
  },

  convTranspose2d: (d) => {
    const kernel = [d.int(1, 3), d.int(1, 3)];
    const groups = d.once(3) ? 2 : 1;
    const [stride, padding, dilation] = [d.int(1, 3), d.int(0, 2), d.int(1, 2)];
    const outputPadding = d.int(0, Math.max(stride, dilation) - 1);
    const [N, C, P, Q] = d.image(d.channels(groups));
    const O = d.channels(1, 2);
    const most = (pixels: number, size: number): number =>
      (pixels - 1) * stride + dilation * (size - 1) + outputPadding + 1;
    const fits = Math.min(most(P, kernel[0]), most(Q, kernel[1])) - 2 * padding >= 1;
    const options = { stride, padding: fits ? padding : 0, dilation, outputPadding, groups };
    const inputs = [d.float([N, C, P, Q]), d.float([C, O, ...kernel])];
    if (d.once()) inputs.push(d.float([O * groups]));
    return opCase(inputs, { options }, ([x, weight, bias], { options }) =>
      ops.convTranspose2d(x, weight, bias, options),
    );
  },

  avgPool2d: pool(ops.avgPool2d, (d) => ({
    options: {
      ...maybe(d, () => ({ countIncludePad: d.once() })),
      ...(d.once(4) ? { divisorOverride: d.pick([1, 3, -2]) } : {}),
    },
    extent: 1,
  })),
  maxPool2d: pool(ops.maxPool2d, (d) => {
    const dilation = d.int(1, 2);
    return { options: dilation > 1 ? { dilation } : {}, extent: dilation };
  }),

  pixelShuffle: (d) => {
    const s = d.int(1, 3);
    return opCase([d.float(d.image(d.channels(s * s, 2)))], { scale: s }, ([x], { scale }) =>
      ops.pixelShuffle(x, scale),
    );
  },

  pixelUnshuffle: (d) => {
    const s = d.int(1, 3);
    const [N, C, H, W] = d.image();
    return opCase([d.float([N, C, H * s, W * s])], { scale: s }, ([x], { scale }) => ops.pixelUnshuffle(x, scale));
  },

  interpolate: (d) => {
    const x = d.float(d.image());
    const mode = d.pick(["nearest", "bilinear", "bicubic"] as const);
    const factor = (): number => d.pick([1, 2, 3, 0.5, 1.5, 1.7, 2.5]);
    const [, , H, W] = x.shape;
    const by = d.once() ? factor() : ([factor(), factor()] as const);
    const fits = (typeof by === "number" ? [H * by, W * by] : [H * by[0], W * by[1]]).every((dim) => dim >= 1);
    const options = {
      ...(d.once() && fits ? { scaleFactor: by } : { size: d.pair(1, d.large ? 40 : 7) }),
      ...(mode === "nearest" ? maybe(d, () => ({ mode })) : { mode, ...maybe(d, () => ({ alignCorners: d.once() })) }),
    };
    return opCase([x], { options }, ([x], { options }) => ops.interpolate(x, options));
  },

  gridSample: (d) => {
    const [N, C, H, W] = d.image();
    const grid = [N, d.pixels(3), d.pixels(3), 2];
    const options = {
      ...maybe(d, () => ({ mode: d.pick(["bilinear", "nearest", "bicubic"] as const) })),
      ...maybe(d, () => ({ paddingMode: d.pick(["zeros", "border", "reflection"] as const) })),
      ...maybe(d, () => ({ alignCorners: d.once() })),
    };
    return opCase([d.float([N, C, H, W]), d.float(grid, spread)], { options }, ([x, grid], { options }) =>
      ops.gridSample(x, grid, options),
    );
  },

  affineGrid: (d) => {
    const N = d.int(1, 2);
    const args = { size: [N, 1, d.pixels(), d.pixels()], options: maybe(d, () => ({ alignCorners: d.once() })) };
    return opCase([d.float([N, 2, 3])], args, ([theta], { size, options }) => ops.affineGrid(theta, size, options));
  },

  sampleAtOffsets: (d) => {
    const [G, s] = [d.int(1, 2), d.int(1, 3)];
    const [N, C, H, W] = d.image(d.channels(G));
    // Second derivatives take the way by a normalised grid, which rounds. On the centre of a pixel, where the slope has a step, they
    // may come out on either side of it.
    const offsets = d.float([N, 2 * G * s * s, H, W]);
    const aside = d.order < 2 ? offsets.values : offsets.values.map((x) => (Number.isInteger(x) ? x + 1 / 128 : x));
    return opCase([d.float([N, C, H, W]), { ...offsets, values: aside }], { scale: s }, ([x, offsets], { scale }) =>
      ops.sampleAtOffsets(x, offsets, scale),
    );
  },

  carafe: (d) => {
    const [kernelSize, groups, s] = [d.pick([1, 3, 5]), d.int(1, 2), d.int(1, 3)];
    const [N, C, H, W] = d.image(d.channels(groups));
    const inputs = [d.float([N, C, H, W]), d.float([N, groups * kernelSize ** 2, s * H, s * W])];
    return opCase(inputs, { options: { kernelSize, groups } }, ([x, kernels], { options }) =>
      ops.carafe(x, kernels, options),
    );
  },

  windowSimilarity: (d) => {
    const [kernelSize, groups, s] = [d.pick([1, 3, 5]), d.int(1, 2), d.int(1, 3)];
    const [N, C, H, W] = d.image(d.channels(groups));
    const inputs = [d.float([N, C, s * H, s * W]), d.float([N, C, H, W])];
    return opCase(inputs, { options: { kernelSize, groups } }, ([query, key], { options }) =>
      ops.windowSimilarity(query, key, options),
    );
  },

  batchNorm2d: (d) => {
    const [N, C, H, W] = d.image();
    const training = d.once() && N * H * W > 1;
    const { inputs, has } = affine(d, [C]);
    const all = [d.float([N, C, H, W]), d.float([C]), d.float([C], { min: 0.25, max: 2 }), ...inputs];
    const options = {
      ...(training ? { training } : {}),
      ...maybe(d, () => ({ momentum: d.pick([0.25, 0, 1]) })),
      ...maybe(d, () => ({ eps: d.pick(epsilons) })),
    };
    return opCase(all, { has, options }, (xs, { has, options }) => {
      const result = ops.batchNorm2d(xs[0], xs[1], xs[2], { ...options, ...affineOf(xs, 3, has) });
      return [result.y, result.runningMean, result.runningVar];
    });
  },

  groupNorm: (d) => {
    const numGroups = d.int(1, 3);
    const C = d.channels(numGroups, 2);
    const [N, ...spatial] = d.shape(1, 3);
    const shape = [N, C, ...spatial];
    if (N * (C / numGroups) * spatial.reduce((a, b) => a * b, 1) === 1) shape[0] = 2;
    const { inputs, has } = affine(d, [C]);
    const args = { numGroups, has, options: maybe(d, () => ({ eps: d.pick(epsilons) })) };
    return opCase([d.float(shape), ...inputs], args, (xs, { numGroups, has, options }) =>
      ops.groupNorm(xs[0], numGroups, { ...options, ...affineOf(xs, 1, has) }),
    );
  },

  layerNorm: (d) => {
    const shape = d.shape(1, 4);
    const normalizedShape = shape.slice(d.int(0, shape.length - 1));
    const { inputs, has } = affine(d, normalizedShape);
    const args = { normalizedShape, has, options: maybe(d, () => ({ eps: d.pick(epsilons) })) };
    return opCase([d.float(shape), ...inputs], args, (xs, { normalizedShape, has, options }) =>
      ops.layerNorm(xs[0], normalizedShape, { ...options, ...affineOf(xs, 1, has) }),
    );
  },

  standardize: (d) => {
    const shape = d.shape();
    const args = { axes: d.axes(shape), eps: d.pick(epsilons) };
    return opCase([d.float(shape)], args, ([x], { axes, eps }) => ops.standardize(x, axes, eps));
  },

  runningAverage: (d) => {
    const shape = d.shape();
    const args = { decay: d.int(0, 64) / 64, options: maybe(d, () => ({ squared: d.once() })) };
    return opCase([d.float(shape), d.float(shape)], args, ([average, value], { decay, options }) =>
      ops.runningAverage(average, value, decay, options),
    );
  },

  adamUpdate: (d) => {
    const shape = d.shape();
    const above = { min: 0.25, max: 2 };
    const inputs = [d.float(shape), d.float(shape), d.float(shape, above), d.float([], above), d.float([], above)];
    return opCase(inputs, { eps: d.pick([1e-8, 0, 0.5]) }, ([p, m, v, rate, correction], { eps }) =>
      ops.adamUpdate(p, m, v, rate, correction, eps),
    );
  },
};

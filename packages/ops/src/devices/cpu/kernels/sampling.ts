/**
 * @file Bilinear sampling: gridSample, sampleAtOffsets and both of their gradients, as launches of assembly/sampling.ts. Nearest, bicubic and what
 * is differentiated by the grid more than once go to the loops.
 *
 * Images go through in passes whose tables of taps, 20 bytes for each sample, stay small and in the cache.
 */

import type { Shape } from "@gridgrad/core";

import type { gridSampleGridOp, gridSampleInputOp, gridSampleOp } from "../../../ops/gridSample.ts";
import type { PaddingMode, SamplingAttrs } from "../../../ops/gridSampleTaps.ts";
import type {
  sampleAtOffsetsInputOp,
  sampleAtOffsetsOffsetOp,
  sampleAtOffsetsOp,
} from "../../../ops/sampleAtOffsets.ts";
import { kernelOf, type CpuKernel, type Launcher, type Work } from "../kernel.ts";

/** Samples of a tile, and channels of an item of slopes: as in assembly/sampling.ts. */
const tileSamples = 64;
const slopeChannels = 16;

/** Samples of a pass, unless a single image has more. */
const samplesPerPass = 65536;

const paddings: Readonly<Record<PaddingMode, number>> = { zeros: 0, border: 1, reflection: 2 };

/** Images [N, C, H, W] with `area` samples each. In sampleAtOffsets, each group of channels is an image. */
interface Sizes {
  readonly N: number;
  readonly C: number;
  readonly H: number;
  readonly W: number;
  readonly area: number;
}

/** Some of the images, with the addresses of the tables of their taps. */
interface Pass {
  readonly first: number;
  readonly count: number;
  readonly offsets: number;
  readonly weights: number;
}

/** Fills the tables of a pass. */
type FindTaps = (pass: Pass) => void;

/** Whether weights are those of values, or those of slopes. */
type Weights = "ofValues" | "ofSlopes";

function gridTaps(cpu: Launcher, sizes: Sizes, grid: number, attrs: SamplingAttrs, weights: Weights): FindTaps {
  const { H, W, area } = sizes;
  const flags = [paddings[attrs.paddingMode], Number(attrs.alignCorners), Number(weights === "ofSlopes")];
  return (pass) => {
    const work = { items: Math.ceil((pass.count * area) / 4), cost: 160 };
    const from = grid + 8 * pass.first * area;
    cpu.launch("gridTaps", work, pass.offsets, pass.weights, from, H, W, ...flags, pixelBytes(sizes));
  };
}

/** The address of the offsets, and what else is to be known of them. */
interface Moves {
  readonly address: number;
  readonly G: number;
  readonly scale: number;
}

function offsetTaps(cpu: Launcher, sizes: Sizes, { address, G, scale }: Moves, weights: Weights): FindTaps {
  const { H, W } = sizes;
  const ofSlopes = Number(weights === "ofSlopes");
  return ({ first, count, offsets, weights }) => {
    const work = { items: count * scale * H, cost: 30 * scale * W };
    cpu.launch("offsetTaps", work, offsets, weights, address, first, G, scale, H, W, ofSlopes, pixelBytes(sizes));
  };
}

function sample(cpu: Launcher, sizes: Sizes, y: number, x: number, findTaps: FindTaps): void {
  const { C, H, W, area } = sizes;
  for (const pass of passes(cpu, sizes)) {
    findTaps(pass);
    const [toY, fromX] = [y + 4 * pass.first * C * area, x + 4 * pass.first * C * H * W];
    cpu.launch("sample", blockWork(sizes, pass), toY, fromX, pass.offsets, pass.weights, ...kernelSizes(sizes));
  }
}

function scatter(cpu: Launcher, sizes: Sizes, dx: number, dy: number, findTaps: FindTaps): void {
  const { C, H, W, area } = sizes;
  for (const pass of passes(cpu, sizes)) {
    findTaps(pass);
    const [toX, fromY] = [dx + 4 * pass.first * C * H * W, dy + 4 * pass.first * C * area];
    cpu.launch("scatter", blockWork(sizes, pass), toX, fromY, pass.offsets, pass.weights, ...kernelSizes(sizes));
  }
}

/** Sums over 16 channels each, for `addUp` to make slopes of: partial[image of the pass][perImage][area][2]. */
function slopes(
  cpu: Launcher,
  sizes: Sizes,
  { dy, x }: { dy: number; x: number },
  findTaps: FindTaps,
  addUp: (pass: Pass, partial: number, perImage: number) => void,
): void {
  const { C, H, W, area } = sizes;
  const perImage = Math.ceil(C / slopeChannels);
  let partial = 0;
  for (const pass of passes(cpu, sizes)) {
    partial ||= cpu.scratch(pass.count * perImage * area * 2); // the first pass is the largest
    findTaps(pass);
    const { cost, scratch } = blockWork(sizes, pass);
    const work = {
      items: pass.count * perImage,
      cost: (cost * Math.min(C, slopeChannels)) / blockChannels(sizes),
      scratch,
    };
    const [fromY, fromX] = [dy + 4 * pass.first * C * area, x + 4 * pass.first * C * H * W];
    cpu.launch("slopes", work, partial, fromY, fromX, pass.offsets, pass.weights, ...kernelSizes(sizes));
    addUp(pass, partial, perImage);
  }
}

/** All images, in order. The tables are those of one pass, used again by the next. */
function* passes(cpu: Launcher, { N, area }: Sizes): Generator<Pass> {
  const most = Math.min(N, Math.max(1, Math.floor(samplesPerPass / area)));
  const samples = 4 * Math.ceil((most * area) / 4); // gridTaps finds four at a time
  const [offsets, weights] = [cpu.scratch(samples), cpu.scratch(4 * samples)];
  for (let first = 0; first < N; first += most) {
    yield { first, count: Math.min(most, N - first), offsets, weights };
  }
}

/** What there is to do where an item is a block of channels. */
function blockWork(sizes: Sizes, { count }: Pass): Work {
  const { C, H, W, area } = sizes;
  const channels = blockChannels(sizes);
  return {
    items: count * Math.ceil(C / channels),
    cost: (10 * area + 3 * H * W) * channels,
    scratch: (tileSamples + (H + 3) * (W + 2) + 4) * pixelBytes(sizes),
  };
}

/** What kernels over blocks take at the end. */
function kernelSizes(sizes: Sizes): number[] {
  return [sizes.C, sizes.H, sizes.W, sizes.area, blockChannels(sizes)];
}

/** Channels of a block: 8 are fastest, of which fewer than 5 would waste half. */
function blockChannels({ C }: Sizes): number {
  return C > 4 ? 8 : 4;
}

function pixelBytes(sizes: Sizes): number {
  return 4 * blockChannels(sizes);
}

function isCovered({ mode, orderX, orderY }: SamplingAttrs): boolean {
  return mode === "bilinear" && orderX === 0 && orderY === 0;
}

function gridSizes([N, C, H, W]: Shape, [, P, Q]: Shape): Sizes {
  return { N, C, H, W, area: P * Q };
}

function offsetSizes([N, C, H, W]: Shape, { G, scale }: Moves): Sizes {
  return { N: N * G, C: C / G, H, W, area: scale * H * scale * W };
}

function movesOf(address: number, [, channels]: Shape, scale: number): Moves {
  return { address, G: channels / (2 * scale ** 2), scale };
}

const gridSample = kernelOf<typeof gridSampleOp>(
  "gridSample",
  (cpu, y, [x, grid], { attrs, inShapes: [shape, gridShape] }) => {
    if (!isCovered(attrs)) return "loops";
    const sizes = gridSizes(shape, gridShape);
    sample(cpu, sizes, y, x, gridTaps(cpu, sizes, grid, attrs, "ofValues"));
    return undefined;
  },
);

const gridSampleInput = kernelOf<typeof gridSampleInputOp>(
  "gridSampleInput",
  (cpu, dx, [dy, grid], { attrs, inShapes, outShape }) => {
    if (!isCovered(attrs.sampling)) return "loops";
    const sizes = gridSizes(outShape, inShapes[1]);
    scatter(cpu, sizes, dx, dy, gridTaps(cpu, sizes, grid, attrs.sampling, "ofValues"));
    return undefined;
  },
);

const gridSampleGrid = kernelOf<typeof gridSampleGridOp>(
  "gridSampleGrid",
  (cpu, dgrid, [dy, x, grid], { attrs, inShapes }) => {
    if (!isCovered(attrs)) return "loops";
    const sizes = gridSizes(inShapes[1], inShapes[2]);
    const { area } = sizes;
    slopes(
      cpu,
      sizes,
      { dy, x },
      gridTaps(cpu, sizes, grid, attrs, "ofSlopes"),
      ({ first, count }, partial, perImage) => {
        const work = { items: count * area, cost: 4 * perImage };
        cpu.launch("addGridSlopes", work, dgrid + 8 * first * area, partial, perImage, area);
      },
    );
    return undefined;
  },
);

const sampleAtOffsets = kernelOf<typeof sampleAtOffsetsOp>(
  "sampleAtOffsets",
  (cpu, y, [x, offsets], { attrs, inShapes: [shape, offsetShape] }) => {
    const moves = movesOf(offsets, offsetShape, attrs.scale);
    const sizes = offsetSizes(shape, moves);
    sample(cpu, sizes, y, x, offsetTaps(cpu, sizes, moves, "ofValues"));
  },
);

const sampleAtOffsetsInput = kernelOf<typeof sampleAtOffsetsInputOp>(
  "sampleAtOffsetsInput",
  (cpu, dx, [dy, offsets], { attrs, inShapes, outShape }) => {
    const moves = movesOf(offsets, inShapes[1], attrs.scale);
    const sizes = offsetSizes(outShape, moves);
    scatter(cpu, sizes, dx, dy, offsetTaps(cpu, sizes, moves, "ofValues"));
  },
);

const sampleAtOffsetsOffset = kernelOf<typeof sampleAtOffsetsOffsetOp>(
  "sampleAtOffsetsOffset",
  (cpu, doffsets, [dy, x, offsets], { attrs, inShapes }) => {
    const moves = movesOf(offsets, inShapes[2], attrs.scale);
    const { G, scale } = moves;
    const sizes = offsetSizes(inShapes[1], moves);
    const { H, W } = sizes;
    slopes(cpu, sizes, { dy, x }, offsetTaps(cpu, sizes, moves, "ofSlopes"), ({ first, count }, partial, perImage) => {
      const work = { items: count * scale * H, cost: 8 * scale * W * perImage };
      cpu.launch("addOffsetSlopes", work, doffsets, partial, perImage, first, G, scale, H, W);
    });
  },
);

export const samplingKernels: readonly CpuKernel[] = [
  gridSample,
  gridSampleInput,
  gridSampleGrid,
  sampleAtOffsets,
  sampleAtOffsetsInput,
  sampleAtOffsetsOffset,
];

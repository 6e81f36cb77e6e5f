/**
 * @file Kernels of bilinear sampling: gridSample, sampleAtOffsets and their gradients, of the first order.
 */

import type { Shape } from "@gridgrad/core";

import { gridSampleGridOp, gridSampleInputOp, gridSampleOp } from "../../../ops/gridSample.ts";
import type { PaddingMode, SamplingAttrs } from "../../../ops/gridSampleTaps.ts";
import { sampleAtOffsetsInputOp, sampleAtOffsetsOffsetOp, sampleAtOffsetsOp } from "../../../ops/sampleAtOffsets.ts";
import { type CpuKernel, cpuKernel, type Launcher } from "../kernel.ts";

/** The sizes as gridSample sees them: in sampleAtOffsets, each group of channels is an image. */
interface Sizes {
  readonly N: number;
  readonly C: number;
  readonly H: number;
  readonly W: number;
  /** Samples of an image. */
  readonly area: number;
}

/** Where the taps of the samples of some images are. */
interface Taps {
  readonly offsets: number;
  readonly weights: number;
}

const paddings: Readonly<Record<PaddingMode, number>> = { zeros: 0, border: 1, reflection: 2 };

export const samplingKernels: readonly CpuKernel[] = [
  cpuKernel(gridSampleOp, (cpu, y, [x, grid], { attrs, inShapes: [shape, gridShape] }) => {
    if (!isCovered(attrs)) return "loops";
    const sizes = gridSizes(shape, gridShape);
    sample(cpu, sizes, y, x, gridTaps(cpu, sizes, attrs, grid, false));
  }),

  cpuKernel(gridSampleInputOp, (cpu, dx, [dy, grid], { attrs: { sampling }, inShapes: [, gridShape], outShape }) => {
    if (!isCovered(sampling)) return "loops";
    const sizes = gridSizes(outShape, gridShape);
    scatter(cpu, sizes, dx, dy, gridTaps(cpu, sizes, sampling, grid, false));
  }),

  cpuKernel(gridSampleGridOp, (cpu, dgrid, [dy, x, grid], { attrs, inShapes: [, shape, gridShape] }) => {
    if (!isCovered(attrs)) return "loops";
    const sizes = gridSizes(shape, gridShape);
    const locate = gridTaps(cpu, sizes, attrs, grid, true);
    slopes(cpu, sizes, dy, x, locate, (partial, blocks, first, count) => {
      const work = { items: count * sizes.area, cost: 4 * blocks };
      cpu.launch("addSlopes", work, dgrid + first * sizes.area * 8, partial, blocks, sizes.area);
    });
  }),

  cpuKernel(sampleAtOffsetsOp, (cpu, y, [x, offsets], { attrs: { scale }, inShapes: [shape, offsetShape] }) => {
    const sizes = offsetSizes(shape, offsetShape, scale);
    sample(cpu, sizes, y, x, offsetTaps(cpu, sizes, scale, offsetShape, offsets, false));
  }),

  cpuKernel(sampleAtOffsetsInputOp, (cpu, dx, [dy, offsets], { attrs: { scale }, inShapes: [, offsetShape], outShape }) => {
    const sizes = offsetSizes(outShape, offsetShape, scale);
    scatter(cpu, sizes, dx, dy, offsetTaps(cpu, sizes, scale, offsetShape, offsets, false));
  }),

  cpuKernel(sampleAtOffsetsOffsetOp, (cpu, doffsets, [dy, x, offsets], { attrs: { scale }, inShapes: [, shape, offsetShape] }) => {
    const sizes = offsetSizes(shape, offsetShape, scale);
    const locate = offsetTaps(cpu, sizes, scale, offsetShape, offsets, true);
    slopes(cpu, sizes, dy, x, locate, (partial, blocks, first, count) => {
      const work = { items: count * sizes.H * scale, cost: sizes.W * scale * 4 * blocks };
      const G = groupsOf(offsetShape, scale);
      cpu.launch("addOffsetSlopes", work, doffsets, partial, blocks, first, G, scale, sizes.H, sizes.W);
    });
  }),
];

function isCovered({ mode, orderX, orderY }: SamplingAttrs): boolean {
  return mode === "bilinear" && orderX === 0 && orderY === 0;
}

function gridSizes([N, C, H, W]: Shape, [, P, Q]: Shape): Sizes {
  return { N, C, H, W, area: P * Q };
}

function offsetSizes([N, C, H, W]: Shape, offsetShape: Shape, scale: number): Sizes {
  const G = groupsOf(offsetShape, scale);
  return { N: N * G, C: C / G, H, W, area: scale * H * scale * W };
}

function groupsOf([, channels]: Shape, scale: number): number {
  return channels / (2 * scale ** 2);
}

type Locate = (taps: Taps, first: number, count: number) => void;

function gridTaps(cpu: Launcher, sizes: Sizes, attrs: SamplingAttrs, grid: number, slopes: boolean): Locate {
  const { C, H, W, area } = sizes;
  const align = attrs.alignCorners ? 1 : 0;
  return ({ offsets, weights }, first, count) =>
    cpu.launch(
      "gridTaps",
      { items: count * area, cost: 40 },
      offsets, weights, grid + first * area * 8, H, W, paddings[attrs.paddingMode], align, slopes ? 1 : 0, 4 * perBlock(C),
    );
}

function offsetTaps(cpu: Launcher, sizes: Sizes, scale: number, offsetShape: Shape, moves: number, slopes: boolean): Locate {
  const { C, H, W } = sizes;
  const G = groupsOf(offsetShape, scale);
  return ({ offsets, weights }, first, count) =>
    cpu.launch(
      "offsetTaps",
      { items: count * scale * H, cost: 40 * scale * W },
      offsets, weights, moves, first, G, scale, H, W, slopes ? 1 : 0, 4 * perBlock(C),
    );
}

function perBlock(C: number): 4 | 8 | 16 {
  return C > 8 ? 16 : C > 4 ? 8 : 4;
}

const tileSamples = 32;

function work(sizes: Sizes, count: number) {
  const { C, H, W, area } = sizes;
  const channels = perBlock(C);
  const items = count * Math.ceil(C / channels);
  const scratch = (tileSamples + (H + 3) * (W + 2) + 4) * channels * 4;
  return { items, cost: (10 * area + 2 * H * W) * channels, scratch };
}

export const tuning = { samplesPerPass: 2 ** 16 };

function forPasses(cpu: Launcher, { N, C, area }: Sizes, body: (taps: Taps, first: number, count: number) => void) {
  if (N * C * area === 0) return;
  const perPass = Math.min(N, Math.max(1, Math.floor(tuning.samplesPerPass / area)));
  const samples = perPass * area;
  const taps = { offsets: cpu.scratch(samples), weights: cpu.scratch(4 * samples) };
  for (let first = 0; first < N; first += perPass) {
    const count = Math.min(perPass, N - first);
    body(taps, first, count);
  }
}

function sample(cpu: Launcher, sizes: Sizes, y: number, x: number, locate: Locate): void {
  const { C, H, W, area } = sizes;
  forPasses(cpu, sizes, (taps, first, count) => {
    locate(taps, first, count);
    cpu.launch(
      `sample${perBlock(C)}`, work(sizes, count), y + first * C * area * 4, x + first * C * H * W * 4,
      taps.offsets, taps.weights, C, H, W, area,
    );
  });
}

function scatter(cpu: Launcher, sizes: Sizes, dx: number, dy: number, locate: Locate): void {
  const { C, H, W, area } = sizes;
  forPasses(cpu, sizes, (taps, first, count) => {
    locate(taps, first, count);
    cpu.launch(
      `scatter${perBlock(C)}`, work(sizes, count), dx + first * C * H * W * 4, dy + first * C * area * 4,
      taps.offsets, taps.weights, C, H, W, area,
    );
  });
}

function slopes(
  cpu: Launcher, sizes: Sizes, dy: number, x: number, locate: Locate,
  add: (partial: number, blocks: number, first: number, count: number) => void,
): void {
  const { C, H, W, area } = sizes;
  const blocks = Math.ceil(C / perBlock(C));
  let partial = 0;
  forPasses(cpu, sizes, (taps, first, count) => {
    if (!partial) partial = cpu.scratch(count * blocks * area * 2);
    locate(taps, first, count);
    cpu.launch(
      `slope${perBlock(C)}`, work(sizes, count), partial, dy + first * C * area * 4, x + first * C * H * W * 4,
      taps.offsets, taps.weights, C, H, W, area,
    );
    add(partial, blocks, first, count);
  });
}

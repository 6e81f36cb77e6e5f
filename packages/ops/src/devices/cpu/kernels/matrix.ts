/** @file conv1x1, conv2d, their gradients and matmul: all are launches of `correlate` and `correlateWeights` (assembly/matrix.ts). */

import { broadcastOperand, type matmulOp, type Shape, size, walk } from "@gridgrad/core";

import type { conv1x1Op, conv1x1WeightOp } from "../../../ops/conv1x1.ts";
import type { ConvAttrs, conv2dInputOp, conv2dOp, conv2dWeightOp } from "../../../ops/conv2d.ts";
import { kernelOf, type CpuKernel, type Launcher, makeFlag } from "../kernel.ts";

/** Rows of a tile of weights, weights of an item, and pixels of a block: as in assembly/matrix.ts. */
const tileRows = 4;
const weightsPerItem = 8;
const blockPixels = 512;

/** Floats of a panel: 256 KB stay in the second-level cache. */
const panelFloats = 65536;

/** What a pixel of the result reads at distance [a, b], and the place of its weight among those of a plane. */
type Tap = readonly [a: number, b: number, weight: number];

/** y[n, r, i, j] = Σ weight x, for `planes` planes of x and all taps. Offsets and steps count elements. */
interface Correlation {
  readonly taps: readonly Tap[];
  readonly N: number;
  readonly planes: number;
  readonly rows: number;
  /** Where the first weight is; steps from row to row and from plane to plane. */
  readonly weight: number;
  readonly rowStep: number;
  readonly planeStep: number;
  /** Where the first plane of x is, the step from image to image, the size of a plane, the steps from pixel to pixel. */
  readonly x: number;
  readonly imageStep: number;
  readonly height: number;
  readonly width: number;
  readonly stepH: number;
  readonly stepW: number;
  /** The pixels of the result, and where they go: pixel (i, j) to (i spreadH + shiftH, j spreadW + shiftW) of a plane of y. */
  readonly y: number;
  readonly P: number;
  readonly Q: number;
  readonly yImageStep: number;
  readonly yHeight: number;
  readonly yWidth: number;
  readonly spreadH: number;
  readonly spreadW: number;
  readonly shiftH: number;
  readonly shiftW: number;
}

/** Addresses of what a correlation reads and writes. */
interface Blocks {
  readonly y: number;
  readonly x: number;
  readonly weight: number;
}

/**
 * Computes a correlation.
 *
 * @param options.beside - how what lies outside of the image counts: as 0 that is multiplied by its weight, NaN where the weight is not finite
 *   (padding), or not at all.
 */
function correlate(
  cpu: Launcher,
  at: Blocks,
  c: Correlation,
  { beside = "padding" }: { beside?: "padding" | "nothing" } = {},
): "not finite" | void {
  const T = c.taps.length;
  const K = c.planes * T;
  const tiles = Math.ceil(c.rows / tileRows);
  const taps = writeTaps(cpu, c.taps);
  const packed = cpu.scratch(tiles * tileRows * K);
  const weight = at.weight + 4 * c.weight;
  const packing = { items: tiles, cost: 4 * tileRows * K };
  const flag = beside === "nothing" ? makeFlag(cpu) : null;
  const steps = [c.rows, c.planes, c.rowStep, c.planeStep];
  cpu.launch("packWeights", packing, packed, weight, ...steps, taps, T, flag?.address ?? 0);
  if (flag?.isRaised()) return "not finite";
  const panelWidth = Math.min(256, Math.max(32, Math.floor(panelFloats / (8 * Math.max(1, K))) * 8));
  const work = {
    items: c.N * Math.ceil((c.P * c.Q) / panelWidth),
    cost: panelWidth * K * (4 + c.rows),
    scratch: 4 * (panelWidth * K + tileRows * 8),
  };
  const [x, y] = [at.x + 4 * c.x, at.y + 4 * c.y];
  const from = [x, taps, T, c.planes, c.imageStep, c.height, c.width, c.stepH, c.stepW];
  const to = [c.rows, c.P, c.Q, c.yImageStep, c.yHeight, c.yWidth, c.spreadH, c.spreadW, c.shiftH, c.shiftW];
  cpu.launch("correlate", work, panelWidth, y, packed, ...from, ...to);
  return undefined;
}

function writeTaps(cpu: Launcher, taps: readonly Tap[]): number {
  const address = cpu.scratch(3 * taps.length);
  cpu.int32(address, 3 * taps.length).set(taps.flat());
  return address;
}

/** Pixels that go to y one beside the other. */
const sideBySide = { spreadH: 1, spreadW: 1, shiftH: 0, shiftW: 0 };

/** A matrix product at each of P pixels, as a correlation with one tap. The pixels are one row, since it makes no difference. */
function pointwise(
  P: number,
): Pick<
  Correlation,
  | "taps"
  | "height"
  | "width"
  | "stepH"
  | "stepW"
  | "P"
  | "Q"
  | "yHeight"
  | "yWidth"
  | "spreadH"
  | "spreadW"
  | "shiftH"
  | "shiftW"
> {
  const one = { height: 1, width: P, stepH: 1, stepW: 1, P: 1, Q: P, yHeight: 1, yWidth: P };
  return { taps: [[0, 0, 0]], ...one, ...sideBySide };
}

/** dw[r, plane, t], with `Correlation`'s names. */
type WeightGradient = Pick<
  Correlation,
  | "taps"
  | "N"
  | "planes"
  | "rows"
  | "x"
  | "imageStep"
  | "height"
  | "width"
  | "stepH"
  | "stepW"
  | "P"
  | "Q"
  | "yImageStep"
  | "y"
  | "weight"
>;

function correlateWeights(cpu: Launcher, at: { dw: number; dy: number; x: number }, c: WeightGradient): void {
  const T = c.taps.length;
  const K = c.planes * T;
  const taps = writeTaps(cpu, c.taps);
  const rows = Math.ceil(c.rows / tileRows) * tileRows;
  const work = {
    items: Math.ceil(K / weightsPerItem),
    cost: weightsPerItem * c.N * c.P * c.Q * (c.rows + 4),
    scratch: 4 * (weightsPerItem * (blockPixels + rows) + 4),
  };
  const [dw, dy, x] = [at.dw + 4 * c.weight, at.dy + 4 * c.y, at.x + 4 * c.x];
  const from = [x, taps, T, c.planes, c.N, c.imageStep, c.height, c.width, c.stepH, c.stepW];
  cpu.launch("correlateWeights", work, dw, dy, ...from, c.rows, c.P, c.Q, c.yImageStep);
}

const conv1x1 = kernelOf<typeof conv1x1Op>("conv1x1", (cpu, y, [x, weight], { inShapes: [[N, C, H, W], [O]] }) => {
  const P = H * W;
  const steps = { weight: 0, rowStep: C, planeStep: 1, x: 0, imageStep: C * P, y: 0, yImageStep: O * P };
  correlate(cpu, { y, x, weight }, { ...pointwise(P), N, planes: C, rows: O, ...steps });
});

const conv1x1Weight = kernelOf<typeof conv1x1WeightOp>(
  "conv1x1Weight",
  (cpu, dw, [x, dy], { inShapes: [[N, C, H, W], [, O]] }) => {
    const P = H * W;
    const steps = { weight: 0, x: 0, imageStep: C * P, y: 0, yImageStep: O * P };
    correlateWeights(cpu, { dw, dy, x }, { ...pointwise(P), N, planes: C, rows: O, ...steps });
  },
);

/** Sizes of a convolution of x [N, C, H, W] with w [O, C/G, KH, KW] to y [N, O, P, Q]. */
function sizesOf([N, C, H, W]: Shape, [O, perGroup, KH, KW]: Shape, [, , P, Q]: Shape, { groups: G }: ConvAttrs) {
  return { N, C, H, W, O, P, Q, KH, KW, G, perGroup, area: KH * KW };
}

function windowTaps(KH: number, KW: number, { padding, dilation }: ConvAttrs): Tap[] {
  const taps: Tap[] = [];
  for (let kh = 0; kh < KH; kh++) {
    for (let kw = 0; kw < KW; kw++) {
      taps.push([kh * dilation[0] - padding[0], kw * dilation[1] - padding[1], kh * KW + kw]);
    }
  }
  return taps;
}

const conv2d = kernelOf<typeof conv2dOp>(
  "conv2d",
  (cpu, y, [x, weight], { attrs, inShapes: [xShape, wShape], outShape }) => {
    const { N, C, H, W, O, P, Q, KH, KW, G, perGroup, area } = sizesOf(xShape, wShape, outShape, attrs);
    const [stepH, stepW] = attrs.stride;
    for (let g = 0; g < G; g++) {
      const rows = O / G;
      correlate(
        cpu,
        { y, x, weight },
        {
          taps: windowTaps(KH, KW, attrs),
          ...{
            N,
            planes: perGroup,
            rows,
            weight: g * rows * perGroup * area,
            rowStep: perGroup * area,
            planeStep: area,
          },
          ...{ x: g * perGroup * H * W, imageStep: C * H * W, height: H, width: W, stepH, stepW },
          ...{ y: g * rows * P * Q, P, Q, yImageStep: O * P * Q, yHeight: P, yWidth: Q, ...sideBySide },
        },
      );
    }
  },
);

const conv2dWeight = kernelOf<typeof conv2dWeightOp>(
  "conv2dWeight",
  (cpu, dw, [x, dy], { attrs, inShapes: [xShape, dyShape], outShape }) => {
    const { N, C, H, W, O, P, Q, KH, KW, G, perGroup, area } = sizesOf(xShape, outShape, dyShape, attrs);
    const [stepH, stepW] = attrs.stride;
    for (let g = 0; g < G; g++) {
      const rows = O / G;
      correlateWeights(
        cpu,
        { dw, dy, x },
        {
          taps: windowTaps(KH, KW, attrs),
          ...{ N, planes: perGroup, rows, weight: g * rows * perGroup * area },
          ...{ x: g * perGroup * H * W, imageStep: C * H * W, height: H, width: W, stepH, stepW },
          ...{ y: g * rows * P * Q, P, Q, yImageStep: O * P * Q },
        },
      );
    }
  },
);

/**
 * Pixel h of dx gets from the windows p with p stride - padding + kh dilation = h. For the pixels h = r, r + stride, r + 2 stride, ..
 * these are the same kh, and p = i + (r + padding - kh dilation) / stride: a correlation with dy, without any stride.
 */
const conv2dInput = kernelOf<typeof conv2dInputOp>(
  "conv2dInput",
  (cpu, dx, [dy, weight], { attrs, inShapes: [dyShape, wShape], outShape }) => {
    const { N, C, H, W, O, P, Q, KH, KW, G, perGroup, area } = sizesOf(outShape, wShape, dyShape, attrs);
    const [strideH, strideW] = attrs.stride;
    for (let g = 0; g < G; g++) {
      const planes = O / G;
      for (let r = 0; r < Math.min(strideH, H); r++) {
        for (let s = 0; s < Math.min(strideW, W); s++) {
          const taps = inputTaps(KH, KW, attrs, r, s);
          const done = correlate(
            cpu,
            { y: dx, x: dy, weight },
            {
              taps,
              ...{ N, planes: taps.length === 0 ? 0 : planes, rows: perGroup, weight: g * planes * perGroup * area },
              ...{ rowStep: area, planeStep: perGroup * area },
              ...{ x: g * planes * P * Q, imageStep: O * P * Q, height: P, width: Q, stepH: 1, stepW: 1 },
              ...{ y: g * perGroup * H * W, P: Math.ceil((H - r) / strideH), Q: Math.ceil((W - s) / strideW) },
              ...{
                yImageStep: C * H * W,
                yHeight: H,
                yWidth: W,
                spreadH: strideH,
                spreadW: strideW,
                shiftH: r,
                shiftW: s,
              },
            },
            { beside: "nothing" },
          );
          if (done === "not finite") return done;
        }
      }
    }
    return undefined;
  },
);

/** Taps into dy of the pixels at row r and column s of each stride. None where no window reaches: dx is 0 there. */
function inputTaps(KH: number, KW: number, { stride, padding, dilation }: ConvAttrs, r: number, s: number): Tap[] {
  const taps: Tap[] = [];
  for (let kh = 0; kh < KH; kh++) {
    for (let kw = 0; kw < KW; kw++) {
      const a = (r + padding[0] - kh * dilation[0]) / stride[0];
      const b = (s + padding[1] - kw * dilation[1]) / stride[1];
      if (Number.isInteger(a) && Number.isInteger(b)) taps.push([a, b, kh * KW + kw]);
    }
  }
  return taps;
}

const matmul = kernelOf<typeof matmulOp>("matmul", (cpu, y, [a, b], { inShapes: [aShape, bShape], outShape }) => {
  const [M, K] = aShape.slice(-2);
  const N = outShape[outShape.length - 1];
  const batch = outShape.slice(0, -2);
  const product = (index: number, aIndex: number, bIndex: number, N1: number): void => {
    const steps = { weight: aIndex * M * K, rowStep: K, planeStep: 1, x: bIndex * K * N, imageStep: K * N };
    const pixels = { ...pointwise(N), y: index * M * N, yImageStep: M * N };
    correlate(cpu, { y, x: b, weight: a }, { ...pixels, N: N1, planes: K, rows: M, ...steps });
  };
  const aMatrices = size(aShape.slice(0, -2));
  if (aMatrices === 1 && size(bShape.slice(0, -2)) === size(batch)) {
    product(0, 0, 0, size(batch)); // one a for all b
    return;
  }
  let index = 0;
  const operands = [aShape, bShape].map((shape) => broadcastOperand(shape.slice(0, -2), batch));
  walk(batch, operands, (count, [aFrom, bFrom], [aStep, bStep]) => {
    for (let i = 0; i < count; i++) product(index++, aFrom + i * aStep, bFrom + i * bStep, 1);
  });
});

export const matrixKernels: readonly CpuKernel[] = [conv1x1, conv1x1Weight, conv2d, conv2dWeight, conv2dInput, matmul];

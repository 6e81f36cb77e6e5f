import fc from "fast-check";
import { expect } from "vitest";

import { gradientsOf, ones, Random, type Tensor, tensor, zeros } from "@gridgrad/core";
import { integers, reals } from "@gridgrad/core/testing";
import { describeOp, type GradientTest } from "@gridgrad/core/testing/describeOp";
import { Conv2d, functionalCall, Module } from "@gridgrad/nn";
import { interpolate, pixelShuffle } from "@gridgrad/ops";

import { dysampleRuns } from "../testing/dysampleRuns.ts";
import { DySample, dysampleVariants, sampleAt } from "./dysample.ts";

const variants = Object.entries(dysampleVariants);

/** A module whose offsets are not small, so that points move by up to a few pixels. */
function moved(inChannels: number, options: ConstructorParameters<typeof DySample>[1], seed: number): DySample {
  const random = new Random(seed);
  const up = new DySample(inChannels, { ...options, random });
  for (const p of up.parameters()) p.set(random.normal(p.shape, { std: 0.5 }));
  return up;
}

/** Channels that suit every style at `scale` with two groups. */
const channelsFor = (scale: number): number => 2 * scale ** 2;

/** The written-out definition: where each output pixel of each group reads, and what is there. */
async function byDefinition(x: Tensor, offsets: Tensor, scale: number): Promise<Float64Array> {
  const [N, C, H, W] = x.shape;
  const G = offsets.shape[1] / (2 * scale ** 2);
  const xs = await x.data();
  const os = await offsets.data();
  const [P, Q] = [scale * H, scale * W];
  const y = new Float64Array(N * C * P * Q);
  const offsetAt = (n: number, xy: number, g: number, p: number, q: number): number => {
    const channel = ((xy * G + g) * scale + (p % scale)) * scale + (q % scale);
    return os[((n * 2 * G * scale ** 2 + channel) * H + Math.floor(p / scale)) * W + Math.floor(q / scale)];
  };
  for (let n = 0; n < N; n++) {
    for (let c = 0; c < C; c++) {
      const g = Math.floor(c / (C / G));
      for (let p = 0; p < P; p++) {
        for (let q = 0; q < Q; q++) {
          const px = Math.min(Math.max(Math.floor(q / scale) + offsetAt(n, 0, g, p, q), 0), W - 1);
          const py = Math.min(Math.max(Math.floor(p / scale) + offsetAt(n, 1, g, p, q), 0), H - 1);
          const [w0, h0] = [Math.floor(px), Math.floor(py)];
          const [w1, h1] = [Math.min(w0 + 1, W - 1), Math.min(h0 + 1, H - 1)];
          const pixel = (h: number, w: number): number => xs[((n * C + c) * H + h) * W + w];
          const top = pixel(h0, w0) + (px - w0) * (pixel(h0, w1) - pixel(h0, w0));
          const bottom = pixel(h1, w0) + (px - w0) * (pixel(h1, w1) - pixel(h1, w0));
          y[((n * C + c) * P + p) * Q + q] = top + (py - h0) * (bottom - top);
        }
      }
    }
  }
  return y;
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}

/** Of a function of a small module and its input, with parameters of at most `most`. */
function gradientTest(
  variant: (typeof dysampleVariants)[keyof typeof dysampleVariants],
  run: (up: DySample, x: Tensor) => Tensor,
  most: number,
): GradientTest {
  const up = new DySample(4, { ...variant, groups: 2 });
  const names = [...up.namedParameters().keys()];
  return {
    f: (x, ...parameters) =>
      functionalCall(up, Object.fromEntries(parameters.map((p, i) => [names[i], p])), () => run(up, x)),
    inputs: fc.tuple(
      reals([1, 4, 2, 3], { min: -1, max: 1 }),
      ...up.parameters().map((p) => reals(p.shape, { min: -most, max: most })),
    ),
    numRuns: 15,
  };
}

describeOp(DySample, {
  byHand: {
    "starts from the points of a bilinear resize": async () => {
      const { init_pos } = new DySample(4, { scale: 2, groups: 1 });
      expect(init_pos.shape).toEqual([1, 8, 1, 1]);
      expect(Array.from(await init_pos.tensor.data())).toEqual([-0.25, 0.25, -0.25, 0.25, -0.25, -0.25, 0.25, 0.25]);
    },
    "moves a point by a quarter of its offset": async () => {
      const up = new DySample(1, { scale: 1, groups: 1 });
      up.offset.weight.set(zeros([2, 1, 1, 1]));
      up.offset.bias!.set(tensor([2, 0])); // half a pixel to the right, between 0 and 10, 10 and 20, and past the border
      expect(await up.forward(tensor([0, 10, 20, 30], [1, 1, 1, 4])).data()).toEqual(new Float32Array([5, 15, 25, 30]));
    },
    "has the parameters of the paper: six stages at 256 channels": () => {
      const six = (options: ConstructorParameters<typeof DySample>[1]): number => {
        const up = new DySample(256, options);
        return 6 * (up.offset.weight.size + (up.scope?.weight.size ?? 0));
      };
      expect(six({ style: "lp", groups: 4 })).toBe(49_152);
      expect(six({ style: "lp", groups: 4, dyscope: true })).toBe(98_304);
      expect(six({ style: "pl", groups: 8 })).toBe(6_144);
      expect(six({ style: "pl", groups: 8, dyscope: true })).toBe(12_288);
    },
    "takes over the scope's bias of older checkpoints": async () => {
      const up = new DySample(4, { groups: 1, dyscope: true });
      const state = await up.stateDict();
      up.loadStateDict({ ...state, "scope.bias": { dtype: "F32", shape: [8], values: new Float32Array(8).fill(100) } });
      expect(up.namedParameters().has("scope.bias")).toBe(true);
      // sigmoid(100) is 1, so an offset of 1 now moves by the whole dynamic scope, 0.5.
      up.offset.weight.set(zeros([8, 4, 1, 1]));
      up.offset.bias!.set(ones([8]));
      const moves = (await up.offsets(zeros([1, 4, 1, 1])).data()).map(
        (v, k) => v - (up.init_pos.tensor.values ?? [])[k],
      );
      expect(largestDifference(moves, new Float32Array(8).fill(0.5))).toBe(0);
    },
    "has no bias in the scope after a state with one did not fit": async () => {
      const up = new DySample(4, { groups: 1, dyscope: true });
      const bias = { "scope.bias": { dtype: "F32", shape: [8], values: new Float32Array(8) } } as const;
      expect(() => up.loadStateDict(bias)).toThrow(/offset.weight is missing/);
      expect(up.namedParameters().has("scope.bias")).toBe(false);
    },
    "loads a state without init_pos, which can be computed": async () => {
      const { init_pos: _, ...state } = await new DySample(4, { groups: 1 }).stateDict();
      expect(() => new DySample(4, { groups: 1 }).loadStateDict(state)).not.toThrow();
    },
  },

  golden: { cases: ["network/dysample/*"], run: dysampleRuns.dysample },

  laws: {
    "zero offsets are bilinear upsampling": async () => {
      for (const [, variant] of variants) {
        for (const scale of [1, 2, 3, 4]) {
          const C = channelsFor(scale);
          const up = new DySample(C, { ...variant, scale, groups: 2 });
          up.offset.weight.set(zeros(up.offset.weight.shape));
          // A position of up to 9 pixels is off by some 4e-7 pixels in float32; values in [0, 1) have slopes of at most 1.
          const x = new Random(scale).uniform([2, C, 5, 9]);
          const bilinear = await interpolate(x, { scaleFactor: scale, mode: "bilinear" }).data();
          expect(largestDifference(await up.forward(x).data(), bilinear)).toBeLessThan(1e-6);
        }
      }
    },

    "equals the written-out definition": () =>
      fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...variants),
          fc.record({
            scale: fc.integer({ min: 1, max: 3 }),
            H: fc.integer({ min: 1, max: 4 }),
            W: fc.integer({ min: 1, max: 4 }),
          }),
          fc.nat(1000),
          async ([, variant], { scale, H, W }, seed) => {
            const C = channelsFor(scale);
            const up = await moved(C, { ...variant, scale, groups: 2 }, seed).to("float64");
            const x = new Random(seed + 1).normal([2, C, H, W], { dtype: "float64" });
            const expected = await byDefinition(x, up.offsets(x), scale);
            expect(largestDifference(await up.forward(x).data(), expected)).toBeLessThan(1e-12);
          },
        ),
        { numRuns: 40 },
      ),

    "is a convex combination of pixels: a constant stays, and nothing leaves the input's range": () =>
      fc.assert(
        fc.asyncProperty(fc.constantFrom(...variants), fc.nat(1000), async ([, variant], seed) => {
          const up = moved(8, { ...variant, groups: 2 }, seed);
          const x = new Random(seed).normal([1, 8, 4, 5]);
          const [low, high] = [await x.min([0, 2, 3]).data(), await x.max([0, 2, 3]).data()];
          const y = await up.forward(x).data();
          y.forEach((value, i) => {
            const c = Math.floor(i / (8 * 10));
            const slack = 1e-6 * (high[c] - low[c]); // the four weights add up to 1 within a few roundings
            expect(value).toBeGreaterThanOrEqual(low[c] - slack);
            expect(value).toBeLessThanOrEqual(high[c] + slack);
          });
          const flat = await up.forward(ones([1, 8, 4, 5])).data();
          expect(largestDifference(flat, new Float32Array(flat.length).fill(1))).toBeLessThan(1e-6);
        }),
        { numRuns: 30 },
      ),

    "shifting the input by one pixel shifts the inside of the output by the scale": () =>
      fc.assert(
        fc.asyncProperty(fc.constantFrom(...variants), fc.nat(1000), async ([, variant], seed) => {
          // Offsets of at most a quarter pixel: a shifted point then never reads past the columns that both inputs have.
          const up = await new DySample(8, { ...variant, groups: 2, random: new Random(seed) }).to("float64");
          const wide = new Random(seed).normal([1, 8, 3, 8], { dtype: "float64" });
          const left = await up
            .forward(wide.slice([null, null, null, [0, 7]]))
            .slice([null, null, null, [4, 12]])
            .data();
          const right = await up
            .forward(wide.slice([null, null, null, [1, 8]]))
            .slice([null, null, null, [2, 10]])
            .data();
          expect(largestDifference(left, right)).toBeLessThan(1e-12);
        }),
        { numRuns: 20 },
      ),

    "adding offsets before or after the shuffle is the same": () =>
      fc.assert(
        fc.asyncProperty(integers([1, 8, 2, 3]), async (offsets) => {
          const base = new DySample(4, { groups: 1 }).init_pos.tensor;
          const before = await pixelShuffle(offsets.add(base), 2).data();
          const after = await pixelShuffle(offsets, 2)
            .add(pixelShuffle(base.expand([1, 8, 2, 3]), 2))
            .data();
          expect(before).toEqual(after);
        }),
        { numRuns: 20 },
      ),

    "channels of a group share their points, and groups have their own": async () => {
      const up = moved(8, { groups: 2 }, 3);
      const ramp = new Random(5).normal([1, 1, 4, 4]).expand([1, 8, 4, 4]); // the same picture in every channel
      const y = (await up.forward(ramp).array()) as number[][][][];
      for (const c of [1, 2, 3]) expect(y[0][c]).toEqual(y[0][0]);
      for (const c of [5, 6, 7]) expect(y[0][c]).toEqual(y[0][4]);
      expect(y[0][4]).not.toEqual(y[0][0]);
    },

    "a dynamic scope starts exactly as the static one": () =>
      fc.assert(
        fc.asyncProperty(fc.constantFrom("lp" as const, "pl" as const), fc.nat(1000), async (style, seed) => {
          const plain = moved(8, { style, groups: 2 }, seed);
          const dynamic = new DySample(8, { style, groups: 2, dyscope: true });
          dynamic.loadStateDict(await plain.stateDict(), { strict: false });
          const x = new Random(seed).normal([1, 8, 3, 4]);
          expect(await dynamic.forward(x).data()).toEqual(await plain.forward(x).data());
        }),
        { numRuns: 20 },
      ),

    "at init the outermost points have no gradient along the axis on which they are clamped": async () => {
      const up = new DySample(4, { groups: 1 });
      const x = new Random(1).normal([1, 4, 3, 5]);
      const offsets = up.offsets(x);
      const [d] = gradientsOf(
        sampleAt(x, offsets, 2)
          .mul(new Random(2).normal([1, 4, 6, 10]))
          .sum(),
        [offsets],
      );
      const points = (await pixelShuffle(d!, 2).array()) as number[][][][]; // [1, 2, 6, 10]: x, then y
      points[0][0].forEach((row) => row.forEach((dx, q) => expect(dx === 0).toBe(q === 0 || q === 9)));
      points[0][1].forEach((row, p) => row.forEach((dy) => expect(dy === 0).toBe(p === 0 || p === 5)));
    },

    "to any size it begins as a bilinear resize, and to the size of its scale it is the forward pass": async () => {
      for (const [, variant] of variants) {
        const x = new Random(1).normal([2, 8, 5, 9], { dtype: "float64" });
        const still = await new DySample(8, { ...variant, groups: 2 }).to("float64");
        still.offset.weight.set(zeros(still.offset.weight.shape, { dtype: "float64" }));
        for (const size of [
          [9, 17],
          [3, 4],
          [5, 9],
          [1, 1],
          [10, 4],
        ] as const) {
          // prettier-ignore
          const bilinear = await interpolate(x, { size, mode: "bilinear" }).data();
          expect(largestDifference(await still.resize(x, size).data(), bilinear)).toBeLessThan(1e-12);
        }
        const up = await moved(8, { ...variant, groups: 2 }, 4).to("float64");
        const same = await up.resize(x, [10, 18]).data();
        expect(largestDifference(same, await up.forward(x).data())).toBeLessThan(1e-12);
      }
    },

    "moves of a smaller output are in units of the distance of its points": async () => {
      const up = new DySample(1, { scale: 1, groups: 1, scope: 0.25 });
      up.offset.weight.set(zeros([2, 1, 1, 1]));
      up.offset.bias!.set(tensor([1, 0])); // a quarter of the distance to the right
      const ramp = tensor([0, 10, 20, 30, 40, 50, 60, 70], [1, 1, 1, 8]);
      // Eight pixels to four: points at 0.5, 2.5, 4.5, 6.5 and half a pixel on. To eight: a quarter pixel on, but at the border.
      expect(await up.resize(ramp, [1, 4]).data()).toEqual(new Float32Array([10, 30, 50, 70]));
      expect(await up.resize(ramp, [1, 8]).data()).toEqual(
        new Float32Array([2.5, 12.5, 22.5, 32.5, 42.5, 52.5, 62.5, 70]),
      );
    },

    "with init nearest and zero offsets it repeats pixels": async () => {
      const up = new DySample(8, { scale: 3, groups: 2, init: "nearest" });
      up.offset.weight.set(zeros(up.offset.weight.shape));
      const x = new Random(2).normal([1, 8, 3, 4]);
      expect(await up.forward(x).data()).toEqual(await interpolate(x, { scaleFactor: 3 }).data());
    },

    "the scope scales the moves, static or dynamic": () =>
      fc.assert(
        fc.asyncProperty(fc.boolean(), fc.nat(1000), async (dyscope, seed) => {
          const up = moved(8, { groups: 2, dyscope, scope: 0.25 }, seed);
          const wider = new DySample(8, { groups: 2, dyscope, scope: 1 });
          wider.loadStateDict(await up.stateDict());
          const x = new Random(seed).normal([1, 8, 3, 4]);
          expect(await wider.moves(x).data()).toEqual(await up.moves(x).mul(4).data());
        }),
        { numRuns: 10 },
      ),

    "keeps its initialisation when the whole model is initialised": async () => {
      class Net extends Module {
        stem = new Conv2d(3, 8, 1);
        up = new DySample(8, { dyscope: true });
      }
      const net = new Net();
      const before = await net.up.stateDict();
      const visited: Module[] = [];
      net.apply((module) => {
        visited.push(module);
        if (module instanceof Conv2d) module.weight.set(ones(module.weight.shape));
      });
      expect(visited).toEqual([net.stem, net]);
      expect(await net.up.stateDict()).toEqual(before);
      expect((await net.stem.weight.tensor.data()).every((w) => w === 1)).toBe(true);
    },
  },

  gradients: Object.fromEntries(
    variants.flatMap(([name, variant]) => [
      // Offsets stay below 0.2 pixels: from ±0.25 they reach neither a pixel's centre nor the border's clamp.
      [`${name}: input and parameters`, gradientTest(variant, (up, x) => up.forward(x), 0.15)],
      // Below 0.1: so far are the points of 5 x 4 pixels from centres and borders of 2 x 3.
      [`${name} to another size: input and parameters`, gradientTest(variant, (up, x) => up.resize(x, [5, 4]), 0.05)],
    ]),
  ),

  errors: {
    "channels that groups do not divide": () => {
      expect(() => new DySample(6, { groups: 4 })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: DySample: inChannels must be divisible by groups = 4, got 6]`,
      );
    },
    "channels that the square of the scale does not divide": () => {
      expect(() => new DySample(6, { style: "pl", groups: 2 })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: DySample: with style "pl" inChannels must be divisible by scale*scale = 4, got 6]`,
      );
    },
    "an unknown style": () => {
      expect(() => new DySample(4, { style: "pp" as never })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: DySample: style must be "lp" or "pl", got "pp"]`,
      );
    },
    "a scale that is no positive integer": () => {
      expect(() => new DySample(4, { scale: 1.5 })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: DySample: scale must be an integer of at least 1, got 1.5]`,
      );
    },
    "a start that is neither": () => {
      expect(() => new DySample(4, { init: "random" as never })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: DySample: init must be "bilinear" or "nearest", got "random"]`,
      );
    },
    "a scope that moves nothing": () => {
      expect(() => new DySample(4, { scope: 0 })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: DySample: scope must be a number of pixels above 0, got 0]`,
      );
    },
    "a target size that is none": () => {
      expect(() => new DySample(4).resize(zeros([1, 4, 2, 2]), [0, 3])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: DySample.resize: size must be [P, Q], integers of at least 1, got [0, 3]]`,
      );
    },
    "a target size for points that start on pixels": () => {
      const up = new DySample(4, { init: "nearest" });
      expect(() => up.resize(zeros([1, 4, 2, 2]), [3, 3])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: DySample.resize: the module must have init "bilinear", whose points any size has, got nearest]`,
      );
    },
    "an input with other channels": () => {
      expect(() => new DySample(4).forward(zeros([1, 8, 2, 2]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: DySample: x must be [N, C, H, W] with C = 4 channels, got x of shape [1, 8, 2, 2]]`,
      );
    },
    "offsets of another size": () => {
      expect(() => sampleAt(zeros([1, 4, 2, 2]), zeros([1, 8, 2, 3]), 2)).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: sampleAt: offsets must be [N, 2*G*s*s, H, W] with x's N, H, W, s = 2 and a G that divides C, got offsets of shape [1, 8, 2, 3] and x of shape [1, 4, 2, 2]]`,
      );
    },
  },
});

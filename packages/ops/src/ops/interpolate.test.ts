import { add, arange, flip, full, grad, mul, reshape, tensor, zeros } from "@gridgrad/core";
import { dims, dot, integers, reals } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { expectSame } from "../testing/expectSame.ts";
import { sampleRuns } from "../testing/sampleRuns.ts";
import { affineGrid } from "./affineGrid.ts";
import { gridSample } from "./gridSample.ts";
import { interpolate, type InterpolateOptions } from "./interpolate.ts";

const pairs = (min: number, max: number): fc.Arbitrary<[number, number]> => fc.tuple(dims(min, max), dims(min, max));

/** What the ops differ by: the modes, with both conventions where there are two. */
const modes = fc.constantFrom<InterpolateOptions>(
  { mode: "nearest" },
  { mode: "bilinear" },
  { mode: "bilinear", alignCorners: true },
  { mode: "bicubic" },
  { mode: "bicubic", alignCorners: true },
);

/** Ways to ask for an output of at least one pixel per axis of an image of H by W. */
const targets = (H: number, W: number): fc.Arbitrary<InterpolateOptions> => {
  const factor = (size: number): fc.Arbitrary<number> =>
    fc.constantFrom(1 / size, 0.5, 0.7, 1, 1.3, 2, 2.5).filter((s) => size * s >= 1);
  return fc.oneof(
    pairs(1, 7).map((size) => ({ size })),
    fc.tuple(factor(H), factor(W)).map((scaleFactor) => ({ scaleFactor })),
  );
};

const cases = fc
  .tuple(pairs(1, 4), modes)
  .chain(([[H, W], mode]) =>
    fc.record({ shape: fc.constant([2, 1, H, W]), options: targets(H, W).map((target) => ({ ...mode, ...target })) }),
  );

/** Resizes a row of pixels. */
const row = async (pixels: number[], options: InterpolateOptions): Promise<number[]> =>
  Array.from(await interpolate(tensor(pixels, [1, 1, 1, pixels.length], { dtype: "float64" }), options).data());

describeOp(interpolate, {
  byHand: {
    "nearest repeats or skips pixels": async () => {
      const x = tensor([[[[1, 2], [3, 4]]]]); // prettier-ignore
      expect(await interpolate(x, { size: [2, 4] }).array()).toEqual([[[[1, 1, 2, 2], [3, 3, 4, 4]]]]); // prettier-ignore
      expect(await interpolate(x, { scaleFactor: [2, 0.5] }).array()).toEqual([[[[1], [1], [3], [3]]]]);
      expect(await row([1, 2, 3, 4, 5], { size: [1, 3] })).toEqual([1, 2, 4]);
    },
    "bilinear keeps the outer edges in place": async () => {
      expect(await row([0, 8], { size: [1, 4], mode: "bilinear" })).toEqual([0, 2, 6, 8]);
      expect(await row([0, 2, 4, 6], { size: [1, 2], mode: "bilinear" })).toEqual([1, 5]);
    },
    "with alignCorners it keeps the centres of the outermost pixels in place": async () => {
      expect(await row([0, 8], { size: [1, 5], mode: "bilinear", alignCorners: true })).toEqual([0, 2, 4, 6, 8]);
      expect(await row([3, 8], { size: [1, 1], mode: "bilinear", alignCorners: true })).toEqual([3]);
    },
    "bicubic reads four pixels, and the outermost one in place of those outside": async () => {
      const double = async (pixels: number[]) =>
        Array.from(await interpolate(tensor([[[pixels]]]), { scaleFactor: [1, 2], mode: "bicubic" }).data());
      // A quarter of the way between two pixels, the four around weigh -27, 225, 67 and -9 of 256.
      expect(await double([0, 0, 256, 0, 0])).toEqual([0, -9, -27, 67, 225, 225, 67, -27, -9, 0]);
      expect(await double([0, 256])).toEqual([-27, 67 - 9, 225 - 27, 256 + 27]);
      const x = tensor([[[[0, 0]]]]);
      const y = interpolate(x, { scaleFactor: [1, 2], mode: "bicubic" });
      const [dx] = grad(y, [x], { gradOutput: tensor([[[[256, 0, 0, 0]]]]) });
      expect(await dx.array()).toEqual([[[[256 + 27, -27]]]]);
    },
    "with alignCorners bicubic passes through the pixels": async () => {
      // Halfway between two pixels, the four around weigh -3, 19, 19 and -3 of 32.
      const options = { size: [1, 9], mode: "bicubic", alignCorners: true } as const;
      const y = interpolate(tensor([[[[0, 0, 32, 0, 0]]]]), options);
      expect(await y.array()).toEqual([[[[0, -3, 0, 19, 32, 19, 0, -3, 0]]]]);
      expect(await row([3, 8], { ...options, size: [1, 1] })).toEqual([3]);
    },
    "one number is for both axes": async () => {
      const x = reshape(arange(4), [1, 1, 2, 2]);
      expect(await interpolate(x, { size: 3 }).array()).toEqual(await interpolate(x, { size: [3, 3] }).array());
      expect(interpolate(x, { scaleFactor: 2.5, mode: "bilinear" }).shape).toEqual([1, 1, 5, 5]);
    },
    "a scaleFactor gives floor(in * factor) pixels, placed by the factor itself": async () => {
      // 3 * 1.5 = 4.5 gives four pixels, at (i + 0.5) / 1.5 - 0.5 = -1/6, 1/2, 7/6, 11/6; by size the ratio would be 3/4.
      const [a, b, c, d] = await row([0, 60, 120], { scaleFactor: [1, 1.5], mode: "bilinear" });
      expect([a, b]).toEqual([0, 30]);
      expect(c).toBeCloseTo(70, 12);
      expect(d).toBeCloseTo(110, 12);
      expect(await row([0, 60, 120], { size: [1, 4], mode: "bilinear" })).toEqual([0, 37.5, 82.5, 120]);
    },
    "does what PyTorch does where that is odd": async () => {
      // An axis that keeps its size is copied, whatever the factor, but not in bicubic; in nearest, one that doubles is doubled.
      expect(await row([1, 2, 3], { scaleFactor: [1, 1.3] })).toEqual([1, 2, 3]);
      expect(await row([1, 2, 3], { scaleFactor: [1, 1.3], mode: "bilinear" })).toEqual([1, 2, 3]);
      const [, middle] = await row([1, 2, 3], { scaleFactor: [1, 1.3], mode: "bicubic" }); // at 1.5 / 1.3 - 0.5 = 17/26
      const t = 17 / 26;
      expect(middle).toBeCloseTo(1 + 0.75 * t + 0.25 * t ** 3, 12);
      expect(await row([1, 2, 3], { scaleFactor: [1, 2.3] })).toEqual([1, 1, 2, 2, 3, 3]);
      // 41 * 2 / 82 is 1, but not in float32.
      expect((await row([5, 6], { size: [1, 82] })).indexOf(6)).toBe(42);
    },
    "nearest copies what is not finite, and spreads it no further": async () => {
      expect(await row([NaN, 1, Infinity], { size: [1, 6] })).toEqual([NaN, NaN, 1, 1, Infinity, Infinity]);
    },
    "bilinear does not read a neighbour of a pixel that it copies, where the size stays": async () => {
      expect(await row([1, NaN, 3], { size: [1, 3], mode: "bilinear" })).toEqual([1, NaN, 3]);
      expect(await row([1, NaN, 3], { size: [1, 3], mode: "bilinear", alignCorners: true })).toEqual([1, NaN, 3]);
    },
    "bilinear keeps an infinity behind the centre of the last pixel": async () => {
      const x = tensor([[[[1, 2], [3, Infinity]]]], undefined, { dtype: "float64" }); // prettier-ignore
      const y = await interpolate(x, { size: 4, mode: "bilinear" }).data();
      expect([y[10], y[11], y[14], y[15]]).toEqual([Infinity, Infinity, Infinity, Infinity]);
    },
    "takes batches without images": () => {
      expect(interpolate(zeros([0, 3, 2, 2]), { size: 4 }).shape).toEqual([0, 3, 4, 4]);
    },
  },

  golden: {
    cases: ["network/interpolate/*", "arithmetic/resample/interpolate_*"],
    run: sampleRuns.interpolate,
  },

  laws: {
    "nearest reads pixel floor(i in / out)": () =>
      fc.assert(
        fc.asyncProperty(dims(1, 12), dims(1, 40), async (H, P) => {
          const column = reshape(arange(H), [1, 1, H, 1]);
          const want = Array.from({ length: P }, (_, p) => Math.floor((p * H) / P));
          expect(Array.from(await interpolate(column, { size: [P, 1] }).data())).toEqual(want);
        }),
      ),
    "bilinear and bicubic are gridSample with border padding on the regular grid": () =>
      fc.assert(
        fc.asyncProperty(
          pairs(1, 5).chain(([H, W]) => reals([2, 2, H, W])),
          pairs(2, 7), // affineGrid lays a single sample on the image's centre, alignCorners on its first pixel
          fc.constantFrom("bilinear", "bicubic"),
          fc.boolean(),
          async (x, [P, Q], mode, alignCorners) => {
            const identity = tensor([[[1, 0, 0], [0, 1, 0]]], [1, 2, 3], { dtype: "float64" }); // prettier-ignore
            const grid = affineGrid(identity.expand([2, 2, 3]), [2, 2, P, Q], { alignCorners });
            const sampled = gridSample(x, grid, { mode, paddingMode: "border", alignCorners });
            await expectSame(interpolate(x, { size: [P, Q], mode, alignCorners }), sampled);
          },
        ),
      ),
    "the image's own size gives the image": () =>
      fc.assert(
        fc.asyncProperty(pairs(1, 4), modes, async ([H, W], mode) => {
          const x = reshape(arange(2 * H * W), [1, 2, H, W]);
          expect(await interpolate(x, { ...mode, size: [H, W] }).array()).toEqual(await x.array());
          expect(await interpolate(x, { ...mode, scaleFactor: 1 }).array()).toEqual(await x.array());
        }),
      ),
    "a whole scaleFactor is the same as its size": () =>
      fc.assert(
        fc.asyncProperty(
          pairs(1, 4).chain(([H, W]) => reals([1, 2, H, W])),
          pairs(1, 4),
          modes,
          async (x, [sy, sx], mode) => {
            const bySize = interpolate(x, { ...mode, size: [x.shape[2] * sy, x.shape[3] * sx] });
            await expectSame(interpolate(x, { ...mode, scaleFactor: [sy, sx] }), bySize);
          },
        ),
      ),
    "a constant image stays constant, and others within their values except in bicubic": () =>
      fc.assert(
        fc.asyncProperty(
          cases.chain(({ shape, options }) => fc.tuple(reals(shape, { dtype: "float32" }), fc.constant(options))),
          async ([x, options]) => {
            const y = interpolate(full(x.shape, 0.3, { dtype: "float64" }), options);
            await expectSame(y, full(y.shape, 0.3, { dtype: "float64" }));
            if (options.mode === "bicubic") return;
            const pixels = [...(await x.data())];
            for (const value of await interpolate(x, options).data()) {
              expect(value).toBeGreaterThanOrEqual(Math.min(...pixels));
              expect(value).toBeLessThanOrEqual(Math.max(...pixels));
            }
          },
        ),
      ),
    "bicubic bends a ramp by t (t - 1/2) (t - 1) between its pixels, and nothing at them or halfway": () =>
      // Only a = -1/2 would leave it straight: of t, the four weights make -2a t + (6a + 3) t² - (4a + 2) t³.
      fc.assert(
        fc.asyncProperty(dims(4, 9), dims(2, 30), fc.boolean(), async (H, P, alignCorners) => {
          const ramp = reshape(arange(H, { dtype: "float64" }), [1, 1, H, 1]);
          const y = await interpolate(ramp, { size: [P, 1], mode: "bicubic", alignCorners }).data();
          for (let p = 0; p < P; p++) {
            const position = alignCorners ? (p * (H - 1)) / (P - 1) : ((p + 0.5) * H) / P - 0.5;
            if (position < 1 || position >= H - 2) continue; // a tap may be outside
            const t = position - Math.floor(position);
            expect(y[p]).toBeCloseTo(position + t * (t - 0.5) * (t - 1), 12);
          }
        }),
      ),
    "is linear": () =>
      fc.assert(
        fc.asyncProperty(
          cases.chain(({ shape, options }) => fc.tuple(reals(shape), reals(shape), fc.constant(options))),
          async ([a, b, options]) => {
            const apart = add(mul(interpolate(a, options), 2), mul(interpolate(b, options), -3));
            await expectSame(interpolate(add(mul(a, 2), mul(b, -3)), options), apart);
          },
        ),
      ),
    "has its transpose as its gradient: dy . f(x) = x . fᵀ(dy), exactly where the weights are": () =>
      fc.assert(
        fc.asyncProperty(
          fc
            .constantFrom<[InterpolateOptions, [number, number][]]>(
              [{}, [[4, 8], [8, 4], [3, 5], [2, 7]]], // prettier-ignore
              [{ mode: "bilinear" }, [[4, 8], [8, 4], [2, 8], [3, 6]]], // prettier-ignore
              [{ mode: "bilinear", alignCorners: true }, [[3, 5], [5, 3], [2, 5], [3, 9]]], // prettier-ignore
              [{ mode: "bicubic" }, [[1, 2], [4, 8], [8, 4], [5, 10]]], // prettier-ignore
              [{ mode: "bicubic", alignCorners: true }, [[3, 5], [5, 3], [2, 5], [3, 9]]], // prettier-ignore
            )
            .chain(([mode, sizes]) => fc.tuple(fc.constant(mode), fc.constantFrom(...sizes)))
            .chain(([mode, [H, P]]) => fc.tuple(fc.constant(mode), integers([1, 2, H, H]), integers([1, 2, P, P]))),
          async ([mode, x, dy]) => {
            const y = interpolate(x, { ...mode, size: dy.shape[2] });
            const [dx] = grad(y, [x], { gradOutput: dy });
            expect(dot(await dy.data(), await y.data())).toBe(dot(await dx.data(), await x.data()));
          },
        ),
      ),
    "bilinear and bicubic commute with flipping": () =>
      fc.assert(
        fc.asyncProperty(
          pairs(1, 5).chain(([H, W]) => reals([1, 1, H, W])),
          pairs(2, 6),
          fc.constantFrom("bilinear", "bicubic"),
          fc.boolean(),
          async (x, size, mode, alignCorners) => {
            const options = { size, mode, alignCorners };
            await expectSame(interpolate(flip(x, [2, 3]), options), flip(interpolate(x, options), [2, 3]));
          },
        ),
      ),
  },

  gradients: {
    "by x, in every mode, by size and by factor": {
      f: (x, dy) => {
        const [, , H, W] = x.shape;
        const [, , P, Q] = dy.shape;
        const parts = [
          interpolate(x, { size: [P, Q] }),
          interpolate(x, { size: [P, Q], mode: "bilinear" }),
          interpolate(x, { size: [P, Q], mode: "bilinear", alignCorners: true }),
          interpolate(interpolate(x, { scaleFactor: [1.3, 2.5], mode: "bilinear" }), { size: [P, Q] }),
          interpolate(x, { size: [P, Q], mode: "bicubic" }),
          interpolate(x, { size: [P, Q], mode: "bicubic", alignCorners: true }),
          interpolate(interpolate(x, { scaleFactor: [1.3, 2.5], mode: "bicubic" }), { size: [P, Q] }),
        ].map((y, i) => mul(mul(y, y), (i + 1) / (H * W)));
        return mul(parts.reduce(add), dy);
      },
      inputs: fc
        .tuple(pairs(1, 4), pairs(1, 5))
        .chain(([[H, W], [P, Q]]) => fc.tuple(reals([1, 2, H, W]), reals([1, 2, P, Q]))),
    },
    "by x, bicubic, of rows that double or halve": {
      f: (x) => {
        const larger = interpolate(x, { scaleFactor: 2, mode: "bicubic" });
        const smaller = interpolate(mul(larger, larger), { scaleFactor: [1, 0.25], mode: "bicubic" });
        return mul(smaller, 1 / x.shape[3]);
      },
      inputs: fc.tuple(dims(1, 3), dims(2, 11)).chain(([H, W]) => fc.tuple(reals([2, 1, H, W]))),
    },
  },

  errors: {
    "an image without a batch": () => {
      expect(() => interpolate(zeros([3, 4, 4]), { size: 2 })).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: interpolate: x must be [N, C, H, W] with at least one pixel, got x of shape [3, 4, 4]]`,
      );
    },
    "an image without pixels": () => {
      expect(() => interpolate(zeros([1, 3, 4, 0]), { size: 2 })).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: interpolate: x must be [N, C, H, W] with at least one pixel, got x of shape [1, 3, 4, 0]]`,
      );
    },
    "neither a size nor a scaleFactor": () => {
      expect(() => interpolate(zeros([1, 3, 4, 4]), {})).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: interpolate: exactly one of size and scaleFactor must be given, got neither]`,
      );
    },
    "both a size and a scaleFactor": () => {
      expect(() => interpolate(zeros([1, 3, 4, 4]), { size: 2, scaleFactor: 2 })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: interpolate: exactly one of size and scaleFactor must be given, got both]`,
      );
    },
    "a size that is no whole number": () => {
      expect(() => interpolate(zeros([1, 3, 4, 4]), { size: [2, 2.5] })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: interpolate: the output must have a height and a width, integers of at least 1, got size [2, 2.5] for an image of 4 by 4]`,
      );
    },
    "sides beyond what can be counted, also of no pictures": () => {
      expect(() => interpolate(zeros([0, 3, 1, 1]), { scaleFactor: [2 ** 53, 1] })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: interpolate: the output must have sides of at most 2147483647, got 9007199254740992 by 1]`,
      );
    },
    "a size for one axis": () => {
      const size = [2] as unknown as [number, number];
      expect(() => interpolate(zeros([1, 3, 4, 4]), { size })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: interpolate: the output must have a height and a width, integers of at least 1, got size [2] for an image of 4 by 4]`,
      );
    },
    "a scaleFactor that leaves no pixels": () => {
      expect(() => interpolate(zeros([1, 3, 4, 2]), { scaleFactor: 0.3 })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: interpolate: the output must have a height and a width, integers of at least 1, got scaleFactor [0.3, 0.3] for an image of 4 by 2]`,
      );
    },
    "a mode that there is not": () => {
      const mode = "cubic" as "bicubic";
      expect(() => interpolate(zeros([1, 3, 4, 4]), { size: 2, mode })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: interpolate: mode must be "nearest", "bilinear" or "bicubic", got "cubic"]`,
      );
    },
    "alignCorners with nearest": () => {
      const x = zeros([1, 3, 4, 4]);
      expect(() => interpolate(x, { size: 2, alignCorners: true })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: interpolate: alignCorners goes with mode "bilinear" or "bicubic", got "nearest" with alignCorners true]`,
      );
    },
    "an integer image": () => {
      const x = zeros([1, 3, 4, 4], { dtype: "int32" });
      expect(() => interpolate(x, { size: 2 })).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: interpolate: inputs must share one floating dtype (x.cast("float32") converts), got int32]`,
      );
    },
  },
});

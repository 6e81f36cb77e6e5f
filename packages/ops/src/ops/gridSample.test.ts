import {
  add,
  clamp,
  concat,
  flip,
  full,
  grad,
  leaf,
  mul,
  neg,
  permute,
  slice,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "@gridgrad/core";
import { dims, dot, integers, reals } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { expectSame } from "../testing/expectSame.ts";
import { sampleRuns } from "../testing/sampleRuns.ts";
import { affineGrid } from "./affineGrid.ts";
import { gridSample, type GridSampleOptions } from "./gridSample.ts";

const modes = ["bilinear", "nearest", "bicubic"] as const;
const paddings = ["zeros", "border", "reflection"] as const;
type Variant = Required<GridSampleOptions>;
const variants: Variant[] = modes.flatMap((mode) =>
  paddings.flatMap((paddingMode) => [false, true].map((alignCorners) => ({ mode, paddingMode, alignCorners }))),
);
const titleOf = ({ mode, paddingMode, alignCorners }: Variant): string =>
  `${mode}, ${paddingMode}, alignCorners ${alignCorners}`;

/** The grid's coordinate of a position in pixels; along one pixel with alignCorners all coordinates are one position. */
function toGrid(px: number, size: number, alignCorners: boolean): number {
  if (!alignCorners) return (2 * px + 1) / size - 1;
  return size === 1 ? px : (2 * px) / (size - 1) - 1;
}

/** A grid of one image out of positions (x, y) in pixels, [N, 1, Q, 2]. */
function gridAt(positions: [number, number][], [, , H, W]: readonly number[], alignCorners: boolean): Tensor {
  const values = positions.flatMap(([px, py]) => [toGrid(px, W, alignCorners), toGrid(py, H, alignCorners)]);
  return tensor(values, [1, 1, positions.length, 2], { dtype: "float64" });
}

/** Samples a row of pixels at positions in pixels. */
function sampleRow(row: number[], positions: number[], options: GridSampleOptions): Tensor {
  const x = tensor(row, [1, 1, 1, row.length], { dtype: "float64" });
  const points = positions.map((px): [number, number] => [px, 0]);
  return gridSample(x, gridAt(points, x.shape, options.alignCorners ?? false), options);
}

/**
 * Positions in pixels up to two image sizes outside, each 1/32 or more from pixels' centres and edges, where modes and paddings have
 * their kinks and ties.
 */
const positionAlong = (size: number): fc.Arbitrary<number> =>
  fc.integer({ min: -32 * size, max: 48 * size }).map((k) => (2 * k + 1) / 32);

interface Case {
  readonly x: Tensor;
  readonly grid: Tensor;
}

/** Images with grids that read them at such positions, in float64. */
function cases(alignCorners: boolean, { image = dims(1, 4) }: { image?: fc.Arbitrary<number> } = {}) {
  return fc.tuple(dims(1, 2), dims(1, 2), image, image, dims(1, 3), dims(1, 3)).chain(([N, C, H, W, P, Q]) =>
    fc
      .tuple(
        reals([N, C, H, W]),
        fc.array(fc.tuple(positionAlong(W), positionAlong(H)), { minLength: N * P * Q, maxLength: N * P * Q }),
      )
      .map(([x, positions]): Case => {
        const values = positions.flatMap(([px, py]) => [toGrid(px, W, alignCorners), toGrid(py, H, alignCorners)]);
        return { x, grid: tensor(values, [N, P, Q, 2], { dtype: "float64" }) };
      }),
  );
}

/** Checks a property of every variant on random images and grids. */
async function forEachVariant(
  list: readonly Variant[],
  property: (variant: Variant, given: Case) => Promise<void>,
): Promise<void> {
  for (const variant of list) {
    await fc.assert(
      fc.asyncProperty(cases(variant.alignCorners), (given) => property(variant, given)),
      { numRuns: 25 },
    );
  }
}

/**
 * The definition, without a thought of speed: the sum over the pixels around a position of a plane that the padding fills, with
 * the modes' weights as functions of the distance between pixel and position.
 */
async function oracle({ x, grid }: Case, { mode, paddingMode, alignCorners }: Variant): Promise<Tensor> {
  const [N, C, H, W] = x.shape;
  const [, P, Q] = grid.shape;
  const weightAt = {
    nearest: (d: number) => (d < 0.5 ? 1 : 0),
    bilinear: (d: number) => Math.max(0, 1 - d),
    bicubic(d: number) {
      const a = -0.75;
      if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
      return d < 2 ? a * (d ** 3 - 5 * d ** 2 + 8 * d - 4) : 0;
    },
  }[mode];

  const inside = (px: number, size: number): number => {
    if (paddingMode === "zeros") return px;
    const [low, high] = alignCorners ? [0, size - 1] : [-0.5, size - 0.5];
    if (low === high) return 0;
    while (paddingMode === "reflection" && (px < low || px > high)) px = px < low ? 2 * low - px : 2 * high - px;
    return Math.min(Math.max(px, 0), size - 1);
  };
  const position = (g: number, size: number): number => {
    const px = alignCorners ? ((g + 1) / 2) * (size - 1) : ((g + 1) * size - 1) / 2;
    return mode === "bicubic" ? px : inside(px, size);
  };

  const [xs, gs] = [await x.data(), await grid.data()];
  const y = new Float64Array(N * C * P * Q);
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++)
      for (let p = 0; p < P * Q; p++) {
        const px = position(gs[(n * P * Q + p) * 2], W);
        const py = position(gs[(n * P * Q + p) * 2 + 1], H);
        for (let row = Math.floor(py) - 2; row <= py + 3; row++)
          for (let column = Math.floor(px) - 2; column <= px + 3; column++) {
            const [h, w] = [inside(row, H), inside(column, W)];
            const weight = weightAt(Math.abs(py - row)) * weightAt(Math.abs(px - column));
            if (h >= 0 && h < H && w >= 0 && w < W)
              y[(n * C + c) * P * Q + p] += weight * xs[((n * C + c) * H + h) * W + w];
          }
      }
  return leaf([N, C, P, Q], "float64", y);
}

/** The grid's gradient along x of the sum of the samples of a row. */
async function slopes(row: number[], gx: number[], options: GridSampleOptions): Promise<number[]> {
  const x = tensor(row, [1, 1, 1, row.length]);
  const points = gx.flatMap((g) => [g, 0]);
  const grid = tensor(points, [1, 1, gx.length, 2]);
  const [dgrid] = grad(sum(gridSample(x, grid, options)), [grid]);
  // Adding 0 makes -0 a 0: a slope of 0 has no sign.
  return Array.from(await slice(dgrid, [null, null, null, [0, 1]]).data(), (slope) => slope + 0);
}

/** Grid coordinates of the five pixels' centres of a row. */
const identityRow = { true: [-1, -0.5, 0, 0.5, 1], false: [-0.8, -0.4, 0, 0.4, 0.8] };

describeOp(gridSample, {
  byHand: {
    "reads x from the first coordinate and y from the second": async () => {
      const x = tensor([[[[1, 2, 3, 4], [5, 6, 7, 8]]]]); // prettier-ignore
      const grid = tensor([[[[0.75, -0.5], [-0.75, 0.5]]]]); // prettier-ignore
      expect(await gridSample(x, grid).data()).toEqual(Float32Array.of(4, 5));
    },
    "weights the four pixels around a position by how close they are": async () => {
      const x = tensor([[[[0, 8], [80, 800]]]]); // prettier-ignore
      const grid = gridAt([[0.25, 0.5]], x.shape, false).cast("float32");
      expect(await gridSample(x, grid).item()).toBe(0.5 * (0.25 * 8) + 0.5 * (0.75 * 80 + 0.25 * 800));
    },
    "counts -1 and 1 from the outer edges of the outermost pixels, with alignCorners from their centres": async () => {
      const x = tensor([[[[1, 2, 4, 8]]]]);
      const grid = tensor([[[[-1, 0], [-0.75, 0], [0, 0], [1, 0]]]]); // prettier-ignore
      expect(await gridSample(x, grid).data()).toEqual(Float32Array.of(0.5, 1, 3, 4));
      expect(await gridSample(x, grid, { alignCorners: true }).data()).toEqual(Float32Array.of(1, 1.375, 3, 8));
    },
    "pads with zeros, with the outermost pixels or with the mirror image": async () => {
      const read = (row: number[], at: number[], options: GridSampleOptions): Promise<unknown> =>
        sampleRow(row, at, options).array();
      const at = [-2, -1, -0.5, 3.5, 4, 5];
      expect(await read([1, 2, 4, 8], at, { paddingMode: "zeros" })).toEqual([[[[0, 0, 0.5, 4, 0, 0]]]]);
      expect(await read([1, 2, 4, 8], at, { paddingMode: "border" })).toEqual([[[[1, 1, 1, 8, 8, 8]]]]);
      expect(await read([1, 2, 4, 8], at, { paddingMode: "reflection" })).toEqual([[[[2, 1, 1, 8, 8, 4]]]]);
      const aligned = { paddingMode: "reflection", alignCorners: true } as const;
      expect(await read([1, 2, 4], [-2, -1, -0.5, 2.5, 3, 4], aligned)).toEqual([[[[4, 2, 1.5, 3, 2, 1]]]]);
    },
    "bicubic weights four pixels per axis, the outer ones negatively": async () => {
      const y = sampleRow([1, 10, 100, 1000], [1.5, 1], { mode: "bicubic", paddingMode: "border" });
      expect(await y.array()).toEqual([[[[-0.09375 * 1001 + 0.59375 * 110, 10]]]]);
    },
    "nearest takes the even pixel of two that are as near": async () => {
      const at = [-0.5, 0.5, 1.5, 2.5, 3.5];
      expect(await sampleRow([1, 2, 3, 4], at, { mode: "nearest" }).array()).toEqual([[[[1, 1, 3, 3, 0]]]]);
    },
    "has PyTorch's slopes on the pixels' centres": async () => {
      const row = [0, 1, 2, 3, 4];
      const border = { paddingMode: "border" } as const;
      expect(await slopes(row, identityRow.true, { ...border, alignCorners: true })).toEqual([0, 2, 2, 2, 0]);
      expect(await slopes(row, identityRow.false, border)).toEqual([0, 2.5, 2.5, 2.5, 0]);
      expect(await slopes(row, identityRow.true, { alignCorners: true })).toEqual([2, 2, 2, 2, -8]);
      expect(await slopes(row, identityRow.false, {})).toEqual([0, 2.5, 2.5, 2.5, -10]);
    },
    "has the slope of the cell on the right of a pixel's centre": async () => {
      for (const paddingMode of paddings) {
        // Positions 1, shortly before it, and 2; [-1, 1] is four pixels wide.
        const got = await slopes([0, 1, 5, 7, 9], [-0.5, -0.625, 0], { paddingMode, alignCorners: true });
        expect(got).toEqual([2 * 4, 2 * 1, 2 * 2]);
      }
    },
    "has slope 0 at and beyond the clip of border padding, and the mirror image's slope beyond the mirror":
      async () => {
        const row = [1, 2, 4, 8];
        expect(await slopes(row, [-3, -1, -0.75, 0.75, 1, 3], { paddingMode: "border" })).toEqual([0, 0, 0, 0, 0, 0]);
        expect(await slopes(row, [-1, 1], { paddingMode: "border", alignCorners: true })).toEqual([0, 0]);
        // Pixels' centres are at -0.75, -0.25, 0.25, 0.75; -1.5 mirrors to -0.5, 1.25 to 0.75, 1.5 to 0.5.
        expect(await slopes(row, [-0.5, -1.5, 1.5], { paddingMode: "reflection" })).toEqual([2, -2, -8]);
        expect(await slopes(row, [-1, 1, 1.25], { paddingMode: "reflection" })).toEqual([0, 0, 0]);
      },
    "lets taps outside add nothing to value and slope in zeros padding": async () => {
      expect(await sampleRow([8], [-0.75, 0.25, 1], {}).array()).toEqual([[[[2, 6, 0]]]]);
      expect(await slopes([8, 8], [-1.25, 1.25, 1.5, 2], {})).toEqual([8, -8, 0, 0]);
    },
    "clamping the grid is border padding with alignCorners, and not without": async () => {
      const x = tensor([[[[4, 6, 8]]]]);
      const grid = tensor([[[[-2, 0], [0.5, 0], [1.5, 0]]]]); // prettier-ignore
      const clamped = clamp(grid, { min: -1, max: 1 });
      const border = { paddingMode: "border", alignCorners: true } as const;
      expect(await gridSample(x, clamped, { alignCorners: true }).array()).toEqual(
        await gridSample(x, grid, border).array(),
      );
      expect(await gridSample(x, clamped).data()).toEqual(Float32Array.of(2, 7.5, 4)); // half of the outermost pixels
    },
    "reads an axis of one pixel at that pixel with alignCorners, whatever the padding and the coordinate": async () => {
      for (const mode of modes)
        for (const paddingMode of paddings) {
          const options = { mode, paddingMode, alignCorners: true };
          expect(await sampleRow([3], [-7, 0, 0.4, 9], options).array()).toEqual([[[[3, 3, 3, 3]]]]);
          expect(await slopes([3], [-7, 0, 0.4, 9], options)).toEqual([0, 0, 0, 0]);
        }
    },
    "gives NaN, 0, the first or the last pixel at a coordinate that is not finite": async () => {
      const gx = [NaN, -Infinity, Infinity, -3e38, 3e38];
      const nan = [NaN, NaN, NaN, NaN, NaN];
      const first = [10, 10, 10, 10, 10];
      const ends = [10, 10, 14, 10, 14];
      const values = {
        bilinear: { zeros: nan, border: ends, reflection: first },
        nearest: { zeros: [0, 0, 0, 0, 0], border: ends, reflection: first },
        bicubic: { zeros: nan, border: nan, reflection: nan },
      };
      for (const variant of variants)
        for (const dtype of ["float32", "float64"] as const) {
          const x = tensor([10, 11, 12, 13, 14], [1, 1, 1, 5], { dtype });
          const points = gx.flatMap((g) => [g, 0]);
          const grid = tensor(points, [1, 1, 5, 2], { dtype });
          const y = gridSample(x, grid, variant);
          const [dx, dgrid] = grad(sum(y), [x, grid]);
          expect(Array.from(await y.data()), titleOf(variant)).toEqual(values[variant.mode][variant.paddingMode]);
          const slope = Array.from(await slice(dgrid, [null, null, null, [0, 1]]).data(), Math.abs);
          expect(slope, titleOf(variant)).toEqual(variant.mode === "bicubic" ? nan : [0, 0, 0, 0, 0]);
          if (variant.paddingMode === "zeros") expect(await dx.array()).toEqual([[[[0, 0, 0, 0, 0]]]]);
        }
    },
    "keeps a pixel that is NaN or infinite from samples that do not read it": async () => {
      for (const variant of variants) {
        const y = sampleRow([NaN, Infinity, 1, 1, 1, 1, 2], [5, 40], { ...variant, paddingMode: "zeros" });
        expect(await y.array(), titleOf(variant)).toEqual([[[[1, 0]]]]);
      }
    },
    "takes grids without samples and batches without images": async () => {
      expect(await gridSample(zeros([1, 2, 2, 2]), zeros([1, 0, 3, 2])).data()).toEqual(new Float32Array(0));
      expect(gridSample(zeros([0, 2, 2, 2]), zeros([0, 1, 3, 2])).shape).toEqual([0, 2, 1, 3]);
    },
  },

  loops: {
    "adds up the gradients of many samples on one pixel, in float64": async () => {
      const samples = 10_000;
      const x = zeros([1, 1, 1, 2]);
      const grid = full([1, 1, samples, 2], 0);
      const dy = full([1, 1, 1, samples], 0.1);
      for (const mode of ["nearest", "bilinear"] as const) {
        const [dx] = grad(gridSample(x, grid, { mode }), [x], { gradOutput: dy });
        const half = (samples * Math.fround(0.1)) / 2;
        const want = mode === "nearest" ? [2 * half, 0] : [half, half];
        expect(await dx.data()).toEqual(Float32Array.from(want));
        const [again] = grad(gridSample(x, grid, { mode }), [x], { gradOutput: dy });
        expect(await again.data()).toEqual(await dx.data());
      }
    },
  },

  golden: {
    cases: ["network/grid_sample/*", "arithmetic/resample/grid_sample_*"],
    run: sampleRuns.grid_sample,
  },

  laws: {
    "is the weighted sum over the padded image, in every mode, padding and convention": () =>
      forEachVariant(variants, async (variant, given) => {
        await expectSame(gridSample(given.x, given.grid, variant), await oracle(given, variant));
      }),
    "keeps a constant image constant with border and reflection padding": () =>
      forEachVariant(
        variants.filter(({ paddingMode }) => paddingMode !== "zeros"),
        async (variant, { x, grid }) => {
          const y = gridSample(full(x.shape, -1.7, { dtype: "float64" }), grid, variant);
          await expectSame(y, full(y.shape, -1.7, { dtype: "float64" }));
        },
      ),
    "stays within the image's smallest and largest value, except for bicubic": () =>
      forEachVariant(
        variants.filter(({ mode }) => mode !== "bicubic"),
        async (variant, { x, grid }) => {
          const pixels = [...(await x.cast("float32").data()), ...(variant.paddingMode === "zeros" ? [0] : [])];
          for (const value of await gridSample(x.cast("float32"), grid.cast("float32"), variant).data()) {
            expect(value).toBeGreaterThanOrEqual(Math.min(...pixels));
            expect(value).toBeLessThanOrEqual(Math.max(...pixels));
          }
        },
      ),
    "gives the image back on the identity's grid": () =>
      forEachVariant(variants, async (variant, { x }) => {
        const [N] = x.shape;
        const identity = tensor([[[1, 0, 0], [0, 1, 0]]], [1, 2, 3], { dtype: "float64" }); // prettier-ignore
        const grid = affineGrid(identity.expand([N, 2, 3]), x.shape, { alignCorners: variant.alignCorners });
        await expectSame(gridSample(x, grid, variant), x);
      }),
    "gives the pixels themselves, exactly, on their centres": () =>
      fc.assert(
        fc.asyncProperty(integers([1, 2, 4, 4]), fc.constantFrom(...variants), async (x, variant) => {
          const at = [0, 1, 2, 3].flatMap((py) => [0, 1, 2, 3].map((px): [number, number] => [px, py]));
          const grid = gridAt(at, x.shape, false).cast("float32"); // exact for four pixels without alignCorners
          const y = gridSample(x, grid, { ...variant, alignCorners: false });
          expect(await y.data()).toEqual(await x.data());
        }),
      ),
    "is linear in the image": () =>
      forEachVariant(variants, async (variant, { x, grid }) => {
        const other = flip(x, [2]);
        const together = gridSample(add(mul(x, 2), mul(other, -3)), grid, variant);
        const apart = add(mul(gridSample(x, grid, variant), 2), mul(gridSample(other, grid, variant), -3));
        await expectSame(together, apart);
      }),
    "has its transpose as the image's gradient: dy . S x = x . Sᵀ dy, exactly": () =>
      fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...variants).chain((variant) => {
            // Quarters of pixels, along sizes for which toGrid is exact: then so are the weights and all sums, in float64.
            const size = variant.alignCorners ? 5 : 4;
            const along = fc.integer({ min: -4 * size, max: 8 * size }).map((k) => k / 4);
            return fc.tuple(
              fc.constant(variant),
              integers([1, 2, size, size], { dtype: "float64" }),
              integers([1, 2, 1, 6], { dtype: "float64" }),
              fc.array(fc.tuple(along, along), { minLength: 6, maxLength: 6 }),
            );
          }),
          async ([variant, x, dy, positions]) => {
            const y = gridSample(x, gridAt(positions, x.shape, variant.alignCorners), variant);
            const [dx] = grad(y, [x], { gradOutput: dy });
            expect(dot(await dy.data(), await y.data())).toBe(dot(await dx.data(), await x.data()));
          },
        ),
        { numRuns: 300 },
      ),
    "turning image and grid around gives the same samples": () =>
      forEachVariant(variants, async (variant, { x, grid }) => {
        const y = gridSample(x, grid, variant);
        const [gx, gy] = [0, 1].map((axis) => slice(grid, [null, null, null, [axis, axis + 1]]));
        await expectSame(gridSample(flip(x, [3]), concat([neg(gx), gy], 3), variant), y);
        await expectSame(gridSample(permute(x, [0, 1, 3, 2]), concat([gy, gx], 3), variant), y);
      }),
    "records no kernel for the grid's gradient in mode nearest: it is 0": () =>
      forEachVariant(
        variants.filter(({ mode }) => mode === "nearest"),
        async (variant, { x, grid }) => {
          const [dgrid] = grad(sum(gridSample(x, grid, variant)), [grid]);
          expect(dgrid.recipe).toBeNull();
          expect(await dgrid.array()).toEqual(await zeros(grid.shape).array());
        },
      ),
    "is bilinear in every cell: its second derivatives along one axis are 0": () =>
      forEachVariant(
        variants.filter(({ mode }) => mode === "bilinear"),
        async (variant, { x, grid }) => {
          const alongX = slice(grad(sum(gridSample(x, grid, variant)), [grid])[0], [null, null, null, [0, 1]]);
          const [second] = grad(sum(alongX), [grid]);
          const xx = await slice(second, [null, null, null, [0, 1]]).data();
          expect(xx.every((value) => value === 0)).toBe(true);
        },
      ),
  },

  gradients: {
    ...Object.fromEntries(
      variants.map((variant) => [
        titleOf(variant),
        {
          f: (x: Tensor, grid: Tensor) => gridSample(x, grid, variant),
          inputs: cases(variant.alignCorners).map(({ x, grid }) => [x, grid]),
          numRuns: 15,
        },
      ]),
    ),
    // The ops that gradients are made of, each with all of its own: together with the above, every op of every order up to four.
    ...Object.fromEntries(
      [0, 1].flatMap((input) =>
        variants
          .filter(({ mode, paddingMode }) => mode !== "nearest" && paddingMode !== "border")
          .map((variant) => [
            `the gradient by the ${input === 0 ? "image" : "grid"}: ${titleOf(variant)}`,
            {
              f: (x: Tensor, grid: Tensor, dy: Tensor) =>
                grad(gridSample(x, grid, variant), [[x, grid][input]], { gradOutput: dy })[0],
              inputs: cases(variant.alignCorners, { image: dims(2, 3) }).chain(({ x, grid }) =>
                reals([x.shape[0], x.shape[1], grid.shape[1], grid.shape[2]]).map((dy) => [x, grid, dy]),
              ),
              numRuns: 10,
            },
          ]),
      ),
    ),
  },

  errors: {
    "an image without a batch": () => {
      expect(() => gridSample(zeros([3, 2, 2]), zeros([1, 2, 2, 2]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: gridSample: x must be [N, C, H, W] with at least one pixel, and grid [N, P, Q, 2] with the same N and (x, y) last, got x of shape [3, 2, 2] and grid of shape [1, 2, 2, 2]]`,
      );
    },
    "a grid for another number of images": () => {
      expect(() => gridSample(zeros([2, 3, 4, 4]), zeros([1, 2, 2, 2]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: gridSample: x must be [N, C, H, W] with at least one pixel, and grid [N, P, Q, 2] with the same N and (x, y) last, got x of shape [2, 3, 4, 4] and grid of shape [1, 2, 2, 2]]`,
      );
    },
    "a grid with its coordinates in front": () => {
      expect(() => gridSample(zeros([1, 3, 4, 4]), zeros([1, 2, 5, 5]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: gridSample: x must be [N, C, H, W] with at least one pixel, and grid [N, P, Q, 2] with the same N and (x, y) last, got x of shape [1, 3, 4, 4] and grid of shape [1, 2, 5, 5]]`,
      );
    },
    "an image without pixels": () => {
      expect(() => gridSample(zeros([1, 3, 0, 4]), zeros([1, 2, 2, 2]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: gridSample: x must be [N, C, H, W] with at least one pixel, and grid [N, P, Q, 2] with the same N and (x, y) last, got x of shape [1, 3, 0, 4] and grid of shape [1, 2, 2, 2]]`,
      );
    },
    "a mode that there is not": () => {
      const mode = "linear" as "bilinear";
      expect(() => gridSample(zeros([1, 3, 4, 4]), zeros([1, 2, 2, 2]), { mode })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: gridSample: mode must be "bilinear" or "nearest" or "bicubic", got "linear"]`,
      );
    },
    "a padding that there is not": () => {
      const paddingMode = "constant" as "zeros";
      expect(() =>
        gridSample(zeros([1, 3, 4, 4]), zeros([1, 2, 2, 2]), { paddingMode }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: gridSample: paddingMode must be "zeros" or "border" or "reflection", got "constant"]`,
      );
    },
    "image and grid of different element types": () => {
      const grid = zeros([1, 2, 2, 2], { dtype: "float64" });
      expect(() => gridSample(zeros([1, 3, 4, 4]), grid)).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: gridSample: inputs must share one floating dtype (x.cast("float32") converts), got float32 and float64]`,
      );
    },
  },
});

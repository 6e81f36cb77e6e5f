import { flip, OutOfMemoryError, permute, tensor, zeros } from "@gridgrad/core";
import { dims, integers, reals } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { expectSame } from "../testing/expectSame.ts";
import { sampleRuns } from "../testing/sampleRuns.ts";
import { affineGrid } from "./affineGrid.ts";
import { gridSample } from "./gridSample.ts";

/** One map, as [1, 2, 3] in float64. */
const map = (...rows: [number, number, number][]) => tensor([rows], [1, 2, 3], { dtype: "float64" });

const images = fc.tuple(dims(), dims()).chain(([H, W]) => reals([1, 2, H, W]));
const conventions = fc.boolean().map((alignCorners) => ({ alignCorners }));

describeOp(affineGrid, {
  byHand: {
    "the identity gives the pixels' centres": async () => {
      const identity = map([1, 0, 0], [0, 1, 0]);
      const row = [-0.75, -0.25, 0.25, 0.75];
      expect(await affineGrid(identity, [1, 1, 2, 4]).array()).toEqual([
        [row.map((x) => [x, -0.5]), row.map((x) => [x, 0.5])],
      ]);
      expect(await affineGrid(identity, [1, 1, 2, 3], { alignCorners: true }).array()).toEqual([
        [
          [[-1, -1], [0, -1], [1, -1]], // prettier-ignore
          [[-1, 1], [0, 1], [1, 1]], // prettier-ignore
        ],
      ]);
    },
    "an axis of one pixel lies at 0": async () => {
      for (const alignCorners of [false, true]) {
        const grid = affineGrid(map([1, 0, 0], [0, 1, 0]), [1, 1, 1, 1], { alignCorners });
        expect(await grid.array()).toEqual([[[[0, 0]]]]);
      }
    },
    "maps x with the first row and y with the second": async () => {
      const grid = affineGrid(map([1, 10, 100], [2, 20, 200]), [1, 1, 2, 2]);
      expect(await grid.data()).toEqual(
        Float64Array.of(...[94.5, 189, 95.5, 191, 104.5, 209, 105.5, 211]), // at (∓0.5, ∓0.5)
      );
    },
    "each image has its own map": async () => {
      const theta = tensor([[[1, 0, 0], [0, 1, 0]], [[0, 0, 0.5], [0, 0, -2]]]); // prettier-ignore
      expect(await affineGrid(theta, [2, 1, 1, 2]).array()).toEqual([
        [[[-0.5, 0], [0.5, 0]]], // prettier-ignore
        [[[0.5, -2], [0.5, -2]]], // prettier-ignore
      ]);
    },
    "rotating by a quarter turn reads the image turned around": async () => {
      const x = tensor([[[[1, 2], [3, 4]]]], [1, 1, 2, 2], { dtype: "float64" }); // prettier-ignore
      // x' = -y and y' = x: the upper left reads the lower left.
      expect(await affineGrid(map([0, 1, 0], [-1, 0, 0]), x.shape).data()).toEqual(
        Float64Array.of(-0.5, 0.5, -0.5, -0.5, 0.5, 0.5, 0.5, -0.5),
      );
      const turned = gridSample(x, affineGrid(map([0, 1, 0], [-1, 0, 0]), x.shape));
      expect(await turned.array()).toEqual([[[[3, 1], [4, 2]]]]); // prettier-ignore
    },
  },

  golden: { cases: ["arithmetic/resample/affine_grid_*"], run: sampleRuns.affine_grid },

  laws: {
    "mirroring maps flip the image": () =>
      fc.assert(
        fc.asyncProperty(images, conventions, async (x, options) => {
          const mirrored = gridSample(x, affineGrid(map([-1, 0, 0], [0, 1, 0]), x.shape, options), options);
          await expectSame(mirrored, flip(x, [3]));
          const upsideDown = gridSample(x, affineGrid(map([1, 0, 0], [0, -1, 0]), x.shape, options), options);
          await expectSame(upsideDown, flip(x, [2]));
        }),
      ),
    "swapping x and y transposes the image": () =>
      fc.assert(
        fc.asyncProperty(images, conventions, async (x, options) => {
          const [N, C, H, W] = x.shape;
          const grid = affineGrid(map([0, 1, 0], [1, 0, 0]), [N, C, W, H], options);
          await expectSame(gridSample(x, grid, options), permute(x, [0, 1, 3, 2]));
        }),
      ),
    "moving by a pixel moves the image by a pixel": () =>
      fc.assert(
        fc.asyncProperty(reals([1, 1, 2, 3]), async (x) => {
          const grid = affineGrid(map([1, 0, 2 / 3], [0, 1, 0]), x.shape);
          const moved = gridSample(x, grid, { paddingMode: "border" });
          await expectSame(moved.slice([null, null, null, [0, 2]]), x.slice([null, null, null, [1, 3]]));
        }),
      ),
    "does not depend on the number of channels": () =>
      fc.assert(
        fc.asyncProperty(integers([2, 2, 3]), dims(0, 3), async (theta, C) => {
          const grid = affineGrid(theta, [2, C, 2, 3]);
          expect(await grid.array()).toEqual(await affineGrid(theta, [2, 1, 2, 3]).array());
        }),
      ),
  },

  gradients: {
    "by theta": {
      f: (theta) => affineGrid(theta, [2, 1, 3, 2]),
      inputs: fc.tuple(reals([2, 2, 3])),
    },
    "by theta, through the samples": {
      f: (theta) => {
        const x = tensor([1, 4, 2, 5, 3, 9, 7, 8, 6], [1, 1, 3, 3], { dtype: theta.dtype });
        return gridSample(x, affineGrid(theta, [1, 1, 1, 1]));
      },
      inputs: fc.tuple(reals([1, 2, 3], { min: 0.1, max: 0.3 })),
    },
  },

  errors: {
    "a map that is not 2 by 3": () => {
      expect(() => affineGrid(zeros([1, 3, 3]), [1, 1, 2, 2])).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: affineGrid: theta must be [N, 2, 3], got theta of shape [1, 3, 3]]`,
      );
    },
    "a size for another number of images": () => {
      expect(() => affineGrid(zeros([1, 2, 3]), [2, 1, 4, 4])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: affineGrid: size must be [N, C, H, W] with the N of theta, 1, got [2, 1, 4, 4]]`,
      );
    },
    "more rows than can be counted, also where there is no column": () => {
      expect(() => affineGrid(zeros([1, 2, 3]), [1, 1, 1e39, 0])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: affineGrid: sides must be at most 9007199254740991, got [1, 1, 1e+39, 0]]`,
      );
    },
    "a size of two numbers": () => {
      expect(() => affineGrid(zeros([1, 2, 3]), [4, 4])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: affineGrid: size must be [N, C, H, W] with the N of theta, 1, got [4, 4]]`,
      );
    },
    "a size that is no shape": () => {
      expect(() => affineGrid(zeros([1, 2, 3]), [1, 1, 2.5, 4])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: affineGrid: a shape must be an array of integers of at least 0, got [1, 1, 2.5, 4]]`,
      );
    },
    "a size beyond all memory": () => {
      expect(() => affineGrid(zeros([1, 2, 3]), [1, 1, 2 ** 53 - 1, 1])).toThrowErrorMatchingInlineSnapshot(
        `[OutOfMemoryError: affineGrid: a grid of 9007199254740991 by 1 points in float32 must fit into memory, but needs 100663296.0 GB; a smaller batch, size or scale needs less]`,
      );
      expect(() => affineGrid(zeros([1, 2, 3]), [1, 1, 2 ** 26, 2 ** 26])).toThrow(OutOfMemoryError);
    },
    "an integer map": () => {
      const theta = zeros([1, 2, 3], { dtype: "int32" });
      expect(() => affineGrid(theta, [1, 1, 2, 2])).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: affineGrid: theta must be float32 or float64 (theta.cast("float32") converts), got int32]`,
      );
    },
  },
});

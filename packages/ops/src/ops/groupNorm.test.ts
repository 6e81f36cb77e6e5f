import { concat, flip, ones, reshape, slice, tensor, zeros } from "@gridgrad/core";
import { reals } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { expectSame } from "../testing/expectSame.ts";
import { networkRuns } from "../testing/networkRuns.ts";
import { spread } from "../testing/spread.ts";
import { batchNorm2d } from "./batchNorm2d.ts";
import { groupNorm } from "./groupNorm.ts";
import { layerNorm } from "./layerNorm.ts";

const shape = [2, 4, 2, 3];
const groups = fc.constantFrom(1, 2, 4);

describeOp(groupNorm, {
  byHand: {
    "normalises neighbouring channels together": async () => {
      expect(await groupNorm(tensor([[1, 3, 10, 50]]), 2, { eps: 0 }).array()).toEqual([[-1, 1, -1, 1]]);
    },
    "then scales and shifts by channel": async () => {
      const y = groupNorm(tensor([[1, 3, 10, 50]]), 2, {
        weight: tensor([1, 2, 3, 4]),
        bias: tensor([10, 0, 0, 0]),
        eps: 0,
      });
      expect(await y.array()).toEqual([[9, 2, -3, 4]]);
    },
  },

  golden: { cases: ["network/group_norm/*", "arithmetic/norm/group_norm_*"], run: networkRuns.group_norm },

  laws: {
    "with one group is layerNorm over channels and image": () =>
      fc.assert(
        fc.asyncProperty(spread(shape), async (x) => {
          await expectSame(groupNorm(x, 1), layerNorm(x, [4, 2, 3]));
        }),
      ),
    "with a group per channel is batchNorm2d of an image alone": () =>
      fc.assert(
        fc.asyncProperty(spread([1, 4, 2, 3]), async (x) => {
          const { y } = batchNorm2d(x, zeros([4], { dtype: "float64" }), ones([4], { dtype: "float64" }), {
            training: true,
          });
          await expectSame(groupNorm(x, 4), y);
        }),
      ),
    "treats each group as if it were alone": () =>
      fc.assert(
        fc.asyncProperty(spread(shape), groups, async (x, numGroups) => {
          const size = 4 / numGroups;
          const parts = Array.from({ length: numGroups }, (_, g) =>
            groupNorm(slice(x, [null, [g * size, (g + 1) * size]]), 1),
          );
          await expectSame(concat(parts, 1), groupNorm(x, numGroups));
        }),
      ),
    "does not care which channel of a group is which": () =>
      fc.assert(
        fc.asyncProperty(spread(shape), async (x) => {
          const swap = (t: typeof x) => reshape(flip(reshape(t, [2, 2, 2, 6]), 2), shape);
          await expectSame(groupNorm(swap(x), 2), swap(groupNorm(x, 2)));
        }),
      ),
  },

  gradients: {
    "x, weight and bias": {
      f: (x, weight, bias) => groupNorm(x, 2, { weight, bias, eps: 0.5 }),
      inputs: fc.tuple(reals([2, 4, 2]), reals([4]), reals([4])),
      numRuns: 25,
    },
  },

  errors: {
    "groups that do not divide the channels": () => {
      expect(() => groupNorm(zeros([1, 4, 2, 2]), 3)).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: groupNorm: x must be [N, C, ...] with C divisible by numGroups = 3, got x of shape [1, 4, 2, 2]]`,
      );
    },
    "no groups": () => {
      expect(() => groupNorm(zeros([1, 4]), 0)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: groupNorm: numGroups must be a positive integer, got 0]`,
      );
    },
    "a single image with one value per group": () => {
      expect(() => groupNorm(zeros([1, 4, 1, 1]), 4)).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: groupNorm: a single image must have more than one value per group (one value has no variance), got x of shape [1, 4, 1, 1]]`,
      );
    },
    "a bias of another shape": () => {
      expect(() => groupNorm(zeros([1, 4, 2, 2]), 2, { bias: zeros([2]) })).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: groupNorm: bias must have shape [4], got bias of shape [2] and the input of shape [1, 4, 2, 2]]`,
      );
    },
    "a negative eps": () => {
      expect(() => groupNorm(zeros([1, 4, 2, 2]), 2, { eps: NaN })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: groupNorm: eps must be a number of at least 0, got NaN]`,
      );
    },
  },
});

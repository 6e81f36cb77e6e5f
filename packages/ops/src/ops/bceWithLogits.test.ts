import { add, cast, concat, mul, neg, reshape, sub, tensor, type Tensor, zeros } from "@gridgrad/core";
import { integers, reals, shapes, u64 } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { expectReductions } from "../testing/expectReductions.ts";
import { expectSame } from "../testing/expectSame.ts";
import { networkRuns } from "../testing/networkRuns.ts";
import { bceWithLogits } from "./bceWithLogits.ts";
import { crossEntropy } from "./crossEntropy.ts";

const none = { reduction: "none" } as const;
/** Scores of up to ±100, and targets. */
const pairs = shapes().chain((shape) =>
  fc.tuple(reals(shape, { min: -100, max: 100 }), reals(shape, { min: 0, max: 1 })),
);

describeOp(bceWithLogits, {
  byHand: {
    "of a score of 0 is ln 2, whatever the answer": async () => {
      const target = tensor([0, 0.5, 1], [3], { dtype: "float64" });
      const losses = bceWithLogits(zeros([3], { dtype: "float64" }), target, none);
      expect(await losses.array()).toEqual([Math.LN2, Math.LN2, Math.LN2]);
    },
    "of a wrong score of 100 is 100, of a right one e^-100": async () => {
      const x = tensor([100, -100, 100, -100], [4], { dtype: "float64" });
      const target = tensor([0, 1, 1, 0], [4], { dtype: "float64" });
      const [a, b, c, d] = await bceWithLogits(x, target, none).data();
      expect([a, b]).toEqual([100, 100]);
      for (const small of [c, d]) expect(Math.abs(small - Math.exp(-100))).toBeLessThanOrEqual(2 * u64 * small);
    },
    "multiplies wrong and right answers by their weights": async () => {
      const x = tensor([
        [-100, 100],
        [100, -100],
      ]);
      const target = tensor([
        [1, 0],
        [0, 1],
      ]);
      const weight = tensor([[1], [10]]);
      const posWeight = tensor([2, 3]);
      expect(await bceWithLogits(x, target, { weight, posWeight, reduction: "none" }).array()).toEqual([
        [200, 100],
        [1000, 3000],
      ]);
    },
  },

  golden: { cases: ["network/loss/bce_*", "arithmetic/loss/bce_*"], run: networkRuns.bce_with_logits },

  laws: {
    "is the cross entropy of two classes with scores 0 and x": () =>
      fc.assert(
        fc.asyncProperty(
          reals([4], { min: -100, max: 100 }),
          integers([4], { min: 0, max: 1, dtype: "int32" }),
          async (x, t) => {
            const column = reshape(x, [4, 1]);
            const scores = concat([sub(column, column), column], 1);
            await expectSame(bceWithLogits(x, cast(t, "float64")), crossEntropy(scores, t));
          },
        ),
      ),
    "of the opposite question and answer is the same": () =>
      fc.assert(
        fc.asyncProperty(pairs, async ([x, t]) => {
          await expectSame(bceWithLogits(neg(x), sub(1, t), none), bceWithLogits(x, t, none));
        }),
      ),
    "is linear in the target": () =>
      fc.assert(
        fc.asyncProperty(pairs, async ([x, t]) => {
          const yes = bceWithLogits(x, add(mul(t, 0), 1), none);
          const no = bceWithLogits(x, mul(t, 0), none);
          await expectSame(bceWithLogits(x, t, none), add(mul(t, yes), mul(sub(1, t), no)));
        }),
      ),
    "none, sum and mean agree, with weights too": () =>
      fc.assert(
        fc.asyncProperty(
          reals([2, 3], { min: -100, max: 100 }),
          reals([2, 3], { min: 0, max: 1 }),
          reals([2, 1], { min: 0.25 }),
          reals([3], { min: 0.25 }),
          async (x, t, weight, posWeight) => {
            await expectReductions((options) => bceWithLogits(x, t, options));
            await expectReductions((options) => bceWithLogits(x, t, { weight, posWeight, ...options }));
          },
        ),
      ),
    "with a weight is the loss times the weight": () =>
      fc.assert(
        fc.asyncProperty(reals([2, 3]), reals([2, 3], { min: 0, max: 1 }), reals([3]), async (x, t, weight: Tensor) => {
          await expectSame(bceWithLogits(x, t, { weight, ...none }), mul(bceWithLogits(x, t, none), weight));
        }),
      ),
  },

  gradients: {
    "x, target and weights": {
      f: (x, t, weight, posWeight) => bceWithLogits(x, t, { weight, posWeight, reduction: "none" }),
      inputs: fc.tuple(reals([2, 2]), reals([2, 2], { min: 0, max: 1 }), reals([2, 1]), reals([2])),
      numRuns: 25,
    },
    "the mean": {
      f: (x, t) => bceWithLogits(x, t),
      inputs: fc.tuple(reals([3], { min: -50, max: 50 }), reals([3], { min: 0, max: 1 })),
      numRuns: 25,
    },
  },

  errors: {
    "a target that would broadcast": () => {
      expect(() => bceWithLogits(zeros([4, 1]), zeros([4]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: bceWithLogits: x and target must have the same shape (nothing broadcasts; reshape or expand one of them), got x of shape [4, 1] and target of shape [4]]`,
      );
    },
    "an int32 target": () => {
      expect(() => bceWithLogits(zeros([2]), zeros([2], { dtype: "int32" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: bceWithLogits: x and target must share one floating dtype (target.cast("float32") converts), got float32 and int32]`,
      );
    },
    "a weight that does not broadcast to x": () => {
      expect(() => bceWithLogits(zeros([2]), zeros([2]), { weight: zeros([2, 2]) })).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: bceWithLogits: weight must broadcast to x, got weight of shape [2, 2] and x of shape [2]]`,
      );
    },
    "a posWeight of another element type": () => {
      expect(() =>
        bceWithLogits(zeros([2]), zeros([2]), { posWeight: zeros([2], { dtype: "float64" }) }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: bceWithLogits: posWeight must have the dtype of x, float32 (cast converts), got float64]`,
      );
    },
    "another reduction": () => {
      expect(() =>
        bceWithLogits(zeros([2]), zeros([2]), { reduction: "batchmean" as never }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: bceWithLogits: reduction must be "mean", "sum" or "none", got "batchmean"]`,
      );
    },
  },
});

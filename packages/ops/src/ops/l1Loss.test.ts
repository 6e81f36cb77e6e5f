import { abs, add, grad, mul, neg, tensor, zeros } from "@gridgrad/core";
import { integers, reals, shapes } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { expectReductions } from "../testing/expectReductions.ts";
import { networkRuns } from "../testing/networkRuns.ts";
import { l1Loss } from "./l1Loss.ts";

const none = { reduction: "none" } as const;
const pairs = shapes().chain((shape) => fc.tuple(integers(shape), integers(shape)));

describeOp(l1Loss, {
  byHand: {
    "averages the absolute differences": async () => {
      const [x, target] = [tensor([1, 2]), tensor([4, 2])];
      expect(await l1Loss(x, target, none).array()).toEqual([3, 0]);
      expect(await l1Loss(x, target, { reduction: "sum" }).item()).toBe(3);
      expect(await l1Loss(x, target).item()).toBe(1.5);
    },
    "has a gradient of 1, -1, and 0 where both are equal": async () => {
      const x = tensor([5, 1, 2]);
      const [dx] = grad(l1Loss(x, tensor([4, 4, 2]), { reduction: "sum" }), [x]);
      expect(await dx.array()).toEqual([1, -1, 0]);
    },
  },

  golden: { cases: ["network/loss/l1_*", "arithmetic/loss/l1_*"], run: networkRuns.l1_loss },

  laws: {
    "is symmetric, does not see a shift and grows with a factor": () =>
      fc.assert(
        fc.asyncProperty(pairs, fc.integer({ min: -8, max: 8 }), async ([x, t], a) => {
          const losses = await l1Loss(x, t, none).array();
          expect(await l1Loss(t, x, none).array()).toEqual(losses);
          expect(await l1Loss(add(x, a), add(t, a), none).array()).toEqual(losses);
          expect(await l1Loss(mul(x, a), mul(t, a), none).array()).toEqual(
            await mul(l1Loss(x, t, none), Math.abs(a)).array(),
          );
        }),
      ),
    "of opposites is twice the magnitude": () =>
      fc.assert(
        fc.asyncProperty(pairs, async ([x]) => {
          expect(await l1Loss(x, neg(x), none).array()).toEqual(await mul(abs(x), 2).array());
        }),
      ),
    "none, sum and mean agree": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => fc.tuple(reals(shape), reals(shape))),
          async ([x, t]) => {
            await expectReductions((options) => l1Loss(x, t, options));
          },
        ),
      ),
  },

  gradients: {
    "both arguments, away from equality": {
      f: (x, t) => l1Loss(x, t),
      inputs: fc.tuple(reals([2, 3], { min: 0.1 }), reals([2, 3], { max: -0.1 })),
    },
  },

  errors: {
    "a target that would broadcast": () => {
      expect(() => l1Loss(zeros([2, 2]), zeros([2]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: l1Loss: x and target must have the same shape (nothing broadcasts; reshape or expand one of them), got x of shape [2, 2] and target of shape [2]]`,
      );
    },
    int32: () => {
      const x = zeros([2], { dtype: "int32" });
      expect(() => l1Loss(x, x)).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: l1Loss: x and target must share one floating dtype (target.cast("float32") converts), got int32 and int32]`,
      );
    },
    "another reduction": () => {
      expect(() => l1Loss(zeros([2]), zeros([2]), { reduction: null as never })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: l1Loss: reduction must be "mean", "sum" or "none", got null]`,
      );
    },
  },
});

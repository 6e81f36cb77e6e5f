import { add, mul, tensor, zeros } from "@gridgrad/core";
import { integers, reals, shapes } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { expectReductions } from "../testing/expectReductions.ts";
import { networkRuns } from "../testing/networkRuns.ts";
import { mseLoss } from "./mseLoss.ts";

const none = { reduction: "none" } as const;
const pairs = shapes().chain((shape) => fc.tuple(integers(shape), integers(shape)));

describeOp(mseLoss, {
  byHand: {
    "averages the squared differences": async () => {
      const [x, target] = [tensor([1, 2]), tensor([4, 2])];
      expect(await mseLoss(x, target, none).array()).toEqual([9, 0]);
      expect(await mseLoss(x, target, { reduction: "sum" }).item()).toBe(9);
      expect(await mseLoss(x, target).item()).toBe(4.5);
    },
    "of nothing is NaN on average": async () => {
      expect(await mseLoss(zeros([0]), zeros([0])).item()).toBeNaN();
    },
  },

  golden: { cases: ["network/loss/mse_*", "arithmetic/loss/mse_*"], run: networkRuns.mse_loss },

  laws: {
    "is symmetric, does not see a shift and grows with the square of a factor": () =>
      fc.assert(
        fc.asyncProperty(pairs, fc.integer({ min: -8, max: 8 }), async ([x, t], a) => {
          const losses = await mseLoss(x, t, none).array();
          expect(await mseLoss(t, x, none).array()).toEqual(losses);
          expect(await mseLoss(add(x, a), add(t, a), none).array()).toEqual(losses);
          expect(await mseLoss(mul(x, a), mul(t, a), none).array()).toEqual(
            await mul(mseLoss(x, t, none), a * a).array(),
          );
        }),
      ),
    "none, sum and mean agree": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => fc.tuple(reals(shape), reals(shape))),
          async ([x, t]) => {
            await expectReductions((options) => mseLoss(x, t, options));
          },
        ),
      ),
  },

  gradients: {
    "both arguments": { f: (x, t) => mseLoss(x, t), inputs: fc.tuple(reals([2, 3]), reals([2, 3])) },
    "of each loss": { f: (x, t) => mseLoss(x, t, none), inputs: fc.tuple(reals([4]), reals([4])) },
  },

  errors: {
    "a target that would broadcast": () => {
      expect(() => mseLoss(zeros([4, 1]), zeros([4]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: mseLoss: x and target must have the same shape (nothing broadcasts; reshape or expand one of them), got x of shape [4, 1] and target of shape [4]]`,
      );
    },
    "different element types": () => {
      expect(() => mseLoss(zeros([2]), zeros([2], { dtype: "float64" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: mseLoss: x and target must share one floating dtype (target.cast("float32") converts), got float32 and float64]`,
      );
    },
    "another reduction": () => {
      expect(() => mseLoss(zeros([2]), zeros([2]), { reduction: "Mean" as never })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: mseLoss: reduction must be "mean", "sum" or "none", got "Mean"]`,
      );
    },
  },
});

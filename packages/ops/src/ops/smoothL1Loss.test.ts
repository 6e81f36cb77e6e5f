import { add, clamp, div, grad, mul, sub, tensor, zeros } from "@gridgrad/core";
import { integers, reals, shapes } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { expectReductions } from "../testing/expectReductions.ts";
import { expectSame } from "../testing/expectSame.ts";
import { networkRuns } from "../testing/networkRuns.ts";
import { l1Loss } from "./l1Loss.ts";
import { mseLoss } from "./mseLoss.ts";
import { smoothL1Loss } from "./smoothL1Loss.ts";

const none = { reduction: "none" } as const;
const pairs = shapes().chain((shape) => fc.tuple(reals(shape), reals(shape)));
const betas = fc.constantFrom(0.25, 1, 3);

describeOp(smoothL1Loss, {
  byHand: {
    "is a parabola up to beta and a straight line beyond": async () => {
      const x = tensor([0, 1, -1, 2, 5]);
      expect(await smoothL1Loss(x, zeros([5]), { beta: 2, ...none }).array()).toEqual([0, 0.25, 0.25, 1, 4]);
    },
    "has slopes that meet at beta": async () => {
      const x = tensor([0, 1, -2, 2, 5]);
      const [dx] = grad(smoothL1Loss(x, zeros([5]), { beta: 2, reduction: "sum" }), [x]);
      expect(await dx.array()).toEqual([0, 0.5, -1, 1, 1]);
    },
  },

  golden: { cases: ["network/loss/smooth_l1_*", "arithmetic/loss/smooth_l1_*"], run: networkRuns.smooth_l1_loss },

  laws: {
    "with beta 0 is l1Loss, and close to 0 at most beta / 2 below it": () =>
      fc.assert(
        fc.asyncProperty(pairs, async ([x, t]) => {
          expect(await smoothL1Loss(x, t, { beta: 0, ...none }).array()).toEqual(await l1Loss(x, t, none).array());
          const gap = sub(l1Loss(x, t, none), smoothL1Loss(x, t, { beta: 2 ** -20, ...none }));
          await expectSame(gap, clamp(gap, { min: 0, max: 2 ** -21 }));
        }),
      ),
    "with a beta beyond every difference is mseLoss / 2 beta": () =>
      fc.assert(
        fc.asyncProperty(pairs, fc.integer({ min: 5, max: 100 }), async ([x, t], beta) => {
          await expectSame(smoothL1Loss(x, t, { beta }), div(mseLoss(x, t), 2 * beta));
        }),
      ),
    "is symmetric and does not see a shift, exactly on integers": () =>
      fc.assert(
        fc.asyncProperty(integers([4]), integers([4]), fc.integer({ min: -8, max: 8 }), async (x, t, a) => {
          const losses = await smoothL1Loss(x, t, { beta: 4, ...none }).array();
          expect(await smoothL1Loss(t, x, { beta: 4, ...none }).array()).toEqual(losses);
          expect(await smoothL1Loss(add(x, a), add(t, a), { beta: 4, ...none }).array()).toEqual(losses);
        }),
      ),
    "scales with beta: l(a d; a beta) = a l(d; beta)": () =>
      fc.assert(
        fc.asyncProperty(pairs, betas, fc.integer({ min: 1, max: 8 }), async ([x, t], beta, a) => {
          const scaled = smoothL1Loss(mul(x, a), mul(t, a), { beta: a * beta, ...none });
          await expectSame(scaled, mul(smoothL1Loss(x, t, { beta, ...none }), a));
        }),
      ),
    "none, sum and mean agree": () =>
      fc.assert(
        fc.asyncProperty(pairs, betas, async ([x, t], beta) => {
          await expectReductions((options) => smoothL1Loss(x, t, { beta, ...options }));
        }),
      ),
  },

  gradients: {
    "on the parabola and the lines, away from where they meet": {
      f: (x) => smoothL1Loss(x, zeros([2, 3], { dtype: x.dtype }), none),
      inputs: fc.tuple(reals([2, 3], { kinks: [-1, 1] })),
    },
    "both arguments": {
      f: (x, t) => smoothL1Loss(x, t, { beta: 5 }),
      inputs: fc.tuple(reals([4]), reals([4])),
    },
  },

  errors: {
    "a negative beta": () => {
      expect(() => smoothL1Loss(zeros([2]), zeros([2]), { beta: -1 })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: smoothL1Loss: beta must be a number of at least 0, got -1]`,
      );
    },
    "a target that would broadcast": () => {
      expect(() => smoothL1Loss(zeros([2]), zeros([]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: smoothL1Loss: x and target must have the same shape (nothing broadcasts; reshape or expand one of them), got x of shape [2] and target of shape []]`,
      );
    },
    "another reduction": () => {
      expect(() =>
        smoothL1Loss(zeros([2]), zeros([2]), { reduction: "mean " as never }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: smoothL1Loss: reduction must be "mean", "sum" or "none", got "mean "]`,
      );
    },
  },
});

import {
  add,
  cast,
  div,
  equal,
  expand,
  flip,
  full,
  grad,
  log,
  mean,
  mul,
  neg,
  notEqual,
  softmax,
  sub,
  sum,
  tensor,
  type Tensor,
  zeros,
} from "@gridgrad/core";
import { integers, reals } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { expectSame } from "../testing/expectSame.ts";
import { networkRuns } from "../testing/networkRuns.ts";
import { crossEntropy } from "./crossEntropy.ts";

const int32 = { dtype: "int32" } as const;
const float64 = { dtype: "float64" } as const;
const logits = reals([2, 3, 2, 2], { min: -5, max: 5 });
/** Labels of three classes; with `ignored`, -1 among them stands for a label to ignore. */
const labels = integers([2, 2, 2], { min: 0, max: 2, ...int32 });
const labelsOrIgnored = integers([2, 2, 2], { min: -1, max: 2, ...int32 });
const weights = reals([3], { min: 0.25 });
const smoothing = fc.constantFrom(0, 0.1, 0.5, 1);

/** 1 at the label's class, 0 elsewhere: `[2, 3, 2, 2]` in float64. */
function oneHot(target: Tensor): Tensor {
  const classes = tensor([0, 1, 2], [1, 3, 1, 1], int32);
  return cast(equal(expand(classes, [2, 3, 2, 2]), target.reshape([2, 1, 2, 2])), "float64");
}

describeOp(crossEntropy, {
  byHand: {
    "of equal scores is the log of their number": async () => {
      const loss = crossEntropy(zeros([1, 4], float64), tensor([2], [1], int32));
      expect(await loss.item()).toBe(Math.log(4));
    },
    "is exact where the probability rounds to 0": async () => {
      const target = tensor([0, 1], [2], int32);
      const x = tensor([
        [0, 1000],
        [0, 1000],
      ]);
      expect(await crossEntropy(x, target, { reduction: "none" }).array()).toEqual([1000, 0]);
    },
    "averages by weight: (1 * 4000 + 3 * 8000) / (1 + 3)": async () => {
      const x = tensor([
        [0, 4000, 0],
        [0, 0, 8000],
        [9, 9, 9],
      ]);
      const target = tensor([0, 1, -100], [3], int32);
      expect(await crossEntropy(x, target, { weight: tensor([1, 3, 77]) }).item()).toBe(7000);
    },
    "spreads the smoothing over all classes": async () => {
      // -log p = [0, 1000]: 0.75 of the label's 0, and a quarter spread over both: 0.25 (0 + 1000) / 2.
      const loss = crossEntropy(tensor([[1000, 0]]), tensor([0], [1], int32), { labelSmoothing: 0.25 });
      expect(await loss.item()).toBe(125);
    },
    "of ignored labels alone is NaN on average and 0 in sum": async () => {
      const target = full([2], 255, int32);
      expect(await crossEntropy(zeros([2, 3]), target, { ignoreIndex: 255 }).item()).toBeNaN();
      expect(await crossEntropy(zeros([2, 3]), target, { ignoreIndex: 255, reduction: "sum" }).item()).toBe(0);
      const none = crossEntropy(zeros([2, 3]), target, { ignoreIndex: 255, reduction: "none" });
      expect(await none.array()).toEqual([0, 0]);
    },
    "lets a class be ignored": async () => {
      const target = tensor([1, 0], [2], int32);
      const loss = crossEntropy(zeros([2, 2], float64), target, { ignoreIndex: 1, reduction: "none" });
      expect(await loss.array()).toEqual([0, Math.LN2]);
    },
  },

  golden: { cases: ["network/loss/ce*", "arithmetic/loss/cross_entropy_*"], run: networkRuns.cross_entropy },

  laws: {
    "is minus the log of the softmax at the label": () =>
      fc.assert(
        fc.asyncProperty(logits, labels, async (x, target) => {
          const picked = sum(mul(oneHot(target), softmax(x, 1)), 1);
          await expectSame(crossEntropy(x, target, { reduction: "none" }), neg(log(picked)));
        }),
      ),
    "has the gradient softmax minus one-hot": () =>
      fc.assert(
        fc.asyncProperty(logits, labels, async (x, target) => {
          const [dx] = grad(crossEntropy(x, target, { reduction: "sum" }), [x]);
          await expectSame(dx, sub(softmax(x, 1), oneHot(target)));
        }),
      ),
    "none, sum and mean agree": () =>
      fc.assert(
        fc.asyncProperty(logits, labels, weights, smoothing, async (x, target, weight, labelSmoothing) => {
          const loss = (reduction: "none" | "sum" | "mean") =>
            crossEntropy(x, target, { weight, labelSmoothing, reduction });
          await expectSame(sum(loss("none")), loss("sum"));
          const total = sum(mul(oneHot(target), weight.reshape([1, 3, 1, 1])));
          await expectSame(div(loss("sum"), total), loss("mean"));
        }),
      ),
    "does not change when the batch is reordered": () =>
      fc.assert(
        fc.asyncProperty(logits, labelsOrIgnored, smoothing, async (x, target, labelSmoothing) => {
          const loss = (x: Tensor, target: Tensor) =>
            crossEntropy(x, target, { ignoreIndex: -1, labelSmoothing, reduction: "none" });
          await expectSame(loss(flip(x, [0, 2]), flip(target, [0, 1])), flip(loss(x, target), [0, 1]));
        }),
      ),
    "is linear in the smoothing": () =>
      fc.assert(
        fc.asyncProperty(logits, labelsOrIgnored, weights, smoothing, async (x, target, weight, s) => {
          const loss = (labelSmoothing: number) =>
            crossEntropy(x, target, { weight, ignoreIndex: -1, labelSmoothing, reduction: "none" });
          await expectSame(loss(s), add(mul(loss(0), 1 - s), mul(loss(1), s)));
        }),
      ),
    "fully smoothed is the mean over all classes": () =>
      fc.assert(
        fc.asyncProperty(logits, labels, async (x, target) => {
          const wanted = neg(mean(log(softmax(x, 1)), 1));
          await expectSame(crossEntropy(x, target, { labelSmoothing: 1, reduction: "none" }), wanted);
        }),
      ),
    "gives an ignored position no loss and no gradient, and its scores do not matter": () =>
      fc.assert(
        fc.asyncProperty(logits, logits, labelsOrIgnored, weights, smoothing, async (x, x2, target, weight, s) => {
          const options = { weight, ignoreIndex: -1, labelSmoothing: s } as const;
          const loss = (x: Tensor) => crossEntropy(x, target, { ...options, reduction: "sum" });
          const [dx] = grad(loss(x), [x]);
          const counts = cast(notEqual(target, -1), "float64").reshape([2, 1, 2, 2]);
          await expectSame(dx, mul(dx, counts));
          await expectSame(loss(add(x, mul(x2, sub(1, counts)))), loss(x));
          const none = crossEntropy(x, target, { ...options, reduction: "none" });
          await expectSame(none, mul(none, counts.reshape([2, 2, 2])));
        }),
      ),
    "weighs each position by its label": () =>
      fc.assert(
        fc.asyncProperty(logits, labels, weights, async (x, target, weight) => {
          const labelWeight = sum(mul(oneHot(target), weight.reshape([1, 3, 1, 1])), 1);
          await expectSame(
            crossEntropy(x, target, { weight, reduction: "none" }),
            mul(crossEntropy(x, target, { reduction: "none" }), labelWeight),
          );
        }),
      ),
  },

  gradients: {
    "the weighted, smoothed mean by logits and weight": {
      f: (x, weight, target) => crossEntropy(x, target, { weight, ignoreIndex: -1, labelSmoothing: 0.2 }),
      inputs: fc.tuple(
        reals([2, 3, 2]),
        weights,
        fc.constantFrom([0, 1, 2, -1], [1, 1, 0, 2], [-1, 2, -1, -1]).map((list) => tensor(list, [2, 2], int32)),
      ),
    },
    "each loss of a row": {
      f: (x, target) => crossEntropy(x, target, { reduction: "none" }),
      inputs: fc.tuple(reals([2, 3]), integers([2], { min: 0, max: 2, ...int32 })),
    },
  },

  errors: {
    "a target of another shape": () => {
      expect(() => crossEntropy(zeros([2, 3, 4, 4]), zeros([2, 4], int32))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: crossEntropy: logits must be [N, C, ...] and target [N, ...], got logits of shape [2, 3, 4, 4] and target of shape [2, 4]]`,
      );
    },
    "a floating target": () => {
      expect(() => crossEntropy(zeros([2, 3]), zeros([2]))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: crossEntropy: target must hold class labels as int32 (target.cast("int32") converts), got float32]`,
      );
    },
    "a label that is no class": () => {
      const target = tensor([0, 1, 2, 0, 3, 1], [2, 3], int32);
      expect(() => crossEntropy(zeros([2, 3, 3]), target)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: crossEntropy: target must hold classes 0 to 2 (logits have 3 classes) or ignoreIndex = -100, got label 3 at target[1, 1]]`,
      );
    },
    "a label to ignore that is not the ignoreIndex": () => {
      const target = tensor([0, -100], [2], int32);
      expect(() => crossEntropy(zeros([2, 3]), target, { ignoreIndex: 255 })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: crossEntropy: target must hold classes 0 to 2 (logits have 3 classes) or ignoreIndex = 255, got label -100 at target[1]]`,
      );
    },
    "a label that is no class, computed and found when it runs": async () => {
      const loss = crossEntropy(zeros([2, 3]), cast(tensor([0, 7]), "int32"));
      await expect(loss.item()).rejects.toThrowErrorMatchingInlineSnapshot(
        `[ValueError: crossEntropy: target must hold classes 0 to 2 (logits have 3 classes) or ignoreIndex = -100, got label 7 at target[1]]`,
      );
    },
    "a weight of another length": () => {
      expect(() =>
        crossEntropy(zeros([2, 3]), zeros([2], int32), { weight: zeros([2]) }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: crossEntropy: weight must have shape [3], got weight of shape [2] and the input of shape [2, 3]]`,
      );
    },
    "int32 logits": () => {
      expect(() => crossEntropy(zeros([2, 3], int32), zeros([2], int32))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: crossEntropy: the input must be floating (x.cast("float32") converts), got int32]`,
      );
    },
    "another reduction": () => {
      expect(() =>
        crossEntropy(zeros([2, 3]), zeros([2], int32), { reduction: "avg" as never }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: crossEntropy: reduction must be "mean", "sum" or "none", got "avg"]`,
      );
    },
    "smoothing beyond 1": () => {
      expect(() =>
        crossEntropy(zeros([2, 3]), zeros([2], int32), { labelSmoothing: 10 }),
      ).toThrowErrorMatchingInlineSnapshot(`[ValueError: crossEntropy: labelSmoothing must be in [0, 1], got 10]`);
    },
    "a fraction as ignoreIndex": () => {
      expect(() =>
        crossEntropy(zeros([2, 3]), zeros([2], int32), { ignoreIndex: 0.5 }),
      ).toThrowErrorMatchingInlineSnapshot(`[ValueError: crossEntropy: ignoreIndex must be an integer, got 0.5]`);
    },
  },
});

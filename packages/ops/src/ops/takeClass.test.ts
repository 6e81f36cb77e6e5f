import { apply, cast, flip, grad, leaf, mul, neg, sum, tensor, zeros } from "@gridgrad/core";
import { dot, integers, reals } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { logSoftmax } from "./logSoftmax.ts";
import { putClassOp, takeClass } from "./takeClass.ts";

const int32 = { dtype: "int32" } as const;
/** Labels of three classes for positions [2, 2, 2], with -1 to ignore. */
const labels = integers([2, 2, 2], { min: -1, max: 2, ...int32 });

describeOp(takeClass, {
  byHand: {
    "takes one class at each position, and 0 where the label is ignored": async () => {
      const x = tensor([
        [10, 11, 12],
        [20, 21, 22],
        [30, 31, 32],
      ]);
      expect(await takeClass(x, tensor([2, 0, 255], [3], int32), 255).array()).toEqual([12, 20, 0]);
    },
    "stretches a weight per class over batch and image": async () => {
      const weight = tensor([5, 7], [1, 2, 1]);
      const target = tensor([0, 1, 1, 0], [2, 2], int32);
      expect(await takeClass(weight, target, -100).array()).toEqual([
        [5, 7],
        [7, 5],
      ]);
      const [dw] = grad(sum(takeClass(weight, target, -100)), [weight]);
      expect(await dw.array()).toEqual([[[2], [2]]]);
    },
  },

  golden: {
    cases: ["arithmetic/loss/cross_entropy_none_2d"],
    run({ x, target }, attrs) {
      attrs.word("reduction", ["none"]);
      attrs.repeats("has_weight", false);
      return neg(takeClass(logSoftmax(x, 1), target, -100));
    },
  },

  laws: {
    "of all classes alike is what they share, where the label counts": () =>
      fc.assert(
        fc.asyncProperty(integers([2, 1, 2, 2]), labels, async (x, target) => {
          const y = takeClass(x.expand([2, 3, 2, 2]), target, -1);
          const mask = target.values!.map((label) => (label === -1 ? 0 : 1));
          const wanted = mul(x.reshape([2, 2, 2]), leaf([2, 2, 2], "float32", Float32Array.from(mask)));
          expect(await mul(y, y).array()).toEqual(await mul(wanted, wanted).array()); // squares: 0, not -0
        }),
      ),
    "reorders with the positions": () =>
      fc.assert(
        fc.asyncProperty(integers([2, 3, 2, 2]), labels, async (x, target) => {
          const y = takeClass(flip(x, [0, 3]), flip(target, [0, 2]), -1);
          expect(await y.array()).toEqual(await flip(takeClass(x, target, -1), [0, 2]).array());
        }),
      ),
    "satisfies the adjoint identity dy . f(x) = vjp(dy) . x": () =>
      fc.assert(
        fc.asyncProperty(integers([2, 3, 2, 2]), labels, integers([2, 2, 2]), async (x, target, dy) => {
          const y = takeClass(x, target, -1);
          const [dx] = grad(y, [x], { gradOutput: dy });
          expect(dot(await dx.data(), await x.data())).toBe(dot(await dy.data(), await y.data()));
        }),
      ),
    "takes back what its gradient puts": () =>
      fc.assert(
        fc.asyncProperty(
          integers([2, 2, 2], { min: 1 }),
          integers([2, 2, 2], { min: 0, max: 2, ...int32 }),
          async (x, t) => {
            const put = apply(putClassOp, [x, t], { ignoreIndex: -1, classes: 3 });
            expect(await takeClass(put, t, -1).array()).toEqual(await x.array());
            expect(await sum(put, 1).array()).toEqual(await x.array());
          },
        ),
      ),
  },

  gradients: {
    "by the values": {
      f: (x, target) => mul(takeClass(x, target, -1), takeClass(x, target, -1)),
      inputs: fc.tuple(reals([2, 3, 2, 2]), labels),
    },
    "by values that stretch": {
      f: (x, target) => mul(takeClass(x, target, -1), takeClass(x, target, -1)),
      inputs: fc.tuple(reals([1, 3, 2, 1]), labels),
    },
  },

  errors: {
    "a target of other positions": () => {
      expect(() => takeClass(zeros([2, 3, 4]), zeros([2, 3], int32), -100)).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: takeClass: x must be [N, C, ...] for a target [N, ...], got x of shape [2, 3, 4] and target of shape [2, 3]]`,
      );
    },
    "a floating target": () => {
      expect(() => takeClass(zeros([2, 3]), zeros([2]), -100)).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: takeClass: x must be floating and target int32 (cast converts), got float32 and float32]`,
      );
    },
    "a label that is no class, found when it runs": async () => {
      const target = cast(tensor([0, 3]), "int32");
      await expect(takeClass(zeros([2, 3]), target, -100).data()).rejects.toThrowErrorMatchingInlineSnapshot(
        `[ValueError: crossEntropy: target must hold classes 0 to 2 (logits have 3 classes) or ignoreIndex = -100, got label 3 at target[1]]`,
      );
    },
    "a gradient of other positions": () => {
      expect(() =>
        apply(putClassOp, [zeros([3]), zeros([2], int32)], { ignoreIndex: -1, classes: 3 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: internal: putClass: dy must have the shape of target, got dy of shape [3] and target of shape [2]]`,
      );
    },
    "a label that is no class, put back when it runs": async () => {
      const put = apply(putClassOp, [zeros([2]), tensor([0, -1], [2], int32)], { ignoreIndex: -100, classes: 3 });
      await expect(put.data()).rejects.toThrowErrorMatchingInlineSnapshot(
        `[ValueError: crossEntropy: target must hold classes 0 to 2 (logits have 3 classes) or ignoreIndex = -100, got label -1 at target[1]]`,
      );
    },
  },
});

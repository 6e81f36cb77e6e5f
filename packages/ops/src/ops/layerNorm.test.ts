import { add, mul, reshape, stack, slice, tensor, zeros } from "@gridgrad/core";
import { reals } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { expectSame } from "../testing/expectSame.ts";
import { networkRuns } from "../testing/networkRuns.ts";
import { spread } from "../testing/spread.ts";
import { layerNorm } from "./layerNorm.ts";

describeOp(layerNorm, {
  byHand: {
    "normalises each row": async () => {
      const x = tensor([
        [1, 3],
        [10, 50],
      ]);
      expect(await layerNorm(x, [2], { eps: 0 }).array()).toEqual([
        [-1, 1],
        [-1, 1],
      ]);
    },
    "then scales and shifts element by element": async () => {
      const y = layerNorm(tensor([[1, 3]]), [2], { weight: tensor([5, 7]), bias: tensor([0, 100]), eps: 0 });
      expect(await y.array()).toEqual([[-5, 107]]);
    },
  },

  golden: { cases: ["network/layer_norm/*", "arithmetic/norm/layer_norm_*"], run: networkRuns.layer_norm },

  laws: {
    "treats each entry of the leading axes alone": () =>
      fc.assert(
        fc.asyncProperty(spread([3, 2, 3]), async (x) => {
          const rows = [0, 1, 2].map((n) => layerNorm(reshape(slice(x, [[n, n + 1]]), [2, 3]), [2, 3]));
          await expectSame(stack(rows), layerNorm(x, [2, 3]));
        }),
      ),
    "is the same over axes that are flattened": () =>
      fc.assert(
        fc.asyncProperty(spread([2, 2, 3]), async (x) => {
          await expectSame(reshape(layerNorm(x, [2, 3]), [2, 6]), layerNorm(reshape(x, [2, 6]), [6]));
        }),
      ),
    "is affine in weight and bias": () =>
      fc.assert(
        fc.asyncProperty(spread([2, 3]), reals([3]), reals([3]), async (x, weight, bias) => {
          await expectSame(layerNorm(x, [3], { weight, bias }), add(mul(layerNorm(x, [3]), weight), bias));
        }),
      ),
  },

  gradients: {
    "x, weight and bias": {
      f: (x, weight, bias) => layerNorm(x, [2, 2], { weight, bias, eps: 0.5 }),
      inputs: fc.tuple(reals([3, 2, 2]), reals([2, 2]), reals([2, 2])),
      numRuns: 25,
    },
  },

  errors: {
    "x that ends in other axes": () => {
      expect(() => layerNorm(zeros([2, 3]), [2])).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: layerNorm: x must end in normalizedShape = [2], got x of shape [2, 3]]`,
      );
    },
    "no axes": () => {
      expect(() => layerNorm(zeros([2, 3]), [])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: layerNorm: normalizedShape must name at least one axis, got []]`,
      );
    },
    "a weight of another shape": () => {
      expect(() => layerNorm(zeros([2, 3]), [3], { weight: zeros([1, 3]) })).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: layerNorm: weight must have shape [3], got weight of shape [1, 3] and the input of shape [2, 3]]`,
      );
    },
    "a negative eps": () => {
      expect(() => layerNorm(zeros([2, 3]), [3], { eps: -1e-5 })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: layerNorm: eps must be a number of at least 0, got -0.00001]`,
      );
    },
  },
});

import {
  add,
  concat,
  flip,
  GraphError,
  grad,
  mean,
  mul,
  ones,
  permute,
  reshape,
  slice,
  sub,
  sum,
  tensor,
  zeros,
} from "@gridgrad/core";
import { reals } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { expectSame } from "../testing/expectSame.ts";
import { networkRuns } from "../testing/networkRuns.ts";
import { spread } from "../testing/spread.ts";
import { batchNorm2d } from "./batchNorm2d.ts";
import { layerNorm } from "./layerNorm.ts";

const shape = [3, 2, 2, 2];
const perChannel = reals([2]);
const positive = reals([2], { min: 0.5 });

describeOp(batchNorm2d, {
  byHand: {
    "in training normalises by the batch and moves the running statistics towards it": async () => {
      const x = tensor([1, 3], [2, 1, 1, 1]);
      const { y, runningMean, runningVar } = batchNorm2d(x, tensor([10]), tensor([6]), {
        training: true,
        momentum: 0.5,
        eps: 0,
      });
      expect(await y.data()).toEqual(new Float32Array([-1, 1]));
      expect(await runningMean.data()).toEqual(new Float32Array([6])); // (10 + 2) / 2
      expect(await runningVar.data()).toEqual(new Float32Array([4])); // (6 + 2) / 2: unbiased, ((1 - 2)² + (3 - 2)²) / (2 - 1)
    },
    "else normalises by the running statistics, (7 - 1) / √4 * 10 + 0.5, and hands them back": async () => {
      const given = [tensor([1]), tensor([4])] as const;
      const { y, runningMean, runningVar } = batchNorm2d(tensor([7], [1, 1, 1, 1]), ...given, {
        weight: tensor([10]),
        bias: tensor([0.5]),
        eps: 0,
      });
      expect(await y.data()).toEqual(new Float32Array([30.5]));
      expect([runningMean, runningVar]).toEqual(given);
      expect(runningMean).toBe(given[0]);
    },
  },

  golden: {
    cases: ["network/batch_norm2d/*", "arithmetic/norm/batch_norm2d_*"],
    run: networkRuns.batch_norm2d,
  },

  laws: {
    "in training is layerNorm with the channels in front": () =>
      fc.assert(
        fc.asyncProperty(spread(shape), async (x) => {
          const { y } = batchNorm2d(x, zeros([2], { dtype: "float64" }), ones([2], { dtype: "float64" }), {
            training: true,
          });
          const turned = layerNorm(permute(x, [1, 0, 2, 3]), [3, 2, 2]);
          await expectSame(y, permute(turned, [1, 0, 2, 3]));
        }),
      ),
    "with momentum 1 keeps the mean and the unbiased variance of the batch, with 0 the old ones": () =>
      fc.assert(
        fc.asyncProperty(spread(shape), perChannel, positive, async (x, m, v) => {
          const now = batchNorm2d(x, m, v, { training: true, momentum: 1 });
          const center = mean(x, [0, 2, 3], { keepdim: true });
          await expectSame(now.runningMean, reshape(center, [2]));
          const squares = mul(sub(x, center), sub(x, center));
          await expectSame(mul(now.runningVar, 11), sum(squares, [0, 2, 3])); // n - 1 = 3 * 2 * 2 - 1
          const before = batchNorm2d(x, m, v, { training: true, momentum: 0 });
          await expectSame(before.runningMean, m);
          await expectSame(before.runningVar, v);
        }),
      ),
    "outside training is affine: y(a) + y(b) = y(a + b) + y(0)": () =>
      fc.assert(
        fc.asyncProperty(reals(shape), reals(shape), perChannel, positive, perChannel, async (a, b, m, v, bias) => {
          const y = (x: typeof a) => batchNorm2d(x, m, v, { weight: m, bias }).y;
          await expectSame(add(y(a), y(b)), add(y(add(a, b)), y(sub(a, a))));
        }),
      ),
    "outside training treats each image alone": () =>
      fc.assert(
        fc.asyncProperty(reals(shape), perChannel, positive, async (x, m, v) => {
          const images = [0, 1, 2].map((n) => batchNorm2d(slice(x, [[n, n + 1]]), m, v).y);
          await expectSame(concat(images), batchNorm2d(x, m, v).y);
        }),
      ),
    "reorders with the batch": () =>
      fc.assert(
        fc.asyncProperty(spread(shape), perChannel, positive, fc.boolean(), async (x, m, v, training) => {
          const y = (x: typeof m) => batchNorm2d(x, m, v, { training }).y;
          await expectSame(y(flip(x, 0)), flip(y(x), 0));
        }),
      ),
    "passes no gradient through the running statistics": () =>
      fc.assert(
        fc.asyncProperty(spread(shape), perChannel, positive, fc.boolean(), async (x, m, v, training) => {
          const { y, runningMean, runningVar } = batchNorm2d(x, m, v, { training });
          for (const t of [m, v]) expect(() => grad(sum(y), [t])).toThrow(GraphError);
          if (!training) return;
          for (const kept of [runningMean, runningVar]) {
            for (const t of [x, m, v]) expect(() => grad(sum(kept), [t])).toThrow(GraphError);
          }
        }),
      ),
  },

  gradients: {
    "in training": {
      f: (x, weight, bias) => batchNorm2d(x, bias, weight, { weight, bias, training: true, eps: 0.5 }).y,
      inputs: fc.tuple(reals([2, 2, 1, 2]), perChannel, perChannel),
      numRuns: 25,
    },
    "outside training": {
      f: (x, weight, bias) =>
        batchNorm2d(x, tensor([1, -1], [2], { dtype: x.dtype }), tensor([1, 2], [2], { dtype: x.dtype }), {
          weight,
          bias,
        }).y,
      inputs: fc.tuple(reals([2, 2, 1, 2]), perChannel, perChannel),
      numRuns: 25,
    },
  },

  errors: {
    "x of another rank": () => {
      expect(() => batchNorm2d(zeros([2, 3]), zeros([3]), ones([3]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: batchNorm2d: x must be [N, C, H, W], got x of shape [2, 3]]`,
      );
    },
    "a parameter of another shape": () => {
      expect(() =>
        batchNorm2d(zeros([2, 3, 1, 1]), zeros([3]), ones([3]), { weight: ones([2]) }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: batchNorm2d: weight must have shape [3], got weight of shape [2] and the input of shape [2, 3, 1, 1]]`,
      );
    },
    "a parameter of another element type": () => {
      expect(() =>
        batchNorm2d(zeros([2, 3, 1, 1]), zeros([3]), ones([3], { dtype: "float64" })),
      ).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: batchNorm2d: runningVar must have the dtype of the input, float32 (cast converts), got float64]`,
      );
    },
    "one value per channel in training": () => {
      const one = zeros([1, 3, 1, 1]);
      expect(() => batchNorm2d(one, zeros([3]), ones([3]), { training: true })).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: batchNorm2d: x must have more than one value per channel in training, N*H*W > 1 (one value has no variance), got x of shape [1, 3, 1, 1]]`,
      );
      expect(batchNorm2d(one, zeros([3]), ones([3])).y.shape).toEqual([1, 3, 1, 1]);
    },
    "a momentum beyond 1": () => {
      expect(() =>
        batchNorm2d(zeros([2, 1, 1, 1]), zeros([1]), ones([1]), { momentum: 1.5 }),
      ).toThrowErrorMatchingInlineSnapshot(`[ValueError: batchNorm2d: momentum must be in [0, 1], got 1.5]`);
    },
    "a negative eps": () => {
      expect(() =>
        batchNorm2d(zeros([2, 1, 1, 1]), zeros([1]), ones([1]), { eps: -1 }),
      ).toThrowErrorMatchingInlineSnapshot(`[ValueError: batchNorm2d: eps must be a number of at least 0, got -1]`);
    },
    "an int32 input": () => {
      expect(() =>
        batchNorm2d(zeros([2, 1, 1, 1], { dtype: "int32" }), zeros([1]), ones([1])),
      ).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: batchNorm2d: the input must be floating (x.cast("float32") converts), got int32]`,
      );
    },
  },
});

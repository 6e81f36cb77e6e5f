import { add, mul, tensor } from "@gridgrad/core";
import { reals, shapes } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { runAdam } from "../testing/adamRuns.ts";
import { expectSame } from "../testing/expectSame.ts";
import { runningAverage } from "./runningAverage.ts";

const pairs = shapes().chain((shape) => fc.tuple(reals(shape), reals(shape)));

describeOp(runningAverage, {
  byHand: {
    "keeps three quarters of 4 and takes a quarter of 8, or of 64": async () => {
      expect(await runningAverage(tensor([4]), tensor([8]), 0.75).array()).toEqual([5]);
      expect(await runningAverage(tensor([4]), tensor([8]), 0.75, { squared: true }).array()).toEqual([19]);
    },
    "with decay 1 is the average, with decay 0 the value": async () => {
      expect(await runningAverage(tensor([4, 5]), tensor([8, 9]), 1).array()).toEqual([4, 5]);
      expect(await runningAverage(tensor([4, 5]), tensor([8, 9]), 0).array()).toEqual([8, 9]);
    },
  },

  golden: { cases: ["network/optimizer/adam_*", "arithmetic/optimizer/adam_*"], run: runAdam },

  laws: {
    "is the weighted sum of the two": () =>
      fc.assert(
        fc.asyncProperty(pairs, async ([a, b]) => {
          await expectSame(runningAverage(a, b, 0.9), add(mul(a, 0.9), mul(b, 1 - 0.9)));
        }),
      ),
    "of squares is that of the squared values": () =>
      fc.assert(
        fc.asyncProperty(pairs, async ([a, b]) => {
          await expectSame(runningAverage(a, b, 0.9, { squared: true }), runningAverage(a, mul(b, b), 0.9));
        }),
      ),
  },

  gradients: {
    "of values": { f: (a, b) => runningAverage(a, b, 0.9), inputs: pairs },
    "of squares": { f: (a, b) => runningAverage(a, b, 0.75, { squared: true }), inputs: pairs },
  },

  errors: {
    "shapes that differ": () => {
      expect(() => runningAverage(tensor([1]), tensor([1, 2]), 0.5)).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: runningAverage: average and value must have one shape, got average of shape [1] and value of shape [2]]`,
      );
    },
    "a decay that is no part of 1": () => {
      expect(() => runningAverage(tensor([1]), tensor([1]), 1.5)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: runningAverage: decay must be in [0, 1], got 1.5]`,
      );
    },
    "an int32 tensor": () => {
      const labels = tensor([1], [1], { dtype: "int32" });
      expect(() => runningAverage(labels, labels, 0.5)).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: runningAverage: inputs must share one floating dtype (x.cast("float32") converts), got int32 and int32]`,
      );
    },
  },
});

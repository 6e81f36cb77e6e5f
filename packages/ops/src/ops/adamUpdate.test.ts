import { add, div, mul, sqrt, sub, tensor } from "@gridgrad/core";
import { reals, shapes } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { runAdam } from "../testing/adamRuns.ts";
import { expectSame } from "../testing/expectSame.ts";
import { adamUpdate } from "./adamUpdate.ts";

/** A parameter, its averages (of squares: away from 0, where the root has its kink), rate and correction. */
const inputs = shapes().chain((shape) =>
  fc.tuple(
    reals(shape),
    reals(shape),
    reals(shape, { min: 0.5, max: 4 }),
    reals([], { min: 0.1, max: 1 }),
    reals([], { min: 0.1, max: 1 }),
  ),
);

describeOp(adamUpdate, {
  byHand: {
    "goes by the rate where the average is one deviation": async () => {
      const [p, m, v] = [tensor([1, 1]), tensor([3, -3]), tensor([9, 9])];
      expect(await adamUpdate(p, m, v, tensor(0.25), tensor(1), 0).array()).toEqual([0.75, 1.25]);
    },
    "stays where both averages are 0": async () => {
      const zero = tensor([0]);
      expect(await adamUpdate(tensor([2]), zero, zero, tensor(0.5), tensor(1), 1e-8).array()).toEqual([2]);
    },
  },

  golden: { cases: ["network/optimizer/adam_*", "arithmetic/optimizer/adam_*"], run: runAdam },

  laws: {
    "is the formula in single ops": () =>
      fc.assert(
        fc.asyncProperty(inputs, async ([p, m, v, rate, correction]) => {
          const scaled = div(m, add(div(sqrt(v), correction), 0.125));
          await expectSame(adamUpdate(p, m, v, rate, correction, 0.125), sub(p, mul(scaled, rate)));
        }),
      ),
  },

  gradients: { "by every input": { f: (...xs) => adamUpdate(xs[0], xs[1], xs[2], xs[3], xs[4], 0.125), inputs } },

  errors: {
    "averages of another shape": () => {
      const one = tensor(1);
      expect(() =>
        adamUpdate(tensor([1, 2]), tensor([1]), tensor([1]), one, one, 0),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: adamUpdate: p, m and v must have one shape, got p of shape [2] and m of shape [1] and v of shape [1]]`,
      );
    },
    "a rate that is not a scalar": () => {
      const p = tensor([1]);
      expect(() => adamUpdate(p, p, p, p, tensor(1), 0)).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: adamUpdate: rate and correction must be scalars, got rate of shape [1] and correction of shape []]`,
      );
    },
    "a negative eps": () => {
      const p = tensor([1]);
      expect(() => adamUpdate(p, p, p, tensor(1), tensor(1), -1)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: adamUpdate: eps must be a number of at least 0, got -1]`,
      );
    },
    "an int32 tensor": () => {
      const [p, one] = [tensor([1], [1], { dtype: "int32" }), tensor(1, [], { dtype: "int32" })];
      expect(() => adamUpdate(p, p, p, one, one, 0)).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: adamUpdate: inputs must share one floating dtype (x.cast("float32") converts), got int32 and int32 and int32 and int32 and int32]`,
      );
    },
  },
});

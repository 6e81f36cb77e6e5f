import { log, mul, neg, sigmoid, sub, tensor } from "@gridgrad/core";
import { reals, shapes, u64 } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { expectSame } from "../testing/expectSame.ts";
import { softplus } from "./softplus.ts";

const any = shapes().chain((shape) => reals(shape, { min: -30, max: 30 }));

describeOp(softplus, {
  byHand: {
    "is ln 2 at 0, x far above and 0 far below": async () => {
      expect(await softplus(tensor(0, [], { dtype: "float64" })).item()).toBe(Math.LN2);
      expect(await softplus(tensor([1000, -1000, Infinity, -Infinity])).array()).toEqual([1000, 0, Infinity, 0]);
    },
    "is e^x to the last digits where that is small": async () => {
      const y = await softplus(tensor(-100, [], { dtype: "float64" })).item();
      expect(Math.abs(y - Math.exp(-100))).toBeLessThanOrEqual(2 * u64 * y); // an ulp: ln(1 + z) = z at this size
    },
  },

  golden: {
    cases: ["arithmetic/loss/bce_with_logits_none"],
    run({ x, target }, attrs) {
      attrs.word("reduction", ["none"]);
      attrs.repeats("has_weight", false);
      attrs.repeats("has_pos_weight", false);
      return sub(softplus(x), mul(x, target));
    },
  },

  laws: {
    "of x minus that of -x is x": () =>
      fc.assert(
        fc.asyncProperty(any, async (x) => {
          await expectSame(sub(softplus(x), softplus(neg(x))), x);
        }),
      ),
    "of -x is minus the log of the sigmoid": () =>
      fc.assert(
        fc.asyncProperty(any, async (x) => {
          await expectSame(softplus(neg(x)), neg(log(sigmoid(x))));
        }),
      ),
  },

  gradients: {
    "any shape": { f: softplus, inputs: shapes().chain((shape) => fc.tuple(reals(shape))) },
  },

  errors: {
    "an int32 tensor": () => {
      expect(() => softplus(tensor([1], [1], { dtype: "int32" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: softplus: inputs must share one floating dtype (x.cast("float32") converts), got int32]`,
      );
    },
  },
});

import { mul, neg, sigmoid, sub, tensor } from "@gridgrad/core";
import { reals, shapes } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { expectSame } from "../testing/expectSame.ts";
import { networkRuns } from "../testing/networkRuns.ts";
import { silu } from "./silu.ts";

describeOp(silu, {
  byHand: {
    "is x far above 0, 0 far below, and 0 at 0": async () => {
      expect(await silu(tensor([1000, 0])).array()).toEqual([1000, 0]);
      expect(Math.abs(await silu(tensor(-1000)).item())).toBe(0);
    },
    "at ln 3 is 3/4 of it": async () => {
      const x = Math.log(3);
      await expectSame(silu(tensor(x, [], { dtype: "float64" })), tensor(0.75 * x, [], { dtype: "float64" }));
    },
  },

  golden: { cases: ["network/activation/silu", "arithmetic/activation/silu"], run: networkRuns.silu },

  laws: {
    "is x times its sigmoid": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => reals(shape, { min: -40, max: 40 })),
          async (x) => {
            await expectSame(silu(x), mul(x, sigmoid(x)));
          },
        ),
      ),
    "of x minus that of -x is x": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => reals(shape, { min: -40, max: 40 })),
          async (x) => {
            await expectSame(sub(silu(x), silu(neg(x))), x);
          },
        ),
      ),
  },

  gradients: {
    "any shape": { f: silu, inputs: shapes().chain((shape) => fc.tuple(reals(shape, { min: -4, max: 4 }))) },
  },

  errors: {
    "an int32 tensor": () => {
      expect(() => silu(tensor([1], [1], { dtype: "int32" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: silu: inputs must share one floating dtype (x.cast("float32") converts), got int32]`,
      );
    },
  },
});

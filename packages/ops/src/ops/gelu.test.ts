import { neg, sub, tensor } from "@gridgrad/core";
import { reals, shapes } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { expectSame } from "../testing/expectSame.ts";
import { networkRuns } from "../testing/networkRuns.ts";
import { gelu } from "./gelu.ts";

const approximations = fc.constantFrom("none" as const, "tanh" as const);

describeOp(gelu, {
  byHand: {
    "is x far above 0, 0 far below, and 0 at 0": async () => {
      for (const approximate of ["none", "tanh"] as const) {
        expect(await gelu(tensor([100, -0, 0]), { approximate }).array()).toEqual([100, -0, 0]);
        expect(Math.abs(await gelu(tensor(-100), { approximate }).item())).toBe(0);
      }
    },
    "at 1 is the probability of a normal variable below 1": async () => {
      const [x, below] = [1, 0.8413447460685429].map((value) => tensor(value, [], { dtype: "float64" }));
      await expectSame(gelu(x), below);
    },
  },

  golden: { cases: ["network/activation/gelu", "arithmetic/activation/gelu_*"], run: networkRuns.gelu },

  laws: {
    "of x minus that of -x is x": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => reals(shape, { min: -9, max: 9 })),
          approximations,
          async (x, approximate) => {
            await expectSame(sub(gelu(x, { approximate }), gelu(neg(x), { approximate })), x);
          },
        ),
      ),
    "is at most x above 0 and dips by at most 0.1701 below": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => reals(shape, { min: -9, max: 9 })),
          approximations,
          async (x, approximate) => {
            const y = await gelu(x, { approximate }).data();
            x.values!.forEach((value, i) => {
              expect(y[i]).toBeLessThanOrEqual(Math.max(value, 0));
              expect(y[i]).toBeGreaterThan(-0.1701); // the minimum near x = -0.75: -0.16997, with tanh -0.17004
            });
          },
        ),
      ),
    "with tanh is within 5e-4 of the exact one": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => reals(shape, { min: -9, max: 9 })),
          async (x) => {
            for (const difference of await sub(gelu(x), gelu(x, { approximate: "tanh" })).data())
              expect(Math.abs(difference)).toBeLessThanOrEqual(5e-4); // the docstring's promise
          },
        ),
      ),
  },

  gradients: {
    exact: { f: (x) => gelu(x), inputs: shapes().chain((shape) => fc.tuple(reals(shape, { min: -4, max: 4 }))) },
    "with tanh": {
      f: (x) => gelu(x, { approximate: "tanh" }),
      inputs: shapes().chain((shape) => fc.tuple(reals(shape, { min: -4, max: 4 }))),
    },
  },

  errors: {
    "another approximation": () => {
      expect(() => gelu(tensor([1]), { approximate: "erf" as never })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: gelu: approximate must be "none" or "tanh", got "erf"]`,
      );
    },
    "an int32 tensor": () => {
      expect(() => gelu(tensor([1], [1], { dtype: "int32" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: gelu: inputs must share one floating dtype (x.cast("float32") converts), got int32]`,
      );
    },
  },
});

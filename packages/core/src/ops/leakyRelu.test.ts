import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { tensor } from "../leaf.ts";
import { integers, reals, shapes } from "../testing/arbitraries.ts";
import { arithmeticRuns } from "../testing/arithmeticRuns.ts";
import { describeOp } from "../testing/describeOp.ts";
import { leakyRelu } from "./leakyRelu.ts";
import { mul } from "./mul.ts";
import { neg } from "./neg.ts";
import { relu } from "./relu.ts";
import { sub } from "./sub.ts";
import { sum } from "./sum.ts";

/** Powers of two, so that products are exact. */
const slopes = fc.constantFrom(0.25, 0.5, 1, 2);

describeOp(leakyRelu, {
  byHand: {
    "scales what is negative": async () => {
      const y = leakyRelu(tensor([-4, 0, 2, -Infinity, NaN]), { negativeSlope: 0.25 });
      expect(await y.array()).toEqual([-1, 0, 2, -Infinity, NaN]);
    },
    "has the slope 0.01 unless told otherwise": async () => {
      expect(await leakyRelu(tensor([-100], [1], { dtype: "float64" })).array()).toEqual([-1]);
    },
    "counts 0 to the negative side": async () => {
      const x = tensor([-1, 0, 1]);
      const [dx] = grad(sum(leakyRelu(x, { negativeSlope: 0.25 })), [x]);
      expect(await dx.array()).toEqual([0.25, 0.25, 1]);
    },
  },

  golden: {
    cases: ["network/activation/leaky_relu", "arithmetic/activation/leaky_relu_*"],
    run: arithmeticRuns.leaky_relu,
  },

  laws: {
    "is the positive part less the scaled negative part": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => integers(shape)),
          slopes,
          async (x, negativeSlope) => {
            const parts = sub(relu(x), mul(relu(neg(x)), negativeSlope));
            expect(await leakyRelu(x, { negativeSlope }).array()).toEqual(await parts.array());
          },
        ),
      ),
    "is undone by the inverse slope": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => integers(shape)),
          slopes,
          async (x, slope) => {
            const back = leakyRelu(leakyRelu(x, { negativeSlope: slope }), { negativeSlope: 1 / slope });
            expect(await back.array()).toEqual(await x.array());
          },
        ),
      ),
  },

  gradients: {
    "away from the kink at 0": {
      f: (x) => leakyRelu(x, { negativeSlope: 0.2 }),
      inputs: shapes().chain((shape) => fc.tuple(reals(shape, { kinks: [0] }))),
    },
  },

  errors: {
    "an int32 tensor": () => {
      expect(() => leakyRelu(tensor([1], [1], { dtype: "int32" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: leakyRelu: inputs must share one floating dtype (x.cast("float32") converts), got int32]`,
      );
    },
  },
});

import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { tensor } from "../leaf.ts";
import { integers, reals, shapes } from "../testing/arbitraries.ts";
import { describeOp } from "../testing/describeOp.ts";
import { maximum } from "./maximum.ts";
import { neg } from "./neg.ts";
import { relu } from "./relu.ts";
import { sqrt } from "./sqrt.ts";
import { sub } from "./sub.ts";
import { sum } from "./sum.ts";

describeOp(relu, {
  byHand: {
    "replaces what is negative by 0": async () => {
      expect(await relu(tensor([-1, 0, 2, -Infinity, Infinity, NaN])).array()).toEqual([0, 0, 2, 0, Infinity, NaN]);
    },
    "takes int32": async () => {
      expect(await relu(tensor([-3, 3], [2], { dtype: "int32" })).data()).toEqual(new Int32Array([0, 3]));
    },
    "stops the gradient at 0 and below, even an infinite one": async () => {
      const x = tensor([-1, 0, 4]);
      const [dx] = grad(sum(sqrt(relu(x))), [x]);
      expect(await dx.array()).toEqual([0, 0, 0.25]);
    },
  },

  golden: {
    cases: ["network/activation/relu", "arithmetic/activation/relu", "arithmetic/activation/relu_ties"],
    run: ({ x }) => relu(x),
  },

  laws: {
    "is the larger of x and 0": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => integers(shape)),
          async (x) => {
            expect(await relu(x).array()).toEqual(await maximum(x, 0).array());
          },
        ),
      ),
    "splits a number into its positive and its negative part": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => integers(shape)),
          async (x) => {
            expect(await sub(relu(x), relu(neg(x))).array()).toEqual(await x.array());
          },
        ),
      ),
  },

  gradients: {
    "away from the kink at 0": { f: relu, inputs: shapes().chain((shape) => fc.tuple(reals(shape, { kinks: [0] }))) },
  },

  errors: {
    "something that is no tensor": () => {
      expect(() => relu("x" as never)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: relu: argument 0 must be a Tensor, got "x"]`,
      );
    },
  },
});

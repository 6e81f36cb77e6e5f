import { add, exp, log, ones, softmax, sum, tensor } from "@gridgrad/core";
import { integers, reals, shapes } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { expectSame } from "../testing/expectSame.ts";
import { networkRuns } from "../testing/networkRuns.ts";
import { logSoftmax } from "./logSoftmax.ts";

/** A shape and one of its axes. */
const along = shapes({ minRank: 1 }).chain((shape) =>
  fc.record({ shape: fc.constant(shape), dim: fc.integer({ min: -shape.length, max: shape.length - 1 }) }),
);

describeOp(logSoftmax, {
  byHand: {
    "of two equal scores is ln 1/2": async () => {
      expect(await logSoftmax(tensor([7, 7], [2], { dtype: "float64" }), 0).array()).toEqual([-Math.LN2, -Math.LN2]);
    },
    "tells small probabilities apart that round to 0": async () => {
      expect(await logSoftmax(tensor([0, -1000, -2000, -Infinity]), 0).array()).toEqual([0, -1000, -2000, -Infinity]);
    },
    "does not overflow": async () => {
      expect(await logSoftmax(tensor([3e38, 0]), 0).data()).toEqual(new Float32Array([0, -3e38]));
    },
  },

  golden: {
    cases: ["network/activation/log_softmax_*", "arithmetic/activation/log_softmax_*"],
    run: networkRuns.log_softmax,
  },

  laws: {
    "is the logarithm of the softmax": () =>
      fc.assert(
        fc.asyncProperty(
          along.chain(({ shape, dim }) => fc.tuple(reals(shape), fc.constant(dim))),
          async ([x, dim]) => {
            await expectSame(logSoftmax(x, dim), log(softmax(x, dim)));
          },
        ),
      ),
    "has probabilities that sum to 1": () =>
      fc.assert(
        fc.asyncProperty(
          along.chain(({ shape, dim }) => fc.tuple(reals(shape, { min: -50, max: 50 }), fc.constant(dim))),
          async ([x, dim]) => {
            const total = sum(exp(logSoftmax(x, dim)), dim);
            await expectSame(total, ones(total.shape, { dtype: "float64" }));
          },
        ),
      ),
    "does not see a shift, to the last bit": () =>
      fc.assert(
        fc.asyncProperty(
          along.chain(({ shape, dim }) => fc.tuple(integers(shape), fc.constant(dim))),
          fc.integer({ min: -1000, max: 1000 }),
          async ([x, dim], a) => {
            expect(await logSoftmax(add(x, a), dim).array()).toEqual(await logSoftmax(x, dim).array());
          },
        ),
      ),
  },

  gradients: {
    "the last axis": { f: (x) => logSoftmax(x, -1), inputs: fc.tuple(reals([2, 3])) },
    "an inner axis": { f: (x) => logSoftmax(x, 1), inputs: fc.tuple(reals([2, 3, 2])) },
  },

  errors: {
    "an axis that does not exist": () => {
      expect(() => logSoftmax(tensor(1), 0)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: logSoftmax: x must have at least one axis, got dim 0 for x of shape []]`,
      );
    },
    "an int32 tensor": () => {
      expect(() => logSoftmax(tensor([1], [1], { dtype: "int32" }), 0)).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: logSoftmax: inputs must share one floating dtype (x.cast("float32") converts), got int32]`,
      );
    },
  },
});

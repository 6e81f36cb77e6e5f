import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { tensor } from "../leaf.ts";
import { integers, reals, shapes } from "../testing/arbitraries.ts";
import { arithmeticRuns } from "../testing/arithmeticRuns.ts";
import { describeOp } from "../testing/describeOp.ts";
import { clamp } from "./clamp.ts";
import { maximum } from "./maximum.ts";
import { minimum } from "./minimum.ts";
import { sqrt } from "./sqrt.ts";
import { sum } from "./sum.ts";

const intervals = fc
  .tuple(fc.integer({ min: -8, max: 8 }), fc.integer({ min: -8, max: 8 }))
  .map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }));

describeOp(clamp, {
  byHand: {
    "limits to an interval": async () => {
      expect(await clamp(tensor([-2, 0.5, 9, NaN]), { min: 0, max: 1 }).array()).toEqual([0, 0.5, 1, NaN]);
    },
    "limits on one side only": async () => {
      expect(await clamp(tensor([-2, 9]), { min: 0 }).array()).toEqual([0, 9]);
      expect(await clamp(tensor([-2, 9]), { max: 0 }).array()).toEqual([-2, 0]);
    },
    "takes an infinite limit for none": async () => {
      const y = clamp(tensor([-Infinity, 9]), { min: -Infinity, max: Infinity });
      expect(y.recipe?.attrs).toEqual({ min: null, max: null });
      expect(await y.array()).toEqual([-Infinity, 9]);
    },
    "limits int32": async () => {
      const x = tensor([-3, 3], [2], { dtype: "int32" });
      expect(await clamp(x, { min: -1, max: 1 }).data()).toEqual(new Int32Array([-1, 1]));
    },
    "passes the gradient at a limit, and stops it outside, even an infinite one": async () => {
      const x = tensor([-1, 4, 9, 16]);
      const [dx] = grad(sum(clamp(x, { min: 4, max: 9 })), [x]);
      expect(await dx.array()).toEqual([0, 1, 1, 0]);
      const [behindRoot] = grad(sum(sqrt(clamp(x, { min: 0 }))), [x]);
      expect(await behindRoot.array()).toEqual([0, 0.25, Math.fround(1 / 6), 0.125]);
    },
  },

  golden: {
    cases: ["arithmetic/arithmetic/clamp_*"],
    run: arithmeticRuns.clamp,
  },

  laws: {
    "is a maximum, then a minimum": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => integers(shape)),
          intervals,
          async (x, { min, max }) => {
            expect(await clamp(x, { min, max }).array()).toEqual(await minimum(maximum(x, min), max).array());
          },
        ),
      ),
    "changes nothing the second time": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => integers(shape)),
          intervals,
          async (x, limits) => {
            const once = clamp(x, limits);
            expect(await clamp(once, limits).array()).toEqual(await once.array());
          },
        ),
      ),
  },

  gradients: {
    "away from the limits": {
      f: (x) => clamp(x, { min: -0.5, max: 1 }),
      inputs: shapes().chain((shape) => fc.tuple(reals(shape, { kinks: [-0.5, 1] }))),
    },
  },

  errors: {
    "no limit": () => {
      expect(() => clamp(tensor([1]), {})).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: clamp: min or max must be given, with min <= max, min < Infinity and max > -Infinity, got min undefined and max undefined]`,
      );
    },
    "limits in the wrong order": () => {
      expect(() => clamp(tensor([1]), { min: 2, max: 1 })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: clamp: min or max must be given, with min <= max, min < Infinity and max > -Infinity, got min 2 and max 1]`,
      );
    },
    "a limit that is NaN": () => {
      expect(() => clamp(tensor([1]), { max: NaN })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: clamp: min or max must be given, with min <= max, min < Infinity and max > -Infinity, got min undefined and max NaN]`,
      );
    },
    "a limit that no element keeps": () => {
      expect(() => clamp(tensor([1]), { max: -Infinity })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: clamp: min or max must be given, with min <= max, min < Infinity and max > -Infinity, got min undefined and max -Infinity]`,
      );
    },
    "a fraction as the limit of integers": () => {
      expect(() => clamp(tensor([1], [1], { dtype: "int32" }), { min: 0.5 })).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: clamp: the limits of an int32 tensor must be integers of 32 bits; cast the tensor first, got 0.5]`,
      );
    },
  },
});

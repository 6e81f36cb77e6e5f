import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { tensor, zeros } from "../leaf.ts";
import { dims, integers, reals, shapes } from "../testing/arbitraries.ts";
import { arithmeticRuns } from "../testing/arithmeticRuns.ts";
import { dot } from "../testing/checkGradients.ts";
import { describeOp } from "../testing/describeOp.ts";
import { indices, positionOf } from "../testing/indices.ts";
import { mul } from "./mul.ts";
import { pad } from "./pad.ts";
import { slice } from "./slice.ts";

/** A tensor, also an empty one, a border, and a gradient of the result's shape. */
const cases = shapes({ maxRank: 3, minDim: 0 }).chain((shape) =>
  fc.tuple(...shape.map(() => fc.tuple(dims(0, 2), dims(0, 2)))).chain((padding) =>
    fc.record({
      x: integers(shape),
      padding: fc.constant(padding),
      dy: integers(shape.map((dim, axis) => padding[axis][0] + dim + padding[axis][1])),
    }),
  ),
);

describeOp(pad, {
  byHand: {
    "puts zeros around": async () => {
      expect(await pad(tensor([[1, 2]]), [[1, 0], [0, 2]]).array()).toEqual([[0, 0, 0, 0], [1, 2, 0, 0]]); // prettier-ignore
    },
    "puts another constant around": async () => {
      expect(await pad(tensor([1]), [[1, 1]], { value: -Infinity }).array()).toEqual([-Infinity, 1, -Infinity]);
    },
    "makes something of nothing": async () => {
      expect(await pad(zeros([0]), [[1, 1]], { value: 5 }).array()).toEqual([5, 5]);
    },
    "leaves a scalar, which has no axes, alone": async () => {
      expect(await pad(tensor(3), []).item()).toBe(3);
    },
    "pads int32 with integers": async () => {
      const x = tensor([1], [1], { dtype: "int32" });
      expect(await pad(x, [[1, 0]], { value: 7 }).data()).toEqual(new Int32Array([7, 1]));
    },
    "is not affected when the caller changes the array that held the padding": async () => {
      const padding: [number, number][] = [[0, 1]];
      const y = pad(tensor([1, 2]), padding);
      padding[0][0] = 1;
      expect(await y.array()).toEqual([1, 2, 0]);
    },
  },

  golden: { cases: ["arithmetic/layout/pad_*"], run: arithmeticRuns.pad },

  laws: {
    "holds x behind the border and the constant everywhere else": () =>
      fc.assert(
        fc.asyncProperty(cases, fc.integer(), async ({ x, padding, dy }, seed) => {
          const value = Math.fround(seed);
          const values = await x.data();
          const y = pad(x, padding, { value });
          expect(y.shape).toEqual(dy.shape);
          const expected = indices(y.shape).map((index) => {
            const own = index.map((i, axis) => i - padding[axis][0]);
            const inside = own.every((i, axis) => i >= 0 && i < x.shape[axis]);
            return inside ? values[positionOf(own, x.shape)] : value;
          });
          expect(Array.from(await y.data())).toEqual(expected);
        }),
      ),
    "is undone by slice": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, padding }) => {
          const inner = padding.map(([before], axis) => [before, before + x.shape[axis]] as const);
          expect(await slice(pad(x, padding), inner).array()).toEqual(await x.array());
        }),
      ),
    "adds up: two borders are one of the sum of their widths": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, padding }) => {
          const doubled = padding.map(([before, after]) => [2 * before, 2 * after] as const);
          expect(await pad(pad(x, padding), padding).array()).toEqual(await pad(x, doubled).array());
        }),
      ),
    "satisfies the adjoint identity dy . f(x) = vjp(dy) . x": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, padding, dy }) => {
          const y = pad(x, padding);
          const [dx] = grad(y, [x], { gradOutput: dy });
          expect(dx.shape).toEqual(x.shape);
          expect(dot(await dy.data(), await y.data())).toBe(dot(await dx.data(), await x.data()));
        }),
      ),
    "has a gradient that does not depend on the constant": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, padding, dy }) => {
          const [dx] = grad(pad(x, padding), [x], { gradOutput: dy });
          const [other] = grad(pad(x, padding, { value: 5 }), [x], { gradOutput: dy });
          expect(await other.array()).toEqual(await dx.array());
        }),
      ),
  },

  gradients: {
    "two axes, squared": {
      f: (x) => {
        const y = pad(x, [[1, 0], [2, 1]], { value: 3 }); // prettier-ignore
        return mul(y, y);
      },
      inputs: shapes({ minRank: 2, maxRank: 2 }).chain((shape) => fc.tuple(reals(shape))),
    },
  },

  errors: {
    "an axis without its pair": () => {
      expect(() => pad(zeros([2, 3]), [[1, 1]])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: pad: padding must have one pair [before, after] of integers of at least 0 per axis of x, 2, got [[1,1]]]`,
      );
    },
    "a result with sides that cannot be counted": () => {
      expect(() =>
        pad(zeros([0, 1]), [
          [0, 0],
          [2 ** 53, 0],
        ]),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: pad: sides must be at most 9007199254740991, got [0, 9007199254740992]]`,
      );
    },
    "a negative width": () => {
      expect(() => pad(zeros([2]), [[-1, 0]])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: pad: padding must have one pair [before, after] of integers of at least 0 per axis of x, 1, got [[-1,0]]]`,
      );
    },
    "a fraction around an int32 tensor": () => {
      const x = zeros([1], { dtype: "int32" });
      expect(() => pad(x, [[1, 1]], { value: 0.5 })).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: pad: value must be an integer beside an int32 x; cast x first, got 0.5]`,
      );
    },
  },
});

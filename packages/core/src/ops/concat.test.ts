import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import type { Shape } from "../shape.ts";
import { tensor, zeros } from "../leaf.ts";
import type { Tensor } from "../tensor.ts";
import { dims, integers, reals, shapes } from "../testing/arbitraries.ts";
import { arithmeticRuns } from "../testing/arithmeticRuns.ts";
import { dot } from "../testing/checkGradients.ts";
import { describeOp } from "../testing/describeOp.ts";
import { indices, positionOf } from "../testing/indices.ts";
import { concat } from "./concat.ts";
import { mul } from "./mul.ts";
import { slice } from "./slice.ts";

interface Row {
  readonly dim: number;
  readonly parts: readonly Shape[];
  readonly out: Shape;
}

/** An axis, counted from the front or from the back, and shapes that differ along it only; empty ones among them. */
const rows: fc.Arbitrary<Row> = shapes({ minRank: 1, maxRank: 3, minDim: 0 }).chain((shape) =>
  fc
    .record({
      axis: fc.nat(shape.length - 1),
      sizes: fc.array(dims(0, 3), { minLength: 1, maxLength: 4 }),
      back: fc.boolean(),
    })
    .map(({ axis, sizes, back }) => ({
      dim: back ? axis - shape.length : axis,
      parts: sizes.map((size) => shape.with(axis, size)),
      out: shape.with(
        axis,
        sizes.reduce((total, size) => total + size),
      ),
    })),
);

/** The same with tensors. */
const cases = rows.chain(({ dim, parts, out }) =>
  fc.record({ dim: fc.constant(dim), xs: fc.tuple(...parts.map((part) => integers(part))), dy: integers(out) }),
);

describeOp(concat, {
  byHand: {
    "puts rows below rows": async () => {
      expect(await concat([tensor([[1, 2]]), tensor([[3, 4], [5, 6]])]).array()).toEqual([[1, 2], [3, 4], [5, 6]]); // prettier-ignore
    },
    "puts columns beside columns": async () => {
      expect(await concat([tensor([[1], [2]]), tensor([[3], [4]])], -1).array()).toEqual([[1, 3], [2, 4]]); // prettier-ignore
    },
    "joins one tensor, empty tensors and one tensor twice": async () => {
      const x = tensor([1, 2]);
      expect(await concat([x]).array()).toEqual([1, 2]);
      expect(await concat([zeros([0]), x, zeros([0])]).array()).toEqual([1, 2]);
      expect(await concat([x, x]).array()).toEqual([1, 2, 1, 2]);
    },
    "adds the gradients of a tensor that stands in it twice": async () => {
      const x = tensor([1, 2]);
      const [dx] = grad(concat([x, x]), [x], { gradOutput: tensor([1, 2, 30, 40]) });
      expect(await dx.array()).toEqual([31, 42]);
    },
    "is not affected when the caller changes the list": async () => {
      const xs = [tensor([1]), tensor([2])];
      const y = concat(xs);
      xs.length = 0;
      xs.push(tensor([7, 8, 9]));
      expect(await y.array()).toEqual([1, 2]);
    },
    "joins int32": async () => {
      const x = tensor([1], [1], { dtype: "int32" });
      expect(await concat([x, x]).data()).toEqual(new Int32Array([1, 1]));
    },
  },

  golden: {
    cases: ["arithmetic/layout/concat_*"],
    run: arithmeticRuns.concat,
  },

  laws: {
    "holds each tensor where the sizes before it end": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ dim, xs, dy }) => {
          const y = concat(xs, dim);
          expect(y.shape).toEqual(dy.shape);
          const axis = dim < 0 ? dim + y.shape.length : dim;
          const expected = new Float32Array(y.size);
          let start = 0;
          for (const x of xs) {
            const values = await x.data();
            indices(x.shape).forEach((index, i) => {
              expected[positionOf(index.with(axis, index[axis] + start), y.shape)] = values[i];
            });
            start += x.shape[axis];
          }
          expect(await y.data()).toEqual(expected);
        }),
      ),
    "is taken apart by slice": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ dim, xs }) => {
          const y = concat(xs, dim);
          const axis = dim < 0 ? dim + y.shape.length : dim;
          let start = 0;
          for (const x of xs) {
            const stop = start + x.shape[axis];
            const part = slice(
              y,
              y.shape.map((_, a) => (a === axis ? [start, stop] : null)),
            );
            expect(await part.array()).toEqual(await x.array());
            start = stop;
          }
        }),
      ),
    "is associative": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ dim, xs }) => {
          const oneByOne = xs.reduce((y, x) => concat([y, x], dim));
          expect(await oneByOne.array()).toEqual(await concat(xs, dim).array());
        }),
      ),
    "satisfies the adjoint identity dy . f(x) = vjp(dy) . x": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ dim, xs, dy }) => {
          const y = concat(xs, dim);
          const dxs = grad(y, xs, { gradOutput: dy });
          const right = await Promise.all(xs.map(async (x, k) => dot(await dxs[k].data(), await x.data())));
          expect(dot(await dy.data(), await y.data())).toBe(right.reduce((total, part) => total + part));
        }),
      ),
  },

  gradients: {
    "three tensors along the last axis, squared": {
      f: (...xs: Tensor[]) => {
        const y = concat(xs, -1);
        return mul(y, y);
      },
      inputs: fc.tuple(reals([2, 1]), reals([2, 3]), reals([2, 2])),
    },
    "one tensor twice, squared": {
      f: (x) => {
        const y = concat([x, x]);
        return mul(y, y);
      },
      inputs: fc.tuple(reals([2, 2])),
    },
  },

  errors: {
    "another axis that differs": () => {
      expect(() => concat([zeros([2, 3]), zeros([2, 4])])).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: concat: all must have the same shape, except along axis 0, got xs[0] of shape [2, 3] and xs[1] of shape [2, 4]]`,
      );
    },
    "ranks that differ": () => {
      expect(() => concat([zeros([2, 3]), zeros([2])])).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: concat: all must have the same shape, except along axis 0, got xs[0] of shape [2, 3] and xs[1] of shape [2]]`,
      );
    },
    "no tensors": () => {
      expect(() => concat([])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: concat: xs must hold at least one tensor, got none]`,
      );
    },
    "an axis that does not exist": () => {
      expect(() => concat([zeros([2])], 1)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: concat: dim must be an integer in [-1, 0], got dim 1 for x of shape [2]]`,
      );
    },
    "scalars, which stack would join": () => {
      expect(() => concat([zeros([]), zeros([])])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: concat: x must have at least one axis, got dim 0 for x of shape []]`,
      );
    },
    "different element types": () => {
      expect(() => concat([zeros([1]), zeros([1], { dtype: "float64" })])).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: concat: inputs must share one dtype (x.cast("float32") converts), got float32 and float64]`,
      );
    },
  },
});

import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { tensor, zeros } from "../leaf.ts";
import type { Tensor } from "../tensor.ts";
import { dims, integers, reals, shapes } from "../testing/arbitraries.ts";
import { arithmeticRuns } from "../testing/arithmeticRuns.ts";
import { dot } from "../testing/checkGradients.ts";
import { describeOp } from "../testing/describeOp.ts";
import { mul } from "./mul.ts";
import { permute } from "./permute.ts";
import { reshape } from "./reshape.ts";
import { slice } from "./slice.ts";
import { stack } from "./stack.ts";

/** Tensors of one shape, a place for the new axis, counted from either end, and a gradient of the result's shape. */
const cases = fc
  .record({ shape: shapes({ maxRank: 3, minDim: 0 }), count: dims(1, 3), pick: fc.nat(), back: fc.boolean() })
  .chain(({ shape, count, pick, back }) => {
    const axis = pick % (shape.length + 1);
    return fc.record({
      xs: fc.array(integers(shape), { minLength: count, maxLength: count }),
      axis: fc.constant(axis),
      dim: fc.constant(back ? axis - shape.length - 1 : axis),
      dy: integers(shape.toSpliced(axis, 0, count)),
    });
  });

describeOp(stack, {
  byHand: {
    "makes rows of vectors in front and columns behind": async () => {
      const [a, b] = [tensor([1, 2]), tensor([3, 4])];
      expect(await stack([a, b]).array()).toEqual([[1, 2], [3, 4]]); // prettier-ignore
      expect(await stack([a, b], 1).array()).toEqual([[1, 3], [2, 4]]); // prettier-ignore
      expect(await stack([a, b], -1).array()).toEqual([[1, 3], [2, 4]]); // prettier-ignore
    },
    "makes a vector of scalars": async () => {
      expect(await stack([tensor(5), tensor(6)]).array()).toEqual([5, 6]);
    },
  },

  golden: {
    cases: ["arithmetic/layout/stack_*"],
    run: arithmeticRuns.stack,
  },

  laws: {
    "holds tensor k at index k of the new axis": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ xs, axis, dim, dy }) => {
          const y = stack(xs, dim);
          expect(y.shape).toEqual(dy.shape);
          for (const [k, x] of xs.entries()) {
            const part = slice(
              y,
              y.shape.map((_, a) => (a === axis ? [k, k + 1] : null)),
            );
            expect(await reshape(part, x.shape).array()).toEqual(await x.array());
          }
        }),
      ),
    "in another place is a permutation of stacking in front": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ xs, axis, dim, dy }) => {
          const order = dy.shape.map((_, a) => (a === axis ? 0 : a < axis ? a + 1 : a));
          expect(await stack(xs, dim).array()).toEqual(await permute(stack(xs), order).array());
        }),
      ),
    "satisfies the adjoint identity dy . f(x) = vjp(dy) . x": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ xs, dim, dy }) => {
          const y = stack(xs, dim);
          const dxs = grad(y, xs, { gradOutput: dy });
          const right = await Promise.all(xs.map(async (x, k) => dot(await dxs[k].data(), await x.data())));
          expect(dot(await dy.data(), await y.data())).toBe(right.reduce((total, part) => total + part));
        }),
      ),
  },

  gradients: {
    "in the middle, squared": {
      f: (...xs: Tensor[]) => {
        const y = stack(xs, 1);
        return mul(y, y);
      },
      inputs: fc.tuple(reals([2, 3]), reals([2, 3])),
    },
  },

  errors: {
    "shapes that differ": () => {
      expect(() => stack([zeros([2]), zeros([3])])).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: stack: all must have the same shape, got xs[0] of shape [2] and xs[1] of shape [3]]`,
      );
    },
    "no tensors": () => {
      expect(() => stack([])).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: stack: xs must hold at least one tensor, got none]`,
      );
    },
    "a place that is none": () => {
      expect(() => stack([zeros([2])], 2)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: stack: dim must be an integer in [-2, 1], got dim 2 for x of shape [2, 1]]`,
      );
    },
  },
});

import { add, grad, leaf, reshape, type Shape, tensor, zeros } from "@gridgrad/core";
import { dims, dot, integers, reals, shapes } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { networkRuns } from "../testing/networkRuns.ts";
import { linear } from "./linear.ts";

/** Leading axes, inputs and outputs. */
const sizes = fc.tuple(shapes({ maxRank: 2, minDim: 0, maxDim: 3 }), dims(), dims());

describeOp(linear, {
  byHand: {
    "takes dot products with the rows of the weight": async () => {
      const weight = tensor([
        [1, 0],
        [0, 2],
        [1, 1],
      ]);
      expect(await linear(tensor([3, 4]), weight).array()).toEqual([3, 8, 7]);
      expect(await linear(tensor([[3, 4]]), weight, tensor([0, 0, 10])).array()).toEqual([[3, 8, 17]]);
    },
    "takes a vector for a weight with one output, which has no axis": async () => {
      expect(await linear(tensor([[3, 4], [5, 6]]), tensor([1, 10])).array()).toEqual([43, 65]); // prettier-ignore
      expect(await linear(tensor([3, 4]), tensor([1, 10]), tensor(100, [])).array()).toBe(143);
    },
    "of no rows has no rows": () => {
      expect(linear(zeros([0, 2]), zeros([3, 2])).shape).toEqual([0, 3]);
    },
  },

  golden: { cases: ["network/matmul/linear*", "arithmetic/linear/*"], run: networkRuns.linear },

  laws: {
    "with the identity and no bias gives x": () =>
      fc.assert(
        fc.asyncProperty(
          sizes.chain(([lead, I]) => integers([...lead, I])),
          async (x) => {
            const I = x.shape.at(-1)!;
            const identity = leaf(
              [I, I],
              "float32",
              Float32Array.from({ length: I * I }, (_, i) => (i % (I + 1) === 0 ? 1 : 0)),
            );
            expect(await linear(x, identity).array()).toEqual(await x.array());
          },
        ),
      ),
    "is linear in x and in the weight": () =>
      fc.assert(
        fc.asyncProperty(
          sizes.chain(([lead, I, O]) =>
            fc.tuple(integers([...lead, I]), integers([...lead, I]), integers([O, I]), integers([O, I])),
          ),
          async ([x, x2, w, w2]) => {
            expect(await linear(add(x, x2), w).array()).toEqual(await add(linear(x, w), linear(x2, w)).array());
            expect(await linear(x, add(w, w2)).array()).toEqual(await add(linear(x, w), linear(x, w2)).array());
          },
        ),
      ),
    "treats leading axes as one": () =>
      fc.assert(
        fc.asyncProperty(
          sizes.chain(([lead, I, O]) => fc.tuple(integers([2, ...lead, I]), integers([O, I]), integers([O]))),
          async ([x, w, b]) => {
            const rows = linear(reshape(x, [x.shape.slice(0, -1).reduce((n, dim) => n * dim, 1), w.shape[1]]), w, b);
            expect(await linear(x, w, b).data()).toEqual(await rows.data());
          },
        ),
      ),
    "with a vector for the weight is one output of a matrix, without its axis": () =>
      fc.assert(
        fc.asyncProperty(
          sizes.chain(([lead, I]) => fc.tuple(integers([...lead, I]), integers([I]), integers([1]))),
          async ([x, w, b]) => {
            const y = linear(x, w, reshape(b, []));
            const whole = linear(x, reshape(w, [1, ...w.shape]), b);
            expect(y.shape).toEqual(x.shape.slice(0, -1));
            expect(await y.data()).toEqual(await whole.data());
          },
        ),
      ),
    "satisfies the adjoint identity dy . f(x) = vjp(dy) . x, also for the weight": () =>
      fc.assert(
        fc.asyncProperty(
          sizes.chain(([lead, I, O]) => {
            const outer: Shape = lead;
            return fc.tuple(integers([...outer, I]), integers([O, I]), integers([...outer, O]));
          }),
          async ([x, w, dy]) => {
            const y = linear(x, w);
            const [dx, dw] = grad(y, [x, w], { gradOutput: dy });
            const forward = dot(await dy.data(), await y.data());
            expect(dot(await dx.data(), await x.data())).toBe(forward);
            expect(dot(await dw.data(), await w.data())).toBe(forward);
          },
        ),
      ),
  },

  gradients: {
    "x, weight and bias": { f: linear, inputs: fc.tuple(reals([2, 2, 3]), reals([2, 3]), reals([2])), numRuns: 25 },
    "vectors for x, or for the weight": {
      f: (x, matrix, weight) => add(linear(weight, matrix), linear(x, weight)),
      inputs: fc.tuple(reals([2, 3]), reals([2, 3]), reals([3])),
      numRuns: 25,
    },
  },

  errors: {
    "another number of inputs": () => {
      expect(() => linear(zeros([2, 3]), zeros([4, 2]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: linear: x must be [.., I] and weight [O, I] or [I] with one I, got x of shape [2, 3] and weight of shape [4, 2]]`,
      );
    },
    "a scalar, or a weight of three axes": () => {
      for (const [x, weight] of [
        [[], [3]],
        [[3], []],
        [
          [2, 3],
          [1, 4, 3],
        ],
      ])
        // prettier-ignore
        expect(() => linear(zeros(x), zeros(weight))).toThrow("x must be [.., I] and weight [O, I] or [I] with one I");
    },
    "a bias of another shape": () => {
      expect(() => linear(zeros([2, 3]), zeros([4, 3]), zeros([3]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: linear: bias must have shape [4], got bias of shape [3] and the input of shape [2, 3]]`,
      );
    },
    "a weight of another element type": () => {
      expect(() => linear(zeros([2, 3]), zeros([4, 3], { dtype: "float64" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: linear: weight must have the dtype of the input, float32 (cast converts), got float64]`,
      );
    },
  },
});

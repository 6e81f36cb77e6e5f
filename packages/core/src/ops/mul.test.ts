import fc from "fast-check";
import { expect } from "vitest";

import { tensor } from "../leaf.ts";
import { broadcasting, integers, reals } from "../testing/arbitraries.ts";
import { describeOp } from "../testing/describeOp.ts";
import { add } from "./add.ts";
import { mul } from "./mul.ts";

/** Operands of shapes that broadcast. */
const pairs = broadcasting(2);
const triples = broadcasting(3);

const int32s = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

describeOp(mul, {
  byHand: {
    "multiplies element by element": async () => {
      expect(await mul(tensor([1, 2]), tensor([10, 20])).array()).toEqual([10, 40]);
    },
    "makes a table of a column and a row": async () => {
      expect(await mul(tensor([[1], [2]]), tensor([1, 2, 3])).array()).toEqual([
        [1, 2, 3],
        [2, 4, 6],
      ]);
    },
    "takes a number on either side": async () => {
      expect(await mul(0.5, mul(tensor([3]), 2)).array()).toEqual([3]);
    },
    "multiplies int32": async () => {
      expect(await mul(tensor([3], [1], { dtype: "int32" }), -2).data()).toEqual(new Int32Array([-6]));
    },
    "wraps products of int32 at 32 bits, to the last one": async () => {
      // 123456789 * 987654321 = 121932631112635269 = 28389652 * 2^32 + 4227814277, which is -67153019 as int32
      const a = tensor([123456789, 2 ** 31 - 1, -(2 ** 31), -(2 ** 31)], [4], { dtype: "int32" });
      const b = tensor([987654321, 2 ** 31 - 1, 2 ** 31 - 1, -1], [4], { dtype: "int32" });
      expect(await mul(a, b).array()).toEqual([-67153019, 1, -(2 ** 31), -(2 ** 31)]);
      expect(await mul(a, 987654321).array()).toEqual(await mul(987654321, a).array());
    },
    "makes NaN of zero times infinity": async () => {
      expect(await mul(tensor([0, 0, 2]), tensor([Infinity, NaN, -Infinity])).array()).toEqual([NaN, NaN, -Infinity]);
    },
  },

  golden: { cases: ["arithmetic/arithmetic/mul_*"], run: ({ a, b }) => mul(a, b) },

  laws: {
    "is commutative and associative on integers": () =>
      fc.assert(
        fc.asyncProperty(
          triples.chain(({ shapes: [a, b, c] }) => fc.tuple(integers(a), integers(b), integers(c))),
          async ([a, b, c]) => {
            expect(await mul(a, b).array()).toEqual(await mul(b, a).array());
            expect(await mul(mul(a, b), c).array()).toEqual(await mul(a, mul(b, c)).array());
          },
        ),
      ),
    "wraps int32 as whole numbers do that keep their lowest 32 bits": () =>
      fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(int32s, int32s), { minLength: 1 }), async (pairs) => {
          const [a, b] = [0, 1].map((k) => tensor(pairs.map((pair) => pair[k]), undefined, { dtype: "int32" })); // prettier-ignore
          const products = pairs.map(([a, b]) => Number(BigInt.asIntN(32, BigInt(a) * BigInt(b))));
          expect(await mul(a, b).array()).toEqual(products);
        }),
      ),
    "distributes over sums of integers": () =>
      fc.assert(
        fc.asyncProperty(
          // A negative factor would make -0 of one side and 0 of the other.
          triples.chain(({ shapes: [a, b, c] }) => fc.tuple(integers(a, { min: 1 }), integers(b), integers(c))),
          async ([a, b, c]) => {
            expect(await mul(a, add(b, c)).array()).toEqual(await add(mul(a, b), mul(a, c)).array());
          },
        ),
      ),
    "has one as its neutral element": () =>
      fc.assert(
        fc.asyncProperty(
          pairs.chain(({ out }) => integers(out)),
          async (x) => {
            expect(await mul(x, 1).array()).toEqual(await x.array());
          },
        ),
      ),
  },

  gradients: {
    "both operands, broadcast": {
      f: mul,
      inputs: pairs.chain(({ shapes: [a, b] }) => fc.tuple(reals(a), reals(b))),
    },
    "a square, whose operand comes twice": {
      f: (x) => mul(x, x),
      inputs: pairs.chain(({ out }) => fc.tuple(reals(out))),
    },
  },

  errors: {
    "shapes that do not broadcast": () => {
      expect(() => mul(tensor([1, 2]), tensor([1, 2, 3]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: mul: shapes must broadcast: aligned at the last axis, sizes equal or 1, got a of shape [2] and b of shape [3]]`,
      );
    },
    "different element types": () => {
      expect(() => mul(tensor([1]), tensor([1], [1], { dtype: "float64" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: mul: inputs must share one dtype (x.cast("float32") converts), got float32 and float64]`,
      );
    },
    "a fraction beside an int32 tensor": () => {
      expect(() => mul(0.5, tensor([1], [1], { dtype: "int32" }))).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: mul: a number beside an int32 tensor must be an integer; cast the tensor first, got 0.5]`,
      );
    },
  },
});

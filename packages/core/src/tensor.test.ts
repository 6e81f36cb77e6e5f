import fc from "fast-check";
import { describe, expect, test } from "vitest";

import * as ops from "./ops/index.ts";
import { size } from "./shape.ts";
import { apply } from "./apply.ts";
import { arange, full, ones, tensor, zeros } from "./leaf.ts";
import type { NestedNumbers } from "./tensor.ts";
import { integers, shapes } from "./testing/arbitraries.ts";

describe("tensor", () => {
  test("takes its shape from the nesting of the numbers", async () => {
    expect(tensor(5).shape).toEqual([]);
    expect(tensor([1, 2, 3]).shape).toEqual([3]);
    expect(tensor([[1, 2, 3], [4, 5, 6]]).shape).toEqual([2, 3]); // prettier-ignore
    expect(await tensor([[1, 2, 3], [4, 5, 6]]).data()).toEqual(new Float32Array([1, 2, 3, 4, 5, 6])); // prettier-ignore
  });

  test("takes empty nesting", () => {
    expect(tensor([]).shape).toEqual([0]);
    expect(tensor([[], []]).shape).toEqual([2, 0]);
    expect(tensor([[[]]]).shape).toEqual([1, 1, 0]);
  });

  test("gives back what it was given, nested as it was", () =>
    fc.assert(
      fc.asyncProperty(
        shapes({ minDim: 0 }).chain((shape) => integers(shape)),
        async (x) => {
          const nested = await x.array();
          const y = tensor(nested);
          expect(await y.array()).toEqual(nested);
          if (x.size > 0) expect(y.shape).toEqual(x.shape); // [2, 0, 3] is written [[], []]
        },
      ),
    ));

  test("takes a flat array under another shape", async () => {
    expect(await tensor([1, 2, 3, 4], [2, 2]).array()).toEqual([[1, 2], [3, 4]]); // prettier-ignore
    expect(await tensor([7], []).array()).toBe(7);
    expect(tensor([], [3, 0]).shape).toEqual([3, 0]);
  });

  test("takes the element type of a typed array, and float32 otherwise", () => {
    expect(tensor([1]).dtype).toBe("float32");
    expect(tensor(new Float32Array(1)).dtype).toBe("float32");
    expect(tensor(new Float64Array(1)).dtype).toBe("float64");
    expect(tensor(new Int32Array(1)).dtype).toBe("int32");
    expect(tensor(new Uint8Array(1)).dtype).toBe("int32");
    expect(tensor(new Float64Array(1), [1], { dtype: "float32" }).dtype).toBe("float32");
  });

  test("rounds to its element type", async () => {
    expect(await tensor([0.1]).item()).toBe(Math.fround(0.1));
    expect(await tensor([0.1], [1], { dtype: "float64" }).item()).toBe(0.1);
  });

  test("holds every 32-bit integer in int32 and refuses everything else", async () => {
    const ends = [-(2 ** 31), -1, 0, 2 ** 31 - 1];
    expect(await tensor(ends, [4], { dtype: "int32" }).data()).toEqual(new Int32Array(ends));
    const int32 = (value: number) => () => tensor([value], [1], { dtype: "int32" });
    expect(int32(2 ** 31)).toThrowErrorMatchingInlineSnapshot(
      `[DTypeError: tensor: int32 values must be integers of 32 bits, got 2147483648]`,
    );
    expect(int32(0.5)).toThrowErrorMatchingInlineSnapshot(
      `[DTypeError: tensor: int32 values must be integers of 32 bits, got 0.5]`,
    );
    expect(int32(NaN)).toThrowErrorMatchingInlineSnapshot(
      `[DTypeError: tensor: int32 values must be integers of 32 bits, got NaN]`,
    );
  });

  test("copies: changing the source or what was read changes nothing", async () => {
    const source = new Float32Array([1, 2]);
    const x = tensor(source);
    source[0] = 9;
    expect(await x.array()).toEqual([1, 2]);
    const read = await x.data();
    read[1] = 9;
    expect(await x.array()).toEqual([1, 2]);
    const y = x.add(1);
    (await y.data())[0] = 9;
    expect(await y.array()).toEqual([2, 3]);
  });

  test("copies the shape, which nobody can change", () => {
    const shape = [2, 2];
    const x = tensor([1, 2, 3, 4], shape);
    shape[0] = 4;
    expect(x.shape).toEqual([2, 2]);
    expect(Object.isFrozen(x.shape)).toBe(true);
    expect(Object.isFrozen(x.add(1).shape)).toBe(true);
  });

  test("refuses ragged nesting", () => {
    expect(() => tensor([[1, 2], [3]])).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: tensor: values must be nested evenly: 2 entries at depth 1, got an array of length 1]`,
    );
    expect(() => tensor([1, [2]])).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: tensor: values must be numbers, nested evenly, got an array of length 1]`,
    );
    expect(() => tensor([[1], 2])).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: tensor: values must be nested evenly: 1 entries at depth 1, got 2]`,
    );
    expect(() => tensor([[], [1]])).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: tensor: values must be nested evenly: 0 entries at depth 1, got an array of length 1]`,
    );
  });

  test("makes int32 of 64-bit integers, as labels from Python are, if they fit", async () => {
    const labels = tensor(new BigInt64Array([1n, -100n, 2n ** 31n - 1n, -(2n ** 31n)]), [2, 2]);
    expect([labels.dtype, await labels.array()]).toEqual(["int32", [[1, -100], [2 ** 31 - 1, -(2 ** 31)]]]); // prettier-ignore
    expect(await tensor(new BigUint64Array([7n])).data()).toEqual(new Int32Array([7]));
    expect(await tensor(new BigInt64Array([2n ** 40n]), [1], { dtype: "float64" }).array()).toEqual([2 ** 40]);
    for (const beyond of [2n ** 31n, -(2n ** 31n) - 1n, 2n ** 32n + 5n, 2n ** 63n - 1n]) {
      expect(() => tensor(new BigInt64Array([beyond]))).toThrow(
        /^tensor: int32 values must be integers of 32 bits, got -?\d/,
      );
    }
  });

  test("takes any object with a length and numbers", async () => {
    const { length } = [0, 0];
    expect(await tensor({ length, 0: 3, 1: 4 }).array()).toEqual([3, 4]);
    for (const wrong of [{ length: 1.5 }, { length: -1 }, { length: NaN }]) {
      expect(() => tensor(wrong as ArrayLike<number>)).toThrow(/values must be a number or an array of numbers/);
    }
    expect(() => tensor({ length, 0: 3 })).toThrow("values must be numbers, nested evenly, got undefined");
    expect(() => tensor([1n] as never)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: tensor: values must be numbers, nested evenly, got 1n]`,
    );
  });

  test("refuses what is not a number, by name and without a dump", () => {
    expect(() => tensor(["1"] as never)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: tensor: values must be numbers, nested evenly, got "1"]`,
    );
    expect(() => tensor("12" as never)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: tensor: values must be a number or an array of numbers, got "12"]`,
    );
    expect(() => tensor(undefined as never)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: tensor: values must be a number or an array of numbers, got undefined]`,
    );
    expect(() => tensor(null as never)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: tensor: values must be a number or an array of numbers, got null]`,
    );
    expect(() => tensor({ a: 1 } as never)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: tensor: values must be a number or an array of numbers, got an object (Object)]`,
    );
    expect(() => tensor([new Float32Array(2)] as never)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: tensor: values must be numbers, nested evenly, got an object (Float32Array)]`,
    );
  });

  test("refuses a shape with another number of elements", () => {
    expect(() => tensor([1, 2, 3], [2, 2])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: tensor: 3 values must have a shape of 3 elements, got a tensor of shape [2, 2]]`,
    );
  });

  test("refuses a shape that is none", () => {
    expect(() => tensor([1, 2], [2, -1])).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: tensor: a shape must be an array of integers of at least 0, got [2, -1]]`,
    );
  });

  test("refuses an element type that is none", () => {
    expect(() => tensor([1], [1], { dtype: "bool" as never })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: tensor: dtype must be "float32", "float64" or "int32", got "bool"]`,
    );
  });

  test("refuses requiresGrad for int32, which has no gradient", () => {
    expect(() => tensor([1], [1], { dtype: "int32", requiresGrad: true })).toThrowErrorMatchingInlineSnapshot(
      `[DTypeError: tensor: a tensor with requiresGrad must be float32 or float64, got int32]`,
    );
  });

  test("says what it is as a string", () => {
    expect(String(zeros([1, 3], { dtype: "int32" }))).toBe("Tensor(int32 [1, 3]) [[0, 0, 0]]");
  });
});

describe("reading", () => {
  test("item gives the number of a tensor with one element, whatever its rank", async () => {
    expect(await tensor(3).item()).toBe(3);
    expect(await tensor([[3]]).item()).toBe(3);
  });

  test("item refuses any other number of elements", async () => {
    await expect(tensor([1, 2]).item()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: item: x must have one element, got x of shape [2]]`,
    );
    await expect(zeros([0]).item()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: item: x must have one element, got x of shape [0]]`,
    );
  });

  test("array nests one level per axis", async () => {
    expect(await tensor(7).array()).toBe(7);
    expect(await arange(4).reshape([2, 1, 2]).array()).toEqual([[[0, 1]], [[2, 3]]]);
    expect(await zeros([2, 0, 3]).array()).toEqual([[], []]);
    expect(await zeros([0, 2]).array()).toEqual([]);
  });

  test("data gives values of the tensor's element type", async () => {
    expect(await tensor([1], [1], { dtype: "float64" }).add(1).data()).toEqual(new Float64Array([2]));
    expect(await tensor([1], [1], { dtype: "int32" }).add(1).data()).toEqual(new Int32Array([2]));
  });
});

describe("makers of leaves", () => {
  test("zeros, ones and full fill a shape", () =>
    fc.assert(
      fc.asyncProperty(shapes({ minDim: 0 }), fc.constantFrom("float32", "float64", "int32"), async (shape, dtype) => {
        for (const [x, value] of [
          [zeros(shape, { dtype }), 0],
          [ones(shape, { dtype }), 1],
          [full(shape, -3, { dtype }), -3],
        ] as const) {
          expect(x.shape).toEqual(shape);
          expect(x.dtype).toBe(dtype);
          expect(Array.from(await x.data())).toEqual(Array(size(shape)).fill(value));
        }
      }),
    ));

  test("full refuses a value that int32 cannot hold", () => {
    expect(() => full([2], 0.5, { dtype: "int32" })).toThrow("int32 values must be integers of 32 bits, got 0.5");
  });

  test("full refuses a shape that is none", () => {
    expect(() => full([-1], 0)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: full: a shape must be an array of integers of at least 0, got [-1]]`,
    );
  });

  test("arange counts from 0", async () => {
    expect(await arange(3).array()).toEqual([0, 1, 2]);
    expect(arange(0).shape).toEqual([0]);
    expect(await arange(2, { dtype: "int32" }).data()).toEqual(new Int32Array([0, 1]));
  });

  test("arange refuses what it cannot count to", () => {
    expect(() => arange(-1)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: arange: n must be an integer of at least 0, got -1]`,
    );
    expect(() => arange(1.5)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: arange: n must be an integer of at least 0, got 1.5]`,
    );
  });

  test("make leaves: without a recipe, with requiresGrad where it is asked for", () => {
    for (const make of [zeros, ones]) {
      expect(make([1])).toMatchObject({ recipe: null, requiresGrad: false, tracked: false });
      expect(make([1], { requiresGrad: true })).toMatchObject({ recipe: null, requiresGrad: true, tracked: true });
    }
  });
});

describe("an operation", () => {
  test("computes nothing when it is called", () => {
    const y = tensor([1]).add(1);
    expect(y).toMatchObject({ values: null, held: null });
    expect(y.recipe?.op.name).toBe("add");
  });

  test("is tracked if one of its inputs is", () => {
    const w = ones([1], { requiresGrad: true });
    expect(w.add(1).mul(2).tracked).toBe(true);
    expect(w.add(1).requiresGrad).toBe(false);
    expect(ones([1]).add(1).tracked).toBe(false);
  });

  test("makes tensors with numbers that count up", () => {
    const x = tensor([1]);
    const y = x.add(1);
    expect(y.id).toBeGreaterThan(x.id);
  });

  test("refuses what is not a tensor", () => {
    expect(() => apply(ops.negOp, [[1, 2] as never], {})).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: neg: argument 0 must be a Tensor, got an array of length 2; tensor(..) makes one of numbers]`,
    );
    expect(() => ops.add("1" as never, 2)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: add: at least one operand must be a Tensor, got "1"]`,
    );
    expect(() => ops.add(1 as never, 2 as never)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: add: at least one operand must be a Tensor, got 2]`,
    );
  });

  test("refuses int32 where it needs floating numbers", () => {
    expect(() => ones([1], { dtype: "int32" }).exp()).toThrowErrorMatchingInlineSnapshot(
      `[DTypeError: exp: inputs must share one floating dtype (x.cast("float32") converts), got int32]`,
    );
  });
});

test("nested numbers of any depth come back as they are", () =>
  fc.assert(
    fc.asyncProperty(
      fc.nat(3).chain((depth) => {
        let nested: fc.Arbitrary<NestedNumbers> = fc.integer({ min: -9, max: 9 });
        for (let level = 0; level < depth; level++) {
          const inner = nested;
          nested = fc.tuple(inner, fc.integer({ min: 1, max: 3 })).map(([entry, n]) => Array(n).fill(entry));
        }
        return nested;
      }),
      async (nested) => {
        expect(await tensor(nested).array()).toEqual(nested);
      },
    ),
  ));

import { describe, expect, test } from "vitest";

import { checkOptions, type OptionNames } from "./checkOptions.ts";
import { arange, full, ones, tensor, zeros } from "./leaf.ts";
import { clamp, leakyRelu, pad, sum } from "./ops/index.ts";
import { Random } from "./random.ts";

interface PoolOptions {
  readonly stride?: number;
  readonly padding?: number;
  readonly random?: object;
}

const names: OptionNames<PoolOptions> = { stride: 1, padding: 1, random: 0 };
const call = "Pool(channels, kernelSize)";
const check = (options: unknown, ...more: unknown[]) => checkOptions(call, names, options as PoolOptions, more);
const refused = (options: unknown, ...more: unknown[]) => expect(() => check(options, ...more));

describe("checkOptions", () => {
  test("gives back the options, and none for undefined", () => {
    const options = { stride: 2 };
    expect(check(options)).toBe(options);
    expect(check(undefined)).toEqual({});
    expect(check(Object.create(null))).toEqual({});
    expect(check({ padding: undefined, pad: undefined })).toEqual({}); // absent, both
  });

  test("refuses a name that it does not know, with the nearest one that it does", () => {
    refused({ stride: 1, strides: 2 }).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Pool: unknown option "strides"; did you mean stride? It takes stride, padding, random]`,
    );
    refused({ toString: 1 }).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Pool: unknown option "toString"; it takes stride, padding, random]`,
    );
  });

  test("answers arguments by position with the call that is meant", () => {
    refused(2, 8, 3, 2, 1).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Pool: options must stand in one object, got 2 and 1; write new Pool(8, 3, { stride: 2, padding: 1 })]`,
    );
    refused(2, 8, [3, 5], 2, { padding: 1 }).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Pool: options must stand in one object, got 2 and an object (Object); write new Pool(8, [3, 5], { stride: 2, padding: 1 })]`,
    );
    refused(tensor([1]), 8, tensor([1]), tensor([1])).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Pool: options must stand in one object, got an object (Tensor); write new Pool(8, kernelSize, { stride })]`,
    );
    refused(2, 8, 3, 2, 1, "zeros").toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Pool: options must stand in one object, got 2 and 1 and "zeros"; write new Pool(8, 3, { stride, padding, random })]`,
    ); // PyTorch's third has no place here
  });

  test("refuses what is no plain object", () => {
    refused(null, 8, 3, null).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Pool: options must stand in one object, got null; write new Pool(8, 3, { stride, padding, random })]`,
    );
    refused(new Map(), 8, 3, new Map()).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Pool: options must stand in one object, got an object (Map); write new Pool(8, 3, { stride, padding, random })]`,
    );
    refused(() => 1).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Pool: options must stand in one object, got a function; write new Pool(channels, kernelSize, { stride, padding, random })]`,
    );
  });
});

describe("functions of this package", () => {
  const wrong = (f: () => unknown) => expect(f);
  const no = <T>(value: unknown) => value as T;
  const x = zeros([2, 3]);

  test("tell how a type and sizes are given", () => {
    wrong(() => zeros(...no<[[number]]>([2, 3]))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: zeros: a shape must be an array of integers of at least 0, got 2 and 3; all stand in one array, zeros([2, 3])]`,
    );
    wrong(() => ones(...no<[[number]]>([2, 3, 4]))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: ones: a shape must be an array of integers of at least 0, got 2 and 3 and 4; all stand in one array, ones([2, 3, 4])]`,
    );
    wrong(() => zeros([2, 3], no<never>("int32"))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: zeros: options must stand in one object, got "int32"; write zeros([2, 3], { dtype: "int32" })]`,
    );
    wrong(() => full(no(2), 0.5)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: full: a shape must be an array of integers of at least 0, got 2; all stand in one array, full([2, ..])]`,
    );
    wrong(() => full([2], no("1"))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: full: value must be a number, got "1"]`,
    );
    wrong(() => arange(0, no<never>(10))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: arange: options must stand in one object, got 10; write arange(0, { dtype, requiresGrad })]`,
    );
    wrong(() => new Random(0).normal(...no<[[number]]>([2, 3]))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: normal: a shape must be an array of integers of at least 0, got 2 and 3; all stand in one array, normal([2, 3])]`,
    );
    wrong(() => new Random(0).uniform([2], no<never>({ min: 0 }))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: uniform: unknown option "min"; it takes low, high, dtype, requiresGrad]`,
    );
    wrong(() => x.reshape(no(6))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: reshape: shape must be an array, got 6; all stand in one array, reshape([6, ..])]`,
    );
    wrong(() => x.permute(no(1))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: permute: dims must be an array, got 1; all stand in one array, permute([1, ..])]`,
    );
    wrong(() => x.slice(no([0]))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: slice: a range must be [start, stop] or [start, stop, step] of integers with step >= 1, got 0]`,
    );
    wrong(() => x.sum(no("0"))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: sum: dim must be an integer in [-2, 1], got dim "0" for x of shape [2, 3]]`,
    );
  });

  test("tell how options of a tensor are given", () => {
    wrong(() => tensor([1, 2], [2], no<never>("float64"))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: tensor: options must stand in one object, got "float64"; write tensor([1, 2], [2], { dtype: "float64" })]`,
    );
    wrong(() => tensor([1, 2], no({ dtype: "float64" }))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: tensor: shape must be an array, with the options after it, got an object (Object); write tensor(values, undefined, { .. })]`,
    );
    wrong(() => tensor([1, 2], no("float64"))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: tensor: shape must be an array, with the options after it, got "float64"; write tensor(values, undefined, { dtype: "float64" })]`,
    );
    wrong(() => tensor([1, 2], no(2))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: tensor: shape must be an array, with the options after it, got 2; write tensor(values, [2])]`,
    );
    wrong(() => tensor(1, no(2))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: tensor: a shape must be an array of integers of at least 0, got 1 and 2; all stand in one array, tensor([1, 2])]`,
    );
    wrong(() => tensor([1], undefined, no<never>({ requires_grad: true }))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: tensor: unknown option "requires_grad"; did you mean requiresGrad? It takes dtype, requiresGrad]`,
    );
  });

  test("answer PyTorch's arguments by position", () => {
    wrong(() => x.sum(0, no(true))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: sum: options must stand in one object, got true; write sum(x, 0, { keepdim: true })]`,
    );
    wrong(() => sum(x, 0, no({ keep_dims: true }))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: sum: unknown option "keep_dims"; did you mean keepdim? It takes keepdim]`,
    );
    wrong(() => clamp(x, ...no<[object]>([0, 1]))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: clamp: options must stand in one object, got 0 and 1; write clamp(x, { min: 0, max: 1 })]`,
    );
    wrong(() => leakyRelu(x, no(0.2))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: leakyRelu: options must stand in one object, got 0.2; write leakyRelu(x, { negativeSlope: 0.2 })]`,
    );
    wrong(() => pad(x, [[1, 1], [0, 0]], no("constant"))).toThrowErrorMatchingInlineSnapshot(`[ValueError: pad: options must stand in one object, got "constant"; write pad(x, padding, { value })]`); // prettier-ignore
    wrong(() => pad(x, no([1, 1]))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: pad: padding must be an array of one pair [before, after] per axis, got an array of length 2]`,
    );
  });
});

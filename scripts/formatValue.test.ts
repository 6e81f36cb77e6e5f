import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { tensor } from "../packages/core/src/index.ts";
import { formatValue } from "./formatValue.ts";

describe("formatValue", () => {
  test.each([
    [0.1 + 0.2, "0.30000000000000004"],
    [-0, "0"],
    [NaN, "NaN"],
    [-Infinity, "-Infinity"],
    [1e21, "1e+21"],
    [null, "null"],
    [undefined, "undefined"],
    [true, "true"],
    [7n, "7"],
    ["reference", "reference"],
    [["mul", "sum"], '["mul", "sum"]'],
    [[[1, 2], []], "[[1, 2], []]"],
    [{ kernels: 3, device: "reference", shape: [2, 3] }, '{ kernels: 3, device: "reference", shape: [2, 3] }'],
    [{}, "{}"],
    [new Error("no path"), "Error: no path"],
    [Int32Array.of(1, -2), "[1, -2]"],
    [BigInt64Array.of(5n), "[5]"],
  ])("writes %o as %s", (value, text) => {
    expect(formatValue(value)).toBe(text);
  });

  test("lets tensors write themselves", () => {
    expect(formatValue(tensor([[1, 2]]))).toBe("Tensor(float32 [1, 2]) [[1, 2]]");
  });

  test("writes float32 with the digits that float32 needs, also where the number has left its array", () => {
    expect(formatValue(Float32Array.of(0.1, 1 / 3, 123456792, 1e30))).toBe("[0.1, 0.33333334, 123456792, 1e+30]");
    expect(formatValue(Math.fround(0.1))).toBe("0.1");
    expect(formatValue([Math.fround(0.1)])).toBe("[0.1]");
  });

  test("writes float64 with the digits that float64 needs", () => {
    expect(formatValue(Float64Array.of(0.1, Math.fround(0.1)))).toBe("[0.1, 0.10000000149011612]");
    expect(formatValue(1 / 3)).toBe("0.3333333333333333");
  });

  test("loses no float32 and no float64", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), fc.double({ noNaN: true }), (single, double) => {
        expect(Math.fround(Number(formatValue(single)))).toBe(single + 0); // -0 is written as 0
        if (Math.fround(double) !== double) expect(Number(formatValue(double))).toBe(double);
      }),
    );
  });

  test("asks for await where it is given a promise", () => {
    expect(() => formatValue(Promise.resolve(1))).toThrowErrorMatchingInlineSnapshot(
      `[Error: formatValue: value must not be a promise; write await before it]`,
    );
  });
});

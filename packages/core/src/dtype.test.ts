import { describe, expect, test } from "vitest";

import { allocate, bytesPerElement, checkDType, type DType, dtypeOf, isFloat } from "./dtype.ts";

const dtypes: readonly DType[] = ["float32", "float64", "int32"];

describe("element types", () => {
  test.each(dtypes)("%s has an array of zeros that knows its type and size", (dtype) => {
    const values = allocate(dtype, 3);
    expect(Array.from(values)).toEqual([0, 0, 0]);
    expect(dtypeOf(values)).toBe(dtype);
    expect(values.BYTES_PER_ELEMENT).toBe(bytesPerElement[dtype]);
  });

  test("float32 and float64 are floating, int32 is not", () => {
    expect(dtypes.map(isFloat)).toEqual([true, true, false]);
  });

  test("a name that is none of the three is refused, also one that every object has", () => {
    for (const dtype of dtypes) checkDType("f", dtype);
    expect(() => checkDType("f", "float16")).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: f: dtype must be "float32", "float64" or "int32", got "float16"]`,
    );
    expect(() => checkDType("f", "toString")).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: f: dtype must be "float32", "float64" or "int32", got "toString"]`,
    );
  });
});

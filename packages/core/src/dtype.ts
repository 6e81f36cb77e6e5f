/** @file Element types, and the typed arrays that hold them. */

import { ValueError } from "./errors.ts";
import { needsMemory } from "./needsMemory.ts";

/** `float32` is the default; `float64` is for checks; `int32` holds labels and indices and has no gradient. */
export type DType = "float32" | "float64" | "int32";

/** The typed arrays by the element types that they hold. */
interface ArrayByDType {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly int32: Int32Array;
}

/** Values in row-major order on the host, of one element type. */
export type ValuesOf<D extends DType> = ArrayByDType[D];

/** Values of any element type. */
export type Values = ValuesOf<DType>;

export const bytesPerElement: Readonly<Record<DType, number>> = { float32: 4, float64: 8, int32: 4 };

export function isFloat(dtype: DType): boolean {
  return dtype !== "int32";
}

/**
 * `n` zeros.
 *
 * @param what - what they are for.
 * @throws {OutOfMemoryError} when there is no memory for them.
 */
export function allocate<D extends DType>(
  dtype: D,
  n: number,
  what = () => `an array of ${n} values in ${dtype}`,
): ValuesOf<D> {
  return needsMemory(what, n * arrays[dtype].BYTES_PER_ELEMENT, () => new arrays[dtype](n));
}

const arrays: { readonly [D in DType]: { new (n: number): ValuesOf<D>; readonly BYTES_PER_ELEMENT: number } } = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
};

export function dtypeOf(values: Values): DType {
  if (values instanceof Float32Array) return "float32";
  return values instanceof Float64Array ? "float64" : "int32";
}

/** Throws unless `dtype` is one of the three. For names that come from outside: options, files. */
export function checkDType(op: string, dtype: string): asserts dtype is DType {
  if (!Object.hasOwn(arrays, dtype)) {
    throw new ValueError(op, 'dtype must be "float32", "float64" or "int32"', JSON.stringify(dtype));
  }
}

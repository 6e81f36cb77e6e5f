/** @file fast-check arbitraries for shapes and tensors. Small on purpose: a failure shrinks to a few numbers. */

import fc from "fast-check";

import { allocate, type DType } from "../dtype.ts";
import { type Shape, size } from "../shape.ts";
import { leaf } from "../leaf.ts";
import type { Tensor } from "../tensor.ts";

export interface ShapeOptions {
  readonly minRank?: number;
  readonly maxRank?: number;
  readonly minDim?: number;
  readonly maxDim?: number;
}

/** Shapes of few axes of few elements. */
export function shapes({ minRank = 0, maxRank = 4, minDim = 1, maxDim = 4 }: ShapeOptions = {}): fc.Arbitrary<Shape> {
  return fc.array(dims(minDim, maxDim), { minLength: minRank, maxLength: maxRank });
}

/** One size. */
export function dims(min = 1, max = 4): fc.Arbitrary<number> {
  return fc.integer({ min, max });
}

/** Two or more shapes that broadcast together, with the shape they broadcast to. */
export function broadcasting(count = 2, options: ShapeOptions = {}): fc.Arbitrary<{ shapes: Shape[]; out: Shape }> {
  return shapes({ maxRank: 3, maxDim: 3, ...options }).chain((out) =>
    fc
      .array(fc.tuple(dims(0, out.length), fc.array(fc.boolean(), { minLength: out.length, maxLength: out.length })), {
        minLength: count - 1,
        maxLength: count - 1,
      })
      .map((cuts) => ({
        // The first keeps the full shape; the others lose leading axes and have some of size 1.
        shapes: [out, ...cuts.map(([lead, ones]) => out.map((dim, axis) => (ones[axis] ? 1 : dim)).slice(lead))],
        out,
      })),
  );
}

/**
 * Integer-valued tensors. Sums and products of a few of them are exact in float32, so laws that hold for
 * real numbers hold to the last bit.
 */
export function integers(
  shape: Shape,
  { min = -8, max = 8, dtype = "float32" }: { min?: number; max?: number; dtype?: DType } = {},
): fc.Arbitrary<Tensor> {
  return tensorOf(shape, dtype, fc.integer({ min, max }));
}

/** Real-valued float64 tensors for gradient checks, at least `distance` away from every kink. */
export function reals(
  shape: Shape,
  {
    min = -2,
    max = 2,
    kinks = [],
    distance = 0.01,
    dtype = "float64",
  }: { min?: number; max?: number; kinks?: readonly number[]; distance?: number; dtype?: DType } = {},
): fc.Arbitrary<Tensor> {
  // Multiples of 2^-10 are as good as any real number here, and they shrink to readable ones.
  const value = fc
    .integer({ min: Math.ceil(min * 1024), max: Math.floor(max * 1024) })
    .map((n) => n / 1024)
    .filter((x) => kinks.every((kink) => Math.abs(x - kink) >= distance));
  return tensorOf(shape, dtype, value);
}

function tensorOf(shape: Shape, dtype: DType, value: fc.Arbitrary<number>): fc.Arbitrary<Tensor> {
  const n = size(shape);
  return fc.array(value, { minLength: n, maxLength: n }).map((list) => {
    const values = allocate(dtype, n);
    values.set(list);
    return leaf(shape, dtype, values);
  });
}

/** @file Tensors for norms: no group of elements is constant, so that dividing by a standard deviation is harmless. */

import { leaf, type Shape, type Tensor } from "@gridgrad/core";
import { reals } from "@gridgrad/core/testing";
import type fc from "fast-check";

/** Float64 values of alternating signs that are all at least 0.6 apart. */
export function spread(shape: Shape): fc.Arbitrary<Tensor> {
  return reals(shape, { min: -0.4, max: 0.4 }).map((noise) => {
    const values = Float64Array.from(noise.values!, (value, i) => (i % 2 === 0 ? 1 : -1) * (i / 2 + 1 + value / 2));
    return leaf(shape, "float64", values);
  });
}

/**
 * @file Tensor: a shape, an element type, and either values or the recipe to compute them.
 *
 * Calling an op records a node and computes nothing. `await t.data()` runs what is missing. A tensor
 * never changes: training replaces tensors, it does not write into them.
 */

import type { DType, ValuesOf } from "./dtype.ts";
import type { Device, DeviceBuffer } from "./device.ts";
import type { Op } from "./op.ts";
import { type Shape, size } from "./shape.ts";
import { Shown } from "./shown.ts";
import { showTensor } from "./showTensor.ts";

let made = 0;

/** What tensors of every copy of this package have: a tensor of another copy is none here, and errors can say so. */
export const tensorBrand: unique symbol = Symbol.for("@gridgrad/core Tensor");

/**
 * `D` is the element type where the program knows it, and then the type of what `data()` gives. Methods are in methods.ts, above the ops
 * that they call.
 */
export class Tensor<D extends DType = DType> extends Shown {
  readonly shape: Shape;
  readonly dtype: D;

  /** The values on the host: a leaf's from the start, a result's once it was read. */
  values: ValuesOf<D> | null;

  /** A leaf that `backward()` gives a `.grad`. */
  readonly requiresGrad: boolean;

  /** Sum of the gradients that `backward()` has found so far, of a leaf made with `requiresGrad`. */
  grad: Tensor<D> | null = null;

  /** Counts up as tensors are made, so inputs have smaller numbers than what is made of them. */
  readonly id = made++;

  /** How to compute it. `null` for a leaf, and for a realized tensor through which no gradient can be asked for. */
  recipe: Recipe | null;

  /** The values on a device: a result's, from `realize` until it is read. */
  held: { readonly device: Device; readonly buffer: DeviceBuffer } | null = null;

  /** Why there will never be values again, for the error message. */
  gone: string | null = null;

  /** True if a leaf with `requiresGrad` is among what this was computed from, so its recipe must be kept. */
  readonly tracked: boolean;

  /** Not for users: `tensor(...)` makes leaves, `apply(...)` records ops. */
  constructor(
    shape: Shape,
    dtype: D,
    source: { values: ValuesOf<D> | null; requiresGrad: boolean } | { recipe: Recipe },
  ) {
    const {
      recipe = null,
      values = null,
      requiresGrad = false,
    }: { recipe?: Recipe | null; values?: ValuesOf<D> | null; requiresGrad?: boolean } = source;
    super();
    this.shape = shape;
    this.dtype = dtype;
    this.recipe = recipe;
    this.values = values;
    this.requiresGrad = requiresGrad;
    this.tracked = recipe ? recipe.inputs.some((input) => input.tracked) : requiresGrad;
  }

  get [tensorBrand](): true {
    return true;
  }

  /** Number of elements. */
  get size(): number {
    return size(this.shape);
  }

  /** The values where they are on the host, else how they will be computed, or where they are. Computes nothing. */
  toString(): string {
    return showTensor(this);
  }
}

/** Nested arrays of numbers, or a number. */
export type NestedNumbers = number | NestedNumbers[];

/** An op applied to inputs: what a tensor is computed from. */
export interface Recipe {
  readonly op: Op;
  readonly inputs: readonly Tensor[];
  readonly attrs: object;
}

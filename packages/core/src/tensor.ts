/**
 * @file Tensor: a shape, an element type, and either values or the recipe to compute them.
 *
 * Calling an op records a node and computes nothing. `await t.data()` runs what is missing. A tensor
 * never changes: training replaces tensors, it does not write into them.
 */

import { backward } from "./autograd.ts";
import type { DType, Values } from "./dtype.ts";
import type { Device, DeviceBuffer } from "./device.ts";
import { ShapeError } from "./errors.ts";
import type { Op } from "./op.ts";
import * as ops from "./ops/index.ts";
import { needsMemory } from "./needsMemory.ts";
import { readValues } from "./realize.ts";
import { formatShape, type Shape, size, stridesOf } from "./shape.ts";

let made = 0;

/** What tensors of every copy of this package have: a tensor of another copy is none here, and errors can say so. */
export const tensorBrand: unique symbol = Symbol.for("@gridgrad/core Tensor");

export class Tensor {
  readonly shape: Shape;
  readonly dtype: DType;

  /** A leaf that `backward()` gives a `.grad`. */
  readonly requiresGrad: boolean;

  /** Sum of the gradients that `backward()` has found so far, of a leaf made with `requiresGrad`. */
  grad: Tensor | null = null;

  /** Counts up as tensors are made, so inputs have smaller numbers than what is made of them. */
  readonly id = made++;

  /** How to compute it. `null` for a leaf, and for a realized tensor through which no gradient can be asked for. */
  recipe: Recipe | null;

  /** The values on the host: a leaf's from the start, a result's once it was read. */
  values: Values | null;

  /** The values on a device: a result's, from `realize` until it is read. */
  held: { readonly device: Device; readonly buffer: DeviceBuffer } | null = null;

  /** Why there will never be values again, for the error message. */
  gone: string | null = null;

  /** True if a leaf with `requiresGrad` is among what this was computed from, so its recipe must be kept. */
  readonly tracked: boolean;

  /** Not for users: `tensor(...)` makes leaves, `apply(...)` records ops. */
  constructor(
    shape: Shape,
    dtype: DType,
    source: { values: Values | null; requiresGrad: boolean } | { recipe: Recipe },
  ) {
    this.shape = shape;
    this.dtype = dtype;
    if ("recipe" in source) {
      this.recipe = source.recipe;
      this.values = null;
      this.requiresGrad = false;
      this.tracked = source.recipe.inputs.some((input) => input.tracked);
    } else {
      this.recipe = null;
      this.values = source.values;
      this.requiresGrad = source.requiresGrad;
      this.tracked = source.requiresGrad;
    }
  }

  get [tensorBrand](): true {
    return true;
  }

  /** Number of elements. */
  get size(): number {
    return size(this.shape);
  }

  /** Computes whatever is still missing and resolves to a copy of the values, row-major. */
  async data(): Promise<Values> {
    const values = await readValues(this);
    return needsMemory(
      () => `data: ${values.length} values`,
      values.byteLength,
      () => values.slice(),
    );
  }

  /** The value of a tensor that has one element. */
  async item(): Promise<number> {
    if (this.size !== 1) throw new ShapeError("item", "x must have one element", { x: this.shape });
    return (await readValues(this))[0];
  }

  /** The values as nested arrays, one level per axis; a number for a scalar. */
  async array(): Promise<NestedNumbers> {
    return nest(await readValues(this), this.shape);
  }

  /**
   * Adds d(this)/d(leaf) to `.grad` of every leaf made with `requiresGrad`. Computes nothing: `data()` or an
   * optimiser's step does.
   *
   * @throws {ShapeError} unless this is a scalar.
   */
  backward(): void {
    backward(this);
  }

  // Short forms of the functions of the same names, where people expect them.

  add(b: Tensor | number): Tensor {
    return ops.add(this, b);
  }
  sub(b: Tensor | number): Tensor {
    return ops.sub(this, b);
  }
  mul(b: Tensor | number): Tensor {
    return ops.mul(this, b);
  }
  div(b: Tensor | number): Tensor {
    return ops.div(this, b);
  }
  neg(): Tensor {
    return ops.neg(this);
  }
  exp(): Tensor {
    return ops.exp(this);
  }
  log(): Tensor {
    return ops.log(this);
  }
  sqrt(): Tensor {
    return ops.sqrt(this);
  }
  pow(exponent: Tensor | number): Tensor {
    return ops.pow(this, exponent);
  }
  abs(): Tensor {
    return ops.abs(this);
  }
  sigmoid(): Tensor {
    return ops.sigmoid(this);
  }
  tanh(): Tensor {
    return ops.tanh(this);
  }
  relu(): Tensor {
    return ops.relu(this);
  }
  sum(dim?: number | readonly number[], options?: { keepdim?: boolean }): Tensor {
    return ops.sum(this, dim, options);
  }
  mean(dim?: number | readonly number[], options?: { keepdim?: boolean }): Tensor {
    return ops.mean(this, dim, options);
  }
  max(dim?: number | readonly number[], options?: { keepdim?: boolean }): Tensor {
    return ops.max(this, dim, options);
  }
  min(dim?: number | readonly number[], options?: { keepdim?: boolean }): Tensor {
    return ops.min(this, dim, options);
  }
  matmul(b: Tensor): Tensor {
    return ops.matmul(this, b);
  }
  reshape(shape: Shape): Tensor {
    return ops.reshape(this, shape);
  }
  permute(dims: readonly number[]): Tensor {
    return ops.permute(this, dims);
  }
  transpose(dim0: number, dim1: number): Tensor {
    return ops.transpose(this, dim0, dim1);
  }
  expand(shape: Shape): Tensor {
    return ops.expand(this, shape);
  }
  slice(ranges: readonly ops.Range[]): Tensor {
    return ops.slice(this, ranges);
  }
  cast(dtype: DType): Tensor {
    return ops.cast(this, dtype);
  }

  toString(): string {
    return `Tensor(${this.dtype} ${formatShape(this.shape)})`;
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

function nest(values: Values, shape: Shape): NestedNumbers {
  const strides = stridesOf(shape);
  const at = (offset: number, axis: number): NestedNumbers =>
    axis === shape.length
      ? values[offset]
      : Array.from({ length: shape[axis] }, (_, i) => at(offset + i * strides[axis], axis + 1));
  return at(0, 0);
}

/**
 * @file The methods of a tensor: reading, and short forms of functions, where people expect them. They stand here, above the graph and the
 * ops that they call, so that a tensor itself knows nothing of either. Whoever imports the package has all of them.
 */

import { backward } from "./autograd.ts";
import type { DType, ValuesOf } from "./dtype.ts";
import { ShapeError } from "./errors.ts";
import { needsMemory } from "./needsMemory.ts";
import {
  abs,
  add,
  cast,
  clamp,
  detach,
  div,
  exp,
  expand,
  flip,
  log,
  matmul,
  max,
  mean,
  min,
  mul,
  neg,
  permute,
  pow,
  type Range,
  relu,
  reshape,
  sigmoid,
  slice,
  softmax,
  sqrt,
  sub,
  sum,
  tanh,
  transpose,
  where,
} from "./ops/index.ts";
import { readValues } from "./realize.ts";
import { type Shape, stridesOf } from "./shape.ts";
import { type NestedNumbers, Tensor } from "./tensor.ts";

/** What a tensor of the element type `D` can do. A result of the same element type keeps it in its type. */
export interface Methods<D extends DType> {
  /** Computes whatever is still missing and resolves to a copy of the values, row-major. */
  data(): Promise<ValuesOf<D>>;

  /**
   * The value of a tensor that has one element.
   *
   * @throws {ShapeError} when it has none, or several.
   */
  item(): Promise<number>;

  /** The values as nested arrays, one level per axis; a number for a scalar. */
  array(): Promise<NestedNumbers>;

  /**
   * Adds d(this)/d(leaf) to `.grad` of every leaf made with `requiresGrad`. Computes nothing: `data()` or an
   * optimiser's step does.
   *
   * @throws {ShapeError} unless this is a scalar.
   */
  backward(): void;

  // Short forms of the functions of the same names.

  add(b: Tensor | number): Tensor<D>;
  sub(b: Tensor | number): Tensor<D>;
  mul(b: Tensor | number): Tensor<D>;
  div(b: Tensor | number): Tensor<D>;
  neg(): Tensor<D>;
  exp(): Tensor<D>;
  log(): Tensor<D>;
  sqrt(): Tensor<D>;
  pow(exponent: Tensor | number): Tensor<D>;
  abs(): Tensor<D>;
  sigmoid(): Tensor<D>;
  tanh(): Tensor<D>;
  relu(): Tensor<D>;
  clamp(limits: { min?: number; max?: number }): Tensor<D>;
  /** This where `condition` is not 0, and `other` elsewhere: `where(condition, this, other)`, as in PyTorch. */
  where(condition: Tensor, other: Tensor | number): Tensor<D>;
  detach(): Tensor<D>;
  sum(dim?: number | readonly number[], options?: { keepdim?: boolean }): Tensor<D>;
  mean(dim?: number | readonly number[], options?: { keepdim?: boolean }): Tensor<D>;
  max(dim?: number | readonly number[], options?: { keepdim?: boolean }): Tensor<D>;
  min(dim?: number | readonly number[], options?: { keepdim?: boolean }): Tensor<D>;
  softmax(dim: number): Tensor<D>;
  matmul(b: Tensor): Tensor<D>;
  reshape(shape: Shape): Tensor<D>;
  permute(dims: readonly number[]): Tensor<D>;
  transpose(dim0: number, dim1: number): Tensor<D>;
  expand(shape: Shape): Tensor<D>;
  slice(ranges: readonly Range[]): Tensor<D>;
  flip(dims: number | readonly number[]): Tensor<D>;
  cast<E extends DType>(dtype: E): Tensor<E>;
}

declare module "./tensor.ts" {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- it is merged with the class, to which it adds all that it extends
  interface Tensor<D extends DType = DType> extends Methods<D> {}
}

const reading: Pick<Methods<DType>, Reading> & ThisType<Tensor> = {
  async data() {
    const values = await readValues(this);
    return needsMemory(
      () => `data: ${values.length} values`,
      values.byteLength,
      () => values.slice(),
    );
  },

  async item() {
    if (this.size !== 1) throw new ShapeError("item", "x must have one element", { x: this.shape });
    return (await readValues(this))[0];
  },

  async array() {
    const values = await readValues(this);
    const strides = stridesOf(this.shape);
    const at = (offset: number, axis: number): NestedNumbers =>
      axis === this.shape.length
        ? values[offset]
        : Array.from({ length: this.shape[axis] }, (_, i) => at(offset + i * strides[axis], axis + 1));
    return at(0, 0);
  },
};

type Reading = "data" | "item" | "array";

/** Functions that take the tensor first, and then what the method of the same name takes. */
type ShortForms = {
  readonly [Name in Exclude<keyof Methods<DType>, Reading>]: (
    x: Tensor,
    ...rest: Parameters<Methods<DType>[Name]>
  ) => ReturnType<Methods<DType>[Name]>;
};

const shortForms: ShortForms = {
  abs,
  add,
  backward,
  cast,
  clamp,
  detach,
  div,
  exp,
  expand,
  flip,
  log,
  matmul,
  max,
  mean,
  min,
  mul,
  neg,
  permute,
  pow,
  relu,
  reshape,
  sigmoid,
  slice,
  softmax,
  sqrt,
  sub,
  sum,
  tanh,
  transpose,
  where: (x, condition, other) => where(condition, x, other),
};

function addMethod(name: string, value: unknown): void {
  // As the methods of a class are: a loop over the keys of a tensor does not meet them.
  Object.defineProperty(Tensor.prototype, name, { value, writable: true, configurable: true });
}

for (const [name, method] of Object.entries(reading)) addMethod(name, method);
for (const [name, f] of Object.entries(shortForms) as [string, (x: Tensor, ...rest: unknown[]) => unknown][]) {
  addMethod(name, function (this: Tensor, ...rest: unknown[]) {
    return f(this, ...rest);
  });
}

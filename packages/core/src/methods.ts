/**
 * @file The methods of a tensor: reading, and short forms of functions, where people expect them. They stand here, above the graph and the
 * ops that they call, so that a tensor itself knows nothing of either. Whoever imports the package has all of them.
 */

import { backward } from "./autograd.ts";
import type { DType, ValuesOf } from "./dtype.ts";
import { ShapeError } from "./errors.ts";
import { needsMemory } from "./needsMemory.ts";
import * as ops from "./ops/index.ts";
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
  slice(ranges: readonly ops.Range[]): Tensor<D>;
  flip(dims: number | readonly number[]): Tensor<D>;
  cast<E extends DType>(dtype: E): Tensor<E>;
}

declare module "./tensor.ts" {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- it is merged with the class, to which it adds all that it extends
  interface Tensor<D extends DType = DType> extends Methods<D> {}
}

const methods: Methods<DType> & ThisType<Tensor> = {
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
  backward() {
    backward(this);
  },
  add(b) {
    return ops.add(this, b);
  },
  sub(b) {
    return ops.sub(this, b);
  },
  mul(b) {
    return ops.mul(this, b);
  },
  div(b) {
    return ops.div(this, b);
  },
  neg() {
    return ops.neg(this);
  },
  exp() {
    return ops.exp(this);
  },
  log() {
    return ops.log(this);
  },
  sqrt() {
    return ops.sqrt(this);
  },
  pow(exponent) {
    return ops.pow(this, exponent);
  },
  abs() {
    return ops.abs(this);
  },
  sigmoid() {
    return ops.sigmoid(this);
  },
  tanh() {
    return ops.tanh(this);
  },
  relu() {
    return ops.relu(this);
  },
  clamp(limits) {
    return ops.clamp(this, limits);
  },
  where(condition, other) {
    return ops.where(condition, this, other);
  },
  detach() {
    return ops.detach(this);
  },
  sum(dim, options) {
    return ops.sum(this, dim, options);
  },
  mean(dim, options) {
    return ops.mean(this, dim, options);
  },
  max(dim, options) {
    return ops.max(this, dim, options);
  },
  min(dim, options) {
    return ops.min(this, dim, options);
  },
  softmax(dim) {
    return ops.softmax(this, dim);
  },
  matmul(b) {
    return ops.matmul(this, b);
  },
  reshape(shape) {
    return ops.reshape(this, shape);
  },
  permute(dims) {
    return ops.permute(this, dims);
  },
  transpose(dim0, dim1) {
    return ops.transpose(this, dim0, dim1);
  },
  expand(shape) {
    return ops.expand(this, shape);
  },
  slice(ranges) {
    return ops.slice(this, ranges);
  },
  flip(dims) {
    return ops.flip(this, dims);
  },
  cast(dtype) {
    return ops.cast(this, dtype);
  },
};

// As the methods of a class are: a loop over the keys of a tensor does not meet them.
for (const [name, value] of Object.entries(methods)) {
  Object.defineProperty(Tensor.prototype, name, { value, writable: true, configurable: true });
}

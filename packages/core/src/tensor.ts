/**
 * @file Tensor: a shape, an element type, and either values or the recipe to compute them.
 *
 * Calling an op records a node and computes nothing. `await t.data()` runs what is missing. A tensor
 * never changes: training replaces tensors, it does not write into them.
 */

import { backward } from "./autograd.ts";
import { allocate, checkDType, type DType, dtypeOf, isFloat, type Values } from "./dtype.ts";
import type { Device, DeviceBuffer } from "./device.ts";
import { eager, realizeNow } from "./eager.ts";
import { DTypeError, ShapeError, ValueError } from "./errors.ts";
import type { Op } from "./op.ts";
import * as ops from "./ops/index.ts";
import { readValues } from "./realize.ts";
import { checkShape, formatShape, type Shape, size, stridesOf } from "./shape.ts";

let made = 0;

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

  /** Number of elements. */
  get size(): number {
    return size(this.shape);
  }

  /** Computes whatever is still missing and resolves to a copy of the values, row-major. */
  async data(): Promise<Values> {
    return (await readValues(this)).slice();
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

export interface TensorOptions {
  /** Default: that of a typed array given as values, else `float32`. */
  readonly dtype?: DType;
  /** True for a leaf that `backward()` shall give a `.grad`. Default false. */
  readonly requiresGrad?: boolean;
}

/**
 * A leaf tensor. Copies `values`.
 *
 * @param values - a number, nested arrays of numbers, or a flat array or typed array in row-major order.
 * @param shape - needed only where a flat array shall have another shape than `[length]`.
 * @throws {ShapeError} when `values` does not have as many elements as `shape`.
 * @throws {ValueError} when `values` is ragged or holds something that is not a number.
 * @throws {DTypeError} when int32 is asked for and a value is not an integer of 32 bits, or with `requiresGrad`.
 *
 * @example
 * ```ts
 * tensor([[1, 2, 3], [4, 5, 6]]).shape; // [2, 3]
 * await tensor([1, 2, 3, 4], [2, 2]).array(); // [[1, 2], [3, 4]]
 * ```
 */
export function tensor(
  values: NestedNumbers | ArrayLike<number>,
  shape?: Shape,
  { dtype, requiresGrad = false }: TensorOptions = {},
): Tensor {
  const { flat, own } = flatten(values);
  const type = dtype ?? (ArrayBuffer.isView(values) ? dtypeOf(values as Values) : "float32");
  checkDType("tensor", type);
  if (shape) checkShape("tensor", shape);
  const wanted = shape ?? own;
  if (flat.length !== size(wanted)) {
    const n = flat.length;
    throw new ShapeError("tensor", `${n} values must have a shape of ${n} elements`, { "a tensor": wanted });
  }
  return leaf(wanted, type, fill(type, flat), requiresGrad);
}

/**
 * A leaf of zeros.
 *
 * @example
 * ```ts
 * await zeros([2, 2]).array(); // [[0, 0], [0, 0]]
 * ```
 */
export function zeros(shape: Shape, options: TensorOptions = {}): Tensor {
  return full(shape, 0, options);
}

/**
 * A leaf of ones.
 *
 * @example
 * ```ts
 * await ones([3]).data(); // [1, 1, 1]
 * ```
 */
export function ones(shape: Shape, options: TensorOptions = {}): Tensor {
  return full(shape, 1, options);
}

/**
 * A leaf that is `value` everywhere.
 *
 * @example
 * ```ts
 * await full([2], 0.5).data(); // [0.5, 0.5]
 * ```
 */
export function full(
  shape: Shape,
  value: number,
  { dtype = "float32", requiresGrad = false }: TensorOptions = {},
): Tensor {
  checkDType("full", dtype);
  checkShape("full", shape);
  const values = allocate(dtype, size(shape));
  values.fill(fill(dtype, [value])[0]);
  return leaf(shape, dtype, values, requiresGrad);
}

/**
 * The numbers 0, 1, .. `n` - 1.
 *
 * @example
 * ```ts
 * await arange(4).data(); // [0, 1, 2, 3]
 * ```
 */
export function arange(n: number, options: TensorOptions = {}): Tensor {
  if (!Number.isInteger(n) || n < 0) throw new ValueError("arange", "n must be an integer of at least 0", String(n));
  return tensor(
    Array.from({ length: n }, (_, i) => i),
    [n],
    options,
  );
}

/** A leaf around `values`, which nobody changes afterwards. */
export function leaf(shape: Shape, dtype: DType, values: Values, requiresGrad = false): Tensor {
  if (requiresGrad && !isFloat(dtype)) {
    throw new DTypeError("tensor", "a tensor with requiresGrad must be float32 or float64", dtype);
  }
  return new Tensor(Object.freeze([...shape]), dtype, { values, requiresGrad });
}

/**
 * Records `op` on `inputs`: shapes and element types are checked here, so a mistake points at the line that made it.
 * Every op's function ends in this call.
 */
export function apply<Attrs extends object>(op: Op<Attrs>, inputs: readonly Tensor[], attrs: Attrs): Tensor {
  inputs.forEach((input, i) => {
    if (!(input instanceof Tensor)) throw new ValueError(op.name, `argument ${i} must be a Tensor`, show(input));
  });
  const dtype = outputType(op, inputs, attrs);
  const shape = op.shape(
    inputs.map((input) => input.shape),
    attrs,
  );
  const y = new Tensor(Object.freeze([...shape]), dtype, {
    recipe: { op: op as unknown as Op, inputs: [...inputs], attrs }, // a copy: the list may be the caller's, who may change it
  });
  if (eager()) realizeNow(y);
  return y;
}

/** The operands of a binary op: a number becomes a scalar of the other operand's element type. */
export function operands(op: string, a: Tensor | number, b: Tensor | number): [Tensor, Tensor] {
  if (typeof a === "number") {
    if (!(b instanceof Tensor)) throw new ValueError(op, "at least one operand must be a Tensor", show(b));
    return [scalarLike(op, a, b), b];
  }
  return [a, typeof b === "number" ? scalarLike(op, b, a) : b];
}

/** The number `value` as a scalar of the element type of `like`. */
export function scalarLike(op: string, value: number, like: Tensor): Tensor {
  if (!(like instanceof Tensor)) throw new ValueError(op, "at least one operand must be a Tensor", show(like));
  if (like.dtype === "int32" && !Number.isInteger(value)) {
    throw new DTypeError(
      op,
      "a number beside an int32 tensor must be an integer; cast the tensor first",
      String(value),
    );
  }
  return leaf([], like.dtype, fill(like.dtype, [value]));
}

function outputType<Attrs extends object>(op: Op<Attrs>, inputs: readonly Tensor[], attrs: Attrs): DType {
  const dtypes = inputs.map((input) => input.dtype);
  if (typeof op.dtype === "function") return op.dtype(dtypes, attrs);
  const allowed = op.dtype === "any" || isFloat(dtypes[0]);
  if (!allowed || dtypes.some((dtype) => dtype !== dtypes[0])) {
    const rule = op.dtype === "any" ? "inputs must share one dtype" : "inputs must share one floating dtype";
    throw new DTypeError(op.name, `${rule} (x.cast("float32") converts)`, dtypes.join(" and "));
  }
  return dtypes[0];
}

/** Converts to the typed array of `dtype`. int32 refuses what it would have to change. */
function fill(dtype: DType, flat: ArrayLike<number>): Values {
  const values = allocate(dtype, flat.length);
  values.set(flat);
  if (dtype === "int32") {
    for (let i = 0; i < flat.length; i++) {
      if (values[i] !== flat[i])
        throw new DTypeError("tensor", "int32 values must be integers of 32 bits", String(flat[i]));
    }
  }
  return values;
}

function flatten(values: NestedNumbers | ArrayLike<number>): { flat: ArrayLike<number>; own: Shape } {
  if (typeof values === "number") return { flat: [values], own: [] };
  if (values === null || typeof values !== "object" || typeof values.length !== "number") {
    throw new ValueError("tensor", "values must be a number or an array of numbers", show(values));
  }
  if (!Array.isArray(values)) return { flat: values as ArrayLike<number>, own: [values.length] };
  const own: number[] = [];
  for (let level: unknown = values; Array.isArray(level); level = level[0]) own.push(level.length);
  const flat: number[] = [];
  const visit = (level: NestedNumbers, depth: number): void => {
    if (depth === own.length) {
      if (typeof level !== "number")
        throw new ValueError("tensor", "values must be numbers, nested evenly", show(level));
      flat.push(level);
    } else {
      if (!Array.isArray(level) || level.length !== own[depth]) {
        throw new ValueError(
          "tensor",
          `values must be nested evenly: ${own[depth]} entries at depth ${depth}`,
          show(level),
        );
      }
      for (const entry of level) visit(entry, depth + 1);
    }
  };
  visit(values as NestedNumbers, 0);
  return { flat, own };
}

function nest(values: Values, shape: Shape): NestedNumbers {
  const strides = stridesOf(shape);
  const at = (offset: number, axis: number): NestedNumbers =>
    axis === shape.length
      ? values[offset]
      : Array.from({ length: shape[axis] }, (_, i) => at(offset + i * strides[axis], axis + 1));
  return at(0, 0);
}

/** A wrong argument as it stands in a message: short, and never a dump. */
function show(value: unknown): string {
  if (typeof value === "object" && value !== null) {
    return Array.isArray(value)
      ? `an array of length ${value.length}`
      : `an object (${value.constructor?.name ?? "no class"})`;
  }
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

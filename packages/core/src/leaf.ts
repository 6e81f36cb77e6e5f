/**
 * @file Leaves: tensors that hold values from the start.
 */

import { checkOptions, type OptionNames } from "./checkOptions.ts";
import { allocate, checkDType, type DType, dtypeOf, isFloat, type Values, type ValuesOf } from "./dtype.ts";
import { DTypeError, ShapeError, showValue, ValueError } from "./errors.ts";
import { checkShape, formatShape, type Shape, size } from "./shape.ts";
import { needsMemory } from "./needsMemory.ts";
import { type NestedNumbers, Tensor } from "./tensor.ts";

/** Typed arrays that become int32. */
type IntegerArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** The values that `tensor` takes. */
type AnyNumbers = NestedNumbers | ArrayLike<number> | IntegerArray;

export interface TensorOptions<D extends DType = DType> {
  /** Default: that of a typed array given as values, else `float32`. */
  readonly dtype?: D;
  /** True for a leaf that `backward()` shall give a `.grad`. Default false. */
  readonly requiresGrad?: boolean;
}

const tensorOptions: OptionNames<TensorOptions> = { dtype: 1, requiresGrad: 0 };

/**
 * A leaf tensor. Copies `values`.
 *
 * @param values - a number, nested arrays of numbers, or a flat array or typed array in row-major order. 64-bit integers, as labels from
 *   elsewhere often are, become int32.
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
export function tensor<D extends DType = "float32">(
  values: NestedNumbers | Float32Array,
  shape?: Shape,
  options?: TensorOptions<D>,
): Tensor<D>;
export function tensor<D extends DType = "float64">(
  values: Float64Array,
  shape?: Shape,
  options?: TensorOptions<D>,
): Tensor<D>;
export function tensor<D extends DType = "int32">(
  values: IntegerArray,
  shape?: Shape,
  options?: TensorOptions<D>,
): Tensor<D>;
export function tensor<D extends DType = DType>(
  values: AnyNumbers,
  shape?: Shape,
  options?: TensorOptions<D>,
): Tensor<D>;
export function tensor(values: AnyNumbers, shape?: Shape, options?: TensorOptions): Tensor {
  if (shape !== undefined) checkTensorShape(values, shape, arguments);
  const { dtype, requiresGrad = false } = checkOptions("tensor(values, shape)", tensorOptions, options, arguments);
  const { flat, own } = flatten(values);
  const type = dtype ?? (ArrayBuffer.isView(values) ? dtypeOf(values as unknown as Values) : "float32");
  checkDType("tensor", type);
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
export function zeros<D extends DType = "float32">(shape: Shape, options?: TensorOptions<D>): Tensor<D> {
  checkShape("zeros", shape, arguments);
  return filled("zeros", shape, 0, checkOptions("zeros(shape)", tensorOptions, options, arguments));
}

/**
 * A leaf of ones.
 *
 * @example
 * ```ts
 * await ones([3]).data(); // [1, 1, 1]
 * ```
 */
export function ones<D extends DType = "float32">(shape: Shape, options?: TensorOptions<D>): Tensor<D> {
  checkShape("ones", shape, arguments);
  return filled("ones", shape, 1, checkOptions("ones(shape)", tensorOptions, options, arguments));
}

/**
 * A leaf that is `value` everywhere.
 *
 * @example
 * ```ts
 * await full([2], 0.5).data(); // [0.5, 0.5]
 * ```
 */
export function full<D extends DType = "float32">(shape: Shape, value: number, options?: TensorOptions<D>): Tensor<D> {
  checkShape("full", shape);
  if (typeof value !== "number") throw new ValueError("full", "value must be a number", showValue(value));
  return filled("full", shape, value, checkOptions("full(shape, value)", tensorOptions, options, arguments));
}

function filled<D extends DType>(
  op: string,
  shape: Shape,
  value: number,
  { dtype = "float32" as D, requiresGrad = false }: TensorOptions<D>,
): Tensor<D> {
  checkDType(op, dtype);
  const values = allocate(dtype, size(shape), () => `${op}: a tensor of shape ${formatShape(shape)} in ${dtype}`);
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
export function arange<D extends DType = "float32">(n: number, options?: TensorOptions<D>): Tensor<D> {
  const { dtype = "float32" as D, requiresGrad = false } = checkOptions("arange(n)", arangeOptions, options, arguments);
  if (!Number.isInteger(n) || n < 0) throw new ValueError("arange", "n must be an integer of at least 0", String(n));
  checkDType("arange", dtype);
  if (dtype === "int32" && n > 2 ** 31) {
    throw new DTypeError("arange", "int32 values must be integers of 32 bits", String(n - 1));
  }
  const values = allocate(dtype, n, () => `arange: a tensor of shape [${n}] in ${dtype}`);
  for (let i = 0; i < n; i++) values[i] = i;
  return leaf([n], dtype, values, requiresGrad);
}

/** A leaf around `values`, which are of the type `dtype` and which nobody changes afterwards. */
export function leaf<D extends DType>(shape: Shape, dtype: D, values: Values, requiresGrad = false): Tensor<D> {
  if (requiresGrad && !isFloat(dtype)) {
    throw new DTypeError("tensor", "a tensor with requiresGrad must be float32 or float64", dtype);
  }
  return new Tensor(Object.freeze([...shape]), dtype, { values: values as ValuesOf<D>, requiresGrad });
}

/** PyTorch's `arange(start, end)` has another meaning than a type. */
const arangeOptions: OptionNames<TensorOptions> = { dtype: 0, requiresGrad: 0 };

/** Throws unless `shape` is one. Numbers one by one, or options in its place, are answered with the call that is meant. */
function checkTensorShape(values: unknown, shape: unknown, given: ArrayLike<unknown>): void {
  if (typeof values !== "number" && !Array.isArray(shape)) {
    const options = typeof shape === "string" ? `{ dtype: ${JSON.stringify(shape)} }` : "{ .. }";
    const repair = typeof shape === "number" ? `[${shape}]` : `undefined, ${options}`;
    const rule = "shape must be an array, with the options after it";
    throw new ValueError("tensor", rule, `${showValue(shape)}; write tensor(values, ${repair})`);
  }
  checkShape("tensor", shape as Shape, given);
}

/** Converts to the typed array of `dtype`. int32 refuses what it would have to change. */
export function fill<D extends DType>(dtype: D, flat: ArrayLike<number>): ValuesOf<D> {
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

/** The most elements that V8 can put into an array one after the other; with more it ends the process. */
const mostInArray = 2 ** 26;

function asArray(values: ArrayLike<number>): number[] {
  const what = (): string => `tensor: values of length ${values.length}`;
  return needsMemory(what, 8 * values.length, () => {
    if (values.length > mostInArray) throw new RangeError("Invalid array length");
    return Array.from(values);
  });
}

function flatten(values: AnyNumbers): { flat: ArrayLike<number>; own: Shape } {
  if (typeof values === "number") return { flat: [values], own: [] };
  if (values === null || typeof values !== "object" || !Number.isInteger(values.length) || values.length < 0) {
    throw new ValueError("tensor", "values must be a number or an array of numbers", showValue(values));
  }
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    return { flat: Array.from(values, Number), own: [values.length] }; // what does not fit into int32 is not near it either
  }
  if (ArrayBuffer.isView(values)) return { flat: values as ArrayLike<number>, own: [values.length] };
  if (!Array.isArray(values)) return flatten(asArray(values as ArrayLike<number>));
  const own: number[] = [];
  for (let level: unknown = values; Array.isArray(level); level = level[0]) own.push(level.length);
  const flat: number[] = [];
  const visit = (level: NestedNumbers, depth: number): void => {
    if (depth === own.length) {
      if (typeof level !== "number")
        throw new ValueError("tensor", "values must be numbers, nested evenly", showValue(level));
      flat.push(level);
    } else {
      if (!Array.isArray(level) || level.length !== own[depth]) {
        throw new ValueError(
          "tensor",
          `values must be nested evenly: ${own[depth]} entries at depth ${depth}`,
          showValue(level),
        );
      }
      for (const entry of level) visit(entry, depth + 1);
    }
  };
  visit(values as NestedNumbers, 0);
  return { flat, own };
}

/**
 * @file Apply: what every op's function ends in. It checks the inputs and records a node.
 */

import { checkOp } from "./checkOp.ts";
import { checkTensor } from "./checkTensor.ts";
import { checkDType, type DType, isFloat } from "./dtype.ts";
import { eager, realizeNow } from "./eager.ts";
import { DTypeError, ShapeError, showValue, ValueError } from "./errors.ts";
import { fill, leaf } from "./leaf.ts";
import type { Op } from "./op.ts";
import { checkShape, size } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/**
 * Records `op` on `inputs`: shapes and element types are checked here, so a mistake points at the line that made it.
 * Every op's function ends in this call. `D` is what that function says of the element type; the record's rule is what decides it.
 */
export function apply<Attrs extends object, D extends DType = DType>(
  op: Op<Attrs>,
  inputs: readonly Tensor[],
  attrs: Attrs,
): Tensor<D> {
  checkOp(op);
  if (!Array.isArray(inputs)) throw new ValueError(op.name, "inputs must be an array of tensors", showValue(inputs));
  inputs.forEach((input, i) => {
    if (!(input instanceof Tensor)) checkTensor(op.name, `argument ${i}`, input); // in every op: no text is made for nothing
  });
  const dtype = outputType(op, inputs, attrs) as D;
  const shape = op.shape(
    inputs.map((input) => input.shape),
    attrs,
  );
  checkShape(op.name, shape);
  if (size(shape) > Number.MAX_SAFE_INTEGER) {
    throw new ShapeError(op.name, "the result must have fewer than 2^53 elements", { "a result": shape });
  }
  const y = new Tensor<D>(Object.freeze([...shape]), dtype, {
    recipe: { op: op as unknown as Op, inputs: [...inputs], attrs }, // a copy: the list may be the caller's, who may change it
  });
  if (eager()) realizeNow(y);
  return y;
}

/** The operands of a binary op: a number becomes a scalar of the other operand's element type. */
export function operands(op: string, a: Tensor | number, b: Tensor | number): [Tensor, Tensor] {
  if (typeof a === "number") return [scalarLike(op, a, b), b as Tensor];
  return [a, typeof b === "number" ? scalarLike(op, b, a) : b];
}

/** The number `value` as a scalar of the element type of `like`. */
export function scalarLike(op: string, value: number, like: Tensor | number): Tensor {
  if (!(like instanceof Tensor)) throw new ValueError(op, "at least one operand must be a Tensor", showValue(like));
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
  if (typeof op.dtype === "function") {
    const dtype = op.dtype(dtypes, attrs);
    checkDType(op.name, dtype);
    return dtype;
  }
  const allowed = op.dtype === "any" || isFloat(dtypes[0]);
  if (!allowed || dtypes.some((dtype) => dtype !== dtypes[0])) {
    const kind = op.dtype === "any" ? "dtype" : "floating dtype";
    throw new DTypeError(op.name, `inputs must share one ${kind} (x.cast("float32") converts)`, dtypes.join(" and "));
  }
  return dtypes[0];
}

/** @file Whether an argument is a tensor, and if not, what it is and how it becomes one. */

import { showValue, ValueError } from "./errors.ts";
import { Tensor, tensorBrand } from "./tensor.ts";

/** Throws unless `value` is a Tensor. Every op checks its inputs, at the latest in `apply`. */
export function checkTensor(op: string, argument: string, value: unknown): asserts value is Tensor {
  if (value instanceof Tensor) return;
  const { [tensorBrand]: foreign, tensor } = Object(value) as { [tensorBrand]?: unknown; tensor?: unknown };
  if (foreign) throw new ValueError(op, ...otherCopy("@gridgrad/core", `${argument} must be a Tensor`, "a Tensor"));
  throw new ValueError(
    op,
    `${argument} must be a Tensor`,
    showValue(value) + (tensor ? ", whose tensor is .tensor" : repair(value)),
  );
}

/** `checkTensor` for several arguments by their names; those of `optional` may be left out, or `null`. */
export function checkTensors(
  op: string,
  tensors: Readonly<Record<string, unknown>>,
  optional?: Readonly<Record<string, unknown>>,
): void {
  for (const name in tensors) checkTensor(op, name, tensors[name]);
  for (const name in optional)
    if (optional[name] !== undefined && optional[name] !== null) checkTensor(op, name, optional[name]);
}

/** Throws unless `xs` is an array of at least one Tensor. */
export function checkTensorList(op: string, xs: readonly Tensor[]): void {
  if (!Array.isArray(xs)) {
    throw new ValueError(op, "xs must be an array of tensors", `${showValue(xs)}; write ${op}([a, b])`);
  }
  if (xs.length === 0) throw new ValueError(op, "xs must hold at least one tensor", "none");
  xs.forEach((x, i) => checkTensor(op, `xs[${i}]`, x));
}

/** The rule and what was given, for an object of a class of another copy of a package. */
export function otherCopy(name: string, rule: string, got: string): [mustHold: string, got: string] {
  return [rule, `${got} of another copy of ${name} (\`npm ls ${name}\` must list one version, once)`];
}

function repair(value: unknown): string {
  if (Array.isArray(value) && value[0] instanceof Tensor) return "; tensors stand one by one here";
  if (typeof value === "number" || Array.isArray(value) || ArrayBuffer.isView(value))
    return "; tensor(..) makes one of numbers";
  if (typeof value === "function") return "; call it first";
  return value instanceof Promise ? "; await it first" : "";
}

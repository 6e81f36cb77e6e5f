/** @file What an op's record must hold, for programs without a compiler that asks for it: checked with the op's first call. */

import { checkTensor } from "./checkTensor.ts";
import { DTypeError, ShapeError, showValue, ValueError } from "./errors.ts";
import { formatShape, sameShape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

const complete = new WeakSet<object>();

/** The fields that are functions, and what each is for. */
const functions = {
  shape: "the shape of the output",
  vjp: "an array of one gradient or null per input",
  loops: "the values of the output, written into its first argument",
};

/** Throws unless the record has all that an op must have. */
export function checkOp(op: object): void {
  if (complete.has(op)) return;
  const { name, dtype, ...rest } = Object(op) as Readonly<Record<string, unknown>>;
  if (typeof name !== "string" || name === "") {
    throw new ValueError("apply", "an op must have a name, a text that messages begin with", showValue(name));
  }
  if (dtype !== "float" && dtype !== "any" && typeof dtype !== "function") {
    const rule = 'the op must have a dtype, "float", "any" or a function from the inputs\' to the output\'s';
    throw new ValueError(name, rule, showValue(dtype));
  }
  for (const [field, what] of Object.entries(functions)) {
    if (typeof rest[field] === "function") continue;
    throw new ValueError(name, `the op must have ${field}, a function that gives ${what}`, showValue(rest[field]));
  }
  for (const field of ["gpu", "macs"]) {
    if (rest[field] === undefined || typeof rest[field] === "function") continue;
    throw new ValueError(name, `${field} of the op must be a function or absent`, showValue(rest[field]));
  }
  complete.add(op);
}

/** Throws unless `gradients`, which the op's `vjp` gave, are one gradient or null per input, each like its input. */
export function checkVjp(name: string, gradients: readonly (Tensor | null)[], inputs: readonly Tensor[]): void {
  const op = `${name}.vjp`;
  if (!Array.isArray(gradients) || gradients.length !== inputs.length) {
    const rule = `the result must be an array of length ${inputs.length}, of one gradient or null per input`;
    throw new ValueError(op, rule, showValue(gradients));
  }
  for (let i = 0; i < inputs.length; i++) {
    const [dx, x] = [gradients[i] as unknown, inputs[i]];
    if (dx === null || dx === undefined) continue;
    checkTensor(op, `gradient ${i}`, dx);
    if (!sameShape(dx.shape, x.shape)) {
      const rule = `gradient ${i} must have the shape of input ${i}, ${formatShape(x.shape)}`;
      throw new ShapeError(op, rule, { "a gradient": dx.shape });
    }
    if (dx.dtype !== x.dtype) {
      throw new DTypeError(op, `gradient ${i} must be ${x.dtype} as input ${i} is (cast converts)`, dx.dtype);
    }
  }
}

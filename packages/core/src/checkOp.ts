/** @file What an op's record must hold, for programs without a compiler that asks for it: checked with the op's first call. */

import { checkTensor } from "./checkTensor.ts";
import { DTypeError, ShapeError, showValue, ValueError } from "./errors.ts";
import { formatShape, sameShape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

const complete = new WeakSet<object>();

/** The fields that are functions, and what each gives; without words, those that an op may lack. */
const functions = {
  shape: "the shape of the output",
  vjp: "an array of one gradient or null per input",
  loops: "the values of the output, written into its first argument",
  gpu: "",
  macs: "",
};

/** Throws unless the record has all that an op must have. */
export function checkOp(op: object): void {
  if (complete.has(op)) return;
  const fields = Object(op) as Readonly<Record<string, unknown>>;
  const { name, dtype } = fields;
  const wrong = (rule: string, got: unknown) => new ValueError(name ? String(name) : "apply", rule, showValue(got));
  if (typeof name !== "string" || !name) throw wrong("an op must have a name, a text", name);
  if (dtype !== "float" && dtype !== "any" && typeof dtype !== "function")
    throw wrong('the op must have a dtype, "float", "any" or a function of those of the inputs', dtype);
  for (const [field, what] of Object.entries(functions)) {
    const value = fields[field];
    if (typeof value === "function" || (!what && value === undefined)) continue;
    throw wrong(`the op must have ${field}, a function${what ? ` that gives ${what}` : ", or none"}`, value);
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

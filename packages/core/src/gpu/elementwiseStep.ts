/**
 * @file Steps whose kernels are composed as text, around a function of numbers or around nothing: which element of each operand they read
 * follows from the shapes.
 */

import { checkOptions } from "../checkOptions.ts";
import { type Shape, size } from "../shape.ts";
import { broadcastOperand, denseOperand, mergeAxes, type Operand } from "../walk.ts";
import type { OpInfo } from "../op.ts";
import type { ElementwiseOptions } from "./elementwise.ts";
import { type GpuPlan, type GpuStep, kernelName, type ScalarFunction } from "./kernel.ts";

const elementwiseOptions = { floats: 0, functions: 0 } as const;

/** The step of `y[i] = f(a[i], b[i], ..)`, broadcasting into `outShape`: its operands are the values in the slots `from`. */
export function elementwiseStep(
  f: ScalarFunction,
  outShape: Shape,
  inputs: readonly { readonly from: number; readonly shape: Shape }[],
  options?: { floats?: readonly number[]; functions?: readonly ScalarFunction[] },
): GpuStep {
  const call = "elementwiseStep(f, outShape, inputs)";
  const { floats = [], functions = [] } = checkOptions(call, elementwiseOptions, options, arguments);
  const operands = inputs.map(({ shape }) => broadcastOperand(shape, outShape));
  const { decode, at, integers } = indices(outShape, operands);
  const values = [...at.map((index, k) => `x${k}[${index}]`), ...floats.map((_, k) => `this.constants.f${k}`)];
  const name = kernelName(f);
  const source = [
    `function (${at.map((_, k) => `x${k}`).join(", ")}) {`,
    ...decode,
    `  return ${name}(${values.join(", ")});`,
    "}",
  ].join("\n");
  return {
    kernel: { name, source },
    inputs: inputs.map(({ from }) => from),
    size: size(outShape),
    integers,
    floats: Object.fromEntries(floats.map((value, k) => [`f${k}`, value])),
    functions: [f, ...functions],
  };
}

/** The plan of `elementwise`. */
export function elementwisePlan<Attrs extends object>(
  f: ScalarFunction,
  { inShapes, outShape, attrs }: OpInfo<Attrs>,
  { floats: floatsOf, functions }: ElementwiseOptions<Attrs>,
): GpuPlan {
  const floats = floatsOf?.(attrs) ?? [];
  if (!floats.every((value) => Number.isFinite(Math.fround(value)))) return null; // no language has a literal for them
  const inputs = inShapes.map((shape, from) => ({ from, shape }));
  return [elementwiseStep(f, outShape, inputs, { floats, functions })];
}

/**
 * The step that copies input `from`, read through strides, into an output of `shape`: the kernel of every op that only moves values.
 */
export function gather(name: string, shape: readonly number[], operand: Operand, from = 0): GpuStep {
  const { decode, at, integers } = indices(shape, [operand]);
  const source = ["function (x) {", ...decode, `  return x[${at[0]}];`, "}"].join("\n");
  return { kernel: { name, source }, inputs: [from], size: size(shape), integers };
}

/**
 * Text that finds, from the number of an element of `shape`, where each operand holds it: statements to put first, an index
 * expression per operand, and the constants that both use.
 */
function indices(
  shape: readonly number[],
  operands: readonly Operand[],
): { decode: string[]; at: string[]; integers: Record<string, number> } {
  const { dims, strides } = mergeAxes(shape, [denseOperand(shape), ...operands]);
  const own = strides.slice(1);
  const integers: Record<string, number> = {};
  const last = dims.length - 1;
  const isDense = (steps: readonly number[], k: number): boolean =>
    !operands[k].offset && steps.every((step, axis) => step === strides[0][axis]);
  const decode: string[] = [];
  if (!own.every(isDense)) {
    decode.push("  const i0 = this.thread.x;");
    for (let axis = 0; axis < last; axis++) {
      integers[`n${axis}`] = strides[0][axis];
      decode.push(`  const d${axis} = quotient(i${axis}, this.constants.n${axis});`);
      decode.push(`  const i${axis + 1} = i${axis} - d${axis} * this.constants.n${axis};`);
    }
  }
  const at = own.map((steps, k) => {
    if (isDense(steps, k)) return "this.thread.x";
    const terms: string[] = [];
    if (operands[k].offset) {
      integers[`o${k}`] = operands[k].offset;
      terms.push(`this.constants.o${k}`);
    }
    steps.forEach((step, axis) => {
      if (step === 0) return;
      const digit = axis === last ? `i${axis}` : `d${axis}`;
      if (step !== 1) integers[`s${k}x${axis}`] = step;
      terms.push(step === 1 ? digit : `${digit} * this.constants.s${k}x${axis}`);
    });
    return terms.length === 0 ? "0" : terms.join(" + ");
  });
  return { decode, at, integers };
}

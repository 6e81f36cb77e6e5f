/**
 * @file Golden cases: inputs, outputs and gradients that PyTorch computed, one safetensors file each.
 *
 * A case passes if |got - ref| <= atol + rtol |ref| for every element of every output and gradient; NaN must match NaN,
 * and infinities must match exactly. A case of which not everything is used and compared is refused. goldens/README.md
 * describes the files.
 */

import { grad } from "../autograd.ts";
import type { DType, Values } from "../dtype.ts";
import { GraphError } from "../errors.ts";
import { mul } from "../ops/mul.ts";
import { sum } from "../ops/sum.ts";
import { realize, readValues } from "../realize.ts";
import { entryToTensor, type SafetensorsEntry } from "../safetensors.ts";
import { formatShape, sameShape, type Shape } from "../shape.ts";
import { leaf } from "../leaf.ts";
import type { Tensor } from "../tensor.ts";
import { GoldenAttrs, type GoldenInputs, watchInputs } from "./goldenAttrs.ts";
import type { GoldenCase, GoldenTolerance } from "./parseGolden.ts";
import { float64GoldenLimit } from "./tolerance.ts";

export { GoldenAttrs, type GoldenInputs, optionalInput } from "./goldenAttrs.ts";
export { type GoldenCase, type GoldenTolerance, parseGolden } from "./parseGolden.ts";

/**
 * Computes a case's outputs from its inputs: all that the case has, and no others. Several outputs come under their
 * names, one output may come alone. `shapeOf` tells the shape of an output of the case: a run takes counts from there,
 * not from itself.
 */
export type GoldenRun = (
  inputs: GoldenInputs,
  attrs: GoldenAttrs,
  shapeOf: (output: string) => Shape,
) => Tensor | Record<string, Tensor> | Promise<Tensor | Record<string, Tensor>>;

/** Adapters by the `op` of a case. */
export type GoldenRuns = Readonly<Record<string, GoldenRun>>;

/** How far one tensor of a case is from PyTorch's. */
export interface GoldenResult {
  readonly name: string;
  /** Largest |got - ref| / limit over the elements: 1 is just at the limit. */
  readonly ratio: number;
  readonly error: number;
  readonly limit: number;
  readonly ok: boolean;
}

/**
 * Runs a case on the current device and compares every output and gradient.
 *
 * @param dtype - what the floating inputs are cast to before the run.
 * @throws {GraphError} when `run` does not read an input or an argument of the case, or gives other outputs than the
 * case has.
 */
export async function checkGolden(
  golden: GoldenCase,
  run: GoldenRun,
  dtype: "float32" | "float64",
): Promise<GoldenResult[]> {
  const inputs = Object.fromEntries(
    Object.entries(golden.inputs).map(([name, entry]) => [name, inputLeaf(entry, dtype)]),
  );
  const got = await runCase(golden, inputs, run);
  if (golden.cotangent) {
    const names = Object.keys(golden.gradients);
    const loss = sum(mul(got.out, inputLeaf(golden.cotangent, got.out.dtype === "float64" ? "float64" : "float32")));
    const leaves = names.map((name) => inputs[name.slice("grad.".length)]);
    grad(loss, leaves, { allowUnused: true }).forEach((dx, i) => (got[names[i]] = dx));
  }
  const wanted = { ...golden.outputs, ...golden.gradients };
  await realize(...Object.keys(wanted).map((name) => got[name]));
  const results: GoldenResult[] = [];
  for (const [name, reference] of Object.entries(wanted)) {
    const tight = dtype === "float64" && golden.rounded && reference.dtype === "F32";
    results.push(compare(name, await readValues(got[name]), numbersOf(reference), golden.tolerance[name], tight));
  }
  return results;
}

/** The outputs by name: each of the case's, of its shape, and nothing of the case left over. */
async function runCase(golden: GoldenCase, given: GoldenInputs, run: GoldenRun): Promise<Record<string, Tensor>> {
  const { inputs, unread } = watchInputs(given);
  const attrs = new GoldenAttrs(golden.attrs);
  const shapeOf = (name: string): Shape => {
    if (Object.hasOwn(golden.outputs, name)) return golden.outputs[name].shape;
    throw new GraphError(
      `golden: the case must have the output ${name}, got ${Object.keys(golden.outputs).join(", ")}`,
    );
  };
  const result = await run(inputs, attrs, shapeOf);
  const left = [...unread().map((name) => `the input ${name}`), ...attrs.unread().map((name) => `attrs.${name}`)];
  if (left.length > 0)
    throw new GraphError(`golden: ${golden.op} must use all of the case, got ${left.join(", ")} unused`);
  const got: Record<string, Tensor> = isTensor(result) ? { out: result } : { ...result };
  for (const [name, { shape }] of Object.entries(golden.outputs)) {
    if (!Object.hasOwn(got, name))
      throw new GraphError(`golden: the run must give the output ${name}, got ${Object.keys(got).join(", ")}`);
    if (!sameShape(got[name].shape, shape))
      throw new GraphError(
        `golden: ${name} must have shape ${formatShape(shape)}, got ${formatShape(got[name].shape)}`,
      );
  }
  const extra = Object.keys(got).filter((name) => !Object.hasOwn(golden.outputs, name));
  if (extra.length > 0)
    throw new GraphError(`golden: the case must have all outputs of the run, got none for ${extra.join(", ")}`);
  return got;
}

/** The verdict is each element's own: a ratio that is no number, or no distance, can only make it worse. */
function compare(
  name: string,
  got: Values,
  reference: ArrayLike<number>,
  tolerance: GoldenTolerance,
  tight: boolean,
): GoldenResult {
  let largest = 0;
  for (let i = 0; i < reference.length; i++)
    if (Number.isFinite(reference[i])) largest = Math.max(largest, Math.abs(reference[i]));
  let worst: GoldenResult = { name, ratio: 0, error: 0, limit: 0, ok: got.length === reference.length };
  for (let i = 0; i < reference.length; i++) {
    const ref = reference[i];
    if (got[i] === ref || (Number.isNaN(got[i]) && Number.isNaN(ref))) continue;
    const loose = tolerance.atol + tolerance.rtol * Math.abs(ref);
    const limit = tight ? Math.min(loose, float64GoldenLimit(ref, largest)) : loose;
    const error = Math.abs(got[i] - ref);
    const ok = error <= limit && limit < Infinity; // the limit of an infinity is infinite too
    const ratio = ok || error / limit > 1 ? error / limit : Infinity;
    if (ratio > worst.ratio) worst = { name, ratio, error, limit, ok: worst.ok && ok };
    else if (!ok) worst = { ...worst, ok };
  }
  return worst;
}

/** A case's input as a leaf: floating values in `dtype`, class indices as int32. */
function inputLeaf(entry: SafetensorsEntry, dtype: "float32" | "float64"): Tensor {
  if (entry.dtype === "I64" || entry.dtype === "I32") return entryToTensor(entry);
  return leaf(
    entry.shape,
    dtype as DType,
    dtype === "float64" ? Float64Array.from(numbersOf(entry)) : Float32Array.from(numbersOf(entry)),
  );
}

function numbersOf(entry: SafetensorsEntry): ArrayLike<number> {
  if (entry.values instanceof BigInt64Array) return Array.from(entry.values, Number);
  return entry.values;
}

function isTensor(value: Tensor | Record<string, Tensor>): value is Tensor {
  return Array.isArray((value as Tensor).shape) && typeof (value as Tensor).dtype === "string";
}

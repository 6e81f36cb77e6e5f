/**
 * @file Golden cases: inputs, outputs and gradients that PyTorch computed, one safetensors file each.
 *
 * A case passes if |got - ref| <= atol + rtol |ref| for every element of every tensor that has a tolerance; NaN must
 * match NaN, and infinities must match exactly. goldens/README.md describes the files.
 */

import { grad } from "../autograd.ts";
import type { DType, Values } from "../dtype.ts";
import { GraphError } from "../errors.ts";
import { mul } from "../ops/mul.ts";
import { sum } from "../ops/sum.ts";
import { realize, readValues } from "../realize.ts";
import { decodeSafetensors, entryToTensor, type SafetensorsEntry } from "../safetensors.ts";
import { formatShape, sameShape } from "../shape.ts";
import { leaf } from "../leaf.ts";
import type { Tensor } from "../tensor.ts";
import { float64GoldenLimit } from "./tolerance.ts";

/** Arguments of an op as PyTorch names them: numbers, strings, booleans, arrays of them, null. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- JSON from a file; the adapters know what each op's holds
export type GoldenAttrs = Readonly<Record<string, any>>;

/** Computes a case's outputs from its inputs. Several outputs come under their names, one output may come alone. */
export type GoldenRun = (
  inputs: Readonly<Record<string, Tensor>>,
  attrs: GoldenAttrs,
) => Tensor | Record<string, Tensor> | Promise<Tensor | Record<string, Tensor>>;

/** Adapters by the `op` of a case. */
export type GoldenRuns = Readonly<Record<string, GoldenRun>>;

export interface GoldenCase {
  readonly op: string;
  readonly attrs: GoldenAttrs;
  readonly inputs: Readonly<Record<string, SafetensorsEntry>>;
  readonly cotangent: SafetensorsEntry | null;
  readonly outputs: Readonly<Record<string, SafetensorsEntry>>;
  readonly gradients: Readonly<Record<string, SafetensorsEntry>>;
  readonly tolerance: Readonly<Record<string, { readonly atol: number; readonly rtol: number }>>;
  /** True if the file holds float64 results rounded to float32, so float64 can be held to them more tightly. */
  readonly rounded: boolean;
}

/** How far one tensor of a case is from PyTorch's. */
export interface GoldenResult {
  readonly name: string;
  /** Largest |got - ref| / limit over the elements: 1 is just at the limit. */
  readonly ratio: number;
  readonly error: number;
  readonly limit: number;
  readonly ok: boolean;
}

/** Reads a case from the bytes of its file. */
export function parseGolden(bytes: Uint8Array): GoldenCase {
  const { tensors, metadata } = decodeSafetensors(bytes);
  if (metadata.format !== "golden-1") {
    throw new GraphError(`golden: metadata must have format "golden-1", got ${JSON.stringify(metadata.format)}`);
  }
  const roles = JSON.parse(metadata.roles) as Record<string, string>;
  const withRole = (role: string): Record<string, SafetensorsEntry> =>
    Object.fromEntries(Object.entries(tensors).filter(([name]) => roles[name] === role));
  return {
    op: metadata.op,
    attrs: JSON.parse(metadata.attrs) as GoldenAttrs,
    inputs: withRole("input"),
    cotangent: Object.values(withRole("cotangent"))[0] ?? null,
    outputs: withRole("output"),
    gradients: withRole("grad"),
    tolerance: JSON.parse(metadata.tolerance) as GoldenCase["tolerance"],
    rounded: metadata.truth === "pytorch cpu float64, cast to float32",
  };
}

/**
 * Runs a case on the current device and compares every output and gradient.
 *
 * @param dtype - what the floating inputs are cast to before the run.
 */
export async function checkGolden(
  golden: GoldenCase,
  run: GoldenRun,
  dtype: "float32" | "float64",
): Promise<GoldenResult[]> {
  const inputs = Object.fromEntries(
    Object.entries(golden.inputs).map(([name, entry]) => [name, inputLeaf(entry, dtype)]),
  );
  const result = await run(inputs, golden.attrs);
  const got: Record<string, Tensor> = isTensor(result) ? { out: result } : { ...result };
  for (const [name, { shape }] of Object.entries(golden.outputs)) {
    if (!got[name])
      throw new GraphError(`golden: the case must give the output ${name}, got ${Object.keys(got).join(", ")}`);
    if (!sameShape(got[name].shape, shape))
      throw new GraphError(
        `golden: ${name} must have shape ${formatShape(shape)}, got ${formatShape(got[name].shape)}`,
      );
  }

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

function compare(
  name: string,
  got: Values,
  reference: ArrayLike<number>,
  tolerance: { readonly atol: number; readonly rtol: number },
  tight: boolean,
): GoldenResult {
  let largest = 0;
  for (let i = 0; i < reference.length; i++)
    if (Number.isFinite(reference[i])) largest = Math.max(largest, Math.abs(reference[i]));
  let worst: GoldenResult = { name, ratio: 0, error: 0, limit: 0, ok: true };
  for (let i = 0; i < reference.length; i++) {
    const ref = reference[i];
    const same = Object.is(got[i], ref) || got[i] === ref || (Number.isNaN(got[i]) && Number.isNaN(ref));
    const loose = tolerance.atol + tolerance.rtol * Math.abs(ref);
    const limit = tight ? Math.min(loose, float64GoldenLimit(ref, largest)) : loose;
    const error = same ? 0 : Math.abs(got[i] - ref);
    const ok = same || (Number.isFinite(error) && error <= limit); // the limit of an infinity is infinite too
    const ratio = same ? 0 : Number.isFinite(error) ? error / limit : Infinity;
    if (ratio > worst.ratio) worst = { name, ratio, error, limit, ok };
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

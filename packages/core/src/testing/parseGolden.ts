/**
 * @file Reads a golden case from its file and refuses one that could not be compared: each output and gradient must
 * have a tolerance and elements, each gradient its input and a cotangent. goldens/README.md describes the files.
 */

import { GraphError } from "../errors.ts";
import { decodeSafetensors, duplicateKey, type SafetensorsEntry, showJson } from "../safetensors.ts";
import { formatShape, sameShape } from "../shape.ts";

export interface GoldenTolerance {
  readonly atol: number;
  readonly rtol: number;
}

export interface GoldenCase {
  readonly op: string;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, SafetensorsEntry>>;
  /** What the output `out` is weighted with for the gradients; null where there are none. */
  readonly cotangent: SafetensorsEntry | null;
  readonly outputs: Readonly<Record<string, SafetensorsEntry>>;
  readonly gradients: Readonly<Record<string, SafetensorsEntry>>;
  readonly tolerance: Readonly<Record<string, GoldenTolerance>>;
  /** True if the file holds float64 results rounded to float32, so float64 can be held to them more tightly. */
  readonly rounded: boolean;
}

const roleNames = ["input", "cotangent", "output", "grad"];

/**
 * Reads a case from the bytes of its file.
 *
 * @throws {SafetensorsError} when the bytes are no safetensors file.
 * @throws {GraphError} that names the field, when the case is none, or not all of it could be compared.
 */
export function parseGolden(bytes: Uint8Array): GoldenCase {
  const { tensors, metadata } = decodeSafetensors(bytes);
  if (metadata.format !== "golden-1") throw refused("metadata format", '"golden-1"', metadata.format);
  if (!metadata.op) throw refused("metadata op", "the name of an operation", metadata.op);
  const roles = jsonObject(metadata, "roles");
  for (const name of Object.keys(tensors)) {
    if (!Object.hasOwn(roles, name)) throw refused(`roles.${name}`, `one of ${roleNames.join(", ")}`, undefined);
  }
  for (const [name, role] of Object.entries(roles)) {
    if (!roleNames.includes(role as string)) throw refused(`roles.${name}`, `one of ${roleNames.join(", ")}`, role);
    if (!Object.hasOwn(tensors, name)) throw new GraphError(`golden: roles.${name} must belong to a tensor, got none`);
  }
  const withRole = (role: string): Record<string, SafetensorsEntry> =>
    Object.fromEntries(Object.entries(tensors).filter(([name]) => roles[name] === role));
  const cotangents = withRole("cotangent");
  const parsed: GoldenCase = {
    op: metadata.op,
    attrs: jsonObject(metadata, "attrs"),
    inputs: withRole("input"),
    cotangent: Object.values(cotangents)[0] ?? null,
    outputs: withRole("output"),
    gradients: withRole("grad"),
    tolerance: jsonObject(metadata, "tolerance") as GoldenCase["tolerance"],
    rounded: metadata.truth === "pytorch cpu float64, cast to float32",
  };
  if (Object.keys(parsed.outputs).length === 0) throw new GraphError("golden: the case must have an output, got none");
  checkGradientsOf(parsed, Object.keys(cotangents));
  checkCompared(parsed);
  return parsed;
}

/** A metadata entry that is a JSON object. */
function jsonObject(metadata: Readonly<Record<string, string>>, field: string): Record<string, unknown> {
  const text = Object.hasOwn(metadata, field) ? metadata[field] : undefined;
  let value: unknown = text;
  try {
    if (text !== undefined) value = JSON.parse(text);
  } catch {
    value = text;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw refused(`metadata ${field}`, "a JSON object", text);
  const twice = duplicateKey(text!);
  if (twice !== null)
    throw new GraphError(`golden: metadata ${field} must have each key once, got ${showJson(twice)} twice`);
  return value as Record<string, unknown>;
}

/** Each gradient is that of a floating input, and all are those of Σ out cotangent. */
function checkGradientsOf({ inputs, cotangent, outputs, gradients }: GoldenCase, cotangents: readonly string[]): void {
  if (cotangents.length > 1)
    throw new GraphError(`golden: at most one tensor must have the role cotangent, got ${cotangents.join(", ")}`);
  const names = Object.keys(gradients);
  if (names.length > 0 !== (cotangent !== null)) {
    const got = cotangent === null ? `${names.join(", ")} without one` : `${cotangents[0]} without gradients`;
    throw new GraphError(`golden: gradients must come with a cotangent, got ${got}`);
  }
  if (cotangent === null) return;
  if (!Object.hasOwn(outputs, "out"))
    throw new GraphError(
      `golden: a case with gradients must have the output out, got ${Object.keys(outputs).join(", ")}`,
    );
  if (!sameShape(cotangent.shape, outputs.out.shape) || !isFloating(cotangent)) {
    const rule = `${cotangents[0]} must be floating, of the shape of out, ${formatShape(outputs.out.shape)}`;
    throw new GraphError(`golden: ${rule}, got ${cotangent.dtype} ${formatShape(cotangent.shape)}`);
  }
  for (const [name, { shape }] of Object.entries(gradients)) {
    const input = name.slice("grad.".length);
    if (!name.startsWith("grad.") || !Object.hasOwn(inputs, input) || !isFloating(inputs[input])) {
      throw new GraphError(
        `golden: a tensor with the role grad must be called grad.<a floating input>, got ${showJson(name)}`,
      );
    }
    if (!sameShape(shape, inputs[input].shape)) {
      const rule = `${name} must have the shape of ${input}, ${formatShape(inputs[input].shape)}`;
      throw new GraphError(`golden: ${rule}, got ${formatShape(shape)}`);
    }
  }
}

/** Each output and gradient has elements and two limits, and nothing else has limits. */
function checkCompared({ outputs, gradients, tolerance }: GoldenCase): void {
  const compared = { ...outputs, ...gradients };
  for (const [name, { shape, values }] of Object.entries(compared)) {
    if (values.length === 0)
      throw new GraphError(`golden: ${name} must have elements to compare, got shape ${formatShape(shape)}`);
    const limits: Partial<GoldenTolerance> | null = Object.hasOwn(tolerance, name) ? tolerance[name] : null;
    for (const limit of ["atol", "rtol"] as const) {
      const value = limits?.[limit];
      if (!Number.isFinite(value) || value! < 0)
        throw refused(`tolerance.${name}.${limit}`, "a finite number of at least 0", value);
    }
  }
  const extra = Object.keys(tolerance).find((name) => !Object.hasOwn(compared, name));
  if (extra !== undefined)
    throw new GraphError(`golden: tolerance.${extra} must belong to an output or a gradient, got none`);
}

function isFloating({ dtype }: SafetensorsEntry): boolean {
  return dtype === "F32" || dtype === "F64";
}

function refused(field: string, rule: string, got: unknown): GraphError {
  return new GraphError(`golden: ${field} must be ${rule}, got ${got === undefined ? "none" : showJson(got)}`);
}

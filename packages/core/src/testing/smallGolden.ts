/** @file A golden case of a few numbers, as the bytes of its file, for tests of what reads and compares them. */

import { encodeSafetensors, type SafetensorsEntry } from "../safetensors.ts";
import type { Shape } from "../shape.ts";

export interface SmallGolden {
  readonly x?: number[];
  readonly out: number[];
  /** The gradient by x; without it the case has no cotangent. */
  readonly grad?: number[];
  readonly attrs?: object;
  readonly atol?: number;
  readonly rtol?: number;
  readonly truth?: string;
  readonly dtype?: "F32" | "F64";
  readonly outShape?: Shape;
  /** What is different in the file: tensors by name, of which null removes one. */
  readonly tensors?: Readonly<Record<string, SafetensorsEntry | null>>;
  /** The same for roles. */
  readonly roles?: Readonly<Record<string, unknown>>;
  /** The same for metadata: what stands in the file, word for word. */
  readonly metadata?: Readonly<Record<string, string | null>>;
}

/** A case of an op with one input `x`, whose file says that the op gives `out` and `grad`. */
export function smallGolden({
  x = [1, 2],
  out,
  grad,
  attrs = {},
  atol = 0,
  rtol = 0,
  truth = "",
  dtype = "F64",
  outShape = [out.length],
  ...different
}: SmallGolden): Uint8Array {
  const entry = (values: number[], shape: Shape = [values.length]): SafetensorsEntry =>
    dtype === "F32"
      ? { dtype, shape, values: Float32Array.from(values) }
      : { dtype, shape, values: Float64Array.from(values) };
  const gradient = grad && { cot: entry(out.map(() => 1), outShape), "grad.x": entry(grad) }; // prettier-ignore
  const tensors = { x: entry(x), out: entry(out, outShape), ...gradient };
  const roles = { x: "input", out: "output", ...(grad && { cot: "cotangent", "grad.x": "grad" }) };
  const tolerance = { out: { atol, rtol }, ...(grad && { "grad.x": { atol, rtol } }) };
  const metadata = {
    format: "golden-1",
    op: "test",
    attrs: JSON.stringify(attrs),
    roles: JSON.stringify(withChanges<unknown>(roles, different.roles)),
    tolerance: JSON.stringify(tolerance),
    truth,
  };
  return encodeSafetensors(
    withChanges<SafetensorsEntry>(tensors, different.tensors),
    withChanges<string>(metadata, different.metadata),
  );
}

function withChanges<V>(base: Readonly<Record<string, V>>, changes: Readonly<Record<string, V | null>> = {}) {
  return Object.fromEntries(Object.entries({ ...base, ...changes }).filter(([, value]) => value !== null)) as Record<
    string,
    V
  >;
}

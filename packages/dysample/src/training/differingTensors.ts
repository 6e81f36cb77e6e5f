/** @file Which tensors differ in two states of a model. Bits are compared: -0 is not 0, and a NaN equals itself. */

import type { SafetensorsEntry } from "@gridgrad/core";
import type { StateDict } from "@gridgrad/nn";

/**
 * The names of the tensors that are not the same in both, in type, shape and every bit, and of those that only one of them has.
 *
 * @example
 * ```ts
 * const state = (bias) => ({ bias: { dtype: "F32", shape: [1], values: Float32Array.of(bias) } });
 * differingTensors(state(0), state(-0)); // ["bias"]
 * differingTensors(state(NaN), state(NaN)); // []
 * ```
 */
export function differingTensors(a: StateDict, b: StateDict): string[] {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].filter((name) => !(Object.hasOwn(a, name) && Object.hasOwn(b, name) && same(a[name], b[name])));
}

function same(a: SafetensorsEntry, b: SafetensorsEntry): boolean {
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return false;
  const [bytes, others] = [bytesOf(a), bytesOf(b)];
  return bytes.length === others.length && bytes.every((byte, i) => byte === others[i]);
}

function bytesOf({ values: { buffer, byteOffset, byteLength } }: SafetensorsEntry): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

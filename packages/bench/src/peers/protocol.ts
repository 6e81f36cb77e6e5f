/**
 * @file What goes over the pipes between the benchmark and a contestant's process: one JSON object a line, requests on the standard
 * input and answers on the standard output. Values go through files of raw little-endian numbers.
 *
 * A process that waits for a line sleeps, so nothing of a contestant runs while another one is timed. `torch_peer.py` is the same in
 * Python.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { HostTensor, HostTensors, Task } from "./task.ts";

export interface TensorFile {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32";
  readonly file: string;
}

export type Request =
  /** Answered by `outputs`, written into `folder`, or by `lacks`. */
  | { readonly do: "prepare"; readonly task: Task; readonly inputs: readonly TensorFile[]; readonly folder: string }
  /** Runs until `ms` have passed, at least `least` times. Answered by a time for each. */
  | { readonly do: "run"; readonly ms: number; readonly least: number }
  | { readonly do: "release" };

export interface Answer {
  /** The first line of a process. */
  readonly version?: string;
  readonly threads?: string;
  readonly outputs?: readonly TensorFile[];
  readonly lacks?: string;
  readonly ms?: readonly number[];
  /** Time that all threads of the process spent on the processors meanwhile. */
  readonly cpuMs?: number;
  readonly error?: string;
}

/** Writes values as `PREFIX.NAME.raw`. */
export function writeTensors(folder: string, prefix: string, tensors: HostTensors): TensorFile[] {
  return Object.entries(tensors).map(([name, { shape, values }]) => {
    const file = join(folder, `${prefix}.${name}.raw`);
    writeFileSync(file, values);
    return { name, shape, dtype: values instanceof Int32Array ? "int32" : "float32", file };
  });
}

export function readTensors(files: readonly TensorFile[]): HostTensors {
  return Object.fromEntries(files.map((file) => [file.name, readTensor(file)]));
}

function readTensor({ name, shape, dtype, file }: TensorFile): HostTensor {
  const bytes = readFileSync(file);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  const values = dtype === "int32" ? new Int32Array(buffer) : new Float32Array(buffer);
  const wanted = shape.reduce((product, n) => product * n, 1);
  if (values.length !== wanted) {
    throw new Error(`internal: readTensor: ${name} must have ${wanted} values for its shape, got ${values.length}`);
  }
  return { shape, values };
}

import { expect, test } from "vitest";

import type { SafetensorsEntry } from "@gridgrad/core";

import { differingTensors } from "./differingTensors.ts";

const entry = (values: Float32Array, shape = [values.length]): SafetensorsEntry => ({ dtype: "F32", shape, values });

test("a difference of one bit, of the shape, of the type or of the names is told, and nothing else", () => {
  const values = Float32Array.of(1, NaN, 0, 4);
  const before = {
    same: entry(values),
    view: entry(values.subarray(1, 3)),
    bit: entry(values),
    zero: entry(values),
    shape: entry(values),
    type: entry(values),
    gone: entry(values),
  };
  const after = {
    same: entry(values.slice()),
    view: entry(Float32Array.of(NaN, 0)),
    bit: entry(Float32Array.of(1 + 2 ** -23, NaN, 0, 4)), // the next float32 after 1
    zero: entry(Float32Array.of(1, NaN, -0, 4)),
    shape: entry(values, [2, 2]),
    type: { ...entry(values), dtype: "I32", values: new Int32Array(values.buffer) } as SafetensorsEntry,
    come: entry(values),
  };
  expect(differingTensors(before, after)).toEqual(["bit", "zero", "shape", "type", "gone", "come"]);
  expect(differingTensors(before, before)).toEqual([]);
});

import { tensor } from "@gridgrad/core";
import { expect, test } from "vitest";

import { expectSame } from "./expectSame.ts";

const float64 = (values: number[]) => tensor(values, [values.length], { dtype: "float64" });

test("expectSame lets roundings pass", async () => {
  await expectSame(float64([0.1 + 0.2, 1e6]), float64([0.3, 1e6 + 1e-9]));
});

test("expectSame takes an infinity for itself, and for nothing else, and still sees what is beside it", async () => {
  await expectSame(float64([Infinity, -Infinity, 1]), float64([Infinity, -Infinity, 1]));
  await expect(expectSame(float64([5]), float64([Infinity]))).rejects.toThrow();
  await expect(expectSame(float64([-Infinity]), float64([Infinity]))).rejects.toThrow();
  await expect(expectSame(float64([Infinity, 2]), float64([Infinity, 1]))).rejects.toThrow();
  await expect(expectSame(float64([NaN]), float64([NaN]))).rejects.toThrow();
});

test("expectSame catches a small error, a NaN, another shape and another element type", async () => {
  await expect(expectSame(float64([1 + 1e-9]), float64([1]))).rejects.toThrow();
  await expect(expectSame(float64([NaN]), float64([1]))).rejects.toThrow();
  await expect(expectSame(float64([1, 1]), float64([1]))).rejects.toThrow();
  await expect(expectSame(tensor([1]), tensor([1]))).rejects.toThrow();
});

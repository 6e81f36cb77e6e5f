import { mean, sum, tensor } from "@gridgrad/core";
import { expect, test } from "vitest";

import { expectReductions } from "./expectReductions.ts";

const each = tensor([1, 2, 6], [3], { dtype: "float64" });

test("expectReductions accepts a loss that keeps, sums and averages", async () => {
  await expectReductions(({ reduction = "mean" }) => ({ none: each, sum: sum(each), mean: mean(each) })[reduction]);
});

test("expectReductions catches a sum instead of a mean, and a wrong default", async () => {
  await expect(
    expectReductions(({ reduction = "mean" }) => ({ none: each, sum: sum(each), mean: sum(each) })[reduction]),
  ).rejects.toThrow();
  await expect(
    expectReductions(({ reduction = "sum" }) => ({ none: each, sum: sum(each), mean: mean(each) })[reduction]),
  ).rejects.toThrow();
});

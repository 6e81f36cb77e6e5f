import { grad, ones, slice, type Tensor, tensor } from "@gridgrad/core";
import { checkGradients, reals } from "@gridgrad/core/testing";
import fc from "fast-check";
import { expect, test } from "vitest";

import { carafe, windowSimilarity } from "./carafe.ts";

test("carafe sums neighbours, and enlarges", async () => {
  const x = tensor([1, 2, 4], [1, 1, 1, 3]);
  expect(await carafe(x, ones([1, 9, 1, 3]), { kernelSize: 3 }).data()).toEqual(Float32Array.of(3, 7, 6));
  const enlarged = await carafe(x, ones([1, 1, 2, 6]), { kernelSize: 1 }).data();
  expect(enlarged).toEqual(Float32Array.of(1, 1, 2, 2, 4, 4, 1, 1, 2, 2, 4, 4));
});

test("windowSimilarity multiplies neighbours", async () => {
  const query = tensor([1, 2, 3], [1, 1, 1, 3]);
  const key = tensor([10, 100, 1000], [1, 1, 1, 3]);
  const similarity = await slice(windowSimilarity(query, key, { kernelSize: 3 }), [null, [3, 6]]).data();
  expect(similarity).toEqual(Float32Array.of(0, 20, 300, 10, 200, 3000, 100, 2000, 0));
});

test("all three have gradients of first and second order", () =>
  fc.assert(
    fc.asyncProperty(reals([1, 4, 2, 3]), reals([1, 18, 4, 6]), reals([1, 4, 4, 6]), async (x, kernels, dy) => {
      const options = { kernelSize: 3, groups: 2 };
      const dxOf = (kernels: Tensor, dy: Tensor): Tensor =>
        grad(carafe(x, kernels, options), [x], { gradOutput: dy })[0];
      await checkGradients((x, kernels) => carafe(x, kernels, options), [x, kernels], { order: 2 });
      await checkGradients((x, dy) => windowSimilarity(dy, x, options), [x, dy], { order: 2 });
      await checkGradients(dxOf, [kernels, dy], { order: 2 });
    }),
    { numRuns: 10 },
  ));

import { expect, test } from "vitest";

import { DySample, getDevice, grad, gridSample, nn, tensor } from "./index.ts";
import * as lab from "./lab.ts";
import * as node from "./node.ts";
import * as testing from "./testing.ts";

test("one import has tensors, gradients, ops, layers and upsamplers, on the cpu device", async () => {
  const picture = tensor([[[[0, 10, 20, 30]]]], undefined, { requiresGrad: true });
  const grid = tensor([[[[-0.125, 0]]]]);
  const read = gridSample(picture, grid).sum();
  const [slope] = grad(read, [picture]);
  expect([await read.item(), await slope.array()]).toEqual([12.5, [[[[0, 0.75, 0.25, 0]]]]]);
  expect(new nn.Conv2d(3, 8, 3).weight.shape).toEqual([8, 3, 3, 3]);
  expect(new DySample(16).scale).toBe(2);
  expect(getDevice().name).toBe("cpu");
});

test("what needs a file system, comparisons and gradient checks have doors of their own", () => {
  expect(Object.keys(node)).toEqual(expect.arrayContaining(["loadWeights", "readPng", "saveWeights", "train"]));
  expect(Object.keys(lab)).toEqual(expect.arrayContaining(["comparisonOf", "runComparison"]));
  expect(Object.keys(testing)).toEqual(expect.arrayContaining(["checkGradients", "reals"]));
});

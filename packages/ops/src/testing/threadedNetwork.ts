/** @file A small network whose kernels are large enough for threads, of every family of the `cpu` device's kernels. */

import { gradientsOf, Random, softmax, tensor, type Tensor, type Values } from "@gridgrad/core";

import { batchNorm2d } from "../ops/batchNorm2d.ts";
import { carafe, windowSimilarity } from "../ops/carafe.ts";
import { conv1x1 } from "../ops/conv1x1.ts";
import { conv2d } from "../ops/conv2d.ts";
import { crossEntropy } from "../ops/crossEntropy.ts";
import { gridSample } from "../ops/gridSample.ts";
import { interpolate } from "../ops/interpolate.ts";
import { maxPool2d } from "../ops/maxPool2d.ts";
import { pixelShuffle } from "../ops/pixelShuffle.ts";
import { sampleAtOffsets } from "../ops/sampleAtOffsets.ts";

/** Its loss, values in between, and the gradients of all that it starts from; the same each time. */
export function threadedNetwork(): Tensor[] {
  const random = new Random(7);
  const x = random.normal([4, 16, 40, 52]);
  const w = random.normal([32, 16, 3, 3]);
  const mix = random.normal([24, 32, 1, 1]);
  const offsets = random.normal([4, 2 * 2 * 4, 20, 26]);
  const grid = random.uniform([4, 60, 60, 2], { low: -1.1, high: 1.1 });
  const labels = tensor(
    Int32Array.from({ length: 4 * 60 * 60 }, (_, i) => i % 6),
    [4, 60, 60],
    { dtype: "int32" },
  );
  const hidden = conv2d(x, w, null, { padding: 1, stride: 2 });
  const { y, runningVar } = batchNorm2d(hidden, random.normal([32]), random.uniform([32]), { training: true });
  const low = conv1x1(y.relu(), mix);
  const up = sampleAtOffsets(low, offsets, 2);
  const kernels = softmax(windowSimilarity(up, low, { kernelSize: 5 }).mul(0.01), 1);
  const both = up.add(carafe(low, kernels, { kernelSize: 5 }));
  const larger = interpolate(maxPool2d(both, 2), { scaleFactor: 2, mode: "bilinear" });
  const scores = gridSample(pixelShuffle(larger, 2), grid, { paddingMode: "zeros" });
  const loss = crossEntropy(scores, labels);
  const wrt = [x, w, mix, offsets, grid];
  return [loss, scores, runningVar, larger.tanh().exp().add(1).log(), ...gradientsOf(loss, wrt).map((g) => g!)];
}

/**
 * The largest |got - wanted|, in parts of the largest |wanted|. NaN where one is not finite, or there is nothing to
 * compare.
 */
export function relativeError(got: Values, wanted: Values): number {
  if (got.length !== wanted.length) return NaN;
  let error = 0;
  let largest = 0;
  for (let i = 0; i < wanted.length; i++) {
    error = Math.max(error, Math.abs(got[i] - wanted[i]));
    largest = Math.max(largest, Math.abs(wanted[i]));
  }
  return error / largest;
}

/** Whether two lists of values are the same, to the bit. Those of nothing are not. */
export function sameBits(a: readonly Values[], b: readonly Values[]): boolean {
  const same = (values: Values, others: Values): boolean =>
    values.length === others.length && Array.from(values).every((value, i) => Object.is(value, others[i]));
  return a.length > 0 && a.length === b.length && a.every((values, k) => values.length > 0 && same(values, b[k]));
}

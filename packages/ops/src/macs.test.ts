import { countMacs, grad, matmul, ones, type Shape, size, softmax, type Tensor } from "@gridgrad/core";
import { dims } from "@gridgrad/core/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { avgPool2d } from "./ops/avgPool2d.ts";
import { carafe, windowSimilarity } from "./ops/carafe.ts";
import { conv2d } from "./ops/conv2d.ts";
import { convTranspose2d } from "./ops/convTranspose2d.ts";
import { gridSample } from "./ops/gridSample.ts";
import { interpolate } from "./ops/interpolate.ts";
import { linear } from "./ops/linear.ts";
import { pixelShuffle } from "./ops/pixelShuffle.ts";
import { sampleAtOffsets } from "./ops/sampleAtOffsets.ts";

/** The MACs of f, and of its gradient by each argument alone. */
function costs(f: (...xs: Tensor[]) => Tensor, ...shapes: Shape[]): number[] {
  const xs = shapes.map((shape) => ones(shape, { requiresGrad: true }));
  const y = f(...xs);
  const gradients = xs.map((x) => grad(y, [x], { gradOutput: ones(y.shape) })[0]);
  return [y, ...gradients].map((t) => countMacs(t));
}

/**
 * Where no window reaches over a border, an op that adds up products of its arguments turns ones into the numbers of products: their sum is the count,
 * of the op and of each of its gradients. All are recorded before one is computed, so that none finds another's work done.
 */
async function checkByOnes(f: (...xs: Tensor[]) => Tensor, ...shapes: Shape[]): Promise<void> {
  const xs = shapes.map((shape) => ones(shape, { requiresGrad: true }));
  const y = f(...xs);
  const all = [y, ...grad(y, xs, { gradOutput: ones(y.shape) })];
  const counts = all.map((t) => countMacs(t));
  const products: number[] = [];
  for (const t of all) products.push(await t.sum().item());
  expect(counts).toEqual(products);
}

describe("the MACs of an op and of each of its gradients are the products that it adds up, counted with ones:", () => {
  test("matmul and linear", () =>
    fc.assert(
      fc.asyncProperty(dims(), dims(), dims(), async (M, K, N) => {
        await checkByOnes((a, b) => matmul(a, b), [2, M, K], [2, K, N]);
        await checkByOnes((a, b) => matmul(a, b), [2, M, K], [K]);
        await checkByOnes((a, b) => matmul(a, b), [K], [K]);
        await checkByOnes((x, w) => linear(x, w), [M, 2, K], [N, K]);
      }),
    ));

  test("conv2d and convTranspose2d, with strides, dilations and groups", () => {
    const small = fc.integer({ min: 1, max: 3 });
    const cases = fc.record({
      N: small, G: small, C: small, O: small, KH: small, KW: small, P: small, Q: small, stride: small, dilation: small,
    }); // prettier-ignore
    return fc.assert(
      fc.asyncProperty(cases, async ({ N, G, C, O, KH, KW, P, Q, stride, dilation }) => {
        const [H, W] = [(P - 1) * stride + dilation * (KH - 1) + 1, (Q - 1) * stride + dilation * (KW - 1) + 1];
        const options = { stride, dilation, groups: G };
        await checkByOnes((x, w) => conv2d(x, w, null, options), [N, G * C, H, W], [G * O, C, KH, KW]);
        await checkByOnes((x, w) => convTranspose2d(x, w, null, options), [N, G * C, P, Q], [G * C, O, KH, KW]);
      }),
    );
  });

  test("carafe and windowSimilarity, with windows of one pixel", async () => {
    const options = { kernelSize: 1, groups: 2 };
    await checkByOnes((x, kernels) => carafe(x, kernels, options), [2, 6, 3, 4], [2, 2, 6, 8]);
    // Its sum over channels: the products of the query with the key.
    await checkByOnes((query, key) => windowSimilarity(query, key, options), [2, 6, 6, 8], [2, 6, 3, 4]);
  });
});

describe("by hand:", () => {
  test("a convolution counts windows in full where they reach into the padding", () => {
    expect(costs((x, w) => conv2d(x, w, null, { padding: 1 }), [2, 4, 5, 6], [8, 4, 3, 3])).toEqual(
      Array(3).fill(2 * 8 * 5 * 6 * (4 * 9)),
    );
    expect(costs((x, w) => conv2d(x, w), [2, 4, 5, 6], [8, 4, 1, 1])).toEqual(Array(3).fill(2 * 8 * 5 * 6 * 4));
  });

  test("a transposed convolution counts the whole kernel at each pixel of its input", () => {
    const options = { stride: 2, padding: 1, outputPadding: 1 };
    expect(costs((x, w) => convTranspose2d(x, w, null, options), [1, 4, 5, 6], [4, 8, 3, 3])).toEqual(
      Array(3).fill(5 * 6 * 4 * 8 * 9),
    );
  });

  test("a bias is no product", () => {
    const [x, w, b] = [ones([1, 4, 5, 6]), ones([8, 4, 3, 3]), ones([8])];
    expect(countMacs(conv2d(x, w, b))).toBe(countMacs(conv2d(x, w)));
  });

  test("carafe and windowSimilarity count k*k for each element of the fine image", () => {
    const k2 = 5 * 5;
    const fine = 2 * 6 * 8 * 10;
    const options = { kernelSize: 5 };
    expect(costs((x, w) => carafe(x, w, options), [2, 6, 4, 5], [2, k2, 8, 10])).toEqual(Array(3).fill(k2 * fine));
    const similarity = costs((q, key) => windowSimilarity(q, key, options), [2, 6, 8, 10], [2, 6, 4, 5]);
    expect(similarity).toEqual(Array(3).fill(k2 * fine));
  });

  test.each([
    ["nearest", 0],
    ["bilinear", 4],
    ["bicubic", 16],
  ] as const)("gridSample and interpolate count the taps of mode %s, %i", (mode, taps) => {
    const elements = 2 * 3 * 4 * 5;
    expect(costs((x) => interpolate(x, { size: [4, 5], mode }), [2, 3, 6, 7])).toEqual(Array(2).fill(taps * elements));
    // The grid's gradient sums over the channels at each tap, and weights these sums for x and for y.
    expect(costs((x, grid) => gridSample(x, grid, { mode }), [2, 3, 6, 7], [2, 4, 5, 2])).toEqual([
      taps * elements,
      taps * elements,
      taps * (elements + 2 * 4 * 5 * 2),
    ]);
  });

  test("sampleAtOffsets counts four for each element of the result, and as gridSample in its gradients", () => {
    const fine = 2 * 6 * 8 * 10;
    const offsets: Shape = [2, 2 * 3 * 2 * 2, 4, 5];
    expect(costs((x, o) => sampleAtOffsets(x, o, 2), [2, 6, 4, 5], offsets)).toEqual([
      4 * fine,
      4 * fine,
      4 * (fine + size(offsets)),
    ]);
  });

  test("avgPool2d counts its windows, as a convolution with a constant kernel", () => {
    const options = { stride: 2, padding: 1 };
    expect(costs((x) => avgPool2d(x, 3, options), [2, 3, 8, 8])).toEqual(Array(2).fill(2 * 3 * 4 * 4 * 9));
    const over = { ...options, ceilMode: true }; // the last windows count in full
    expect(costs((x) => avgPool2d(x, 3, over), [2, 3, 8, 8])).toEqual(Array(2).fill(2 * 3 * 5 * 5 * 9));
  });

  test("what moves and normalises counts nothing", () => {
    expect(costs((x) => softmax(pixelShuffle(x, 2), 1), [1, 8, 3, 3])).toEqual([0, 0]);
  });
});

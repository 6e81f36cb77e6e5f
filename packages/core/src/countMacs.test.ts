import { beforeAll, describe, expect, test } from "vitest";

import { grad } from "./autograd.ts";
import { countMacs, formatMacs } from "./countMacs.ts";
import { setDevice } from "./device.ts";
import { explain } from "./explain.ts";
import { isRealized } from "./held.ts";
import { ones } from "./leaf.ts";
import { realize } from "./realize.ts";

beforeAll(() => setDevice("reference"));

describe("countMacs", () => {
  test("counts a matrix product by its formula: M*N sums of K products, for each matrix of the batch", () => {
    expect(countMacs(ones([5, 8]).matmul(ones([8, 3])))).toBe(5 * 3 * 8);
    expect(countMacs(ones([4, 1, 5, 8]).matmul(ones([2, 8, 3])))).toBe(4 * 2 * 5 * 3 * 8);
  });

  test("counts nothing for element-wise ops, layout and sums", () => {
    const x = ones([3, 4]);
    expect(countMacs(x, x.mul(x).add(1).reshape([4, 3]).exp().sum())).toBe(0);
    expect(countMacs()).toBe(0);
  });

  test("counts once what targets share, and the product that squares a matrix once", () => {
    const x = ones([6, 6]);
    const square = x.matmul(x);
    expect(countMacs(square, square, square.neg(), square.matmul(square))).toBe(2 * 6 ** 3);
  });

  test("counts the two products of a matrix product's gradient, and only those that are asked for", () => {
    const a = ones([5, 8], { requiresGrad: true });
    const b = ones([8, 3], { requiresGrad: true });
    const loss = a.matmul(b).exp().sum();
    const [da, db] = grad(loss, [a, b]);
    expect(countMacs(loss)).toBe(120);
    expect(countMacs(loss, da)).toBe(2 * 120);
    expect(countMacs(loss, da, db)).toBe(3 * 120);
  });

  test("computes nothing, and leaves out what is there already", async () => {
    const a = ones([5, 8], { requiresGrad: true });
    const hidden = a.matmul(ones([8, 3]));
    const y = hidden.matmul(ones([3, 2]));
    expect(countMacs(y)).toBe(150);
    expect(isRealized(hidden)).toBe(false);
    await realize(hidden);
    expect(countMacs(y)).toBe(30);
  });

  test("is what explain adds up", () => {
    const x = ones([6, 6]);
    const y = x.matmul(x).exp().matmul(x);
    const { steps, macs } = explain(y);
    expect(steps.map((step) => step.macs)).toEqual([216, 0, 216]);
    expect(macs).toBe(countMacs(y));
  });
});

test("formatMacs rounds to one decimal of the largest unit that leaves at least 1", () => {
  expect([0, 999, 1000, 1536, 999_949, 999_950, 1_451_229_184, 2e15].map(formatMacs)).toEqual([
    "0 MACs",
    "999 MACs",
    "1.0 kMACs",
    "1.5 kMACs",
    "999.9 kMACs",
    "1.0 MMACs",
    "1.5 GMACs",
    "2000.0 TMACs",
  ]);
});

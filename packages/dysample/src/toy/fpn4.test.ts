import { expect, test } from "vitest";

import { Random, zeros } from "@gridgrad/core";

import { Fpn4 } from "./fpn4.ts";

const network = new Fpn4("bilinear", { random: new Random(0) });

test("a picture of any size that 8 divides has logits for each of its pixels", () => {
  expect(network.forward(zeros([2, 3, 64, 64])).shape).toEqual([2, 6, 64, 64]);
  expect(network.forward(zeros([1, 3, 24, 40])).shape).toEqual([1, 6, 24, 40]);
});

test("a picture of another size, or with other channels, is refused by what must hold", () => {
  expect(() => network.forward(zeros([1, 3, 60, 60]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: Fpn4: x must be [N, 3, H, W] with H and W divisible by 8 (resize or pad the pictures), got x of shape [1, 3, 60, 60]]`,
  );
  for (const shape of [
    [1, 3, 64, 60],
    [1, 3, 60, 64],
    [1, 1, 64, 64],
    [3, 64, 64],
  ]) {
    expect(() => network.forward(zeros(shape))).toThrow(/^Fpn4: x must be \[N, 3, H, W\] with H and W divisible by 8/);
  }
});

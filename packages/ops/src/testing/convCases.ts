/** @file Random convolutions for tests, and what a convolution is: the list of its products. */

import { type Shape, type Tensor } from "@gridgrad/core";
import { dims } from "@gridgrad/core/testing";
import fc from "fast-check";

import { conv2d } from "../ops/conv2d.ts";
import type { Windows } from "../windows.ts";

export type ConvCaseOptions = Omit<Windows, "kernel"> & { readonly groups: number };

/** A convolution of `x` with `weight`, and `dy` of the shape of the result. */
export interface ConvCase {
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly dy: Tensor;
  readonly options: ConvCaseOptions;
}

/** Convolutions of small images, with all options at random and other ones along the height than along the width. */
export function convCases(
  values: (shape: Shape) => fc.Arbitrary<Tensor>,
  { groups: mostGroups = 2 }: { groups?: number } = {},
): fc.Arbitrary<ConvCase> {
  const pair = (least: number, most: number) => fc.tuple(dims(least, most), dims(least, most));
  return fc
    .record({
      N: dims(1, 2),
      channels: fc.tuple(dims(1, 2), dims(1, 3)), // per group
      groups: dims(1, mostGroups),
      kernel: pair(1, 3),
      stride: pair(1, 3),
      padding: pair(0, 2),
      dilation: pair(1, 2),
      room: pair(0, 4),
    })
    .chain(({ N, channels: [C, O], groups, kernel, stride, padding, dilation, room }) => {
      const along = (axis: 0 | 1): number =>
        Math.max(1, dilation[axis] * (kernel[axis] - 1) + 1 - 2 * padding[axis]) + room[axis];
      const options = { stride, padding, dilation, groups };
      return fc
        .tuple(values([N, C * groups, along(0), along(1)]), values([O * groups, C, ...kernel]))
        .chain(([x, weight]) =>
          values(conv2d(x, weight, null, options).shape).map((dy) => ({ x, weight, dy, options })),
        );
    });
}

/**
 * The definition of a convolution: visits each product w[wAt] x[xAt] that y[yAt] is a sum of. So dx[xAt] is the sum of w[wAt] dy[yAt], and
 * dw[wAt] that of x[xAt] dy[yAt].
 */
export function visitProducts(
  { x, weight, dy, options: { stride, padding, dilation, groups } }: ConvCase,
  visit: (yAt: number, wAt: number, xAt: number) => void,
): void {
  const [N, C, H, W] = x.shape;
  const [O, groupC, KH, KW] = weight.shape;
  const [, , P, Q] = dy.shape;
  for (let n = 0; n < N; n++)
    for (let o = 0; o < O; o++)
      for (let p = 0; p < P; p++)
        for (let q = 0; q < Q; q++)
          for (let c = 0; c < groupC; c++)
            for (let kh = 0; kh < KH; kh++)
              for (let kw = 0; kw < KW; kw++) {
                const h = p * stride[0] - padding[0] + kh * dilation[0];
                const w = q * stride[1] - padding[1] + kw * dilation[1];
                if (h < 0 || h >= H || w < 0 || w >= W) continue;
                const channel = Math.floor(o / (O / groups)) * groupC + c;
                visit(
                  ((n * O + o) * P + p) * Q + q,
                  ((o * groupC + c) * KH + kh) * KW + kw,
                  ((n * C + channel) * H + h) * W + w,
                );
              }
}

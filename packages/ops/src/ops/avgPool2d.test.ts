import { add, apply, div, full, grad, ones, size, type Tensor, tensor, zeros } from "@gridgrad/core";
import { dims, dot, integers, reals } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { convRuns } from "../testing/convRuns.ts";
import { expectSame } from "../testing/expectSame.ts";
import type { Pair } from "../windows.ts";
import { avgPool2d, avgPool2dInputOp } from "./avgPool2d.ts";
import { conv2d } from "./conv2d.ts";

/** Images in multiples of 36 = lcm(1, .., 9, 6) that divide into whole means, and windows, all options at random. */
const cases = fc
  .record({
    lead: fc.tuple(dims(1, 2), dims(1, 2)),
    kernel: fc.tuple(dims(1, 3), dims(1, 3)),
    stride: fc.tuple(dims(1, 4), dims(1, 4)),
    half: fc.tuple(dims(0, 1), dims(0, 1)),
    room: fc.tuple(dims(0, 4), dims(0, 4)),
    countIncludePad: fc.boolean(),
    ceilMode: fc.boolean(),
    divisorOverride: fc.constantFrom(undefined, undefined, 2, -3),
  })
  .chain(({ lead, kernel, stride, half, room, countIncludePad, ceilMode, divisorOverride }) => {
    const padding = [0, 1].map((axis) => Math.min(half[axis], Math.floor(kernel[axis] / 2))) as unknown as Pair;
    const along = (axis: 0 | 1): number => Math.max(1, kernel[axis] - 2 * padding[axis]) + room[axis];
    const options = { stride, padding, countIncludePad, ceilMode, divisorOverride };
    const whole = (t: Tensor): Tensor =>
      tensor(
        t.values!.map((value) => value * 36),
        t.shape,
      );
    return integers([...lead, along(0), along(1)]).chain((x) =>
      fc.record({
        x: fc.constant(whole(x)),
        kernel: fc.constant(kernel),
        options: fc.constant(options),
        dy: integers(avgPool2d(x, kernel, options).shape).map(whole),
      }),
    );
  });

describeOp(avgPool2d, {
  byHand: {
    "takes the mean of each window, windows side by side": async () => {
      const x = tensor([1, 2, 5, 6, 3, 4, 7, 8], [1, 1, 2, 4]);
      expect(await avgPool2d(x, 2).array()).toEqual([[[[2.5, 6.5]]]]);
      expect(await avgPool2d(x, [1, 4]).array()).toEqual([[[[3.5], [5.5]]]]);
      expect(await avgPool2d(x, [2, 1], { stride: [1, 3] }).array()).toEqual([[[[2, 7]]]]);
    },
    "counts the padding as zeros, unless told otherwise": async () => {
      const x = tensor([2, 4, 8], [1, 1, 1, 3]);
      expect(await avgPool2d(x, [1, 2], { stride: 1, padding: [0, 1] }).array()).toEqual([[[[1, 3, 6, 4]]]]);
      const options = { stride: 1, padding: [0, 1], countIncludePad: false } as const;
      expect(await avgPool2d(x, [1, 2], options).array()).toEqual([[[[2, 3, 6, 8]]]]);
    },
    "gives what is left over at the end a window, if told so, and counts nothing beyond the padding": async () => {
      const x = tensor([2, 4, 8, 6, 10], [1, 1, 1, 5]);
      const pool = (kernel: number, options: object): Promise<unknown> =>
        avgPool2d(x, [1, kernel], { ceilMode: true, ...options }).data();
      expect(await pool(2, {})).toEqual(Float32Array.of(3, 7, 10));
      expect(await pool(2, { ceilMode: false })).toEqual(Float32Array.of(3, 7));
      // Windows at -1 and 2: one at 5 would begin in the padding. With 2 pixels of padding there are three, the last one
      // with a pixel that does not count.
      expect(await pool(2, { stride: [1, 3], padding: [0, 1] })).toEqual(Float32Array.of(1, 7));
      expect(await pool(4, { stride: [1, 3], padding: [0, 1] })).toEqual(Float32Array.of(3.5, 6));
      expect(await pool(4, { stride: [1, 3], padding: [0, 2] })).toEqual(Float32Array.of(1.5, 7, 10 / 3));
      expect(await pool(4, { stride: [1, 3], padding: [0, 2], countIncludePad: false })).toEqual(
        Float32Array.of(3, 7, 10),
      );
      const [dx] = grad(avgPool2d(x, [1, 2], { ceilMode: true }).sum(), [x]);
      expect(await dx.data()).toEqual(Float32Array.of(0.5, 0.5, 0.5, 0.5, 1));
    },
    "divides all sums by a given number": async () => {
      const x = tensor([2, 4, 8], [1, 1, 1, 3]);
      const options = { padding: [0, 1], ceilMode: true, countIncludePad: false, divisorOverride: -4 } as const;
      expect(await avgPool2d(x, [1, 2], options).array()).toEqual([[[[-0.5, -3]]]]);
      const [dx] = grad(avgPool2d(x, [1, 2], options).sum(), [x]);
      expect(await dx.array()).toEqual([[[[-0.25, -0.25, -0.25]]]]);
      expect(await avgPool2d(x, [1, 2], { divisorOverride: 1 }).array()).toEqual([[[[6]]]]);
    },
    "shares the gradient among the pixels of a window": async () => {
      const x = zeros([1, 1, 1, 3]);
      const [dx] = grad(avgPool2d(x, [1, 2], { stride: 1 }).sum(), [x]);
      expect(await dx.array()).toEqual([[[[0.5, 1, 0.5]]]]);
    },
  },

  golden: { cases: ["network/pool/avg_*", "arithmetic/pool/avg_pool2d_*"], run: convRuns.avg_pool2d },

  laws: {
    "is the mean over each window, for all options": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, kernel, options }) => {
          const { stride, padding, countIncludePad, divisorOverride } = options;
          const y = avgPool2d(x, kernel, options);
          const [, , H, W] = x.shape;
          const [, , P, Q] = y.shape;
          const expected = Float32Array.from({ length: size(y.shape) }, (_, i) => {
            const plane = Math.floor(i / (P * Q)) * H * W;
            const [top, left] = [(Math.floor(i / Q) % P) * stride[0] - padding[0], (i % Q) * stride[1] - padding[1]];
            let [total, count] = [0, 0];
            for (let h = top; h < top + kernel[0]; h++)
              for (let w = left; w < left + kernel[1]; w++) {
                const inside = h >= 0 && h < H && w >= 0 && w < W;
                if (inside) total += x.values![plane + h * W + w];
                const padded = h < H + padding[0] && w < W + padding[1];
                if (inside || (countIncludePad && padded)) count++;
              }
            return total / (divisorOverride ?? count);
          });
          expect(await y.data()).toEqual(expected);
        }),
        { numRuns: 300 },
      ),
    "of a constant is that constant, unless zeros count": () =>
      fc.assert(
        fc.asyncProperty(cases, fc.integer(), async ({ x, kernel, options }, k) => {
          const constant = full(x.shape, k / 1024);
          const y = avgPool2d(constant, kernel, { ...options, countIncludePad: false, divisorOverride: undefined });
          expect(await y.array()).toEqual(await full(y.shape, k / 1024).array());
          const inside = avgPool2d(full([1, 1, 4, 5], k / 1024), kernel);
          expect(await inside.array()).toEqual(await full(inside.shape, k / 1024).array());
        }),
      ),
    "is linear": () =>
      fc.assert(
        fc.asyncProperty(
          cases.chain((given) => fc.tuple(fc.constant(given), integers(given.x.shape))),
          async ([{ x, kernel, options }, x2]) => {
            const pool = (t: Tensor): Tensor => avgPool2d(t.cast("float64"), kernel, options);
            await expectSame(pool(add(x, x2)), add(pool(x), pool(x2)));
          },
        ),
      ),
    "satisfies the adjoint identity dy . f(x) = vjp(dy) . x": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, kernel, options, dy }) => {
          const y = avgPool2d(x, kernel, options);
          const [dx] = grad(y, [x], { gradOutput: dy });
          expect(dot(await dx.data(), await x.data())).toBe(dot(await dy.data(), await y.data()));
        }),
      ),
    "with zeros that count is a convolution of each channel with 1/(KH*KW)": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, kernel, options: { stride, padding } }) => {
          const C = x.shape[1];
          const weight = full([C, 1, ...kernel], 1 / (kernel[0] * kernel[1]), { dtype: "float64" });
          const wide = x.cast("float64");
          await expectSame(
            avgPool2d(wide, kernel, { stride, padding }),
            conv2d(wide, weight, null, { stride, padding, groups: C }),
          );
        }),
      ),
    "without zeros that count is the mean with them, divided by the mean of ones": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, kernel, options: { stride, padding, ceilMode } }) => {
          const wide = x.cast("float64");
          const pool = (t: Tensor): Tensor => avgPool2d(t, kernel, { stride, padding, ceilMode });
          await expectSame(
            avgPool2d(wide, kernel, { stride, padding, ceilMode, countIncludePad: false }),
            div(pool(wide), pool(ones(x.shape, { dtype: "float64" }))),
          );
        }),
      ),
  },

  gradients: {
    x: {
      f(x) {
        const y = avgPool2d(x, [2, 3], { stride: [1, 2], padding: 1 });
        return y.mul(y); // curved, so that there is something to find in the second order
      },
      inputs: fc.tuple(reals([2, 1, 3, 4])),
      numRuns: 25,
    },
    "with a last window that reaches over": {
      f(x) {
        const y = avgPool2d(x, 3, { stride: 2, padding: [1, 0], ceilMode: true });
        return y.mul(y);
      },
      inputs: fc.tuple(reals([1, 2, 4, 4])),
      numRuns: 25,
    },
    "with halves of odd sizes": {
      f(x) {
        const y = avgPool2d(x, 2, { ceilMode: true });
        return y.mul(y);
      },
      inputs: fc.tuple(reals([1, 2, 5, 9])),
      numRuns: 25,
    },
    "with a given divisor": {
      f(x) {
        const y = avgPool2d(x, 2, { padding: 1, divisorOverride: 3 });
        return y.mul(y);
      },
      inputs: fc.tuple(reals([1, 2, 5, 4])),
      numRuns: 25,
    },
    "of the gradient for x": {
      f: (dy) =>
        apply(avgPool2dInputOp, [dy.mul(dy)], {
          kernel: [2, 2],
          stride: [2, 1],
          padding: [1, 0],
          dilation: [1, 1],
          ceilMode: true,
          countIncludePad: false,
          divisorOverride: 0,
          size: [3, 3],
        }),
      inputs: fc.tuple(reals([1, 2, 2, 2])),
      numRuns: 25,
    },
  },

  errors: {
    "another rank": () => {
      expect(() => avgPool2d(zeros([4, 4]), 2)).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: avgPool2d: x must be [N, C, H, W], got x of shape [4, 4]]`,
      );
    },
    "a window larger than the padded image": () => {
      expect(() => avgPool2d(zeros([1, 3, 2, 4]), 5, { padding: 1 })).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: avgPool2d: windows of 5x5 pixels must fit into x, padded to 4x6, got x of shape [1, 3, 2, 4]]`,
      );
    },
    "a padding of more than half the kernel": () => {
      expect(() => avgPool2d(zeros([1, 3, 4, 4]), 3, { padding: [1, 2] })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: avgPool2d: padding must be at most half of kernelSize [3, 3], got [1, 2]]`,
      );
    },
    "a divisor that is none": () => {
      const pool = (divisorOverride: number): Tensor => avgPool2d(zeros([1, 3, 4, 4]), 2, { divisorOverride });
      expect(() => pool(0)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: avgPool2d: divisorOverride must be an integer other than 0, got 0]`,
      );
      expect(() => pool(0.5)).toThrow("divisorOverride must be an integer other than 0, got 0.5");
    },
    "a stride of zero": () => {
      expect(() => avgPool2d(zeros([1, 3, 4, 4]), 2, { stride: 0 })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: avgPool2d: stride must be an integer of at least 1, or a pair [h, w] of them, got 0]`,
      );
    },
    "gradients that are not of the pooled shape": () => {
      const windows = { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1], ceilMode: false } as const;
      const attrs = { ...windows, countIncludePad: true, divisorOverride: 0, size: [4, 4] } as const;
      expect(() => apply(avgPool2dInputOp, [zeros([1, 1, 3, 2])], attrs)).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: avgPool2dInput: dy must be of shape [1, 1, 2, 2], got dy of shape [1, 1, 3, 2]]`,
      );
    },
  },
});

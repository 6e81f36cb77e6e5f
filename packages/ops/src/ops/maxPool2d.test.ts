import { add, apply, grad, leaf, mul, type Shape, size, type Tensor, tensor, zeros } from "@gridgrad/core";
import { dims, dot, integers } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { convRuns } from "../testing/convRuns.ts";
import type { Pair, PairLike, PoolWindows } from "../windows.ts";
import { maxPool2d, maxPool2dInputOp, type MaxPoolOptions, takeLargestOp } from "./maxPool2d.ts";

/** Images and windows, all options at random. Few different values, so that there are ties. */
const cases = fc
  .record({
    lead: fc.tuple(dims(1, 2), dims(1, 2)),
    kernel: fc.tuple(dims(1, 3), dims(1, 3)),
    stride: fc.tuple(dims(1, 3), dims(1, 3)),
    half: fc.tuple(dims(0, 1), dims(0, 1)),
    dilation: fc.tuple(dims(1, 2), dims(1, 2)),
    room: fc.tuple(dims(0, 4), dims(0, 4)),
    ceilMode: fc.boolean(),
  })
  .chain(({ lead, kernel, stride, half, dilation, room, ceilMode }) => {
    const padding = [0, 1].map((axis) => Math.min(half[axis], Math.floor(kernel[axis] / 2))) as unknown as Pair;
    const along = (axis: 0 | 1): number =>
      Math.max(1, dilation[axis] * (kernel[axis] - 1) + 1 - 2 * padding[axis]) + room[axis];
    const options: MaxPoolOptions = { stride, padding, dilation, ceilMode };
    const windows: PoolWindows = { kernel, stride, padding, dilation, ceilMode };
    return integers([...lead, along(0), along(1)], { min: -3, max: 3 }).chain((x) => {
      const { shape } = maxPool2d(x, kernel, options);
      return fc.record({
        x: fc.constant(x),
        windows: fc.constant(windows),
        options: fc.constant(options),
        dy: integers(shape),
        dx: integers(x.shape),
      });
    });
  });

/** The definition: where the first largest pixel of each window lies; `undefined` for a window that is all padding. */
function placesOfLargest(
  x: Tensor,
  y: Shape,
  { kernel, stride, padding, dilation }: PoolWindows,
): (number | undefined)[] {
  const [, , H, W] = x.shape;
  const [, , P, Q] = y;
  return Array.from({ length: size(y) }, (_, i) => {
    const plane = Math.floor(i / (P * Q)) * H * W;
    const [p, q] = [Math.floor(i / Q) % P, i % Q];
    const places: number[] = [];
    for (let kh = 0; kh < kernel[0]; kh++)
      for (let kw = 0; kw < kernel[1]; kw++) {
        const h = p * stride[0] - padding[0] + kh * dilation[0];
        const w = q * stride[1] - padding[1] + kw * dilation[1];
        if (h >= 0 && h < H && w >= 0 && w < W) places.push(plane + h * W + w);
      }
    const largest = Math.max(...places.map((place) => x.values![place]));
    return places.find((place) => x.values![place] === largest);
  });
}

/** Values in random order, all far enough apart that no finite difference changes which one is the largest. */
function distinct(shape: Shape): fc.Arbitrary<Tensor> {
  const n = size(shape);
  const numbers = Array.from({ length: n }, (_, i) => (i - n / 2) / 8);
  return fc
    .shuffledSubarray(numbers, { minLength: n })
    .map((values) => leaf(shape, "float64", Float64Array.from(values)));
}

/** Windows of 2 by 2, side by side. */
const side: PoolWindows = { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1], ceilMode: false };

describeOp(maxPool2d, {
  byHand: {
    "takes the largest of each window, windows side by side": async () => {
      const x = tensor([1, 2, 5, 6, 3, 4, 8, 7], [1, 1, 2, 4]);
      expect(await maxPool2d(x, 2).array()).toEqual([[[[4, 8]]]]);
      expect(await maxPool2d(x, [1, 2]).array()).toEqual([
        [
          [
            [2, 6],
            [4, 8],
          ],
        ],
      ]);
      expect(await maxPool2d(x, [2, 3], { stride: 1 }).array()).toEqual([[[[8, 8]]]]);
    },
    "gives what is left over at the end a window, if told so and where that begins inside": async () => {
      const x = tensor([5, 1, 2, 3, 4], [1, 1, 1, 5]);
      const pool = (kernel: number, options: object): Promise<unknown> =>
        maxPool2d(x, [1, kernel], { ceilMode: true, ...options }).data();
      expect(await pool(2, {})).toEqual(Float32Array.of(5, 3, 4));
      expect(await pool(2, { ceilMode: false })).toEqual(Float32Array.of(5, 3));
      expect(await pool(3, { stride: [1, 2] })).toEqual(Float32Array.of(5, 4));
      expect(await pool(1, { stride: [1, 3] })).toEqual(Float32Array.of(5, 3)); // a third one would begin at 6
      expect(await pool(2, { stride: [1, 3], padding: [0, 1] })).toEqual(Float32Array.of(5, 3)); // at 5: in the padding
      expect(await pool(3, { stride: [1, 5], dilation: [1, 3] })).toEqual(Float32Array.of(5)); // 7 pixels in all
      const [dx] = grad(maxPool2d(x, [1, 2], { ceilMode: true }).sum(), [x]);
      expect(await dx.data()).toEqual(Float32Array.of(1, 0, 0, 1, 1));
    },
    "never takes the padding": async () => {
      const x = tensor([-1, -2, -3], [1, 1, 1, 3]);
      expect(await maxPool2d(x, [1, 2], { padding: [0, 1] }).array()).toEqual([[[[-1, -2]]]]);
    },
    "gives the gradient to the first of equal ones": async () => {
      const x = tensor([7, 1, 7, 7], [1, 1, 2, 2]);
      const [dx] = grad(maxPool2d(x, 2).sum(), [x]);
      expect(await dx.array()).toEqual([
        [
          [
            [1, 0],
            [0, 0],
          ],
        ],
      ]);
    },
    "adds the gradients of windows that share their largest": async () => {
      const x = tensor([1, 9, 2], [1, 1, 1, 3]);
      const [dx] = grad(maxPool2d(x, [1, 2], { stride: 1 }).sum(), [x]);
      expect(await dx.array()).toEqual([[[[0, 2, 0]]]]);
    },
    "passes NaN on, and -Infinity where there is nothing larger": async () => {
      const x = tensor([1, NaN, 2, 3, -Infinity, -Infinity], [1, 1, 1, 6]);
      expect(await maxPool2d(x, [1, 2]).data()).toEqual(new Float32Array([NaN, 3, -Infinity]));
      const [dx] = grad(maxPool2d(x, [1, 2]).sum(), [x]);
      expect(await dx.data()).toEqual(new Float32Array([0, 1, 0, 1, 1, 0]));
    },
    "is -Infinity, without a gradient, for a dilated window that is all padding": async () => {
      const x = tensor([1, 2], [1, 1, 1, 2]);
      const y = maxPool2d(x, [1, 2], { padding: [0, 1], dilation: 3 });
      const [dx] = grad(y, [x], { gradOutput: tensor([5], [1, 1, 1, 1]) });
      expect(await y.data()).toEqual(new Float32Array([-Infinity]));
      expect(await dx.data()).toEqual(new Float32Array([0, 0]));
    },
  },

  golden: { cases: ["network/pool/max_*", "arithmetic/pool/max_pool2d_*"], run: convRuns.max_pool2d },

  laws: {
    "has a last window more with ceilMode where one begins inside of x or the padding before it, and no other": () =>
      fc.assert(
        fc.property(cases, ({ x, windows, options }) => {
          const counts = (ceilMode: boolean): Shape => maxPool2d(x, windows.kernel, { ...options, ceilMode }).shape;
          const [down, up] = [counts(false), counts(true)];
          for (const axis of [0, 1]) {
            const { stride, padding, kernel, dilation } = windows;
            const pixels = x.shape[2 + axis];
            const start = down[2 + axis] * stride[axis] - padding[axis]; // of one window more
            const last = pixels + padding[axis] - 1; // of the padded image; a window's may be stride - 1 farther
            const fits = start < pixels && start + dilation[axis] * (kernel[axis] - 1) <= last + stride[axis] - 1;
            expect(up[2 + axis]).toBe(down[2 + axis] + (fits ? 1 : 0));
          }
        }),
        { numRuns: 300 },
      ),
    "takes the largest pixel of each window, and gives the gradient to the first of them, for all options": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, windows, options, dy }) => {
          const y = maxPool2d(x, windows.kernel, options);
          const [dx] = grad(y, [x], { gradOutput: dy });
          const places = placesOfLargest(x, y.shape, windows);
          const expected = new Float32Array(x.size);
          places.forEach((place, i) => {
            if (place !== undefined) expected[place] += dy.values![i];
          });
          expect(await y.data()).toEqual(
            Float32Array.from(places, (place) => (place === undefined ? -Infinity : x.values![place])),
          );
          expect(await dx.data()).toEqual(expected.map((value) => value + 0)); // -0 to 0
        }),
        { numRuns: 300 },
      ),
    "commutes with increasing functions": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, windows, options }) => {
          const pool = (t: Tensor): Tensor => maxPool2d(t, windows.kernel, options);
          const rise = (t: Tensor): Tensor => add(mul(mul(t, t), t), 1);
          expect(await pool(rise(x)).array()).toEqual(await rise(pool(x)).array());
        }),
      ),
    "with a window of one pixel is the identity": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x }) => {
          expect(await maxPool2d(x, 1).array()).toEqual(await x.array());
        }),
      ),
    "takes and puts back by transposes of each other: put(dy) . d = dy . take(d)": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, windows, dy, dx: d }) => {
          const put = apply(maxPool2dInputOp, [dy, x], windows);
          const take = apply(takeLargestOp, [d, x], windows);
          const forward = dot(await put.data(), await d.data());
          expect(dot(await dy.data(), await take.data())).toBe(forward);
        }),
      ),
  },

  gradients: {
    x: {
      f(x) {
        const y = maxPool2d(x, 2, { stride: 1 });
        return mul(y, y); // curved, so that there is something to find in the second order
      },
      inputs: fc.tuple(distinct([1, 2, 3, 4])),
      numRuns: 25,
    },
    "with padding, stride and dilation": {
      f(x) {
        const y = maxPool2d(x, [3, 2], { stride: [2, 1], padding: 1, dilation: [1, 2] });
        return mul(y, y);
      },
      inputs: fc.tuple(distinct([1, 1, 4, 4])),
      numRuns: 25,
    },
    "with a last window that reaches over": {
      f(x) {
        const y = maxPool2d(x, [3, 2], { stride: 2, padding: [1, 0], ceilMode: true });
        return mul(y, y);
      },
      inputs: fc.tuple(distinct([1, 1, 4, 5])),
      numRuns: 25,
    },
    "with halves of odd sizes": {
      f(x) {
        const y = maxPool2d(x, 2, { ceilMode: true });
        return mul(y, y);
      },
      inputs: fc.tuple(distinct([1, 2, 5, 9])),
      numRuns: 25,
    },
    "of taking and of putting back": {
      f(d, x) {
        const windows: PoolWindows = { ...side, stride: [1, 1] };
        const taken = apply(takeLargestOp, [mul(d, d), x], windows);
        return apply(maxPool2dInputOp, [mul(taken, taken), x], windows);
      },
      inputs: fc.tuple(distinct([1, 1, 3, 3]), distinct([1, 1, 3, 3])),
      numRuns: 25,
    },
  },

  errors: {
    "another rank": () => {
      expect(() => maxPool2d(zeros([3, 4, 4]), 2)).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: maxPool2d: x must be [N, C, H, W], got x of shape [3, 4, 4]]`,
      );
    },
    "a window larger than the padded image": () => {
      expect(() =>
        maxPool2d(zeros([1, 3, 2, 4]), 3, { dilation: [2, 1], padding: 1 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: maxPool2d: windows of 5x3 pixels must fit into x, padded to 4x6, got x of shape [1, 3, 2, 4]]`,
      );
    },
    "a window that reaches too far beyond the image, with ceilMode": () => {
      const pool = (stride: number): Tensor => maxPool2d(zeros([1, 3, 2, 4]), 4, { stride, ceilMode: true });
      expect(pool(3).shape).toEqual([1, 3, 1, 1]);
      expect(() => pool(2)).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: maxPool2d: windows of 4x4 pixels must fit into x, padded to 2x4 and at most 1x1 pixels more, got x of shape [1, 3, 2, 4]]`,
      );
    },
    "a padding of more than half the kernel": () => {
      expect(() => maxPool2d(zeros([1, 3, 4, 4]), [2, 3], { padding: 2 })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: maxPool2d: padding must be at most half of kernelSize [2, 3], got [2, 2]]`,
      );
    },
    "a kernel of no pixels": () => {
      expect(() => maxPool2d(zeros([1, 3, 4, 4]), 0)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: maxPool2d: kernelSize must be an integer of at least 1, or a pair [h, w] of them, got 0]`,
      );
    },
    "a stride that is no integer": () => {
      expect(() => maxPool2d(zeros([1, 3, 4, 4]), 2, { stride: NaN })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: maxPool2d: stride must be an integer of at least 1, or a pair [h, w] of them, got NaN]`,
      );
    },
    "a dilation of zero": () => {
      expect(() => maxPool2d(zeros([1, 3, 4, 4]), 2, { dilation: [0, 1] })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: maxPool2d: dilation must be an integer of at least 1, or a pair [h, w] of them, got [0, 1]]`,
      );
    },
    "numbers beyond those that kernels count with": () => {
      const pool = (options: MaxPoolOptions) => () => maxPool2d(zeros([1, 3, 4, 4]), 2, options);
      expect(pool({ stride: 2 ** 31 })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: maxPool2d: stride must be at most 2147483647, got 2147483648]`,
      );
      expect(pool({ dilation: [1, 2 ** 53] })).toThrow(
        "dilation must be at most 2147483647, got [1, 9007199254740992]",
      );
      expect(pool({ stride: 2 ** 31 - 1 })().shape).toEqual([1, 3, 1, 1]);
    },
    "windows of more pixels than a picture can have": () => {
      const pool = (kernelSize: PairLike, options: MaxPoolOptions) => () =>
        maxPool2d(zeros([1, 3, 4, 4]), kernelSize, { ceilMode: true, ...options });
      expect(pool(2 ** 20, {})).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: maxPool2d: a window must have at most 268435456 pixels, and span at most 2147483647 along each axis, got 1048576x1048576 pixels over 1048576x1048576]`,
      );
      expect(pool(3, { stride: 2 ** 31 - 1, dilation: 2 ** 30 })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: maxPool2d: a window must have at most 268435456 pixels, and span at most 2147483647 along each axis, got 3x3 pixels over 2147483649x2147483649]`,
      );
      expect(pool([2 ** 20, 1], {})().shape).toEqual([1, 3, 1, 4]);
    },
    "gradients that are not of the pooled shape": () => {
      expect(() =>
        apply(maxPool2dInputOp, [zeros([1, 1, 3, 2]), zeros([1, 1, 4, 4])], side),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: maxPool2dInput: dy must have the shape of the pooled x, got dy of shape [1, 1, 3, 2] and x of shape [1, 1, 4, 4]]`,
      );
      expect(() =>
        apply(takeLargestOp, [zeros([1, 1, 4, 5]), zeros([1, 1, 4, 4])], side),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: takeLargest: d must have the shape of x, got d of shape [1, 1, 4, 5] and x of shape [1, 1, 4, 4]]`,
      );
    },
  },
});

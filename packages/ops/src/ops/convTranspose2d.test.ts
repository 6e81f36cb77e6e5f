import { add, apply, flip, grad, ones, slice, type Tensor, tensor, transpose, unsliceOp, zeros } from "@gridgrad/core";
import { dims, dot, integers, reals } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { type ConvCase, convCases, visitProducts } from "../testing/convCases.ts";
import { convRuns } from "../testing/convRuns.ts";
import { conv2d } from "./conv2d.ts";
import { convTranspose2d } from "./convTranspose2d.ts";

/** Transposes the convolution of a case: dy is the input, and the case's image has the shape of the output. */
function transposedOf({ x, weight, dy, options }: ConvCase, input = dy, kernel = weight): Tensor {
  const outputPadding = [0, 1].map((axis) => {
    const window = options.dilation[axis] * (weight.shape[2 + axis] - 1) + 1;
    return x.shape[2 + axis] + 2 * options.padding[axis] - window - (dy.shape[2 + axis] - 1) * options.stride[axis];
  });
  return convTranspose2d(input, kernel, null, { ...options, outputPadding: [outputPadding[0], outputPadding[1]] });
}

describeOp(convTranspose2d, {
  byHand: {
    "spreads each pixel over a window and adds where windows overlap": async () => {
      const x = tensor([1, 2, 3], [1, 1, 1, 3]);
      const weight = tensor([1, 10, 100], [1, 1, 1, 3]);
      expect(await convTranspose2d(x, weight).data()).toEqual(new Float32Array([1, 12, 123, 230, 300]));
      expect(await convTranspose2d(x, weight, null, { padding: [0, 1] }).data()).toEqual(
        new Float32Array([12, 123, 230]),
      );
      expect(await convTranspose2d(x, weight, null, { stride: [1, 3] }).data()).toEqual(
        new Float32Array([1, 10, 100, 2, 20, 200, 3, 30, 300]),
      );
    },
    "is 0, and so are its gradients, where a pixel goes beside the result": async () => {
      const [x, weight] = [ones([1, 4, 1, 1]), ones([4, 4, 1, 1])];
      const y = convTranspose2d(x, weight, null, { stride: 3, padding: 1, outputPadding: 2 });
      expect(y.shape).toEqual([1, 4, 1, 1]);
      const [dx, dw] = grad(y, [x, weight], { gradOutput: ones(y.shape) });
      for (const each of [y, dx, dw]) expect(new Set(await each.data())).toEqual(new Set([0]));
    },
    "doubles the size with stride 2": async () => {
      const y = convTranspose2d(tensor([1, 2], [1, 1, 1, 2]), tensor([1, 2, 3, 4], [1, 1, 2, 2]), null, { stride: 2 });
      expect(await y.array()).toEqual([
        [
          [
            [1, 2, 2, 4],
            [3, 4, 6, 8],
          ],
        ],
      ]);
    },
    "turns C channels into O and adds a bias per output channel": async () => {
      const x = tensor([1, 2], [1, 2, 1, 1]);
      const weight = tensor([1, 10, 100, 3, 30, 300], [2, 3, 1, 1]);
      expect(await convTranspose2d(x, weight, tensor([0, 0, 0.5])).data()).toEqual(new Float32Array([7, 70, 700.5]));
    },
    "makes room at the end for outputPadding, a whole stride of it too": async () => {
      const x = tensor([1, 2], [1, 1, 1, 2]);
      const weight = tensor([1, 10], [1, 1, 1, 2]);
      expect(await convTranspose2d(x, weight, null, { stride: 2, outputPadding: [0, 1] }).array()).toEqual([
        [[[1, 10, 2, 20, 0]]],
      ]);
      const options = { dilation: [1, 3], padding: [0, 1], outputPadding: [0, 2] } as const;
      expect(await convTranspose2d(x, weight, null, options).array()).toEqual([[[[2, 0, 10, 20, 0]]]]);
    },
    "of no images has no images": async () => {
      expect(convTranspose2d(zeros([0, 2, 3, 3]), zeros([2, 4, 2, 2]), null, { stride: 2 }).shape).toEqual([
        0, 4, 6, 6,
      ]);
      expect(await convTranspose2d(zeros([0, 2, 3, 3]), zeros([2, 4, 2, 2])).data()).toEqual(new Float32Array(0));
    },
  },

  golden: {
    cases: ["network/conv_transpose2d/*", "arithmetic/conv/conv_transpose2d_*"],
    run: convRuns.conv_transpose2d,
  },

  laws: {
    "is the sum of products that defines it, for all options": () =>
      fc.assert(
        fc.asyncProperty(convCases(integers), async (given) => {
          const [w, input] = [await given.weight.data(), await given.dy.data()];
          const y = new Float32Array(given.x.size);
          visitProducts(given, (inputAt, wAt, yAt) => (y[yAt] += w[wAt] * input[inputAt]));
          expect(await transposedOf(given).data()).toEqual(y.map((value) => value + 0)); // -0 to 0
          expect(transposedOf(given).shape).toEqual(given.x.shape);
        }),
        { numRuns: 200 },
      ),
    "is the adjoint of conv2d: transposed(dy) . x = dy . conv2d(x)": () =>
      fc.assert(
        fc.asyncProperty(convCases(integers), async (given) => {
          const y = conv2d(given.x, given.weight, null, given.options);
          expect(dot(await transposedOf(given).data(), await given.x.data())).toBe(
            dot(await given.dy.data(), await y.data()),
          );
        }),
      ),
    "has conv2d as its gradient, and satisfies the adjoint identity for the weight": () =>
      fc.assert(
        fc.asyncProperty(convCases(integers), async (given) => {
          const y = transposedOf(given);
          const [dx, dw] = grad(y, [given.dy, given.weight], { gradOutput: given.x });
          expect(await dx.array()).toEqual(await conv2d(given.x, given.weight, null, given.options).array());
          expect(dot(await dw.data(), await given.weight.data())).toBe(dot(await given.x.data(), await y.data()));
        }),
      ),
    "is linear in x and in the weight": () =>
      fc.assert(
        fc.asyncProperty(
          convCases(integers).chain((given) =>
            fc.tuple(fc.constant(given), integers(given.dy.shape), integers(given.weight.shape)),
          ),
          async ([given, x2, weight2]) => {
            const y = transposedOf(given);
            expect(await transposedOf(given, add(given.dy, x2)).array()).toEqual(
              await add(y, transposedOf(given, x2)).array(),
            );
            expect(await transposedOf(given, given.dy, add(given.weight, weight2)).array()).toEqual(
              await add(y, transposedOf(given, given.dy, weight2)).array(),
            );
          },
        ),
      ),
    "is conv2d, with the kernel mirrored, of x with zeros between its pixels": () =>
      fc.assert(
        fc.asyncProperty(
          fc
            .tuple(dims(1, 2), dims(1, 2), dims(1, 3), dims(1, 3), fc.tuple(dims(1, 3), dims(1, 3)), dims(1, 3))
            .chain(([C, O, P, Q, kernel, stride]) =>
              fc.record({
                x: integers([1, C, P, Q]),
                weight: integers([C, O, ...kernel]),
                stride: fc.constant(stride),
              }),
            ),
          async ({ x, weight, stride }) => {
            const steps = [1, 1, stride, stride];
            const whole = x.shape.map((n, axis) => (n - 1) * steps[axis] + 1);
            const stuffed = apply(unsliceOp, [x], { starts: [0, 0, 0, 0], steps, part: x.shape, whole });
            const [, , KH, KW] = weight.shape;
            const mirrored = flip(transpose(weight, 0, 1), [2, 3]);
            expect(await convTranspose2d(x, weight, null, { stride }).array()).toEqual(
              await conv2d(stuffed, mirrored, null, { padding: [KH - 1, KW - 1] }).array(),
            );
          },
        ),
      ),
    "with outputPadding is what it is without, with more rows and columns at the end": () =>
      fc.assert(
        fc.asyncProperty(
          fc
            .tuple(
              dims(1, 3),
              dims(1, 3),
              fc.tuple(dims(1, 3), dims(1, 3)),
              dims(1, 3),
              dims(1, 4),
              dims(0, 1),
              dims(0, 3),
            )
            .filter(([, , , stride, dilation, , more]) => more < Math.max(stride, dilation))
            .chain(([P, Q, kernel, stride, dilation, padding, outputPadding]) =>
              fc.record({
                x: integers([1, 1, P + 2, Q + 2]),
                weight: integers([1, 1, ...kernel]),
                options: fc.constant({ stride, dilation, padding, outputPadding }),
              }),
            ),
          async ({ x, weight, options: { outputPadding, padding, ...options } }) => {
            const y = convTranspose2d(x, weight, null, { ...options, padding, outputPadding });
            const whole = convTranspose2d(x, weight, null, options); // of which padding cuts off a border
            const room = Math.max(0, outputPadding - padding);
            const at = (n: number): [number, number] => [padding, n - padding + outputPadding - room];
            const [, , H, W] = whole.shape;
            const inner = slice(whole, [null, null, at(H), at(W)]);
            const [, , IH, IW] = inner.shape;
            expect(await slice(y, [null, null, [0, IH], [0, IW]]).array()).toEqual(await inner.array());
            expect(y.shape).toEqual([1, 1, IH + room, IW + room]);
            for (const value of await slice(y, [null, null, [IH, IH + room]]).data()) expect(value).toBe(0);
            for (const value of await slice(y, [null, null, null, [IW, IW + room]]).data()) expect(value).toBe(0);
          },
        ),
      ),
  },

  gradients: {
    "x, weight and bias": {
      f: (x, weight, bias) => convTranspose2d(x, weight, bias, { stride: 2, padding: 1, outputPadding: [0, 1] }),
      inputs: fc.tuple(reals([2, 2, 2, 3]), reals([2, 3, 3, 2]), reals([3])),
      numRuns: 15,
    },
    "with groups, dilation and an outputPadding of a whole stride": {
      f: (x, weight) => convTranspose2d(x, weight, null, { groups: 2, dilation: [1, 2], outputPadding: [0, 1] }),
      inputs: fc.tuple(reals([1, 4, 2, 2]), reals([4, 1, 2, 2])),
      numRuns: 15,
    },
  },

  errors: {
    "channels that do not fit": () => {
      expect(() => convTranspose2d(zeros([1, 3, 4, 4]), zeros([2, 3, 2, 2]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: convTranspose2d: x must be [N, C, P, Q] and weight [C, O/groups, KH, KW] with one C, divisible by groups = 1, and KH and KW at least 1, got x of shape [1, 3, 4, 4] and weight of shape [2, 3, 2, 2]]`,
      );
    },
    "channels that groups do not divide": () => {
      expect(() =>
        convTranspose2d(zeros([1, 3, 4, 4]), zeros([3, 1, 2, 2]), null, { groups: 2 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: convTranspose2d: x must be [N, C, P, Q] and weight [C, O/groups, KH, KW] with one C, divisible by groups = 2, and KH and KW at least 1, got x of shape [1, 3, 4, 4] and weight of shape [3, 1, 2, 2]]`,
      );
    },
    "an outputPadding as large as stride and dilation": () => {
      expect(() =>
        convTranspose2d(zeros([1, 3, 4, 4]), zeros([3, 1, 2, 2]), null, {
          stride: 2,
          dilation: [3, 1],
          outputPadding: 2,
        }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: convTranspose2d: outputPadding must be below the stride [2, 2] or the dilation [3, 1], got [2, 2]]`,
      );
    },
    "a padding that leaves nothing": () => {
      expect(() =>
        convTranspose2d(zeros([1, 1, 2, 4]), zeros([1, 1, 1, 1]), null, { padding: 1 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: convTranspose2d: x and the output must have at least one pixel, and the output would be 0x2, got x of shape [1, 1, 2, 4] and weight of shape [1, 1, 1, 1]]`,
      );
    },
    "an image without pixels": () => {
      expect(() => convTranspose2d(zeros([1, 1, 0, 4]), zeros([1, 1, 3, 3]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: convTranspose2d: x and the output must have at least one pixel, and the output would be 2x6, got x of shape [1, 1, 0, 4] and weight of shape [1, 1, 3, 3]]`,
      );
    },
    "a stride of zero": () => {
      expect(() =>
        convTranspose2d(zeros([1, 1, 4, 4]), zeros([1, 1, 3, 3]), null, { stride: [0, 1] }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: convTranspose2d: stride must be an integer of at least 1, or a pair [h, w] of them, got [0, 1]]`,
      );
    },
    "a bias of another length": () => {
      expect(() =>
        convTranspose2d(zeros([1, 2, 4, 4]), zeros([2, 3, 3, 3]), zeros([2])),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: convTranspose2d: bias must have one number per output channel, shape [3], got bias of shape [2]]`,
      );
    },
  },
});

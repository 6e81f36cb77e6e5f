import {
  add,
  apply,
  concat,
  grad,
  leaf,
  ones,
  pad,
  type Shape,
  size,
  slice,
  type Tensor,
  tensor,
  unsliceOp,
  zeros,
} from "@gridgrad/core";
import { dot, integers, reals } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type ConvCase, convCases, visitProducts } from "../testing/convCases.ts";
import { convRuns } from "../testing/convRuns.ts";
import { conv2d, conv2dInputOp, conv2dWeightOp } from "./conv2d.ts";

/** y, dx and dw of a case. */
function results({ x, weight, dy, options }: ConvCase): Tensor[] {
  const y = conv2d(x, weight, null, options);
  return [y, ...grad(y, [x, weight], { gradOutput: dy })];
}

/** The same, by the definition. */
async function definition(given: ConvCase): Promise<Float64Array[]> {
  const [x, weight, dy] = await Promise.all([given.x.data(), given.weight.data(), given.dy.data()]);
  const [y, dx, dw] = [dy, x, weight].map(({ length }) => new Float64Array(length));
  visitProducts(given, (yAt, wAt, xAt) => {
    y[yAt] += weight[wAt] * x[xAt];
    dx[xAt] += weight[wAt] * dy[yAt];
    dw[wAt] += x[xAt] * dy[yAt];
  });
  return [y, dx, dw];
}

async function expectDefinition(given: ConvCase): Promise<void> {
  const got = await Promise.all(results(given).map((t) => t.data()));
  expect(got.map((values) => Array.from(values))).toEqual(
    (await definition(given)).map((values) => Array.from(values, (value) => value + 0)), // -0 to 0
  );
}

/** Integers of a long period, for tensors too large for fast-check. */
function ramp(shape: Shape): Tensor {
  return leaf(
    shape,
    "float32",
    Float32Array.from({ length: size(shape) }, (_, i) => ((i * 7919) % 17) - 8),
  );
}

describeOp(conv2d, {
  byHand: {
    "takes the dot product of the kernel with each window, unflipped": async () => {
      const x = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 3, 3]);
      expect(await conv2d(x, tensor([1, 10, 100, 1000], [1, 1, 2, 2])).array()).toEqual([
        [
          [
            [5421, 6532],
            [8754, 9865],
          ],
        ],
      ]);
    },
    "of a single pixel over a single row sees what stride and padding say": async () => {
      const cases = [
        { width: 1, options: { stride: 3, padding: 1 }, sees: [0], seen: [0] },
        { width: 2, options: { stride: [3, 1], padding: [1, 0] }, sees: [0, 0], seen: [0, 0] },
        { width: 2, options: { stride: [1, 3], padding: [0, 2] }, sees: [0, 1], seen: [0, 1] },
      ] as const;
      for (const { width, options, sees, seen } of cases) {
        const [x, weight] = [ones([1, 4, 1, width]), ones([1, 4, 1, 1])];
        const y = conv2d(x, weight, null, options);
        const [dx, dw] = grad(y, [x, weight], { gradOutput: ones(y.shape) });
        expect(Array.from(await y.data())).toEqual(sees.map((one) => 4 * one));
        expect(Array.from(await dx.data())).toEqual([seen, seen, seen, seen].flat());
        expect(Array.from(await dw.data())).toEqual(Array(4).fill(Math.max(...seen)));
      }
    },
    "adds zeros around x, strides and dilates": async () => {
      const x = tensor([1, 2, 3, 4], [1, 1, 1, 4]);
      const weight = tensor([1, 10, 100], [1, 1, 1, 3]);
      expect(await conv2d(x, weight, null, { padding: [0, 1] }).data()).toEqual(new Float32Array([210, 321, 432, 43]));
      expect(await conv2d(x, weight, null, { padding: [0, 1], stride: 2 }).data()).toEqual(
        new Float32Array([210, 432]),
      );
      expect(await conv2d(x, weight, null, { padding: [0, 2], dilation: [1, 2] }).data()).toEqual(
        new Float32Array([310, 420, 31, 42]),
      );
    },
    "sums over input channels and adds a bias per output channel": async () => {
      const x = tensor([1, 2], [1, 2, 1, 1]);
      const weight = tensor([1, 10, 100, 1000], [2, 2, 1, 1]);
      expect(await conv2d(x, weight, tensor([0.5, 0]), { padding: 0 }).data()).toEqual(new Float32Array([21.5, 2100]));
    },
    "gives each group its own channels": async () => {
      const x = tensor([1, 2], [1, 2, 1, 1]);
      const weight = tensor([3, 4, 5, 6], [4, 1, 1, 1]);
      expect(await conv2d(x, weight, null, { groups: 2 }).data()).toEqual(new Float32Array([3, 4, 10, 12]));
    },
    "of no images has no images, of no input channels is zero": async () => {
      expect(conv2d(zeros([0, 2, 4, 4]), zeros([3, 2, 3, 3])).shape).toEqual([0, 3, 2, 2]);
      expect(await conv2d(zeros([0, 2, 4, 4]), zeros([3, 2, 3, 3])).data()).toEqual(new Float32Array(0));
      expect(await conv2d(zeros([1, 0, 2, 2]), zeros([1, 0, 2, 2])).data()).toEqual(new Float32Array(1));
    },
    "leaves a 1x1 kernel to conv1x1, but not with a stride, padding or groups": () => {
      const x = zeros([1, 2, 3, 3]);
      const opOf = (options: object): string => conv2d(x, zeros([2, 2, 1, 1]), null, options).recipe!.op.name;
      expect([{}, { dilation: 2 }, { stride: [1, 2] }, { padding: [0, 1] }].map(opOf)).toEqual([
        "conv1x1",
        "conv1x1",
        "conv2d",
        "conv2d",
      ]);
      expect(conv2d(x, zeros([2, 1, 1, 1]), null, { groups: 2 }).recipe!.op.name).toBe("conv2d");
    },
  },

  golden: { cases: ["network/conv2d/*", "arithmetic/conv/conv2d_*"], run: convRuns.conv2d },

  laws: {
    "is the sum of products that defines it, and so are its gradients, for all options": () =>
      fc.assert(fc.asyncProperty(convCases(integers), expectDefinition), { numRuns: 300 }),
    "is that sum also for a batch that is unfolded in several bands": async () => {
      // 27 rows of y in bands of 7: some run over two images, the last one is shorter.
      const options = { stride: [2, 1], padding: [1, 2], dilation: [1, 2], groups: 2 } as const;
      const x = ramp([3, 32, 17, 30]);
      const weight = ramp([6, 16, 3, 3]);
      const dy = ramp(conv2d(x, weight, null, options).shape);
      await expectDefinition({ x, weight, dy, options });
    },
    "is the same in float32 and float64": () =>
      fc.assert(
        fc.asyncProperty(convCases(integers), async ({ x, weight, dy, options }) => {
          const wide = { x: x.cast("float64"), weight: weight.cast("float64"), dy: dy.cast("float64"), options };
          const inFloat64 = await Promise.all(results(wide).map((t) => t.array()));
          const inFloat32 = await Promise.all(results({ x, weight, dy, options }).map((t) => t.array()));
          expect(inFloat64).toEqual(inFloat32);
        }),
      ),
    "is linear in x and in the weight": () =>
      fc.assert(
        fc.asyncProperty(
          convCases(integers).chain((given) =>
            fc.tuple(fc.constant(given), integers(given.x.shape), integers(given.weight.shape)),
          ),
          async ([{ x, weight, options }, x2, weight2]) => {
            const conv = (a: Tensor, b: Tensor): Tensor => conv2d(a, b, null, options);
            expect(await conv(add(x, x2), weight).array()).toEqual(
              await add(conv(x, weight), conv(x2, weight)).array(),
            );
            expect(await conv(x, add(weight, weight2)).array()).toEqual(
              await add(conv(x, weight), conv(x, weight2)).array(),
            );
          },
        ),
      ),
    "satisfies the adjoint identity dy . f(x) = vjp(dy) . x, also for the weight": () =>
      fc.assert(
        fc.asyncProperty(convCases(integers), async (given) => {
          const [y, dx, dw] = await Promise.all(results(given).map((t) => t.data()));
          const forward = dot(await given.dy.data(), y);
          expect(dot(dx, await given.x.data())).toBe(forward);
          expect(dot(dw, await given.weight.data())).toBe(forward);
        }),
      ),
    "with groups is as many separate convolutions": () =>
      fc.assert(
        fc.asyncProperty(convCases(integers, { groups: 3 }), async ({ x, weight, options: { groups, ...options } }) => {
          const part = (t: Tensor, axis: number, g: number): Tensor => {
            const n = t.shape[axis] / groups;
            return slice(t, [...t.shape.slice(0, axis).map(() => null), [g * n, (g + 1) * n]]);
          };
          const apart = Array.from({ length: groups }, (_, g) =>
            conv2d(part(x, 1, g), part(weight, 0, g), null, options),
          );
          expect(await conv2d(x, weight, null, { groups, ...options }).array()).toEqual(await concat(apart, 1).array());
        }),
      ),
    "dilated is a convolution with zeros between the kernel's elements": () =>
      fc.assert(
        fc.asyncProperty(convCases(integers), async ({ x, weight, options: { dilation, ...options } }) => {
          const steps = [1, 1, ...dilation];
          const whole = weight.shape.map((n, axis) => (n - 1) * steps[axis] + 1);
          const stuffed = apply(unsliceOp, [weight], { starts: [0, 0, 0, 0], steps, part: weight.shape, whole });
          expect(await conv2d(x, weight, null, { dilation, ...options }).array()).toEqual(
            await conv2d(x, stuffed, null, options).array(),
          );
        }),
      ),
    "padded is a convolution of the padded image, strided is part of the one without stride": () =>
      fc.assert(
        fc.asyncProperty(convCases(integers), async ({ x, weight, dy, options: { padding, stride, ...options } }) => {
          const [top, left] = padding;
          const none = [0, 0] as const;
          const dense = conv2d(pad(x, [none, none, [top, top], [left, left]]), weight, null, options);
          const [, , P, Q] = dense.shape;
          expect(await conv2d(x, weight, null, { padding, stride, ...options }).array()).toEqual(
            await slice(dense, [null, null, [0, P, stride[0]], [0, Q, stride[1]]]).array(),
          );
          expect(Math.ceil(P / stride[0])).toBe(dy.shape[2]);
        }),
      ),
    "of an image shifted by a stride is shifted by a pixel, where there is no padding": () =>
      fc.assert(
        fc.asyncProperty(convCases(integers), async ({ x, weight, options: { stride, dilation, groups } }) => {
          const options = { stride, dilation, groups };
          const none = [0, 0] as const;
          const wide = pad(x, [none, none, [4, 4], [4, 4]]); // so that a window fits into what is left
          const shifted = slice(wide, [null, null, [stride[0], wide.shape[2]], [stride[1], wide.shape[3]]]);
          const y = conv2d(wide, weight, null, options);
          expect(await conv2d(shifted, weight, null, options).array()).toEqual(
            await slice(y, [null, null, [1, y.shape[2]], [1, y.shape[3]]]).array(),
          );
        }),
      ),
  },

  gradients: {
    "x, weight and bias": {
      f: (x, weight, bias) => conv2d(x, weight, bias, { padding: 1 }),
      inputs: fc.tuple(reals([2, 2, 3, 4]), reals([3, 2, 3, 3]), reals([3])),
      numRuns: 15,
    },
    "with stride, padding, dilation and groups": {
      f: (x, weight) => conv2d(x, weight, null, { stride: [2, 1], padding: [1, 2], dilation: [1, 2], groups: 2 }),
      inputs: fc.tuple(reals([1, 4, 5, 4]), reals([4, 2, 2, 3])),
      numRuns: 15,
    },
    "of the gradient for x": {
      f: (dy, weight) =>
        apply(conv2dInputOp, [dy, weight], {
          stride: [2, 1],
          padding: [1, 0],
          dilation: [1, 2],
          groups: 2,
          size: [4, 5],
        }),
      inputs: fc.tuple(reals([1, 4, 2, 3]), reals([4, 1, 3, 2])),
      numRuns: 15,
    },
    "of the gradient for the weight": {
      f: (x, dy) =>
        apply(conv2dWeightOp, [x, dy], {
          stride: [2, 1],
          padding: [1, 0],
          dilation: [1, 2],
          groups: 2,
          kernel: [3, 2],
        }),
      inputs: fc.tuple(reals([1, 2, 4, 5]), reals([1, 4, 2, 3])),
      numRuns: 15,
    },
  },

  errors: {
    "another rank": () => {
      expect(() => conv2d(zeros([3, 4, 4]), zeros([1, 3, 3, 3]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: conv2d: x must be [N, C, H, W] and weight [O, C/groups, KH, KW], with KH and KW at least 1, got x of shape [3, 4, 4] and weight of shape [1, 3, 3, 3]]`,
      );
    },
    "a kernel without elements": () => {
      expect(() => conv2d(zeros([1, 3, 4, 4]), zeros([1, 3, 0, 3]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: conv2d: x must be [N, C, H, W] and weight [O, C/groups, KH, KW], with KH and KW at least 1, got x of shape [1, 3, 4, 4] and weight of shape [1, 3, 0, 3]]`,
      );
    },
    "channels that do not fit, also for a 1x1 kernel": () => {
      expect(() => conv2d(zeros([1, 3, 4, 4]), zeros([2, 2, 1, 1]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: conv2d: x must have weight.shape[1] * groups = 2 * 1 = 2 channels, got x of shape [1, 3, 4, 4] and weight of shape [2, 2, 1, 1]]`,
      );
    },
    "channels that do not fit the groups": () => {
      expect(() =>
        conv2d(zeros([1, 3, 4, 4]), zeros([4, 2, 3, 3]), null, { groups: 2 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: conv2d: x must have weight.shape[1] * groups = 2 * 2 = 4 channels, got x of shape [1, 3, 4, 4] and weight of shape [4, 2, 3, 3]]`,
      );
    },
    "output channels that groups do not divide": () => {
      expect(() =>
        conv2d(zeros([1, 4, 4, 4]), zeros([3, 2, 3, 3]), null, { groups: 2 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: conv2d: weight.shape[0] = 3 must be divisible by groups = 2, got weight of shape [3, 2, 3, 3]]`,
      );
    },
    "groups that are no count": () => {
      expect(() =>
        conv2d(zeros([1, 4, 4, 4]), zeros([3, 2, 3, 3]), null, { groups: 0 }),
      ).toThrowErrorMatchingInlineSnapshot(`[ValueError: conv2d: groups must be an integer of at least 1, got 0]`);
    },
    "a kernel larger than the padded image": () => {
      expect(() =>
        conv2d(zeros([1, 1, 4, 6]), zeros([1, 1, 3, 3]), null, { padding: [0, 1], dilation: 2 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: conv2d: windows of 5x5 pixels must fit into x, padded to 4x8, got x of shape [1, 1, 4, 6] and weight of shape [1, 1, 3, 3]]`,
      );
    },
    "a stride of zero": () => {
      expect(() =>
        conv2d(zeros([1, 1, 4, 4]), zeros([1, 1, 3, 3]), null, { stride: 0 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: conv2d: stride must be an integer of at least 1, or a pair [h, w] of them, got 0]`,
      );
    },
    "a stride that is no integer": () => {
      expect(() =>
        conv2d(zeros([1, 1, 4, 4]), zeros([1, 1, 3, 3]), null, { stride: [1, 1.5] }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: conv2d: stride must be an integer of at least 1, or a pair [h, w] of them, got [1, 1.5]]`,
      );
    },
    "a negative padding": () => {
      expect(() =>
        conv2d(zeros([1, 1, 4, 4]), zeros([1, 1, 3, 3]), null, { padding: -1 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: conv2d: padding must be an integer of at least 0, or a pair [h, w] of them, got -1]`,
      );
    },
    "a dilation of three numbers": () => {
      expect(() =>
        conv2d(zeros([1, 1, 4, 4]), zeros([1, 1, 3, 3]), null, { dilation: [1, 1, 1] as never }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: conv2d: dilation must be an integer of at least 1, or a pair [h, w] of them, got [1, 1, 1]]`,
      );
    },
    "a bias of another length": () => {
      expect(() => conv2d(zeros([1, 1, 4, 4]), zeros([2, 1, 3, 3]), zeros([1]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: conv2d: bias must have one number per output channel, shape [2], got bias of shape [1]]`,
      );
    },
    "a bias of another element type": () => {
      expect(() =>
        conv2d(zeros([1, 1, 4, 4]), zeros([2, 1, 3, 3]), zeros([2], { dtype: "float64" })),
      ).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: conv2d: bias must have the dtype of x, float32 (cast converts), got float64]`,
      );
    },
    int32: () => {
      const [x, weight] = [zeros([1, 1, 3, 3], { dtype: "int32" }), zeros([1, 1, 2, 2], { dtype: "int32" })];
      expect(() => conv2d(x, weight)).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: conv2d: inputs must share one floating dtype (x.cast("float32") converts), got int32 and int32]`,
      );
    },
  },
});

describe("the gradient ops of conv2d", () => {
  const attrs = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 } as const;

  test("conv2dInput refuses a dy that is not of the output's shape", () => {
    expect(() =>
      apply(conv2dInputOp, [zeros([1, 1, 2, 2]), zeros([1, 1, 3, 3])], { ...attrs, size: [5, 5] }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: conv2dInput: dy must have the shape of the convolution's output, [1, 1, 3, 3], got dy of shape [1, 1, 2, 2]]`,
    );
  });

  test("conv2dWeight refuses a dy that is not of the output's shape", () => {
    expect(() =>
      apply(conv2dWeightOp, [zeros([1, 1, 5, 5]), zeros([1, 1, 2, 2])], { ...attrs, kernel: [3, 3] }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: conv2dWeight: dy must have the shape of the convolution's output, [1, 1, 3, 3], got dy of shape [1, 1, 2, 2]]`,
    );
  });
});

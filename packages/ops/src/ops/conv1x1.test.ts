import {
  add,
  apply,
  flip,
  grad,
  leaf,
  matmul,
  reshape,
  type Shape,
  size,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from "@gridgrad/core";
import { dims, dot, integers, optionalInput, reals } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { conv1x1, conv1x1WeightOp } from "./conv1x1.ts";
import { conv2dOp } from "./conv2d.ts";

/** x, weight, and dy of the shape of the result; channels beside multiples of four. */
const cases = fc
  .tuple(dims(1, 2), dims(1, 6), dims(1, 6), dims(1, 3), dims(1, 3))
  .chain(([N, C, O, H, W]) => fc.tuple(integers([N, C, H, W]), integers([O, C, 1, 1]), integers([N, O, H, W])));

/** The same as batched matrix products, [O, C] [N, C, H*W]. */
function asMatmul(x: Tensor, weight: Tensor): Tensor {
  const [N, C, H, W] = x.shape;
  const O = weight.shape[0];
  return reshape(matmul(reshape(weight, [O, C]), reshape(x, [N, C, H * W])), [N, O, H, W]);
}

async function expectMatmul(x: Tensor, weight: Tensor, dy: Tensor): Promise<void> {
  for (const wrt of [x, weight]) {
    const [d] = grad(conv1x1(x, weight), [wrt], { gradOutput: dy });
    const [expected] = grad(asMatmul(x, weight), [wrt], { gradOutput: dy });
    expect(await d.array()).toEqual(await expected.array());
  }
  expect(await conv1x1(x, weight).array()).toEqual(await asMatmul(x, weight).array());
}

describeOp(conv1x1, {
  byHand: {
    "mixes the channels of each pixel": async () => {
      const x = tensor([1, 2, 3, 10, 20, 30], [1, 2, 1, 3]);
      const weight = tensor([1, 1, 0, 2], [2, 2, 1, 1]);
      expect(await conv1x1(x, weight).array()).toEqual([[[[11, 22, 33]], [[20, 40, 60]]]]);
      expect(await conv1x1(x, weight, tensor([0, -1])).array()).toEqual([[[[11, 22, 33]], [[19, 39, 59]]]]);
    },
    "of no images, no pixels or no channels": async () => {
      expect(conv1x1(zeros([0, 2, 3, 3]), zeros([4, 2, 1, 1])).shape).toEqual([0, 4, 3, 3]);
      expect(await conv1x1(zeros([0, 2, 3, 3]), zeros([4, 2, 1, 1])).data()).toEqual(new Float32Array(0));
      expect(await conv1x1(zeros([1, 2, 0, 3]), zeros([4, 2, 1, 1])).data()).toEqual(new Float32Array(0));
      expect(await conv1x1(zeros([1, 0, 1, 2]), zeros([1, 0, 1, 1])).data()).toEqual(new Float32Array(2));
    },
  },

  golden: {
    cases: ["network/conv2d/k1_s1_p0_d1_g1_*", "arithmetic/conv/conv2d_k1x1_s1x1_p0x0_d1x1_g1_*"],
    run(inputs, attrs) {
      expect([attrs.pair("stride"), attrs.pair("dilation"), attrs.number("groups")].flat().every((n) => n === 1)).toBe(
        true,
      );
      expect([attrs.pair("padding")].flat().every((n) => n === 0)).toBe(true);
      return conv1x1(inputs.x, inputs.weight, optionalInput(inputs, "bias"));
    },
  },

  laws: {
    "is a matrix product at every pixel, and so are its gradients": () =>
      fc.assert(fc.asyncProperty(cases, ([x, weight, dy]) => expectMatmul(x, weight, dy))),
    "is that product also for a batch that is worked off in several bands": async () => {
      const ramp = (shape: Shape): Tensor =>
        leaf(
          shape,
          "float32",
          Float32Array.from({ length: size(shape) }, (_, i) => ((i * 7919) % 17) - 8),
        );
      // 34 rows of pixels in bands of 9: the second runs over both images, the last one is shorter.
      await expectMatmul(ramp([2, 62, 17, 41]), ramp([9, 62, 1, 1]), ramp([2, 9, 17, 41]));
    },
    "is conv2d with a 1x1 kernel": () =>
      fc.assert(
        fc.asyncProperty(cases, async ([x, weight, dy]) => {
          const attrs = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 } as const;
          const y = apply(conv2dOp, [x, weight], attrs);
          const [dx, dw] = grad(conv1x1(x, weight), [x, weight], { gradOutput: dy });
          const [expectedDx, expectedDw] = grad(y, [x, weight], { gradOutput: dy });
          expect(await conv1x1(x, weight).array()).toEqual(await y.array());
          expect(await dx.array()).toEqual(await expectedDx.array());
          expect(await dw.array()).toEqual(await expectedDw.array());
        }),
      ),
    "is linear in x and in the weight": () =>
      fc.assert(
        fc.asyncProperty(
          cases.chain(([x, weight]) => fc.tuple(fc.constant([x, weight]), integers(x.shape), integers(weight.shape))),
          async ([[x, weight], x2, weight2]) => {
            expect(await conv1x1(add(x, x2), weight).array()).toEqual(
              await add(conv1x1(x, weight), conv1x1(x2, weight)).array(),
            );
            expect(await conv1x1(x, add(weight, weight2)).array()).toEqual(
              await add(conv1x1(x, weight), conv1x1(x, weight2)).array(),
            );
          },
        ),
      ),
    "satisfies the adjoint identity dy . f(x) = vjp(dy) . x, also for the weight": () =>
      fc.assert(
        fc.asyncProperty(cases, async ([x, weight, dy]) => {
          const y = conv1x1(x, weight);
          const [dx, dw] = grad(y, [x, weight], { gradOutput: dy });
          const forward = dot(await dy.data(), await y.data());
          expect(dot(await dx.data(), await x.data())).toBe(forward);
          expect(dot(await dw.data(), await weight.data())).toBe(forward);
        }),
      ),
    "treats every pixel alike: mirrored and transposed images give mirrored and transposed results": () =>
      fc.assert(
        fc.asyncProperty(cases, async ([x, weight]) => {
          const y = conv1x1(x, weight);
          expect(await conv1x1(flip(x, [2, 3]), weight).array()).toEqual(await flip(y, [2, 3]).array());
          expect(await conv1x1(transpose(x, 2, 3), weight).array()).toEqual(await transpose(y, 2, 3).array());
        }),
      ),
  },

  gradients: {
    "x, weight and bias": {
      f: conv1x1,
      inputs: fc.tuple(reals([2, 2, 1, 3]), reals([3, 2, 1, 1]), reals([3])),
      numRuns: 20,
    },
    "of the gradient for the weight": {
      f: (x, dy) => apply(conv1x1WeightOp, [x, dy], {}),
      inputs: fc.tuple(reals([2, 2, 1, 3]), reals([2, 3, 1, 3])),
      numRuns: 20,
    },
  },

  errors: {
    "another number of channels": () => {
      expect(() => conv1x1(zeros([1, 3, 2, 2]), zeros([4, 2, 1, 1]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: conv1x1: x must be [N, C, H, W] and weight [O, C, 1, 1] with one C, got x of shape [1, 3, 2, 2] and weight of shape [4, 2, 1, 1]]`,
      );
    },
    "a larger kernel": () => {
      expect(() => conv1x1(zeros([1, 3, 2, 2]), zeros([4, 3, 1, 3]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: conv1x1: x must be [N, C, H, W] and weight [O, C, 1, 1] with one C, got x of shape [1, 3, 2, 2] and weight of shape [4, 3, 1, 3]]`,
      );
    },
    "a weight of rank 2": () => {
      expect(() => conv1x1(zeros([1, 3, 2, 2]), zeros([4, 3]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: conv1x1: x must be [N, C, H, W] and weight [O, C, 1, 1] with one C, got x of shape [1, 3, 2, 2] and weight of shape [4, 3]]`,
      );
    },
    "a bias of another shape": () => {
      expect(() =>
        conv1x1(zeros([1, 3, 2, 2]), zeros([4, 3, 1, 1]), zeros([1, 4, 1, 1])),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: conv1x1: bias must have one number per output channel, shape [4], got bias of shape [1, 4, 1, 1]]`,
      );
    },
    "gradients of other pixels, in the op for the weight": () => {
      expect(() =>
        apply(conv1x1WeightOp, [zeros([1, 3, 2, 2]), zeros([1, 3, 2, 1])], {}),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: conv1x1Weight: x must be [N, C, H, W] and dy [N, O, H, W], got x of shape [1, 3, 2, 2] and dy of shape [1, 3, 2, 1]]`,
      );
    },
  },
});

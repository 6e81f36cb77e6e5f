import fc from "fast-check";
import { expect } from "vitest";

import { Random, tensor, zeros } from "@gridgrad/core";
import { describeOp } from "@gridgrad/core/testing/describeOp";

import { dysampleRuns } from "../testing/dysampleRuns.ts";
import { asFunction, inputsOf } from "../testing/moduleFunction.ts";
import { Fade } from "./fade.ts";

/** A module whose gate is `open` everywhere: sigmoid(±100) is 1 or 0 in float32. */
function gated(open: 0 | 1, random = new Random(0)): Fade {
  const up = new Fade(3, { kernelSize: 3, embeddingDim: 4, random });
  const { conv } = up.gate_generator;
  conv.weight.set(zeros(conv.weight.shape));
  conv.bias!.set(tensor([open === 1 ? 100 : -100]));
  return up;
}

const small = new Fade(2, { kernelSize: 3, embeddingDim: 2, guideChannels: 3 });

describeOp(Fade, {
  byHand: {
    "with an open gate it is the guide": async () => {
      const guide = new Random(1).normal([1, 3, 4, 6]);
      const y = await gated(1)
        .forward(new Random(2).normal([1, 3, 2, 3]), guide)
        .data();
      const expected = await guide.data();
      y.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 6));
    },
    "with a closed gate and weights that are all equal it is the mean of the pixels around": async () => {
      const up = gated(0);
      up.kernel_generator.conv2_kernels.set(zeros(up.kernel_generator.conv2_kernels.shape));
      const x = tensor([9, 18, 9, 18, 9, 18], [1, 3, 1, 2]);
      const y = await up.forward(x, zeros([1, 3, 2, 4])).data();
      for (const value of y) expect(value).toBeCloseTo(3, 5); // (9 + 18) / 9 pixels, zeros outside
    },
    "has the parameters of the paper: six stages at 256 channels": () => {
      expect(6 * new Fade(256).parameterCount).toBe(285_084);
      expect(new Fade(8).align).toBe(null);
    },
  },

  golden: { cases: ["upsamplers/fade/*"], run: dysampleRuns.fade },

  laws: {
    "without a gate the guide moves weight between pixels and adds nothing: inside a constant stays": () =>
      fc.assert(
        fc.asyncProperty(fc.nat(1000), async (seed) => {
          const random = new Random(seed);
          const up = gated(0, random);
          const x = zeros([1, 3, 4, 5]).add(1);
          const inside = up.forward(x, random.normal([1, 3, 8, 10], { std: 3 })).slice([null, null, [2, 6], [2, 8]]);
          for (const value of await inside.data()) expect(Math.abs(value - 1)).toBeLessThan(1e-5);
        }),
        { numRuns: 20 },
      ),
  },

  gradients: { "of input, guide and parameters": { f: asFunction(small, 2), inputs: inputsOf(small, [1, 2, 2, 3], [1, 3, 4, 6]), numRuns: 5 } }, // prettier-ignore

  errors: {
    "no guide": () => {
      expect(() => new Fade(3).forward(zeros([1, 3, 2, 2]))).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: Fade: forward(x, guide) must be given a guide of the output's size, got none]`,
      );
    },
    "a guide of another size": () => {
      expect(() => new Fade(3).forward(zeros([1, 3, 2, 2]), zeros([1, 3, 4, 5]))).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: Fade: x must be [N, 3, H, W] and guide [N, 3, s*H, s*W] with s = 2, got x of shape [1, 3, 2, 2] and guide of shape [1, 3, 4, 5]]`,
      );
    },
    "a kernel of an even size": () => {
      expect(() => new Fade(3, { kernelSize: 2 })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: Fade: kernelSize must be an odd integer of at least 1, got 2]`,
      );
    },
  },
});

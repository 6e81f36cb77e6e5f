import fc from "fast-check";
import { expect } from "vitest";

import { leaf, Random, type Tensor, tensor, zeros } from "@gridgrad/core";
import { describeOp } from "@gridgrad/core/testing/describeOp";

import { dysampleRuns } from "../testing/dysampleRuns.ts";
import { asFunction, inputsOf } from "../testing/moduleFunction.ts";
import { SapaB } from "./sapaB.ts";

const small = new SapaB(4, { kernelSize: 3, embeddingDim: 2, guideChannels: 3 });

/** The channels of a pixel apart from each other: where they are all alike, the norm divides by next to nothing. */
function apart(features: Tensor): Tensor {
  const [, C, H, W] = features.shape;
  const values = (features.values as Float64Array).map((v, i) => 0.2 * v + 2 * (Math.floor(i / (H * W)) % C));
  return leaf(features.shape, "float64", values);
}

/** Parameters with which no similarity rules out the others: there a softmax is flat, and float32 sees little of its slopes. */
function quarter({ shape, values }: Tensor): Tensor {
  return leaf(
    shape,
    "float64",
    (values as Float64Array).map((v) => v / 4),
  );
}

describeOp(SapaB, {
  byHand: {
    "where nothing resembles anything it is the mean of the pixels around": async () => {
      const up = new SapaB(1, { kernelSize: 3, embeddingDim: 2 });
      up.q.weight.set(zeros(up.q.weight.shape));
      const y = await up.forward(tensor([9, 18], [1, 1, 1, 2]), zeros([1, 1, 2, 4])).data();
      for (const value of y) expect(value).toBeCloseTo(3, 5); // (9 + 18) / 9 pixels, zeros outside
    },
    "has the parameters of the paper: six stages at 256 channels": () => {
      expect(6 * new SapaB(256).parameterCount).toBe(104_832);
    },
  },

  golden: { cases: ["upsamplers/sapa_b/*"], run: dysampleRuns.sapa_b },

  laws: {
    "weights of a pixel add up to 1, and the input's scale does not change them: they see it normalised": () =>
      fc.assert(
        fc.asyncProperty(fc.nat(1000), async (seed) => {
          const random = new Random(seed);
          const up = await new SapaB(4, { kernelSize: 3, embeddingDim: 2, random }).to("float64");
          for (const p of up.parameters()) p.set(random.normal(p.shape, { dtype: "float64" }));
          const x = random.normal([1, 4, 3, 2], { dtype: "float64" });
          const guide = random.normal([1, 4, 6, 4], { dtype: "float64" });
          const kernels = await up.kernels(x, guide).data();
          for (const sum of await up.kernels(x, guide).sum(1).data()) expect(Math.abs(sum - 1)).toBeLessThan(1e-12);
          const larger = await up.kernels(x.mul(1000), guide).data();
          // Only the 1e-5 that the norm adds to the variance tells them apart.
          larger.forEach((value, i) => expect(Math.abs(value - kernels[i])).toBeLessThan(1e-2));
        }),
        { numRuns: 20 },
      ),
  },

  gradients: {
    "of input, guide and parameters": {
      f: asFunction(small, 2),
      inputs: inputsOf(small, [1, 4, 2, 2], [1, 3, 4, 4]).map(([x, guide, ...parameters]) => [
        apart(x),
        apart(guide),
        ...parameters.map(quarter),
      ]),
      numRuns: 5,
    },
  },

  errors: {
    "no guide": () => {
      expect(() => new SapaB(3).forward(zeros([1, 3, 2, 2]))).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: SapaB: forward(x, guide) must be given a guide of the output's size, got none]`,
      );
    },
    "a guide with other channels": () => {
      expect(() =>
        new SapaB(3, { guideChannels: 2 }).forward(zeros([1, 3, 2, 2]), zeros([1, 3, 4, 4])),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: SapaB: x must be [N, 3, H, W] and guide [N, 2, s*H, s*W] with s = 2, got x of shape [1, 3, 2, 2] and guide of shape [1, 3, 4, 4]]`,
      );
    },
  },
});

import fc from "fast-check";
import { expect } from "vitest";

import { ones, Random, tensor, zeros } from "@gridgrad/core";
import { describeOp } from "@gridgrad/core/testing/describeOp";

import { dysampleRuns } from "../testing/dysampleRuns.ts";
import { asFunction, inputsOf } from "../testing/moduleFunction.ts";
import { Carafe } from "./carafe.ts";

const small = new Carafe(4, { kernelSize: 3, compressedChannels: 2, upGroups: 2 });

describeOp(Carafe, {
  byHand: {
    "with weights that are all equal it is the mean of the pixels around, zeros outside": async () => {
      const up = new Carafe(1, { scale: 1, kernelSize: 3, compressedChannels: 1 });
      up.content_encoder.weight.set(zeros(up.content_encoder.weight.shape));
      const y = await up.forward(tensor([9, 18, 27], [1, 1, 1, 3])).data();
      // Sums of 27, 54 and 45 over nine pixels; softmax of nine zeros and their sum round.
      y.forEach((value, i) => expect(value).toBeCloseTo([3, 6, 5][i], 5));
    },
    "with one weight far above the others it repeats pixels, as nearest does": async () => {
      const up = new Carafe(1, { scale: 2, kernelSize: 3, compressedChannels: 1 });
      up.content_encoder.weight.set(zeros(up.content_encoder.weight.shape));
      // Channel (j s + a) s + b of the encoder is weight j of sub-pixel (a, b): j = 4 is the middle one.
      up.content_encoder.bias!.set(
        tensor(
          Array.from({ length: 36 }, (_, channel) => (Math.floor(channel / 4) === 4 ? 100 : 0)),
          [36],
        ),
      );
      const y = await up.forward(tensor([1, 2], [1, 1, 1, 2])).array();
      expect(y).toEqual([[[[1, 1, 2, 2], [1, 1, 2, 2]]]]); // prettier-ignore
    },
    "has the parameters of the paper: six stages at 256 channels": () => {
      expect(6 * new Carafe(256).parameterCount).toBe(444_888);
    },
  },

  golden: { cases: ["upsamplers/carafe_upsampler/*"], run: dysampleRuns.carafe_upsampler },

  laws: {
    "weights of a pixel add up to 1 in each group, so inside a constant stays": () =>
      fc.assert(
        fc.asyncProperty(fc.nat(1000), async (seed) => {
          const random = new Random(seed);
          const up = new Carafe(4, { kernelSize: 3, compressedChannels: 2, upGroups: 2, random });
          for (const p of up.parameters()) p.set(random.normal(p.shape));
          const [N, P, Q] = [1, 8, 10];
          const sums = await up.kernels(random.normal([N, 4, 4, 5])).reshape([N, 2, 9, P, Q]).sum(2).data(); // prettier-ignore
          for (const sum of sums) expect(Math.abs(sum - 1)).toBeLessThan(1e-6); // nine rounded weights
          const inside = up.forward(ones([N, 4, 4, 5])).slice([null, null, [2, 6], [2, 8]]);
          for (const value of await inside.data()) expect(Math.abs(value - 1)).toBeLessThan(1e-6);
        }),
        { numRuns: 20 },
      ),
  },

  gradients: { "of the input and the parameters": { f: asFunction(small, 1), inputs: inputsOf(small, [1, 4, 3, 2]), numRuns: 5 } }, // prettier-ignore

  errors: {
    "a kernel of an even size": () => {
      expect(() => new Carafe(4, { kernelSize: 4 })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: Carafe: kernelSize must be an odd integer of at least 1, got 4]`,
      );
    },
    "groups that do not divide the channels": () => {
      expect(() => new Carafe(4, { upGroups: 3 })).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: Carafe: upGroups must be an integer of at least 1 that divides inChannels = 4, got 3]`,
      );
    },
  },
});

import { add, arange, grad, leaf, permute, reshape, type Tensor, tensor, zeros } from "@gridgrad/core";
import { dims, dot, integers, reals } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { convRuns } from "../testing/convRuns.ts";
import { pixelShuffle, pixelUnshuffle } from "./pixelShuffle.ts";

const sizes = fc.record({ N: dims(0, 2), C: dims(0, 3), H: dims(0, 3), W: dims(0, 3), s: dims(1, 3) });

/** An image to shuffle, and one of the shape of the result. */
const cases = sizes.chain(({ N, C, H, W, s }) =>
  fc.record({ s: fc.constant(s), x: integers([N, C * s * s, H, W]), y: integers([N, C, H * s, W * s]) }),
);

/** Pixel shuffle out of layout ops: split the channels into c, i, j, and put i behind h and j behind w. */
function asLayout(x: Tensor, s: number): Tensor {
  const [N, channels, H, W] = x.shape;
  const C = channels / (s * s);
  return reshape(permute(reshape(x, [N, C, s, s, H, W]), [0, 1, 4, 2, 5, 3]), [N, C, H * s, W * s]);
}

describeOp(pixelShuffle, {
  byHand: {
    "puts channel c*s*s + i*s + j at row i and column j of each pixel of c": async () => {
      // Two output channels, so that PyTorch's channel order and TensorFlow's differ.
      const x = tensor([0, 1, 2, 3, 10, 11, 12, 13], [1, 8, 1, 1]);
      expect(await pixelShuffle(x, 2).array()).toEqual([
        [
          [
            [0, 1],
            [2, 3],
          ],
          [
            [10, 11],
            [12, 13],
          ],
        ],
      ]);
    },
    "interleaves neighbours": async () => {
      const x = tensor([0, 1, 10, 11, 20, 21, 30, 31], [1, 4, 1, 2]);
      expect(await pixelShuffle(x, 2).array()).toEqual([
        [
          [
            [0, 10, 1, 11],
            [20, 30, 21, 31],
          ],
        ],
      ]);
    },
    "by 3 turns nine channels into nine pixels": async () => {
      expect(await pixelShuffle(reshape(arange(9), [1, 9, 1, 1]), 3).array()).toEqual([
        [
          [
            [0, 1, 2],
            [3, 4, 5],
            [6, 7, 8],
          ],
        ],
      ]);
    },
    "moves int32": async () => {
      const x = tensor([1, 2, 3, 4], [1, 4, 1, 1], { dtype: "int32" });
      expect(await pixelShuffle(x, 2).data()).toEqual(new Int32Array([1, 2, 3, 4]));
    },
  },

  golden: {
    cases: ["network/pixel_shuffle/shuffle_*", "arithmetic/resample/pixel_shuffle_*"],
    run: convRuns.pixel_shuffle,
  },

  laws: {
    "is undone by pixelUnshuffle": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, s }) => {
          const back = pixelUnshuffle(pixelShuffle(x, s), s);
          expect(back.shape).toEqual(x.shape);
          expect(await back.data()).toEqual(await x.data());
        }),
      ),
    "by 1 is the identity": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x }) => {
          expect(await pixelShuffle(x, 1).array()).toEqual(await x.array());
        }),
      ),
    "moves every pixel to a place of its own": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, s }) => {
          const numbered = leaf(
            x.shape,
            "float32",
            Float32Array.from({ length: x.size }, (_, i) => i),
          );
          const moved = await pixelShuffle(numbered, s).data();
          expect(moved.sort()).toEqual(await numbered.data());
        }),
      ),
    "is a reshape, a permute and a reshape": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, s }) => {
          expect(await pixelShuffle(x, s).array()).toEqual(await asLayout(x, s).array());
        }),
      ),
    "by 2 and then by 3 puts the same channels into each pixel as by 6": () =>
      fc.assert(
        fc.asyncProperty(
          dims(1, 2).chain((C) => integers([1, 36 * C, 1, 2])),
          async (x) => {
            const sorted = async (t: Tensor): Promise<number[][]> => {
              const cells = await pixelUnshuffle(t, 6).data(); // [1, 36 C, 1, 2]
              return [0, 1].map((w) => Array.from(cells.filter((_, i) => i % 2 === w)).sort());
            };
            expect(await sorted(pixelShuffle(pixelShuffle(x, 2), 3))).toEqual(await sorted(pixelShuffle(x, 6)));
          },
        ),
      ),
    "is linear": () =>
      fc.assert(
        fc.asyncProperty(
          cases.chain(({ x, s }) => fc.tuple(fc.constant(x), integers(x.shape), fc.constant(s))),
          async ([x, x2, s]) => {
            expect(await pixelShuffle(add(x, x2), s).array()).toEqual(
              await add(pixelShuffle(x, s), pixelShuffle(x2, s)).array(),
            );
          },
        ),
      ),
    "satisfies the adjoint identity dy . f(x) = vjp(dy) . x": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, y: dy, s }) => {
          const y = pixelShuffle(x, s);
          const [dx] = grad(y, [x], { gradOutput: dy });
          expect(dot(await dx.data(), await x.data())).toBe(dot(await dy.data(), await y.data()));
        }),
      ),
  },

  gradients: {
    x: {
      f(x) {
        const y = pixelShuffle(x, 2);
        return y.mul(y); // curved, so that there is something to find in the second order
      },
      inputs: fc.tuple(reals([2, 8, 1, 2])),
      numRuns: 20,
    },
  },

  errors: {
    "channels that s*s does not divide": () => {
      expect(() => pixelShuffle(zeros([1, 3, 2, 2]), 2)).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: pixelShuffle: x must be [N, C, H, W] with C divisible by s*s = 4, got x of shape [1, 3, 2, 2]]`,
      );
    },
    "another rank": () => {
      expect(() => pixelShuffle(zeros([4, 2, 2]), 2)).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: pixelShuffle: x must be [N, C, H, W] with C divisible by s*s = 4, got x of shape [4, 2, 2]]`,
      );
    },
    "a factor of zero": () => {
      expect(() => pixelShuffle(zeros([1, 4, 2, 2]), 0)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: pixelShuffle: upscaleFactor must be an integer of at least 1, got 0]`,
      );
    },
    "a factor that is no integer": () => {
      expect(() => pixelShuffle(zeros([1, 4, 2, 2]), 1.5)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: pixelShuffle: upscaleFactor must be an integer of at least 1, got 1.5]`,
      );
    },
  },
});

describeOp(pixelUnshuffle, {
  byHand: {
    "puts row i and column j of each cell into channel i*s + j": async () => {
      const x = tensor([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 2, 4]);
      expect(await pixelUnshuffle(x, 2).array()).toEqual([[[[1, 3]], [[2, 4]], [[5, 7]], [[6, 8]]]]);
    },
  },

  golden: {
    cases: ["network/pixel_shuffle/unshuffle_*", "arithmetic/resample/pixel_unshuffle_*"],
    run: convRuns.pixel_unshuffle,
  },

  laws: {
    "is undone by pixelShuffle": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ y, s }) => {
          const back = pixelShuffle(pixelUnshuffle(y, s), s);
          expect(back.shape).toEqual(y.shape);
          expect(await back.data()).toEqual(await y.data());
        }),
      ),
    "by 1 is the identity": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ y }) => {
          expect(await pixelUnshuffle(y, 1).array()).toEqual(await y.array());
        }),
      ),
    "is the gradient of pixelShuffle, whose gradient it has": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, y, s }) => {
          const [dx] = grad(pixelShuffle(x, s), [x], { gradOutput: y });
          expect(await dx.array()).toEqual(await pixelUnshuffle(y, s).array());
          const [dy] = grad(pixelUnshuffle(y, s), [y], { gradOutput: x });
          expect(await dy.array()).toEqual(await pixelShuffle(x, s).array());
        }),
      ),
  },

  gradients: {
    x: {
      f(x) {
        const y = pixelUnshuffle(x, 3);
        return y.mul(y);
      },
      inputs: fc.tuple(reals([1, 2, 3, 6])),
      numRuns: 20,
    },
  },

  errors: {
    "a width that s does not divide": () => {
      expect(() => pixelUnshuffle(zeros([1, 3, 4, 5]), 2)).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: pixelUnshuffle: x must be [N, C, H, W] with H and W divisible by s = 2, got x of shape [1, 3, 4, 5]]`,
      );
    },
    "another rank": () => {
      expect(() => pixelUnshuffle(zeros([4, 4]), 2)).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: pixelUnshuffle: x must be [N, C, H, W] with H and W divisible by s = 2, got x of shape [4, 4]]`,
      );
    },
    "a negative factor": () => {
      expect(() => pixelUnshuffle(zeros([1, 4, 2, 2]), -2)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: pixelUnshuffle: downscaleFactor must be an integer of at least 1, got -2]`,
      );
    },
  },
});

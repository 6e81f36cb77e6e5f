import {
  add,
  concat,
  div,
  full,
  grad,
  gradientsOf,
  leaf,
  mul,
  permute,
  reshape,
  sigmoid,
  slice,
  sub,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "@gridgrad/core";
import { dims, dot, type GoldenRun, integers, reals } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { expectSame } from "../testing/expectSame.ts";
import { conv1x1 } from "./conv1x1.ts";
import { gridSample } from "./gridSample.ts";
import { pixelShuffle, pixelUnshuffle } from "./pixelShuffle.ts";
import { sampleAtOffsets } from "./sampleAtOffsets.ts";

/** The same by way of a grid: positions relative to the whole image's outer edges, shuffled into place. */
function byGrid(x: Tensor, offsets: Tensor, scale: number): Tensor {
  const [N, C, H, W] = x.shape;
  const G = offsets.shape[1] / (2 * scale ** 2);
  const [P, Q] = [scale * H, scale * W];
  const columns = Array.from({ length: H * W }, (_, i) => (i % W) + 0.5);
  const rows = Array.from({ length: H * W }, (_, i) => Math.floor(i / W) + 0.5);
  const centres = tensor([...columns, ...rows], [1, 2, 1, H, W], { dtype: x.dtype });
  const positions = add(reshape(offsets, [N, 2, G * scale ** 2, H, W]), centres);
  const normalised = sub(div(mul(positions, 2), tensor([W, H], [1, 2, 1, 1, 1], { dtype: x.dtype })), 1);
  const shuffled = pixelShuffle(reshape(normalised, [N, 2 * G * scale ** 2, H, W]), scale);
  const grid = reshape(permute(reshape(shuffled, [N, 2, G, P, Q]), [0, 2, 3, 4, 1]), [N * G, P, Q, 2]);
  const y = gridSample(reshape(x, [N * G, C / G, H, W]), grid, { paddingMode: "border" });
  return reshape(y, [N, C, P, Q]);
}

interface Case {
  readonly x: Tensor;
  readonly offsets: Tensor;
  readonly dy: Tensor;
  readonly scale: number;
}

/** Images with offsets in float64, by up to three pixels, to positions that are 1/32 or more from pixels' centres. */
const cases: fc.Arbitrary<Case> = fc
  .tuple(dims(1, 2), dims(1, 2), dims(1, 2), dims(1, 4), dims(1, 4), dims(1, 3))
  .chain(([N, G, perGroup, H, W, scale]) => {
    const offsetShape = [N, 2 * G * scale ** 2, H, W];
    const count = offsetShape.reduce((n, d) => n * d, 1);
    return fc
      .tuple(
        reals([N, G * perGroup, H, W]),
        fc.array(fc.integer({ min: -48, max: 47 }), { minLength: count, maxLength: count }),
        reals([N, G * perGroup, scale * H, scale * W]),
      )
      .map(([x, moves, dy]) => {
        const offsets = tensor(moves.map((k) => (2 * k + 1) / 32), offsetShape, { dtype: "float64" }); // prettier-ignore
        return { x, offsets, dy, scale };
      });
  });

/** The scale, told by the shapes of an image and its samples. */
const scaleOf = (x: Tensor, dy: Tensor): number => dy.shape[3] / x.shape[3];

/** DySample's golden cases, their offsets computed with ops. */
const dysample: GoldenRun = (inputs, attrs) => {
  const { x } = inputs;
  attrs.repeats("in_channels", x.shape[1]);
  const [s, groups] = [attrs.number("scale"), attrs.number("groups")];
  const style = attrs.word("style", ["lp", "pl"]);
  const features = style === "lp" ? x : pixelShuffle(x, s);
  const predicted = conv1x1(features, inputs["offset.weight"], inputs["offset.bias"]);
  const moved = attrs.boolean("dyscope")
    ? mul(mul(predicted, sigmoid(conv1x1(features, inputs["scope.weight"]))), 0.5)
    : mul(predicted, 0.25);
  const cell = Array.from({ length: 2 * groups * s * s }, (_, channel) => {
    const k = channel < groups * s * s ? channel % s : Math.floor(channel / s) % s;
    return ((1 - s) / 2 + k) / s;
  });
  const start = tensor(cell, [1, cell.length, 1, 1]).cast(x.dtype); // the module's buffer is float32
  return sampleAtOffsets(x, add(style === "lp" ? moved : pixelUnshuffle(moved, s), start), s);
};

describeOp(sampleAtOffsets, {
  byHand: {
    "reads each pixel's neighbourhood at its offset, first x, then y": async () => {
      const x = tensor([[[[0, 8], [80, 800]]]]); // prettier-ignore
      const along = (dx: number, dy: number): Tensor => concat([full([1, 1, 2, 2], dx), full([1, 1, 2, 2], dy)], 1);
      expect(await sampleAtOffsets(x, along(0, 0), 1).data()).toEqual(Float32Array.of(0, 8, 80, 800));
      expect(await sampleAtOffsets(x, along(0.25, 0), 1).data()).toEqual(Float32Array.of(2, 8, 260, 800));
      expect(await sampleAtOffsets(x, along(0, 0.25), 1).data()).toEqual(Float32Array.of(20, 206, 80, 800));
      expect(await sampleAtOffsets(x, along(-9, 9), 1).data()).toEqual(Float32Array.of(80, 80, 80, 80));
    },
    "has channel i*s + j of an axis for row i and column j of a cell": async () => {
      const x = tensor([[[[0, 100]]]]); // prettier-ignore
      const offsets = tensor(
        [0.1, 0.2, 0.3, 0.4, 0, 0, 0, 0].flatMap((dx) => [dx, 0]),
        [1, 8, 1, 2],
      );
      const y = await sampleAtOffsets(x, offsets, 2).data();
      expect(Array.from(y, Math.round)).toEqual([10, 20, 100, 100, 30, 40, 100, 100]);
    },
    "gives each group of channels its own points": async () => {
      const x = tensor([[[[0, 4]], [[0, 40]], [[0, 400]], [[0, 4000]]]]); // prettier-ignore
      const offsets = tensor([0.5, 0, 0.25, 0, 0, 0, 0, 0], [1, 4, 1, 2]); // x of both groups, then y
      expect(await sampleAtOffsets(x, offsets, 1).data()).toEqual(Float32Array.of(2, 4, 20, 40, 100, 400, 1000, 4000));
    },
    "gives an offset the slope between its pixels, of the right-hand cell on a centre, and 0 at the border":
      async () => {
        const x = tensor([[[[1, 2, 4, 8]]]]);
        const alongX = tensor([-0.5, 0.5, 0, 0.25], [1, 1, 1, 4]); // positions -0.5, 1.5, 2, 3.25
        const offsets = concat([alongX, zeros([1, 1, 1, 4])], 1);
        const [doffsets] = grad(sum(sampleAtOffsets(x, offsets, 1)), [offsets]);
        expect(Array.from(await doffsets.data(), (slope) => slope + 0)).toEqual([0, 2, 4, 0, 0, 0, 0, 0]);
      },
    "adds up the gradients of all samples of a pixel": async () => {
      const x = zeros([1, 1, 1, 3]);
      const offsets = concat([tensor([0.75, 0, -1.5], [1, 1, 1, 3]), zeros([1, 1, 1, 3])], 1); // positions 0.75, 1, 0.5
      const dy = tensor([[[[4, 8, 16]]]]);
      const [dx] = grad(sampleAtOffsets(x, offsets, 1), [x], { gradOutput: dy });
      expect(await dx.data()).toEqual(Float32Array.of(1 + 8, 3 + 8 + 8, 0));
    },
    "reads a pixel of the edge at an offset that is not finite, with gradient 0": async () => {
      const x = tensor([[[[1, 2, 3, 4]]]]);
      const offsets = concat([tensor([NaN, Infinity, -Infinity, 3e38], [1, 1, 1, 4]), zeros([1, 1, 1, 4])], 1);
      const y = sampleAtOffsets(x, offsets, 1);
      const [doffsets] = grad(sum(y), [offsets]);
      expect(await y.data()).toEqual(Float32Array.of(1, 4, 1, 4));
      expect(Array.from(await doffsets.data(), Math.abs)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    },
    "takes batches without images": () => {
      expect(sampleAtOffsets(zeros([0, 2, 3, 4]), zeros([0, 8, 3, 4]), 2).shape).toEqual([0, 2, 6, 8]);
    },
  },

  golden: { cases: ["network/dysample/*"], run: dysample },

  laws: {
    "is gridSample on the grid of its positions, and so are its gradients": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, offsets, dy, scale }) => {
          const ways = [sampleAtOffsets, byGrid].map((f) => {
            const y = f(x, offsets, scale);
            return [y, ...grad(y, [x, offsets], { gradOutput: dy })];
          });
          for (const [k, got] of ways[0].entries()) await expectSame(got, ways[1][k]);
        }),
      ),
    "has the second gradients of gridSample on that grid": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, offsets, dy, scale }) => {
          const ways = [sampleAtOffsets, byGrid].map((f) => {
            const [dx, doffsets] = grad(f(x, offsets, scale), [x, offsets], { gradOutput: dy });
            const loss = add(sum(mul(dx, mul(x, x))), sum(mul(doffsets, mul(offsets, offsets))));
            return gradientsOf(loss, [x, offsets, dy]).map((each) => each!);
          });
          for (const [k, got] of ways[0].entries()) await expectSame(got, ways[1][k]);
        }),
      ),
    "has its transpose as the image's gradient: dy . S x = x . Sᵀ dy, exactly": () =>
      fc.assert(
        fc.asyncProperty(
          integers([2, 4, 2, 3]),
          integers([2, 4, 4, 6]),
          integers([2, 16, 2, 3], { min: -8, max: 8 }),
          async (x, dy, quarters) => {
            const y = sampleAtOffsets(x, div(quarters, 4), 2);
            const [dx] = grad(y, [x], { gradOutput: dy });
            expect(dot(await dy.data(), await y.data())).toBe(dot(await dx.data(), await x.data()));
          },
        ),
      ),
    "gives the image back, enlarged, without offsets, and a constant image anyway": () =>
      fc.assert(
        fc.asyncProperty(cases, async ({ x, offsets, scale }) => {
          const still = sampleAtOffsets(x, zeros(offsets.shape, { dtype: "float64" }), scale);
          const [N, C, H, W] = x.shape;
          const enlarged = reshape(x, [N, C, H, 1, W, 1]).expand([N, C, H, scale, W, scale]);
          await expectSame(still, reshape(enlarged, still.shape));
          const flat = sampleAtOffsets(full(x.shape, 3, { dtype: "float64" }), offsets, scale);
          await expectSame(flat, full(flat.shape, 3, { dtype: "float64" }));
        }),
      ),
    "does to each group of channels what it does to that group alone": () =>
      fc.assert(
        fc.asyncProperty(reals([1, 4, 2, 3]), reals([1, 16, 2, 3]), async (x, offsets) => {
          const perAxis = reshape(offsets, [1, 2, 2, 4, 2, 3]);
          const alone = [0, 1].map((g) =>
            sampleAtOffsets(
              slice(x, [null, [2 * g, 2 * g + 2]]),
              reshape(slice(perAxis, [null, null, [g, g + 1]]), [1, 8, 2, 3]),
              2,
            ),
          );
          await expectSame(sampleAtOffsets(x, offsets, 2), concat(alone, 1));
        }),
      ),
  },

  gradients: {
    "by image and offsets": {
      f: (x, offsets, like) => sampleAtOffsets(x, offsets, scaleOf(x, like)),
      inputs: cases.map(({ x, offsets, dy }) => [x, offsets, leaf(dy.shape, "int32", new Int32Array(dy.size))]),
    },
    "the gradient by the image": {
      f: (x, offsets, dy) => grad(sampleAtOffsets(x, offsets, scaleOf(x, dy)), [x], { gradOutput: dy })[0],
      inputs: cases.map(({ x, offsets, dy }) => [x, offsets, dy]),
    },
    "the gradient by the offsets": {
      f: (x, offsets, dy) => grad(sampleAtOffsets(x, offsets, scaleOf(x, dy)), [offsets], { gradOutput: dy })[0],
      inputs: cases.map(({ x, offsets, dy }) => [x, offsets, dy]),
    },
  },

  errors: {
    "offsets of another size": () => {
      expect(() => sampleAtOffsets(zeros([1, 4, 2, 2]), zeros([1, 8, 2, 3]), 2)).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: sampleAtOffsets: x must be [N, C, H, W] with at least one pixel, and offsets [N, 2*G*s*s, H, W] with s = 2 and a G that divides C, got x of shape [1, 4, 2, 2] and offsets of shape [1, 8, 2, 3]]`,
      );
    },
    "channels that the groups do not divide": () => {
      expect(() => sampleAtOffsets(zeros([1, 3, 2, 2]), zeros([1, 16, 2, 2]), 2)).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: sampleAtOffsets: x must be [N, C, H, W] with at least one pixel, and offsets [N, 2*G*s*s, H, W] with s = 2 and a G that divides C, got x of shape [1, 3, 2, 2] and offsets of shape [1, 16, 2, 2]]`,
      );
    },
    "offsets for another scale": () => {
      expect(() => sampleAtOffsets(zeros([1, 4, 2, 2]), zeros([1, 8, 2, 2]), 3)).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: sampleAtOffsets: x must be [N, C, H, W] with at least one pixel, and offsets [N, 2*G*s*s, H, W] with s = 3 and a G that divides C, got x of shape [1, 4, 2, 2] and offsets of shape [1, 8, 2, 2]]`,
      );
    },
    "an image without pixels": () => {
      expect(() => sampleAtOffsets(zeros([1, 4, 0, 2]), zeros([1, 8, 0, 2]), 2)).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: sampleAtOffsets: x must be [N, C, H, W] with at least one pixel, and offsets [N, 2*G*s*s, H, W] with s = 2 and a G that divides C, got x of shape [1, 4, 0, 2] and offsets of shape [1, 8, 0, 2]]`,
      );
    },
    "a scale that is no positive integer": () => {
      expect(() => sampleAtOffsets(zeros([1, 4, 2, 2]), zeros([1, 8, 2, 2]), 0.5)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: sampleAtOffsets: scale must be an integer of at least 1, got 0.5]`,
      );
    },
    "image and offsets of different element types": () => {
      const offsets = zeros([1, 8, 2, 2], { dtype: "float64" });
      expect(() => sampleAtOffsets(zeros([1, 4, 2, 2]), offsets, 2)).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: sampleAtOffsets: inputs must share one floating dtype (x.cast("float32") converts), got float32 and float64]`,
      );
    },
  },
});

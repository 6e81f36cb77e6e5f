import {
  add,
  apply,
  concat,
  full,
  grad,
  leaf,
  ones,
  type Shape,
  size,
  slice,
  type Tensor,
  tensor,
  zeros,
} from "@gridgrad/core";
import { dims, dot, integers, reals } from "@gridgrad/core/testing";
import { describeOp } from "@gridgrad/core/testing/describeOp";
import fc from "fast-check";
import { expect } from "vitest";

import { sampleRuns } from "../testing/sampleRuns.ts";
import { carafe, carafeInputOp, windowSimilarity } from "./carafe.ts";
import { interpolate } from "./interpolate.ts";

interface Sizes {
  readonly N: number;
  /** Of a group. */
  readonly channels: number;
  readonly H: number;
  readonly W: number;
  readonly kernelSize: number;
  readonly groups: number;
  readonly scale: number;
}

interface Case extends Sizes {
  readonly x: Tensor;
  readonly kernels: Tensor;
  readonly dy: Tensor;
}

function shapesOf({ N, channels, H, W, kernelSize, groups, scale }: Sizes): [x: Shape, kernels: Shape, dy: Shape] {
  const fine = [scale * H, scale * W];
  const C = groups * channels;
  return [
    [N, C, H, W],
    [N, groups * kernelSize ** 2, ...fine],
    [N, C, ...fine],
  ];
}

/** Small images of all kinds: kernels of 1, 3 or 5, scales 1 to 3, one or two groups. */
function cases(values: (shape: Shape) => fc.Arbitrary<Tensor>): fc.Arbitrary<Case> {
  return fc
    .record({
      N: dims(1, 2),
      channels: dims(1, 2),
      H: dims(1, 3),
      W: dims(1, 3),
      kernelSize: fc.constantFrom(1, 3, 5),
      groups: dims(1, 2),
      scale: dims(1, 3),
    })
    .chain((sizes) =>
      fc.tuple(...shapesOf(sizes).map(values)).map(([x, kernels, dy]) => ({ ...sizes, x, kernels, dy })),
    );
}

/** y, dx and dw of a case. */
function results({ x, kernels, dy, kernelSize, groups }: Case): Tensor[] {
  const y = carafe(x, kernels, { kernelSize, groups });
  return [y, ...grad(y, [x, kernels], { gradOutput: dy })];
}

/** The same, by the definition. */
async function definition(given: Case): Promise<Float64Array[]> {
  const { N, channels, H, W, kernelSize: k, groups: G, scale: s } = given;
  const [x, kernels, dy] = await Promise.all([given.x.data(), given.kernels.data(), given.dy.data()]);
  const [y, dx, dw] = [dy, x, kernels].map(({ length }) => new Float64Array(length));
  for (let image = 0; image < N * G * channels; image++)
    for (let p = 0; p < s * H; p++)
      for (let q = 0; q < s * W; q++)
        for (let i = 0; i < k; i++)
          for (let j = 0; j < k; j++) {
            const h = Math.floor(p / s) + i - (k - 1) / 2;
            const w = Math.floor(q / s) + j - (k - 1) / 2;
            if (h < 0 || h >= H || w < 0 || w >= W) continue;
            const group = Math.floor(image / channels);
            const at = (image * s * H + p) * s * W + q;
            const kernelAt = (((group * k + i) * k + j) * s * H + p) * s * W + q;
            const xAt = (image * H + h) * W + w;
            y[at] += kernels[kernelAt] * x[xAt];
            dx[xAt] += kernels[kernelAt] * dy[at];
            dw[kernelAt] += dy[at] * x[xAt];
          }
  return [y, dx, dw];
}

async function expectDefinition(given: Case): Promise<void> {
  const got = await Promise.all(results(given).map((t) => t.data()));
  expect(got.map((values) => Array.from(values, (value) => value + 0))).toEqual(
    (await definition(given)).map((values) => Array.from(values, (value) => value + 0)), // -0 to 0
  );
}

/** Integers of a long period, for tensors too large for fast-check. */
function ramp(shape: Shape, step: number): Tensor {
  return leaf(
    shape,
    "float32",
    Float32Array.from({ length: size(shape) }, (_, i) => ((i * step) % 17) - 8),
  );
}

/** Kernels that take the pixel in the middle of each window as it is. */
function centres({ N, H, W, kernelSize, groups, scale }: Sizes): Tensor {
  const before = (kernelSize ** 2 - 1) / 2;
  const plane = [N, 1, scale * H, scale * W];
  const around = before === 0 ? [] : [zeros([N, before, scale * H, scale * W])];
  return concat(Array.from({ length: groups }, () => [...around, ones(plane), ...around]).flat(), 1);
}

describeOp(carafe, {
  byHand: {
    "weighs the pixels of each window, row by row, zeros around the image": async () => {
      const x = tensor([1, 2, 3, 4], [1, 1, 2, 2]);
      const weights = tensor([1, 10, 100, 1000, 10000, 100000, 1e6, 0, -1], [1, 9, 1, 1]).expand([1, 9, 2, 2]);
      const y = await carafe(x, weights, { kernelSize: 3 }).data();
      expect(y).toEqual(Float32Array.of(2e5 + 1e4 - 4, 3e6 + 2e4 + 1e3, 4e5 + 3e4 + 210, 4e4 + 3e3 + 21));
    },
    "gives each fine pixel a kernel of its own": async () => {
      const x = tensor([10, 20], [1, 1, 1, 2]);
      const kernels = tensor([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 2, 4]);
      const y = await carafe(x, kernels, { kernelSize: 1 }).array();
      expect(y).toEqual([[[[10, 20, 60, 80], [50, 60, 140, 160]]]]); // prettier-ignore
    },
    "gives each group of channels kernels of its own": async () => {
      const x = tensor([1, 2, 3, 4], [1, 4, 1, 1]);
      expect(await carafe(x, tensor([10, 100], [1, 2, 1, 1]), { kernelSize: 1, groups: 2 }).data()).toEqual(
        Float32Array.of(10, 20, 300, 400),
      );
    },
    "gives a pixel what all windows that hold it send back, and a weight the pixel": async () => {
      const x = tensor([5, 7], [1, 1, 1, 2]);
      const kernels = concat([full([1, 3, 1, 2], 0), tensor([1, 2, 3, 4, 5, 6], [1, 3, 1, 2]), zeros([1, 3, 1, 2])], 1);
      const dy = tensor([10, 100], [1, 1, 1, 2]);
      const [dx, dw] = grad(carafe(x, kernels, { kernelSize: 3 }), [x, kernels], { gradOutput: dy });
      expect(await dx.data()).toEqual(Float32Array.of(3 * 10 + 2 * 100, 5 * 10 + 4 * 100));
      expect(await slice(dw, [null, [3, 6]]).data()).toEqual(Float32Array.of(0, 500, 50, 700, 70, 0));
    },
    "is the sum that defines it, and so are its gradients, for images of many channels and odd widths": async () => {
      const some: Sizes[] = [
        { N: 2, channels: 11, H: 3, W: 7, kernelSize: 5, groups: 2, scale: 2 },
        { N: 1, channels: 37, H: 2, W: 5, kernelSize: 3, groups: 1, scale: 3 },
        { N: 1, channels: 5, H: 4, W: 2, kernelSize: 7, groups: 3, scale: 1 },
        { N: 1, channels: 4, H: 2, W: 3, kernelSize: 3, groups: 1, scale: 5 },
      ];
      for (const sizes of some) {
        const [x, kernels, dy] = shapesOf(sizes).map((shape, i) => ramp(shape, [7919, 104729, 1299709][i]));
        await expectDefinition({ ...sizes, x, kernels, dy });
      }
    },
    "meets nothing but its own window: no pixel or weight elsewhere, though infinite, shows": async () => {
      const x = concat([ones([1, 2, 1, 3]), full([1, 2, 1, 3], Infinity)], 2).expand([1, 2, 2, 3]);
      const y = carafe(x, ones([1, 1, 4, 6]), { kernelSize: 1 });
      expect(await slice(y, [null, null, [0, 2]]).data()).toEqual(new Float32Array(24).fill(1));
      const kernels = concat([full([1, 9, 1, 3], Infinity), ones([1, 9, 1, 3])], 2);
      const z = zeros([1, 1, 2, 3]);
      const [dx] = grad(carafe(z, kernels, { kernelSize: 3 }), [z], { gradOutput: ones([1, 1, 2, 3]) });
      expect(await dx.data()).toEqual(new Float32Array(6).fill(Infinity));
    },
    "takes batches without images, and images without channels": async () => {
      expect(carafe(zeros([0, 2, 3, 4]), zeros([0, 9, 6, 8]), { kernelSize: 3 }).shape).toEqual([0, 2, 6, 8]);
      const none = carafe(zeros([1, 0, 2, 2]), zeros([1, 9, 2, 2]), { kernelSize: 3 });
      expect(await none.data()).toEqual(new Float32Array(0));
    },
  },

  golden: { cases: ["arithmetic/resample/carafe_*"], run: sampleRuns.carafe },

  laws: {
    "is the sum that defines it, and so are its gradients, for all sizes": () =>
      fc.assert(fc.asyncProperty(cases(integers), expectDefinition)),
    "with kernels that are 1 in the centre is nearest upsampling": () =>
      fc.assert(
        fc.asyncProperty(cases(integers), async ({ x, ...sizes }) => {
          const enlarged = interpolate(x, { scaleFactor: sizes.scale });
          expect(
            await carafe(x, centres(sizes), { kernelSize: sizes.kernelSize, groups: sizes.groups }).array(),
          ).toEqual(await enlarged.array());
        }),
      ),
    "is linear in x and in the kernels": () =>
      fc.assert(
        fc.asyncProperty(
          cases(integers).chain((given) =>
            fc.tuple(fc.constant(given), integers(given.x.shape), integers(given.kernels.shape)),
          ),
          async ([{ x, kernels, kernelSize, groups }, x2, kernels2]) => {
            const f = (x: Tensor, kernels: Tensor): Tensor => carafe(x, kernels, { kernelSize, groups });
            expect(await f(add(x, x2), kernels).array()).toEqual(await add(f(x, kernels), f(x2, kernels)).array());
            expect(await f(x, add(kernels, kernels2)).array()).toEqual(
              await add(f(x, kernels), f(x, kernels2)).array(),
            );
          },
        ),
      ),
    "satisfies the adjoint identity dy . f(x) = dx . x, also for the kernels: one form, three ways to add it up": () =>
      fc.assert(
        fc.asyncProperty(cases(integers), async (given) => {
          const [y, dx, dw] = await Promise.all(results(given).map((t) => t.data()));
          const form = dot(await given.dy.data(), y);
          expect(dot(dx, await given.x.data())).toBe(form);
          expect(dot(dw, await given.kernels.data())).toBe(form);
        }),
      ),
    "does to each group of channels what it does to that group alone": () =>
      fc.assert(
        fc.asyncProperty(cases(integers), async ({ x, kernels, kernelSize, groups }) => {
          const part = (t: Tensor, g: number): Tensor => {
            const n = t.shape[1] / groups;
            return slice(t, [null, [g * n, (g + 1) * n]]);
          };
          const alone = Array.from({ length: groups }, (_, g) => carafe(part(x, g), part(kernels, g), { kernelSize }));
          expect(await carafe(x, kernels, { kernelSize, groups }).array()).toEqual(await concat(alone, 1).array());
        }),
      ),
    "is the same in float32 and float64": () =>
      fc.assert(
        fc.asyncProperty(cases(integers), async ({ x, kernels, dy, ...sizes }) => {
          const wide = { x: x.cast("float64"), kernels: kernels.cast("float64"), dy: dy.cast("float64"), ...sizes };
          const inFloat64 = await Promise.all(results(wide).map((t) => t.array()));
          expect(inFloat64).toEqual(await Promise.all(results({ x, kernels, dy, ...sizes }).map((t) => t.array())));
        }),
        { numRuns: 30 },
      ),
  },

  gradients: {
    "x and kernels": {
      f: (x, kernels) => carafe(x, kernels, { kernelSize: 3, groups: 2 }),
      inputs: fc.tuple(reals([2, 4, 2, 3]), reals([2, 18, 4, 6])),
      numRuns: 15,
    },
    "by 3, with windows larger than the image": {
      f: (x, kernels) => carafe(x, kernels, { kernelSize: 5 }),
      inputs: fc.tuple(reals([1, 3, 2, 1]), reals([1, 25, 6, 3])),
      numRuns: 15,
    },
    "of the gradient for x": {
      f: (dy, kernels) => apply(carafeInputOp, [dy, kernels], { kernelSize: 3, groups: 2, scale: 2 }),
      inputs: fc.tuple(reals([1, 4, 4, 6]), reals([1, 18, 4, 6])),
      numRuns: 15,
    },
  },

  errors: {
    "another rank": () => {
      expect(() => carafe(zeros([3, 2, 2]), zeros([1, 9, 4, 4]), { kernelSize: 3 })).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: carafe: x must be [N, C, H, W] with at least one pixel and a C that groups = 1 divides, and kernels [N, G*k*k, s*H, s*W] with G*k*k = 9, got x of shape [3, 2, 2] and kernels of shape [1, 9, 4, 4]]`,
      );
    },
    "kernels of another size": () => {
      expect(() =>
        carafe(zeros([1, 3, 2, 2]), zeros([1, 25, 4, 4]), { kernelSize: 3 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: carafe: x must be [N, C, H, W] with at least one pixel and a C that groups = 1 divides, and kernels [N, G*k*k, s*H, s*W] with G*k*k = 9, got x of shape [1, 3, 2, 2] and kernels of shape [1, 25, 4, 4]]`,
      );
    },
    "kernels for half as many groups": () => {
      expect(() =>
        carafe(zeros([1, 4, 2, 2]), zeros([1, 9, 4, 4]), { kernelSize: 3, groups: 2 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: carafe: x must be [N, C, H, W] with at least one pixel and a C that groups = 2 divides, and kernels [N, G*k*k, s*H, s*W] with G*k*k = 18, got x of shape [1, 4, 2, 2] and kernels of shape [1, 9, 4, 4]]`,
      );
    },
    "channels that the groups do not divide": () => {
      expect(() =>
        carafe(zeros([1, 3, 2, 2]), zeros([1, 18, 4, 4]), { kernelSize: 3, groups: 2 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: carafe: x must be [N, C, H, W] with at least one pixel and a C that groups = 2 divides, and kernels [N, G*k*k, s*H, s*W] with G*k*k = 18, got x of shape [1, 3, 2, 2] and kernels of shape [1, 18, 4, 4]]`,
      );
    },
    "a scale that is no integer": () => {
      expect(() =>
        carafe(zeros([1, 3, 2, 2]), zeros([1, 9, 3, 3]), { kernelSize: 3 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: carafe: x must be [N, C, H, W] with at least one pixel and a C that groups = 1 divides, and kernels [N, G*k*k, s*H, s*W] with G*k*k = 9, got x of shape [1, 3, 2, 2] and kernels of shape [1, 9, 3, 3]]`,
      );
    },
    "another scale along the width": () => {
      expect(() =>
        carafe(zeros([1, 3, 2, 2]), zeros([1, 9, 4, 2]), { kernelSize: 3 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: carafe: x must be [N, C, H, W] with at least one pixel and a C that groups = 1 divides, and kernels [N, G*k*k, s*H, s*W] with G*k*k = 9, got x of shape [1, 3, 2, 2] and kernels of shape [1, 9, 4, 2]]`,
      );
    },
    "an image without pixels": () => {
      expect(() =>
        carafe(zeros([1, 3, 2, 0]), zeros([1, 9, 4, 0]), { kernelSize: 3 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: carafe: x must be [N, C, H, W] with at least one pixel and a C that groups = 1 divides, and kernels [N, G*k*k, s*H, s*W] with G*k*k = 9, got x of shape [1, 3, 2, 0] and kernels of shape [1, 9, 4, 0]]`,
      );
    },
    "an even kernel": () => {
      expect(() =>
        carafe(zeros([1, 3, 2, 2]), zeros([1, 4, 4, 4]), { kernelSize: 2 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: carafe: kernelSize must be an odd integer of at least 1, got 2]`,
      );
    },
    "a kernel without elements": () => {
      expect(() =>
        carafe(zeros([1, 3, 2, 2]), zeros([1, 1, 4, 4]), { kernelSize: -1 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: carafe: kernelSize must be an odd integer of at least 1, got -1]`,
      );
    },
    "groups that are no count": () => {
      expect(() =>
        carafe(zeros([1, 3, 2, 2]), zeros([1, 9, 4, 4]), { kernelSize: 3, groups: 0.5 }),
      ).toThrowErrorMatchingInlineSnapshot(`[ValueError: carafe: groups must be an integer of at least 1, got 0.5]`);
    },
    "image and kernels of different element types": () => {
      const kernels = zeros([1, 9, 4, 4], { dtype: "float64" });
      expect(() => carafe(zeros([1, 3, 2, 2]), kernels, { kernelSize: 3 })).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: carafe: inputs must share one floating dtype (x.cast("float32") converts), got float32 and float64]`,
      );
    },
  },
});

describeOp(windowSimilarity, {
  byHand: {
    "multiplies each pixel with those around it, row by row, 0 outside": async () => {
      const query = tensor([1, 0, 0, 2], [1, 1, 2, 2]);
      const key = tensor([10, 20, 30, 40], [1, 1, 2, 2]);
      const similarity = await windowSimilarity(query, key, { kernelSize: 3 }).array();
      const at = (p: number, q: number) => (similarity as number[][][][])[0].map((plane) => plane[p][q]);
      expect(at(0, 0)).toEqual([0, 0, 0, 0, 10, 20, 0, 30, 40]);
      expect(at(1, 1)).toEqual([20, 40, 0, 60, 80, 0, 0, 0, 0]);
    },
    "adds up the channels of each group": async () => {
      const query = tensor([1, 2, 3, 4], [1, 4, 1, 1]);
      const key = tensor([1, 10, 100, 1000], [1, 4, 1, 1]);
      expect(await windowSimilarity(query, key, { kernelSize: 1 }).data()).toEqual(Float32Array.of(4321));
      expect(await windowSimilarity(query, key, { kernelSize: 1, groups: 2 }).data()).toEqual(
        Float32Array.of(21, 4300),
      );
    },
    "compares the fine pixels of a cell with the same coarse pixels": async () => {
      const query = tensor([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 2, 4]);
      const key = tensor([1, 10], [1, 1, 1, 2]);
      const similarity = await windowSimilarity(query, key, { kernelSize: 1 }).data();
      expect(similarity).toEqual(Float32Array.of(1, 2, 30, 40, 5, 6, 70, 80));
    },
    "has the transpose as its gradients": async () => {
      const query = tensor([1, 2], [1, 1, 1, 2]);
      const key = tensor([10, 20], [1, 1, 1, 2]);
      const [dquery, dkey] = grad(slice(windowSimilarity(query, key, { kernelSize: 3 }), [null, [3, 4]]).sum(), [
        query,
        key,
      ]);
      expect(await dquery.data()).toEqual(Float32Array.of(0, 10)); // each with the pixel on its left
      expect(await dkey.data()).toEqual(Float32Array.of(2, 0));
    },
    "of no channels is 0": async () => {
      const similarity = windowSimilarity(zeros([1, 0, 2, 2]), zeros([1, 0, 1, 1]), { kernelSize: 1 });
      expect(await similarity.data()).toEqual(new Float32Array(4));
    },
  },

  golden: { cases: ["arithmetic/resample/window_similarity_*"], run: sampleRuns.window_similarity },

  laws: {
    "is the gradient of carafe by the kernels": () =>
      fc.assert(
        fc.asyncProperty(cases(integers), async (given) => {
          const { dy, x, kernelSize, groups } = given;
          expect(await windowSimilarity(dy, x, { kernelSize, groups }).array()).toEqual(
            await results(given)[2].array(),
          );
        }),
      ),
    "has carafe as its gradient by the query, and carafe's by the image as that by the key": () =>
      fc.assert(
        fc.asyncProperty(cases(integers), async (given) => {
          const { x, kernels, dy, kernelSize, groups } = given;
          const [y, dx] = grad(windowSimilarity(dy, x, { kernelSize, groups }), [dy, x], { gradOutput: kernels });
          expect(await y.array()).toEqual(await results(given)[0].array());
          expect(await dx.array()).toEqual(await results(given)[1].array());
        }),
      ),
    "of an image with itself has the squares of its pixels in the centre": () =>
      fc.assert(
        fc.asyncProperty(integers([1, 1, 3, 4]), async (x) => {
          const centre = slice(windowSimilarity(x, x, { kernelSize: 3 }), [null, [4, 5]]);
          expect(await centre.array()).toEqual(await x.mul(x).array());
        }),
      ),
  },

  gradients: {
    "query and key": {
      f: (query, key) => windowSimilarity(query, key, { kernelSize: 3, groups: 2 }),
      inputs: fc.tuple(reals([2, 4, 4, 6]), reals([2, 4, 2, 3])),
      numRuns: 15,
    },
    "by 3, with windows larger than the image": {
      f: (query, key) => windowSimilarity(query, key, { kernelSize: 5 }),
      inputs: fc.tuple(reals([1, 3, 6, 3]), reals([1, 3, 2, 1])),
      numRuns: 15,
    },
  },

  errors: {
    "a query of another size": () => {
      expect(() =>
        windowSimilarity(zeros([1, 3, 5, 4]), zeros([1, 3, 2, 2]), { kernelSize: 3 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: windowSimilarity: query must be [N, C, s*H, s*W] and key [N, C, H, W], with at least one pixel and a C that groups = 1 divides, got query of shape [1, 3, 5, 4] and key of shape [1, 3, 2, 2]]`,
      );
    },
    "other channels": () => {
      expect(() =>
        windowSimilarity(zeros([1, 4, 4, 4]), zeros([1, 3, 2, 2]), { kernelSize: 3 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: windowSimilarity: query must be [N, C, s*H, s*W] and key [N, C, H, W], with at least one pixel and a C that groups = 1 divides, got query of shape [1, 4, 4, 4] and key of shape [1, 3, 2, 2]]`,
      );
    },
    "channels that the groups do not divide": () => {
      expect(() =>
        windowSimilarity(zeros([1, 3, 4, 4]), zeros([1, 3, 2, 2]), { kernelSize: 3, groups: 2 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: windowSimilarity: query must be [N, C, s*H, s*W] and key [N, C, H, W], with at least one pixel and a C that groups = 2 divides, got query of shape [1, 3, 4, 4] and key of shape [1, 3, 2, 2]]`,
      );
    },
    "an even kernel": () => {
      expect(() =>
        windowSimilarity(zeros([1, 3, 4, 4]), zeros([1, 3, 2, 2]), { kernelSize: 4 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: windowSimilarity: kernelSize must be an odd integer of at least 1, got 4]`,
      );
    },
    "groups that are no count": () => {
      expect(() =>
        windowSimilarity(zeros([1, 3, 4, 4]), zeros([1, 3, 2, 2]), { kernelSize: 3, groups: 0 }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: windowSimilarity: groups must be an integer of at least 1, got 0]`,
      );
    },
    int32: () => {
      const [query, key] = [zeros([1, 1, 4, 4], { dtype: "int32" }), zeros([1, 1, 2, 2], { dtype: "int32" })];
      expect(() => windowSimilarity(query, key, { kernelSize: 3 })).toThrowErrorMatchingInlineSnapshot(
        `[DTypeError: carafeKernels: inputs must share one floating dtype (x.cast("float32") converts), got int32 and int32]`,
      );
    },
  },
});

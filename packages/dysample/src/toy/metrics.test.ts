import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { argmaxChannels, SegmentationMetrics } from "./metrics.ts";
import type { SegmentationMetricsOptions, SegmentationResult } from "./metrics.ts";

/** A mask from its drawing: one string a row, one digit a pixel. */
const drawn = (...rows: string[]) => Uint8Array.from(rows.join(""), Number);

function measure(options: SegmentationMetricsOptions, prediction: Uint8Array, truth: Uint8Array): SegmentationResult {
  const metrics = new SegmentationMetrics(options);
  metrics.add(prediction, truth);
  return metrics.result();
}

describe("by hand", () => {
  test("IoU is shared pixels over the pixels of either, per class", () => {
    const result = measure({ classes: 3, height: 2, width: 3 }, drawn("001", "022"), drawn("011", "022"));
    // class 0: shared 2 of 3; class 1: shared 1 of 2; class 2: shared 2 of 2.
    expect(result.iouPerClass).toEqual([2 / 3, 1 / 2, 1]);
    expect(result.mIoU).toBeCloseTo((2 / 3 + 1 / 2 + 1) / 3, 15);
    expect(result.pixelAccuracy).toBe(5 / 6);
    expect(result.images).toBe(1);
  });

  test("a band is a class's pixels with another class or the frame in their 5 x 5 square", () => {
    // The 7 x 7 block of class 1 keeps a 3 x 3 interior; the frame of class 0 keeps nothing.
    const truth = drawn(
      "000000000",
      "011111110",
      "011111110",
      "011111110",
      "011111110",
      "011111110",
      "011111110",
      "011111110",
      "000000000",
    );
    const holed = truth.slice();
    holed[4 * 9 + 4] = 0; // the centre: now the whole block lies within 2 of class 0, and the hole is band of class 0
    const result = measure({ classes: 2, height: 9, width: 9 }, holed, truth);
    expect(result.iouPerClass).toEqual([32 / 33, 48 / 49]);
    expect(result.boundaryIoUPerClass).toEqual([32 / 33, 40 / 48]);
    expect(result.boundaryIoU).toBeCloseTo((32 / 33 + 40 / 48) / 2, 15);
  });

  test("every class ends at the frame, background too", () => {
    const truth = new Uint8Array(49);
    const prediction = truth.slice();
    prediction[24] = 1; // the centre of 7 x 7
    const result = measure({ classes: 2, height: 7, width: 7 }, prediction, truth);
    // Truth: the band of class 0 is 49 - 3 * 3 pixels. Prediction: everything is within 2 of the centre or of the frame.
    expect(result.boundaryIoUPerClass).toEqual([40 / 48, 0]);
  });

  test("boundaryDistance 1 erodes with a 3 x 3 square", () => {
    const truth = new Uint8Array(25);
    const prediction = truth.slice();
    prediction[0] = 1;
    const result = measure({ classes: 2, height: 5, width: 5, boundaryDistance: 1 }, prediction, truth);
    // Truth: 25 - 9. Prediction: the corner is gone, and the pixel diagonally inside it joins the band.
    expect(result.boundaryIoUPerClass[0]).toBe(15 / 17);
  });

  test("images are summed before dividing, so a large object weighs more than a small one", () => {
    const metrics = new SegmentationMetrics({ classes: 2, height: 1, width: 4 });
    metrics.add(drawn("0001", "1111"), drawn("0011", "1111"));
    const result = metrics.result();
    expect(result.iouPerClass).toEqual([2 / 3, 5 / 6]); // not the mean of 1/2 and 1
    expect(result.images).toBe(2);
  });

  test("a class that occurs nowhere is NaN and in no mean", () => {
    const result = measure({ classes: 4, height: 1, width: 2 }, drawn("02"), drawn("00"));
    expect(result.iouPerClass).toEqual([1 / 2, NaN, 0, NaN]); // class 2 is predicted only, which is wrong, so 0
    expect(result.boundaryIoUPerClass).toEqual([1 / 2, NaN, 0, NaN]);
    expect(result.mIoU).toBe(1 / 4);
  });

  test("a square two pixels beside the truth has 97% of the pixels right, and a third of its boundary", () => {
    const square = (left: number) =>
      Uint8Array.from({ length: 64 * 64 }, (_, i) => {
        const [y, x] = [Math.floor(i / 64), i % 64];
        return y >= 16 && y < 48 && x >= left && x < left + 32 ? 1 : 0;
      });
    const result = measure({ classes: 2, height: 64, width: 64 }, square(18), square(16));
    expect(result.pixelAccuracy).toBe(1 - (2 * 2 * 32) / (64 * 64));
    expect(result.iouPerClass[1]).toBe(30 / 34);
    // Bands of 32 * 32 - 28 * 28 = 240 pixels share their upper and lower sides only: 4 rows of 30.
    expect(result.boundaryIoUPerClass[1]).toBe(120 / (240 + 240 - 120));
  });
});

/** The definition, pixel by pixel and square by square. */
function bruteForce(options: Required<SegmentationMetricsOptions>, prediction: Uint8Array, truth: Uint8Array) {
  const { classes, height, width, boundaryDistance: d } = options;
  const size = height * width;
  const has = (mask: Uint8Array, image: number, y: number, x: number, c: number) =>
    y >= 0 && y < height && x >= 0 && x < width && mask[image * size + y * width + x] === c;
  const eroded = (mask: Uint8Array, image: number, y: number, x: number, c: number) => {
    for (let v = y - d; v <= y + d; v++)
      for (let u = x - d; u <= x + d; u++) if (!has(mask, image, v, u, c)) return false;
    return true;
  };
  const band = (mask: Uint8Array, image: number, y: number, x: number, c: number) =>
    has(mask, image, y, x, c) && !eroded(mask, image, y, x, c);
  const iou = (inside: typeof has, c: number) => {
    let both = 0;
    let either = 0;
    for (let i = 0; i < truth.length; i++) {
      const [image, y, x] = [Math.floor(i / size), Math.floor((i % size) / width), i % width];
      const p = inside(prediction, image, y, x, c);
      const t = inside(truth, image, y, x, c);
      if (p && t) both++;
      if (p || t) either++;
    }
    return both / either;
  };
  const every = Array.from({ length: classes }, (_, c) => c);
  return { iouPerClass: every.map((c) => iou(has, c)), boundaryIoUPerClass: every.map((c) => iou(band, c)) };
}

/** Masks made of a few rectangles, whose regions are wide enough to have an interior, with some single pixels on top. */
const arbitraryCase = fc
  .record({
    classes: fc.integer({ min: 1, max: 4 }),
    height: fc.integer({ min: 1, max: 12 }),
    width: fc.integer({ min: 1, max: 12 }),
    boundaryDistance: fc.integer({ min: 1, max: 3 }),
    images: fc.integer({ min: 1, max: 3 }),
  })
  .chain((options) => {
    const { classes, height, width, images } = options;
    const rectangle = fc.tuple(
      fc.nat(images - 1),
      fc.nat(height),
      fc.nat(height),
      fc.nat(width),
      fc.nat(width),
      fc.nat(classes - 1),
    );
    const dot = fc.tuple(fc.nat(images * height * width - 1), fc.nat(classes - 1));
    const mask = fc
      .tuple(fc.array(rectangle, { maxLength: 5 }), fc.array(dot, { maxLength: 3 }))
      .map(([rects, dots]) => {
        const values = new Uint8Array(images * height * width);
        for (const [image, y0, y1, x0, x1, c] of rects) {
          for (let y = y0; y < y1; y++)
            values.fill(c, (image * height + y) * width + x0, (image * height + y) * width + Math.max(x0, x1));
        }
        for (const [i, c] of dots) values[i] = c;
        return values;
      });
    return fc.record({ options: fc.constant(options), prediction: mask, truth: mask });
  });

describe("laws", () => {
  test("the counts equal those of the definition, taken pixel by pixel", () => {
    let eroded = 0;
    fc.assert(
      fc.property(arbitraryCase, ({ options, prediction, truth }) => {
        const result = measure(options, prediction, truth);
        expect(result).toMatchObject(bruteForce(options, prediction, truth));
        if (result.boundaryIoU !== result.mIoU) eroded++;
      }),
      { numRuns: 300 },
    );
    expect(eroded).toBeGreaterThan(50); // the bands are not everywhere the whole mask
  });

  test("a perfect prediction scores 1 everywhere", () => {
    fc.assert(
      fc.property(arbitraryCase, ({ options, truth }) => {
        const result = measure(options, truth, truth);
        expect([result.mIoU, result.boundaryIoU, result.pixelAccuracy]).toEqual([1, 1, 1]);
      }),
    );
  });

  test("neither the order of the images nor the size of the batches changes a digit", () => {
    fc.assert(
      fc.property(arbitraryCase, ({ options, prediction, truth }) => {
        const metrics = new SegmentationMetrics(options);
        const size = options.height * options.width;
        for (let start = truth.length - size; start >= 0; start -= size) {
          metrics.add(prediction.subarray(start, start + size), Int32Array.from(truth.subarray(start, start + size)));
        }
        expect(metrics.result()).toEqual(measure(options, prediction, truth));
      }),
    );
  });

  test("exchanging prediction and truth changes nothing", () => {
    fc.assert(
      fc.property(arbitraryCase, ({ options, prediction, truth }) => {
        expect(measure(options, prediction, truth)).toEqual(measure(options, truth, prediction));
      }),
    );
  });

  test("mirroring every image changes nothing", () => {
    fc.assert(
      fc.property(arbitraryCase, ({ options, prediction, truth }) => {
        const { width } = options;
        const mirrored = (mask: Uint8Array) => mask.map((_, i) => mask[i - (i % width) + (width - 1 - (i % width))]);
        expect(measure(options, mirrored(prediction), mirrored(truth))).toEqual(measure(options, prediction, truth));
      }),
    );
  });
});

describe("argmaxChannels", () => {
  test("takes the first of equal logits", () => {
    const logits = Float32Array.of(/* class 0 */ 1, 7, 0, /* class 1 */ 5, 7, 0, /* class 2 */ 5, 3, 1);
    expect(argmaxChannels(logits, [1, 3, 1, 3])).toEqual(Uint8Array.of(1, 0, 2));
  });

  test("keeps images apart and takes float64", () => {
    expect(argmaxChannels(Float64Array.of(2, 1, 1, 2), [2, 2, 1, 1])).toEqual(Uint8Array.of(0, 1));
  });

  test("ranks infinities", () => {
    expect(argmaxChannels(Float32Array.of(-Infinity, -Infinity), [1, 2, 1, 1])).toEqual(Uint8Array.of(0));
    expect(argmaxChannels(Float32Array.of(1e30, Infinity), [1, 2, 1, 1])).toEqual(Uint8Array.of(1));
  });

  test("finds the channel that a mask was written into", () => {
    fc.assert(
      fc.property(arbitraryCase, ({ options: { classes, height, width, images }, truth }) => {
        const size = height * width;
        const logits = new Float32Array(images * classes * size).fill(-1);
        truth.forEach((c, i) => (logits[(Math.floor(i / size) * classes + c) * size + (i % size)] = 0.5));
        expect(argmaxChannels(logits, [images, classes, height, width])).toEqual(truth);
      }),
    );
  });
});

describe("errors", () => {
  const metrics = new SegmentationMetrics({ classes: 2, height: 2, width: 3 });
  const image = new Uint8Array(6);

  test("sizes are positive integers", () => {
    expect(() => new SegmentationMetrics({ classes: 0, height: 2, width: 3 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: SegmentationMetrics: classes must be a positive integer, got 0]`,
    );
    expect(() => new SegmentationMetrics({ classes: 2, height: 2, width: 3, boundaryDistance: 0 })).toThrow(
      "boundaryDistance must be a positive integer, got 0",
    );
  });

  test("masks are whole images of one size", () => {
    expect(() => metrics.add(image, new Uint8Array(12))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: SegmentationMetrics.add: prediction and truth must hold the same number of images of 2 x 3 = 6 class indices, got 6 and 12 indices]`,
    );
    expect(() => metrics.add(new Uint8Array(7), new Uint8Array(7))).toThrow("got 7 and 7 indices");
    expect(() => metrics.add(new Uint8Array(0), new Uint8Array(0))).toThrow("got 0 and 0 indices");
  });

  test("indices are classes, and a mask with another one leaves the counts alone", () => {
    expect(() => metrics.add(drawn("000", "020"), image)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: SegmentationMetrics.add: prediction must hold class indices in 0 .. 1, got 2 at image 0, row 1, column 1]`,
    );
    expect(() => metrics.add(image, Int32Array.of(0, 0, 0, 0, 0, -1))).toThrow("truth must hold class indices");
    expect(() => metrics.result()).toThrowErrorMatchingInlineSnapshot(
      `[Error: SegmentationMetrics.result: at least one image must be added first, got none; call add()]`,
    );
  });

  test("argmaxChannels needs the shape of its logits", () => {
    expect(() => argmaxChannels(new Float32Array(12), [1, 2, 2, 2])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: argmaxChannels: shape must be [N, C, H, W] of positive integers with C <= 256 and N * C * H * W = 12 logits, got [1, 2, 2, 2]]`,
    );
    expect(() => argmaxChannels(new Float32Array(257), [1, 257, 1, 1])).toThrow("C <= 256");
    expect(() => argmaxChannels(new Float32Array(0), [0, 2, 2, 2])).toThrow("got [0, 2, 2, 2]");
  });

  test("argmaxChannels points at a NaN, in whichever channel", () => {
    expect(() => argmaxChannels(Float32Array.of(0, 0, 1, NaN), [1, 2, 1, 2])).toThrowErrorMatchingInlineSnapshot(
      `[DivergedError: argmaxChannels: logits must be numbers, got NaN at [n, c, h, w] = [0, 1, 0, 1]; the training has diverged, so lower its learning rate]`,
    );
    expect(() => argmaxChannels(Float32Array.of(NaN, 0), [1, 2, 1, 1])).toThrow("[0, 0, 0, 0]");
    expect(() => argmaxChannels(Float32Array.of(Infinity, NaN), [1, 2, 1, 1])).toThrow("[0, 1, 0, 0]");
  });
});

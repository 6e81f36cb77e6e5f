import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { imageSeed, makeBatch, makeImage, mulberry32, shapes64, trainingDataset, VALIDATION } from "./shapes64.ts";
import type { Shapes64Image } from "./shapes64.ts";

interface Checksums {
  prng: { mulberry32_seed_1: number[] };
  image_seed: { dataset: number; index: number; seed: number }[];
  single: { dataset: number; index: number; image_crc32: number; mask_crc32: number; mask_counts: number[] }[];
  ranges: { dataset: number; start: number; count: number; image_crc32: number; mask_crc32: number }[];
}

/** Written by the numpy generator `fixtures/gen.py`. */
const checksums = JSON.parse(
  readFileSync(new URL("../../fixtures/shapes64.hashes.json", import.meta.url), "utf8"),
) as Checksums;

/** Comparing checksums takes 0.1 ms where `toEqual` takes 20 on arrays of this size. */
const fingerprint = ({ image, mask }: Shapes64Image) => [image.length, crc32(image), mask.length, crc32(mask)];

const anyDataset = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const anyIndex = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe("equality with the numpy generator", () => {
  test("mulberry32 of seed 1 starts with the reference's four values", () => {
    const random = mulberry32(1);
    expect(checksums.prng.mulberry32_seed_1.map(() => random())).toEqual(checksums.prng.mulberry32_seed_1);
  });

  test.each(checksums.image_seed)("imageSeed($dataset, $index) is $seed", ({ dataset, index, seed }) => {
    expect(imageSeed(dataset, index)).toBe(seed);
  });

  test.each(checksums.single)("picture ($dataset, $index) is equal to the last bit", (expected) => {
    const { image, mask } = makeImage(expected.dataset, expected.index);
    expect(crc32(image)).toBe(expected.image_crc32);
    expect(crc32(mask)).toBe(expected.mask_crc32);
    expect(shapes64.classes.map((_, c) => mask.filter((value) => value === c).length)).toEqual(expected.mask_counts);
  });

  test.each(checksums.ranges)("the $count pictures of data set $dataset are equal to the last bit", (expected) => {
    let imageCrc = 0;
    let maskCrc = 0;
    for (let i = 0; i < expected.count; i++) {
      const { image, mask } = makeImage(expected.dataset, expected.start + i);
      imageCrc = crc32(image, imageCrc);
      maskCrc = crc32(mask, maskCrc);
    }
    expect(imageCrc).toBe(expected.image_crc32);
    expect(maskCrc).toBe(expected.mask_crc32);
  });

  test("the checksums cover the whole validation set", () => {
    expect(checksums.ranges).toContainEqual(expect.objectContaining({ start: 0, ...VALIDATION }));
  });
});

describe("makeImage", () => {
  test("draws the same picture every time", () => {
    fc.assert(
      fc.property(anyDataset, anyIndex, (dataset, index) => {
        expect(fingerprint(makeImage(dataset, index))).toEqual(fingerprint(makeImage(dataset, index)));
      }),
    );
  });

  test("draws every class into some mask, and nothing but classes into any", () => {
    const seen = new Set<number>();
    fc.assert(
      fc.property(anyDataset, anyIndex, (dataset, index) => {
        const { image, mask } = makeImage(dataset, index);
        expect([image.length, mask.length]).toEqual([3 * 64 * 64, 64 * 64]);
        for (const value of new Set(mask)) {
          expect(value).toBeLessThan(shapes64.classes.length);
          seen.add(value);
        }
      }),
    );
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("draws another picture for another index and for another data set", () => {
    fc.assert(
      fc.property(anyDataset, anyIndex, anyIndex, (dataset, index, other) => {
        fc.pre(index !== other);
        expect(fingerprint(makeImage(dataset, index))).not.toEqual(fingerprint(makeImage(dataset, other)));
        expect(fingerprint(makeImage(index, dataset))).not.toEqual(fingerprint(makeImage(other, dataset)));
      }),
    );
  });
});

describe("makeBatch", () => {
  test("stacks single pictures, normalised to (v / 255 - 0.5) * 4 in float32 arithmetic", () => {
    const arbitraryCount = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(anyDataset, fc.integer({ min: 0, max: 2 ** 32 - 4 }), arbitraryCount, (dataset, start, count) => {
        const { images, masks } = makeBatch(dataset, start, count);
        const single = Array.from({ length: count }, (_, i) => makeImage(dataset, start + i));
        // A Float32Array rounds what it is given, so each step is one float32 operation on all values.
        const values = Float32Array.from(single.flatMap(({ image }) => [...image]));
        const normalised = values
          .map((v) => v / 255)
          .map((v) => v - 0.5)
          .map((v) => v * 4);
        expect(crc32(images)).toBe(crc32(normalised));
        expect(crc32(masks)).toBe(crc32(Int32Array.from(single.flatMap(({ mask }) => [...mask]))));
      }),
      { numRuns: 30 },
    );
  });

  test("maps black to -2 and white to 2", () => {
    const { image } = makeImage(7, 2);
    const { images } = makeBatch(7, 2, 1);
    expect(images[image.indexOf(0)]).toBe(-2);
    expect(images[image.indexOf(255)]).toBe(2);
  });
});

test("training data sets follow the seed and never meet the validation set", () => {
  expect([0, 1, 2].map(trainingDataset)).toEqual([100, 101, 102]);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 101 }), (seed) => trainingDataset(seed) !== VALIDATION.dataset),
  );
});

test("names a colour for every class", () => {
  expect(shapes64.palette).toHaveLength(shapes64.classes.length);
});

describe("errors", () => {
  test("makeImage takes integers from 0 to 2^32 - 1", () => {
    expect(() => makeImage(7.5, 0)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: makeImage: dataset must be an integer in 0 .. 4294967295, got 7.5]`,
    );
    expect(() => makeImage(7, -1)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: makeImage: index must be an integer in 0 .. 4294967295, got -1]`,
    );
    expect(() => makeImage(7, 2 ** 32)).toThrow("got 4294967296");
    expect(() => makeImage(NaN, 0)).toThrow("got NaN");
    expect(() => makeImage(2 ** 32 - 1, 2 ** 32 - 1)).not.toThrow();
  });

  test("makeBatch takes at least one picture and stays within 2^32 - 1", () => {
    expect(() => makeBatch(7, 0, 0)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: makeBatch: count must be an integer in 1 .. 4294967296, got 0]`,
    );
    expect(() => makeBatch(7, -1, 1)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: makeBatch: start must be an integer in 0 .. 4294967295, got -1]`,
    );
    expect(() => makeBatch(-7, 0, 1)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: makeBatch: dataset must be an integer in 0 .. 4294967295, got -7]`,
    );
    expect(() => makeBatch(7, 2 ** 32 - 2, 3)).toThrow("got 3");
    expect(makeBatch(7, 2 ** 32 - 2, 2).masks).toHaveLength(2 * 64 * 64);
  });

  test("trainingDataset takes a seed from 0 on", () => {
    expect(() => trainingDataset(-1)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: trainingDataset: seed must be an integer in 0 .. 4294967195, got -1]`,
    );
    expect(() => trainingDataset(0.5)).toThrow("got 0.5");
  });
});

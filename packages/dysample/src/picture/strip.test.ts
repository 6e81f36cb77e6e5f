import { describe, expect, test } from "vitest";
import { makeImage, shapes64 } from "../toy/shapes64.ts";
import { segmentationStrip } from "./strip.ts";
import type { SegmentationStripOptions } from "./strip.ts";

const RED = [225, 0, 0];

/** Two images of 2 x 4 pixels with two classes, and a prediction with one wrong pixel in the second. */
const tiny: SegmentationStripOptions = {
  images: Uint8Array.from({ length: 2 * 3 * 8 }, (_, i) => i),
  truth: Uint8Array.of(0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0),
  predictions: [{ label: "a", masks: Int32Array.of(0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1) }],
  palette: [
    [0, 0, 0],
    [100, 200, 40],
  ],
  height: 2,
  width: 4,
  zoom: 4,
};

/** What the picture shows at pixel (y, x) of an image in a row: all pixels of the square, which must be of one colour. */
function colourAt(options: SegmentationStripOptions, row: number, image: number, y: number, x: number): number[] {
  const strip = segmentationStrip(options);
  const { height, width, zoom = 3 } = options;
  const gap = 2 * zoom;
  const scale = Math.round(zoom / 2);
  const top = gap + row * (Math.max(height * zoom, 7 * scale) + gap) + y * zoom;
  const images = options.images.length / (3 * height * width);
  const left = strip.width - (images - image) * (width * zoom + gap) + x * zoom;
  const colours = new Set<string>();
  for (let v = top; v < top + zoom; v++) {
    for (let u = left; u < left + zoom; u++) {
      colours.add(strip.data.slice((v * strip.width + u) * 3, (v * strip.width + u) * 3 + 3).join());
    }
  }
  expect(colours.size).toBe(1);
  return [...colours][0].split(",").map(Number);
}

describe("segmentationStrip", () => {
  test("shows the input's channels, enlarged", () => {
    // Image 1 begins at value 24; pixel (1, 2) is its number 6, and a channel has 8 pixels.
    expect(colourAt(tiny, 0, 1, 1, 2)).toEqual([30, 38, 46]);
    expect(colourAt(tiny, 0, 0, 0, 0)).toEqual([0, 8, 16]);
  });

  test("shows masks in the colours of the palette", () => {
    expect(colourAt(tiny, 1, 0, 0, 3)).toEqual([100, 200, 40]);
    expect(colourAt(tiny, 1, 1, 1, 3)).toEqual([0, 0, 0]);
    expect(colourAt(tiny, 2, 1, 1, 3)).toEqual([100, 200, 40]);
  });

  test("marks exactly the wrong pixels in red, over the faded truth", () => {
    for (let image = 0; image < 2; image++) {
      for (let pixel = 0; pixel < 8; pixel++) {
        const colour = colourAt(tiny, 3, image, Math.floor(pixel / 4), pixel % 4);
        const faded = tiny.truth[image * 8 + pixel] === 0 ? [191, 191, 191] : [216, 241, 201];
        expect(colour).toEqual(image === 1 && pixel === 7 ? RED : faded);
      }
    }
  });

  test("has one row less for each prediction without errors", () => {
    const height = (options: SegmentationStripOptions) => segmentationStrip(options).height;
    const row = height(tiny) - height({ ...tiny, errors: false });
    expect(row).toBe(14 + 8); // the label's 7 pixels at scale 2 are higher than the image's 2 at zoom 4
    expect(height({ ...tiny, predictions: [] })).toBe(height(tiny) - 2 * row);
    expect(height({ ...tiny, predictions: [...tiny.predictions, ...tiny.predictions] })).toBe(height(tiny) + 2 * row);
  });

  test("writes labels to the left of the images, wider for longer ones", () => {
    const { width, data } = segmentationStrip(tiny);
    const left = width - 2 * (4 * 4 + 8);
    const inked = Array.from({ length: left }, (_, x) =>
      data.some((value, i) => value === 40 && Math.floor(i / 3) % width === x),
    );
    expect(inked.indexOf(true)).toBe(8);
    expect(inked.lastIndexOf(true)).toBe(left - 16 - 1); // "errors", the longest
    const longer = segmentationStrip({ ...tiny, predictions: [{ ...tiny.predictions[0], label: "bilinear" }] });
    expect(longer.width - width).toBe(2 * 6 * 2);
  });

  test("draws a picture of the toy task at three pixels for one", () => {
    const { image, mask } = makeImage(7, 0);
    const strip = segmentationStrip({
      images: image,
      truth: mask,
      predictions: [{ label: "all background", masks: new Uint8Array(64 * 64) }],
      palette: shapes64.palette,
      height: 64,
      width: 64,
    });
    expect([strip.width, strip.height, strip.channels]).toEqual([382, 798, 3]);
    const red = strip.data.filter((_, i) => i % 3 === 0 && RED.every((value, c) => strip.data[i + c] === value)).length;
    expect(red).toBe(9 * mask.filter((value) => value !== 0).length);
  });

  test("asks for whole images, masks of as many, and classes that have a colour", () => {
    expect(() => segmentationStrip({ ...tiny, images: new Uint8Array(30) })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: segmentationStrip: images must hold whole pictures of 3 x 2 x 4 = 24 values, got 30 values]`,
    );
    expect(() => segmentationStrip({ ...tiny, truth: new Uint8Array(8) })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: segmentationStrip: the masks of "truth" must hold 2 x 2 x 4 = 16 class indices like the images, got 8]`,
    );
    const masks = tiny.truth.map((value) => value + 1);
    expect(() =>
      segmentationStrip({ ...tiny, predictions: [{ label: "a", masks }] }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: segmentationStrip: the masks of "a" must hold indices of the 2 colours of the palette, got 2]`,
    );
    expect(() => segmentationStrip({ ...tiny, zoom: 1.5 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: segmentationStrip: zoom must be a positive integer, got 1.5]`,
    );
    expect(() => segmentationStrip({ ...tiny, predictions: [{ label: "50%", masks: tiny.truth }] })).toThrow('got "%"');
  });
});

import { expect, test } from "vitest";

import { type PictureRow, pictureStrip } from "./pictureStrip.ts";

test("pictures stand in rows and columns, small ones as large as the others, colours cut to 0..255", () => {
  const small: PictureRow = { label: "a", shape: [2, 3, 1, 1], values: Float32Array.of(1, 0, 0.5, -1, 2, 0) };
  const large: PictureRow = { label: "b", shape: [2, 3, 2, 2], values: new Float32Array(24) };
  const { width, height, channels, data } = pictureStrip([small, large]);
  expect([width, height, channels]).toEqual([6 + 10 + 12 + 2 * 12, 6 + 2 * 20, 3]);
  const pixel = (x: number, y: number): number[] =>
    Array.from(data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3));
  const left = 6 + 10 + 12;
  expect(pixel(left, 6)).toEqual([255, 0, 128]);
  expect(pixel(left + 5, 11)).toEqual([255, 0, 128]);
  expect(pixel(left + 6, 6)).toEqual([255, 255, 255]);
  expect(pixel(left + 12, 6)).toEqual([0, 255, 0]);
  expect(pixel(left, 26)).toEqual([0, 0, 0]);
});

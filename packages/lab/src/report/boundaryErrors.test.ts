import { expect, test } from "vitest";

import { makeImage } from "@gridgrad/dysample";

import { boundaryDistance, errorRates } from "./boundaryErrors.ts";

test("the distance counts pixels to the nearest one that touches another class, diagonals as one", () => {
  // One pixel of class 1 in the corner of 4 x 4.
  const mask = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  expect([...boundaryDistance(mask, 4, 4)]).toEqual([0, 0, 1, 2, 0, 0, 1, 2, 1, 1, 1, 2, 2, 2, 2, 2]);
});

test("the frame is no boundary, so a picture of one class has none", () => {
  expect([...boundaryDistance(new Uint8Array(4), 2, 2)]).toEqual([Infinity, Infinity, Infinity, Infinity]);
});

test("on a picture of the task the two scans find what a search through all pixels finds", () => {
  const size = 64;
  const { mask } = makeImage(7, 3);
  const found = boundaryDistance(mask, size, size);
  for (let at = 0; at < mask.length; at += 37) {
    let nearest = Infinity;
    mask.forEach((value, other) => {
      if (value === mask[at]) return;
      const [dy, dx] = [Math.floor(at / size) - Math.floor(other / size), (at % size) - (other % size)];
      nearest = Math.min(nearest, Math.max(Math.abs(dy), Math.abs(dx)) - 1);
    });
    expect(found[at]).toBe(nearest);
  }
});

test("error rates are shares of the pixels at each distance, over all pictures", () => {
  const truth = Uint8Array.of(0, 0, 1, 1, 1, 1, 0, 0); // two pictures of 1 x 4, with distances 1 0 0 1
  const prediction = Uint8Array.of(0, 1, 1, 1, 1, 0, 1, 1);
  expect(errorRates(prediction, truth, 1, 4).slice(0, 3)).toEqual([3 / 4, 1 / 4, null]);
});

test("prediction and truth must be of the same pictures", () => {
  expect(() => errorRates(new Uint8Array(4), new Uint8Array(8), 1, 4)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: errorRates: prediction and truth must hold the same number of pictures of 1 x 4 = 4 class indices, got 4 and 8 indices]`,
  );
});

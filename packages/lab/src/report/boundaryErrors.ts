/** @file Where predictions are wrong: how often, by the distance to the nearest boundary between two classes. */

import type { ClassMasks } from "@gridgrad/dysample";

/** The farthest distance that is told apart. */
export const farthest = 8;

/** The neighbours of a pixel that a scan by rows has seen. */
const before = [
  [0, -1],
  [-1, -1],
  [-1, 0],
  [-1, 1],
] as const;

/**
 * The distance of each pixel to the nearest boundary, in pixels along rows, columns and diagonals alike: 0 for one that touches
 * another class, with a side or a corner. The frame is no boundary.
 *
 * @param truth - `[height, width]` class indices.
 * @returns `Infinity` everywhere in a picture of one class.
 *
 * @example
 * ```ts
 * boundaryDistance(Uint8Array.of(0, 0, 0, 1, 1), 1, 5); // [2, 1, 0, 0, 1]
 * ```
 */
export function boundaryDistance(truth: ClassMasks, height: number, width: number): Float32Array {
  const distance = new Float32Array(height * width).fill(Infinity);
  const scan = (direction: 1 | -1, visit: (at: number, other: number) => void): void => {
    for (let k = 0; k < truth.length; k++) {
      const at = direction === 1 ? k : truth.length - 1 - k;
      const [y, x] = [Math.floor(at / width), at % width];
      for (const [dy, dx] of before) {
        const [v, u] = [y + direction * dy, x + direction * dx];
        if (v >= 0 && v < height && u >= 0 && u < width) visit(at, v * width + u);
      }
    }
  };
  scan(1, (at, other) => {
    if (truth[at] !== truth[other]) distance[at] = distance[other] = 0;
  });
  // There and back is exact: of a shortest way, the steps that one scan follows can all come before those of the other.
  for (const direction of [1, -1] as const) {
    scan(direction, (at, other) => {
      distance[at] = Math.min(distance[at], distance[other] + 1);
    });
  }
  return distance;
}

/**
 * The share of wrong pixels at distance 0, 1, .. 8 from a boundary, over pictures `[n, height, width]`; `null` at a distance
 * that no pixel has. Pixels that are farther away are not counted.
 *
 * @throws {RangeError} when prediction and truth do not hold the same number of whole pictures.
 */
export function errorRates(
  prediction: ClassMasks,
  truth: ClassMasks,
  height: number,
  width: number,
): (number | null)[] {
  const size = height * width;
  if (prediction.length !== truth.length || truth.length % size !== 0) {
    throw new RangeError(
      `errorRates: prediction and truth must hold the same number of pictures of ${height} x ${width} = ${size} class ` +
        `indices, got ${prediction.length} and ${truth.length} indices`,
    );
  }
  const pixels = new Array<number>(farthest + 1).fill(0);
  const wrong = new Array<number>(farthest + 1).fill(0);
  for (let start = 0; start < truth.length; start += size) {
    boundaryDistance(truth.subarray(start, start + size), height, width).forEach((distance, i) => {
      if (distance > farthest) return;
      pixels[distance]++;
      if (prediction[start + i] !== truth[start + i]) wrong[distance]++;
    });
  }
  return pixels.map((count, distance) => (count === 0 ? null : wrong[distance] / count));
}

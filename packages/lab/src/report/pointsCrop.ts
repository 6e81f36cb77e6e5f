/** @file The part of a validation picture in which sampling points are drawn. */

import { makeImage, shapes64, VALIDATION } from "@gridgrad/dysample";

/** A square of a validation picture; all in pixels of the input of the last upsampler, which are two of the picture. */
export interface Crop {
  readonly picture: number;
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

/** Few enough pixels that each of their points can be seen. */
const side = 6;

/** Pixels of the picture for one of the last upsampler's input. */
export const pictureScale = 2;

/** Pictures among which it is chosen, and what is left out of them at the frame. */
const candidates = 16;
const margin = 2;

/** Where two classes share a square about evenly and differ most in colour: at a clear shape's edge. */
export function chooseCrop(): Crop {
  let best: { crop: Crop; score: number } | undefined;
  const last = shapes64.size / pictureScale - side - margin;
  for (let picture = 0; picture < candidates; picture++) {
    const { image, mask } = makeImage(VALIDATION.dataset, picture);
    for (let y = margin; y <= last; y++) {
      for (let x = margin; x <= last; x++) {
        const score = contrast(image, mask, x * pictureScale, y * pictureScale);
        if (!best || score > best.score) best = { crop: { picture, x, y, side }, score };
      }
    }
  }
  return best!.crop;
}

/** Distance of two classes' mean colours, times the smaller one's share; 0 for other than two classes. */
function contrast(image: Uint8Array, mask: Uint8Array, left: number, top: number): number {
  const { size } = shapes64;
  const length = side * pictureScale;
  const sums = new Map<number, [n: number, ...colour: number[]]>();
  for (let y = top; y < top + length; y++) {
    for (let x = left; x < left + length; x++) {
      const at = y * size + x;
      const sum = sums.get(mask[at]) ?? [0, 0, 0, 0];
      sums.set(mask[at], sum);
      sum[0]++;
      for (let c = 0; c < 3; c++) sum[c + 1] += image[c * size * size + at];
    }
  }
  if (sums.size !== 2) return 0;
  const [a, b] = [...sums.values()];
  const distance = Math.hypot(...[1, 2, 3].map((c) => a[c] / a[0] - b[c] / b[0]));
  return (distance * Math.min(a[0], b[0])) / (length * length);
}

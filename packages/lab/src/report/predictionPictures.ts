/** @file What the networks make of validation pictures: their predictions, and where in the boundary bands they are wrong. */

import {
  type ClassMasks,
  type Picture,
  pictureStrip,
  segmentationStrip,
  shapes64,
  validationPictures,
} from "@gridgrad/dysample";
import { interior } from "@gridgrad/dysample/internal";

const { size, palette } = shapes64;
const pixels = size * size;

/** Pictures beside each other. */
export const shownPictures = 4;

/** Thickness of the bands, as in the boundary IoU. */
const bandDistance = 2;

export interface Prediction {
  readonly label: string;
  readonly colour: string;
  /** `[n, 64, 64]` of the first n validation pictures. */
  readonly masks: Uint8Array;
}

/** Input, truth, and of each network its prediction and its errors. */
export function predictionStrip(predictions: readonly Prediction[]): Picture {
  return segmentationStrip({
    ...validationPictures(0, shownPictures),
    predictions: predictions.map(({ label, masks }) => ({
      label: drawable(label),
      masks: masks.subarray(0, shownPictures * pixels),
    })),
    palette,
    height: size,
    width: size,
  });
}

/** Of each network the bands of the true classes: grey where it is right, red where it is wrong. */
export function bandStrip(predictions: readonly Prediction[]): Picture {
  const { truth } = validationPictures(0, shownPictures);
  const band = bands(truth);
  const shape = [shownPictures, 3, size, size];
  return pictureStrip(
    predictions.map(({ label, masks }) => {
      const values = new Float32Array(shownPictures * 3 * pixels).fill(1);
      band.forEach((inBand, i) => {
        if (inBand === 0) return;
        const colour = masks[i] === truth[i] ? [0.75, 0.75, 0.75] : [0.88, 0, 0];
        colour.forEach((value, c) => (values[(Math.floor(i / pixels) * 3 + c) * pixels + (i % pixels)] = value));
      });
      return { label: drawable(label), shape, values };
    }),
  );
}

/** The share of wrong pixels in the bands of as many pictures as were predicted. */
export function bandErrorRate({ masks }: Prediction): number {
  const { truth } = validationPictures(0, masks.length / pixels);
  let [inBand, wrong] = [0, 0];
  bands(truth).forEach((value, i) => {
    inBand += value;
    if (masks[i] !== truth[i]) wrong += value;
  });
  return wrong / inBand;
}

/** 1 in the band of a class, the class minus its erosion, else 0. */
function bands(truth: ClassMasks): Uint8Array {
  const band = new Uint8Array(truth.length);
  for (let start = 0; start < truth.length; start += pixels) {
    const inside = interior(truth.subarray(start, start + pixels), size, size, bandDistance);
    inside.forEach((value, i) => (band[start + i] = 1 - value));
  }
  return band;
}

/** The font of pictures has no underscore. */
function drawable(label: string): string {
  return label.replaceAll("_", " ");
}

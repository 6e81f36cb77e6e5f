/**
 * @file Pictures of one size below each other, to compare by eye: one row for each kind, one column for each picture. Smaller
 * pictures are enlarged to the same size by repeating their pixels.
 */

import type { Shape, Values } from "@gridgrad/core";

import { drawText, textSize } from "./drawText.ts";
import type { Picture } from "./picture.ts";

export interface PictureRow {
  /** Letters, digits, + - . and spaces. */
  readonly label: string;
  /** `[n, 3, height, width]`; the same n for all rows, and sizes that divide the largest. */
  readonly shape: Shape;
  /** Colours; those outside [0, 1] are drawn as the nearest in it. */
  readonly values: Values;
}

/** Pixels of the strip for one of the largest pictures, along each axis. */
const zoom = 3;

const gap = 2 * zoom;
const textScale = 2;
const ink = [40, 40, 40];

/**
 * Draws the rows, their labels on the left.
 *
 * @example
 * ```ts
 * const grey = { label: "grey", shape: [1, 3, 2, 2], values: new Float32Array(12).fill(0.5) };
 * const { width, height } = pictureStrip([grey]);
 * [width, height]; // [76, 26]
 * ```
 */
export function pictureStrip(rows: readonly PictureRow[]): Picture {
  const [n] = rows[0].shape;
  const height = zoom * Math.max(...rows.map(({ shape }) => shape[2]));
  const width = zoom * Math.max(...rows.map(({ shape }) => shape[3]));
  const labels = rows.map(({ label }) => textSize(label, textScale));
  const left = gap + Math.max(...labels.map((label) => label.width)) + 2 * gap;
  const rowHeight = Math.max(height, labels[0].height);
  const size = { width: left + n * (width + gap), height: gap + rows.length * (rowHeight + gap) };
  const data = new Uint8Array(size.width * size.height * 3).fill(255);
  const strip: Picture = { ...size, channels: 3, data };

  rows.forEach(({ label, shape: [, , H, W], values }, r) => {
    const top = gap + r * (rowHeight + gap);
    drawText(strip, label, gap, top + Math.floor((rowHeight - labels[r].height) / 2), textScale, ink);
    for (let image = 0; image < n; image++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const out = ((top + y) * size.width + left + image * (width + gap) + x) * 3;
          const pixel = Math.floor((y * H) / height) * W + Math.floor((x * W) / width);
          for (let c = 0; c < 3; c++) {
            data[out + c] = Math.round(Math.min(Math.max(values[(image * 3 + c) * H * W + pixel], 0), 1) * 255);
          }
        }
      }
    }
  });
  return strip;
}

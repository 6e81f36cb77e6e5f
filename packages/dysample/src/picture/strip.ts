/**
 * @file The picture that a training run ends with: what went in, what is right, what each network said, and where it is wrong.
 *
 *              image 0   image 1   ..
 *     input      []        []            one row of each kind, one column for each image,
 *     truth      []        []            every pixel enlarged to a square of zoom x zoom
 *     label      []        []            and for each prediction
 *     errors     []        []            the truth, faded, with the wrong pixels in red
 */

import type { ClassMasks } from "../toy/metrics.ts";
import { drawText, textSize } from "./drawText.ts";
import type { Picture } from "./picture.ts";

export interface SegmentationStripOptions {
  /** `[n, 3, height, width]`, values 0..255. */
  images: Uint8Array;
  /** `[n, height, width]` class indices. */
  truth: ClassMasks;
  /** Masks `[n, height, width]`, each with the label of its row: letters, digits, + - . and spaces. */
  predictions: readonly { label: string; masks: ClassMasks }[];
  /** The RGB colour of each class. */
  palette: readonly (readonly [r: number, g: number, b: number])[];
  height: number;
  width: number;
  /** Pixels of the picture for one of an image, along each axis; by default 3. */
  zoom?: number;
  /** Whether a row of errors follows each prediction; by default it does. */
  errors?: boolean;
}

const WHITE = 255;
const INK = [40, 40, 40] as const;
const WRONG = [225, 0, 0] as const;

/** How far the truth under the errors is faded towards white: enough for red to stand out, little enough to see shapes. */
const FADE = 0.75;

interface Row {
  label: string;
  /** Writes the colour of one pixel of one image into `colour`. */
  paint: (colour: Uint8Array, image: number, pixel: number) => void;
}

/**
 * Draws images and masks `[n, ..]` as one RGB picture: a row per kind, a column per image, labels on the left.
 *
 * @throws if the arrays do not hold the same number of images, an index has no colour in the palette, or a label has a
 *   character that cannot be drawn
 * @example
 * ```ts
 * const { image, mask } = makeImage(7, 0);
 * const predictions = [{ label: "all background", masks: new Uint8Array(64 * 64) }];
 * const { palette } = shapes64;
 * const strip = segmentationStrip({ images: image, truth: mask, predictions, palette, height: 64, width: 64 });
 * [strip.width, strip.height]; // [382, 798], for 4 rows: input, truth, all background, errors
 * ```
 */
export function segmentationStrip(options: SegmentationStripOptions): Picture {
  const { images, truth, predictions, palette, height, width, zoom = 3, errors = true } = options;
  const n = checkOptions({ ...options, zoom });
  const size = height * width;

  const rows: Row[] = [
    {
      label: "input",
      paint(colour, image, pixel) {
        for (let c = 0; c < 3; c++) colour[c] = images[(image * 3 + c) * size + pixel];
      },
    },
    { label: "truth", paint: (colour, image, pixel) => colour.set(palette[truth[image * size + pixel]]) },
  ];
  for (const { label, masks } of predictions) {
    rows.push({ label, paint: (colour, image, pixel) => colour.set(palette[masks[image * size + pixel]]) });
    if (!errors) continue;
    rows.push({
      label: "errors",
      paint(colour, image, pixel) {
        const right = truth[image * size + pixel];
        if (masks[image * size + pixel] !== right) colour.set(WRONG);
        else for (let c = 0; c < 3; c++) colour[c] = palette[right][c] + (WHITE - palette[right][c]) * FADE;
      },
    });
  }

  const scale = Math.max(1, Math.round(zoom / 2));
  const gap = 2 * zoom;
  const labels = rows.map(({ label }) => textSize(label, scale));
  const left = gap + Math.max(...labels.map((label) => label.width)) + 2 * gap;
  const rowHeight = Math.max(height * zoom, labels[0].height);
  const picture: Picture & { data: Uint8Array } = {
    width: left + n * (width * zoom + gap),
    height: gap + rows.length * (rowHeight + gap),
    channels: 3,
    data: new Uint8Array(0),
  };
  picture.data = new Uint8Array(picture.width * picture.height * 3).fill(WHITE);

  const colour = new Uint8Array(3);
  rows.forEach(({ label, paint }, r) => {
    const top = gap + r * (rowHeight + gap);
    drawText(picture, label, gap, top + Math.floor((rowHeight - labels[r].height) / 2), scale, INK);
    for (let image = 0; image < n; image++) {
      const x0 = left + image * (width * zoom + gap);
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          paint(colour, image, y * width + x);
          fillSquare(picture, x0 + x * zoom, top + y * zoom, zoom, colour);
        }
      }
    }
  });
  return picture;
}

function fillSquare({ data, width }: Picture, left: number, top: number, side: number, colour: Uint8Array): void {
  for (let y = top; y < top + side; y++) {
    for (let x = left; x < left + side; x++) data.set(colour, (y * width + x) * 3);
  }
}

/** The number of images. */
function checkOptions({ images, truth, predictions, palette, height, width, zoom }: SegmentationStripOptions): number {
  for (const [name, value] of Object.entries({ height, width, zoom })) {
    if (!Number.isInteger(value) || (value as number) < 1) {
      throw new RangeError(`segmentationStrip: ${name} must be a positive integer, got ${String(value)}`);
    }
  }
  const size = height * width;
  const n = images.length / (3 * size);
  if (!Number.isInteger(n) || n < 1) {
    throw new RangeError(
      `segmentationStrip: images must hold whole pictures of 3 x ${height} x ${width} = ${3 * size} values, ` +
        `got ${images.length} values`,
    );
  }
  for (const { label, masks } of [{ label: "truth", masks: truth }, ...predictions]) {
    if (masks.length !== n * size) {
      throw new RangeError(
        `segmentationStrip: the masks of ${JSON.stringify(label)} must hold ${n} x ${height} x ${width} = ${n * size} ` +
          `class indices like the images, got ${masks.length}`,
      );
    }
    const wrong = masks.find((index) => index < 0 || index >= palette.length);
    if (wrong !== undefined) {
      throw new RangeError(
        `segmentationStrip: the masks of ${JSON.stringify(label)} must hold indices of the ${palette.length} colours ` +
          `of the palette, got ${wrong}`,
      );
    }
  }
  return n;
}

/**
 * @file shapes64: a segmentation task of 64 x 64 pictures, drawn from two integers and equal to the last bit on every machine.
 *
 * Every value is an IEEE double made with + - * / floor and abs alone; no sine, root or power, whose last bit differs between
 * mathematics libraries. A picture (dataset, index) is drawn from one mulberry32 stream u in [0, 1), read in this order:
 *
 *     seed         h = dataset*0x9E3779B1 + index*0x85EBCA6B + 0x1B873593 (mod 2^32), then three xor-shifts and two products
 *     objects      2 + floor(4u)
 *     base         0.35 + 0.3u, for each of the 3 channels
 *     lattice      3 x 5 x 5 values (channel, y, x) at pixel edges 0, 16, .. 64: the texture of the background
 *     slots        5 x 11 values p0 .. p10, all read whether an object uses them or not
 *     noise        64 x 64 x 3 values (row, column, channel)
 *
 *     background   base + 0.2 (2 bilinear(lattice) - 1), interpolated along x first, pixel centres at + 0.5
 *     object       kind floor(5 p0), centre 8 + 48 p1, 8 + 48 p2, size a = 8 + 10 p3, turned by the angle of tangent
 *                  2t / (1 - t^2) with t = 2 p5 - 1; lx, ly are the pixel's coordinates in the turned frame. The shape of each
 *                  kind stands in `outline`. Later objects cover earlier ones; the mask takes kind + 1.
 *     colour       base +- (0.15 + 0.2 p[8 + channel]) + 0.12 triangleWave(lx (0.10 + 0.15 p6) + p7)
 *     pixel        floor(255 v + 0.5) of v = colour + 0.12 (2u - 1), clamped to [0, 1]; no anti-aliasing
 *
 * Only the network's input, (pixel / 255 - 0.5) * 4, is float32.
 *
 * Source: `fixtures/gen.py`, the same generator in numpy; `fixtures/shapes64.hashes.json` holds checksums of its pictures.
 */

import { allocate, Random } from "@gridgrad/core";

/** Size, classes and colours of the task. The palette is for drawing masks only. */
export const shapes64 = {
  size: 64,
  channels: 3,
  classes: ["background", "ellipse", "rectangle", "triangle", "ring", "stroke"],
  palette: [
    [0, 0, 0],
    [230, 60, 60],
    [60, 180, 75],
    [255, 225, 25],
    [0, 130, 200],
    [240, 50, 230],
  ],
} as const;

/** The pictures that every result is measured on: indices 0 .. 255 of data set 7, which no training seed reaches. */
export const VALIDATION = { dataset: 7, count: 256 } as const;

/** One picture: `image` is `[3, 64, 64]` in 0..255, `mask` is `[64, 64]` in 0..5. */
export interface Shapes64Image {
  image: Uint8Array;
  mask: Uint8Array;
}

/** A batch as the network takes it: `images` is `[count, 3, 64, 64]` in [-2, 2], `masks` is `[count, 64, 64]` in 0..5. */
export interface Shapes64Batch {
  images: Float32Array;
  masks: Int32Array;
}

const N = shapes64.size;
const PIXELS = N * N;
const CHANNELS = shapes64.channels;

/** Nodes of the background's lattice along one axis, and the pixels between two of them. */
const NODES = 5;
const CELL = N / (NODES - 1);

const SLOTS = 5;
const DRAWS_PER_SLOT = 11;

/** The seed hash works modulo 2^32, so a larger data set or index would repeat an earlier picture. */
const LIMIT = 2 ** 32;

/** Whether an object of a kind is brighter (1) or darker (-1) than the background, per channel. */
const CONTRAST_SIGN = [
  [1, -1, -1],
  [-1, 1, -1],
  [-1, -1, 1],
  [1, 1, -1],
  [-1, 1, 1],
];

/**
 * The network's input for each of the 256 pixel values, rounded to float32 after each operation, as a float32 tensor would be.
 * One rounding at the end would differ by up to 1e-7, which a float64 run that is compared with another one shows.
 */
const NORMALISED = Float32Array.from({ length: 256 }, (_, value) => {
  const { fround } = Math;
  return fround(fround(value / 255) - 0.5) * 4;
});

/** The data set that a training run of this seed learns from. @throws if `seed` is not an integer from 0 on */
export function trainingDataset(seed: number): number {
  const first = 100;
  checkInteger("trainingDataset", "seed", seed, 0, LIMIT - 1 - first);
  return first + seed;
}

/** The 32-bit seed of one picture. @throws if `dataset` or `index` is not an integer in 0 .. 2^32 - 1 */
export function imageSeed(dataset: number, index: number): number {
  checkPicture("imageSeed", dataset, index);
  let h = (Math.imul(dataset, 0x9e3779b1) + Math.imul(index, 0x85ebca6b) + 0x1b873593) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The stream of a picture: core's, as a function. */
export function mulberry32(seed: number): () => number {
  const random = new Random(seed);
  return () => random.next();
}

/**
 * Draws one picture and its mask.
 *
 * @param dataset which data set, an integer in 0 .. 2^32 - 1: `VALIDATION.dataset` or `trainingDataset(seed)`
 * @param index which picture of it, an integer in 0 .. 2^32 - 1
 * @throws if `dataset` or `index` is not such an integer
 * @example
 * ```ts
 * const { image, mask } = makeImage(7, 0);
 * mask.filter((value) => value === 4).length; // 269, the pixels of its ring
 * ```
 */
export function makeImage(dataset: number, index: number): Shapes64Image {
  checkPicture("makeImage", dataset, index);
  const random = mulberry32(imageSeed(dataset, index));
  const draw = (count: number) => Float64Array.from({ length: count }, random);

  const objects = 2 + Math.floor(random() * 4);
  const base = draw(CHANNELS).map((u) => 0.35 + 0.3 * u);
  const lattice = draw(CHANNELS * NODES * NODES);
  const slots = draw(SLOTS * DRAWS_PER_SLOT);

  const canvas = new Float64Array(CHANNELS * PIXELS);
  const mask = new Uint8Array(PIXELS);
  paintBackground(canvas, base, lattice);
  for (let o = 0; o < objects; o++) {
    paintObject(canvas, mask, base, slots.subarray(o * DRAWS_PER_SLOT, (o + 1) * DRAWS_PER_SLOT));
  }

  const image = new Uint8Array(CHANNELS * PIXELS);
  for (let pixel = 0; pixel < PIXELS; pixel++) {
    for (let c = 0; c < CHANNELS; c++) {
      const value = canvas[c * PIXELS + pixel] + 0.12 * (2 * random() - 1);
      image[c * PIXELS + pixel] = Math.floor(Math.min(Math.max(value, 0), 1) * 255 + 0.5);
    }
  }
  return { image, mask };
}

/**
 * Draws pictures `start .. start + count - 1` as the network takes them: `(value / 255 - 0.5) * 4` in float32 arithmetic.
 *
 * @param dataset which data set, as in `makeImage`
 * @param start the first picture
 * @param count how many, at least 1
 * @throws if an argument is not an integer in range
 * @example
 * ```ts
 * const { images } = makeBatch(trainingDataset(0), 16, 16);
 * images.length; // 196608, that is 16 * 3 * 64 * 64
 * ```
 */
export function makeBatch(dataset: number, start: number, count: number): Shapes64Batch {
  checkPicture("makeBatch", dataset, start, "start");
  checkInteger("makeBatch", "count", count, 1, LIMIT - start);
  const what = (): string => `a batch of ${count} pictures`;
  const images = allocate("float32", count * CHANNELS * PIXELS, what) as Float32Array;
  const masks = allocate("int32", count * PIXELS, what) as Int32Array;
  for (let i = 0; i < count; i++) {
    const { image, mask } = makeImage(dataset, start + i);
    const offset = i * image.length;
    for (let k = 0; k < image.length; k++) images[offset + k] = NORMALISED[image[k]];
    masks.set(mask, i * PIXELS);
  }
  return { images, masks };
}

function paintBackground(canvas: Float64Array, base: Float64Array, lattice: Float64Array): void {
  let out = 0;
  for (let c = 0; c < CHANNELS; c++) {
    for (let y = 0; y < N; y++) {
      const gy = (y + 0.5) / CELL;
      const row = Math.floor(gy);
      const fy = gy - row;
      for (let x = 0; x < N; x++) {
        const gx = (x + 0.5) / CELL;
        const column = Math.floor(gx);
        const fx = gx - column;
        const node = (c * NODES + row) * NODES + column;
        const above = lattice[node] * (1 - fx) + lattice[node + 1] * fx;
        const below = lattice[node + NODES] * (1 - fx) + lattice[node + NODES + 1] * fx;
        canvas[out++] = base[c] + 0.2 * (2 * (above * (1 - fy) + below * fy) - 1);
      }
    }
  }
}

function paintObject(canvas: Float64Array, mask: Uint8Array, base: Float64Array, p: Float64Array): void {
  const kind = Math.floor(p[0] * 5);
  const cx = 8 + 48 * p[1];
  const cy = 8 + 48 * p[2];
  const t = 2 * p[5] - 1;
  const d = 1 + t * t;
  const cosine = (1 - t * t) / d;
  const sine = (2 * t) / d;
  const inside = outline(kind, 8 + 10 * p[3], p[4]);
  const frequency = 0.1 + 0.15 * p[6];
  const colour = base.map((value, c) => value + CONTRAST_SIGN[kind][c] * (0.15 + 0.2 * p[8 + c]));

  for (let y = 0; y < N; y++) {
    const dy = y + 0.5 - cy;
    for (let x = 0; x < N; x++) {
      const dx = x + 0.5 - cx;
      const lx = cosine * dx + sine * dy;
      const ly = cosine * dy - sine * dx;
      if (!inside(lx, ly)) continue;
      const stripe = 0.12 * triangleWave(lx * frequency + p[7]);
      const pixel = y * N + x;
      for (let c = 0; c < CHANNELS; c++) canvas[c * PIXELS + pixel] = colour[c] + stripe;
      mask[pixel] = kind + 1;
    }
  }
}

/** Whether (lx, ly), in pixels in the object's own frame, belongs to it; `a` is its size and `p4` in [0, 1) its slenderness. */
function outline(kind: number, a: number, p4: number): (lx: number, ly: number) => boolean {
  switch (kind) {
    case 0: {
      const b = a * (0.5 + 0.5 * p4);
      return (lx, ly) => (lx / a) * (lx / a) + (ly / b) * (ly / b) <= 1;
    }
    case 1: {
      const b = a * (0.5 + 0.5 * p4);
      return (lx, ly) => Math.abs(lx) <= 0.85 * a && Math.abs(ly) <= 0.85 * b;
    }
    case 2: {
      // Isosceles: the apex at (0, -a), the base at ly = 0.7a with half length a (0.7 + 0.4 p4).
      const slope = (0.7 + 0.4 * p4) / 1.7;
      return (lx, ly) => ly <= 0.7 * a && Math.abs(lx) <= slope * (ly + a);
    }
    case 3: {
      const hole = a - (2.5 + 2.5 * p4);
      return (lx, ly) => {
        const squared = lx * lx + ly * ly;
        return squared <= a * a && squared >= hole * hole;
      };
    }
    default: {
      const halfWidth = 1.25 + p4;
      return (lx, ly) => Math.abs(lx) <= 1.7 * a && Math.abs(ly) <= halfWidth;
    }
  }
}

/** Period 1, range [-1, 1]. */
function triangleWave(v: number): number {
  return 4 * Math.abs(v - Math.floor(v) - 0.5) - 1;
}

function checkPicture(caller: string, dataset: number, index: number, indexName = "index"): void {
  checkInteger(caller, "dataset", dataset, 0, LIMIT - 1);
  checkInteger(caller, indexName, index, 0, LIMIT - 1);
}

function checkInteger(caller: string, name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`${caller}: ${name} must be an integer in ${least} .. ${most}, got ${String(value)}`);
}

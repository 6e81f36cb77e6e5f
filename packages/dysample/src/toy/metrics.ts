/**
 * @file What a segmentation is worth: mIoU, boundary IoU and pixel accuracy over a whole validation set, and the argmax before them.
 *
 *     IoU of class c  = |P_c and T_c| / |P_c or T_c|          P_c, T_c: the pixels of class c in prediction and truth,
 *     mIoU            = mean over classes                      counted over all images before dividing
 *     boundary IoU    = the same with P_c and T_c replaced by their bands: the pixels of the class within d of its edge,
 *                       that is the mask minus its erosion with a (2d + 1) x (2d + 1) square
 *     pixel accuracy  = equal pixels / pixels
 *
 * For the erosion, what lies outside the image belongs to no class, background included: every class ends at the frame.
 * Classes do not overlap, so one pass erodes all of them: a pixel survives its class's erosion exactly when the square
 * around it lies inside the image and holds one class. That costs O(1) per pixel for any d.
 *
 * Source: Cheng et al., Boundary IoU, CVPR 2021 (arXiv 2103.16562), whose bands these are, with a square for the disc.
 */

/** Class indices of images one after another, row by row. */
export type ClassMasks = Uint8Array | Int32Array;

export interface SegmentationMetricsOptions {
  /** Number of classes, background included. */
  classes: number;
  height: number;
  width: number;
  /** d, the thickness of the bands in pixels; by default 2, a 5 x 5 square. */
  boundaryDistance?: number;
}

export interface SegmentationResult {
  /** Mean of `iouPerClass` over the classes that occur. */
  mIoU: number;
  /** Mean of `boundaryIoUPerClass` over the classes that occur. */
  boundaryIoU: number;
  /** Share of pixels whose class is right. */
  pixelAccuracy: number;
  /** NaN for a class that occurs in no truth and no prediction: 0/0, which no mean contains. */
  iouPerClass: number[];
  /** NaN exactly where `iouPerClass` is, since a class with any pixel has a boundary. */
  boundaryIoUPerClass: number[];
  /** Images added so far. */
  images: number;
}

/**
 * Counts over the images of a set, in any order and any batches; `result` divides.
 *
 * @example
 * ```ts
 * const metrics = new SegmentationMetrics({ classes: 2, height: 1, width: 4 });
 * metrics.add(Uint8Array.of(0, 0, 1, 1), Uint8Array.of(0, 1, 1, 1));
 * metrics.result().iouPerClass; // [0.5, 0.6666666666666666]
 * ```
 */
export class SegmentationMetrics {
  readonly classes: number;
  readonly height: number;
  readonly width: number;
  readonly boundaryDistance: number;
  readonly #pixels: Counts;
  readonly #bands: Counts;
  #images = 0;

  /** @throws if a size is not a positive integer */
  constructor({ classes, height, width, boundaryDistance = 2 }: SegmentationMetricsOptions) {
    for (const [name, value] of Object.entries({ classes, height, width, boundaryDistance })) {
      if (!Number.isInteger(value) || value < 1) {
        throw new RangeError(`SegmentationMetrics: ${name} must be a positive integer, got ${String(value)}`);
      }
    }
    this.classes = classes;
    this.height = height;
    this.width = width;
    this.boundaryDistance = boundaryDistance;
    this.#pixels = new Counts(classes);
    this.#bands = new Counts(classes);
  }

  /**
   * Adds images: `[n, height, width]` class indices of the prediction and of the truth.
   *
   * @throws if the lengths differ or are no multiple of height * width, or an index is no class; then nothing is counted
   */
  add(prediction: ClassMasks, truth: ClassMasks): void {
    const size = this.height * this.width;
    if (prediction.length !== truth.length || truth.length === 0 || truth.length % size !== 0) {
      throw new RangeError(
        `SegmentationMetrics.add: prediction and truth must hold the same number of images of ${this.height} x ` +
          `${this.width} = ${size} class indices, got ${prediction.length} and ${truth.length} indices`,
      );
    }
    this.#checkClasses("prediction", prediction);
    this.#checkClasses("truth", truth);
    for (let start = 0; start < truth.length; start += size) {
      const p = prediction.subarray(start, start + size);
      const t = truth.subarray(start, start + size);
      const pInterior = interior(p, this.height, this.width, this.boundaryDistance);
      const tInterior = interior(t, this.height, this.width, this.boundaryDistance);
      for (let i = 0; i < size; i++) {
        const same = p[i] === t[i];
        this.#pixels.prediction[p[i]]++;
        this.#pixels.truth[t[i]]++;
        if (same) this.#pixels.both[t[i]]++;
        const pBand = pInterior[i] === 0;
        const tBand = tInterior[i] === 0;
        if (pBand) this.#bands.prediction[p[i]]++;
        if (tBand) this.#bands.truth[t[i]]++;
        if (same && pBand && tBand) this.#bands.both[t[i]]++;
      }
      this.#images++;
    }
  }

  /** The metrics of all images added so far. @throws if there are none */
  result(): SegmentationResult {
    if (this.#images === 0) {
      throw new Error("SegmentationMetrics.result: at least one image must be added first, got none; call add()");
    }
    const iouPerClass = this.#pixels.iou();
    const boundaryIoUPerClass = this.#bands.iou();
    return {
      mIoU: meanOfOccurring(iouPerClass),
      boundaryIoU: meanOfOccurring(boundaryIoUPerClass),
      pixelAccuracy: sum(this.#pixels.both) / sum(this.#pixels.truth),
      iouPerClass,
      boundaryIoUPerClass,
      images: this.#images,
    };
  }

  #checkClasses(name: string, masks: ClassMasks): void {
    const wrong = masks.findIndex((index) => index < 0 || index >= this.classes);
    if (wrong === -1) return;
    const size = this.height * this.width;
    const image = Math.floor(wrong / size);
    const row = Math.floor((wrong % size) / this.width);
    throw new RangeError(
      `SegmentationMetrics.add: ${name} must hold class indices in 0 .. ${this.classes - 1}, got ${masks[wrong]} ` +
        `at image ${image}, row ${row}, column ${wrong % this.width}`,
    );
  }
}

/** Results of a network that are not numbers: its weights hold NaN or infinity, or lead there. */
export class DivergedError extends Error {
  override name = "DivergedError";
}

/**
 * The most probable class of each pixel: logits `[N, C, H, W]` to class indices `[N, H, W]`. Of equal logits the first wins.
 *
 * @param logits N * C * H * W values, row-major
 * @param shape `[N, C, H, W]` with C at most 256, so that an index fits into a byte
 * @throws if the shape does not fit the values; {DivergedError} if a value is NaN
 * @example
 * ```ts
 * argmaxChannels(Float32Array.of(1, 5, 3, 5), [1, 2, 1, 2]); // [1, 0], since 3 > 1 and of 5 and 5 the first wins
 * ```
 */
export function argmaxChannels(
  logits: Float32Array | Float64Array,
  shape: readonly [N: number, C: number, H: number, W: number],
): Uint8Array {
  const [N, C, H, W] = shape;
  const valid = shape.length === 4 && shape.every((size) => Number.isInteger(size) && size >= 1) && C <= 256;
  if (!valid || N * C * H * W !== logits.length) {
    throw new RangeError(
      `argmaxChannels: shape must be [N, C, H, W] of positive integers with C <= 256 and N * C * H * W = ` +
        `${logits.length} logits, got [${shape.join(", ")}]`,
    );
  }
  const size = H * W;
  const indices = new Uint8Array(N * size);
  for (let n = 0; n < N; n++) {
    for (let pixel = 0; pixel < size; pixel++) {
      const first = n * C * size + pixel;
      let best = 0;
      let highest = -Infinity;
      for (let c = 0; c < C; c++) {
        const value = logits[first + c * size];
        if (value > highest) {
          highest = value;
          best = c;
        } else if (Number.isNaN(value)) {
          const position = [n, c, Math.floor(pixel / W), pixel % W].join(", ");
          throw new DivergedError(
            `argmaxChannels: logits must be numbers, got NaN at [n, c, h, w] = [${position}]; ` +
              `the training has diverged, so lower its learning rate`,
          );
        }
      }
      indices[n * size + pixel] = best;
    }
  }
  return indices;
}

/** Sizes, per class, of the prediction's set, the truth's set and their intersection. Float64 counts exactly up to 2^53. */
class Counts {
  readonly prediction: Float64Array;
  readonly truth: Float64Array;
  readonly both: Float64Array;

  constructor(classes: number) {
    this.prediction = new Float64Array(classes);
    this.truth = new Float64Array(classes);
    this.both = new Float64Array(classes);
  }

  iou(): number[] {
    return Array.from(this.both, (both, c) => both / (this.prediction[c] + this.truth[c] - both));
  }
}

/** 1 where the square of side 2d + 1 around a pixel lies inside the image and holds one class, else 0. */
export function interior(mask: ClassMasks, height: number, width: number, d: number): Uint8Array {
  const side = 2 * d + 1;
  // Along rows: `flat` marks the middle of every horizontal run of `side` equal pixels.
  const flat = new Uint8Array(mask.length);
  for (let y = 0; y < height; y++) {
    let run = 0;
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      run = x > 0 && mask[i] === mask[i - 1] ? run + 1 : 1;
      if (run >= side) flat[i - d] = 1;
    }
  }
  // Along columns: `side` flat pixels of one class above each other span a square of one class.
  const inside = new Uint8Array(mask.length);
  const runs = new Int32Array(width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (flat[i] === 0) runs[x] = 0;
      else runs[x] = y > 0 && mask[i] === mask[i - width] ? runs[x] + 1 : 1;
      if (runs[x] >= side) inside[i - d * width] = 1;
    }
  }
  return inside;
}

function meanOfOccurring(values: number[]): number {
  const occurring = values.filter((value) => !Number.isNaN(value));
  return sum(occurring) / occurring.length;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

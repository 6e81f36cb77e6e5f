/**
 * @file Colours for pixels that nobody sees. What an editor stores in a transparent pixel, mostly black or white, would show at every
 * edge as soon as an upsampler mixes it with its visible neighbours. So such a pixel takes their colour first:
 *
 *     c' = a/m c + (1 - a/m) Σ a c / Σ a        m the largest a, Σ over 3 x 3 pixels, a the opacity
 *
 * A pixel that is as opaque as all around it keeps its colour; one that is fully transparent has that of the visible ones, and,
 * where there are none around it, the mean of those that were filled before it, ring by ring.
 */

/**
 * Changes the colours of the pixels that are less opaque than one beside them.
 *
 * @param colours - planes of `width * height` values, one after the other; changed.
 * @param alpha - the opacity of each pixel, from 0 to 1.
 *
 * @example
 * ```ts
 * const red = Float32Array.of(1, 0, 0, 0); // a red pixel and three black ones that are transparent
 * fillTransparent(red, Float32Array.of(1, 0, 0, 0), 4, 1);
 * [...red]; // [1, 1, 1, 1]
 * ```
 */
export function fillTransparent(colours: Float32Array, alpha: Float32Array, width: number, height: number): void {
  const size = width * height;
  const original = colours.slice();

  /** Pixel i and those around it: the first `count` entries. One array for all, as large pictures have many pixels. */
  const near = new Int32Array(9);
  let count = 0;
  const lookAround = (i: number): void => {
    const y = Math.floor(i / width);
    const x = i - y * width;
    count = 0;
    for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
      for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) near[count++] = v * width + u;
    }
  };
  /** The mean of the values there, of the plane that begins at `plane`. */
  const mean = (weights: ArrayLike<number>, values: Float32Array, plane: number): number => {
    let sum = 0;
    let total = 0;
    for (let k = 0; k < count; k++) {
      sum += weights[near[k]] * values[plane + near[k]];
      total += weights[near[k]];
    }
    return sum / total;
  };

  const filled = new Uint8Array(size);
  for (let i = 0; i < size; i++) {
    if (alpha[i] === 1) {
      filled[i] = 1;
      continue;
    }
    lookAround(i);
    let largest = 0;
    for (let k = 0; k < count; k++) largest = Math.max(largest, alpha[near[k]]);
    if (largest === 0) continue;
    filled[i] = 1;
    const own = alpha[i] / largest;
    if (own === 1) continue;
    for (let plane = 0; plane < colours.length; plane += size) {
      colours[plane + i] = own * original[plane + i] + (1 - own) * mean(alpha, original, plane);
    }
  }

  const queued = filled.slice();
  /** Adds the pixels around i that nothing has filled or queued before. */
  const queueAround = (i: number, queue: number[]): void => {
    lookAround(i);
    for (let k = 0; k < count; k++) {
      if (queued[near[k]] === 0) queue.push(near[k]);
      queued[near[k]] = 1;
    }
  };
  let ring: number[] = [];
  for (let i = 0; i < size; i++) if (filled[i] === 1) queueAround(i, ring);
  while (ring.length > 0) {
    for (const i of ring) {
      lookAround(i);
      for (let plane = 0; plane < colours.length; plane += size) colours[plane + i] = mean(filled, colours, plane);
    }
    for (const i of ring) filled[i] = 1;
    const next: number[] = [];
    for (const i of ring) queueAround(i, next);
    ring = next;
  }
}

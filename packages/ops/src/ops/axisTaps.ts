/** @file Which pixels of an axis interpolate reads, and with which weights. */

import type { InterpolateAttrs } from "./interpolate.ts";
import { interpolationKernels, weightAt } from "./interpolationKernels.ts";

/** What the output pixels along an axis read: the taps of the mode, each with a pixel and a weight per output pixel. */
export function axisTaps(
  inSize: number,
  outSize: number,
  { mode, alignCorners, scaleFactor }: InterpolateAttrs,
  axis: 0 | 1,
): { index: Int32Array; weight: Float64Array }[] {
  const { first, weights } = interpolationKernels[mode];
  const taps = weights.map(() => ({ index: new Int32Array(outSize), weight: new Float64Array(outSize) }));
  const { part, whole, centre } = axisMap(inSize, outSize, { mode, alignCorners, scaleFactor }, axis);
  const last = inSize - 1;
  for (let i = 0; i < outSize; i++) {
    let position: number;
    if (mode === "nearest") position = Math.floor(Math.fround(i * Math.fround(part / whole)));
    else position = ((i + centre) * part) / whole - centre;
    // Behind the last pixel, bilinear has two weights on that one: an infinity stays one, as a weight of 0 would not let it.
    if (mode === "nearest") position = Math.min(position, last);
    if (mode === "bilinear") position = Math.max(position, 0);
    const pixel = Math.floor(position);
    const copies = mode === "bilinear" && outSize === inSize; // then it reads no neighbour, not even with a weight of 0
    for (let k = 0; k < taps.length; k++) {
      taps[k].index[i] = copies ? i : Math.min(Math.max(pixel + first + k, 0), last);
      taps[k].weight[i] = weightAt(weights[k], position - pixel);
    }
  }
  return taps;
}

/**
 * Along an axis, output pixel i is at (i + centre) ratio - centre, before it is clamped or, in nearest, rounded down. The ratio is `part` / `whole`:
 * multiplied by one and divided by the other, what is the centre of a pixel is that exactly.
 */
export function axisMap(
  inSize: number,
  outSize: number,
  { mode, alignCorners, scaleFactor }: Pick<InterpolateAttrs, "mode" | "alignCorners" | "scaleFactor">,
  axis: 0 | 1,
): { part: number; whole: number; centre: number } {
  if (alignCorners)
    return outSize === 1 ? { part: 0, whole: 1, centre: 0 } : { part: inSize - 1, whole: outSize - 1, centre: 0 };
  const nearest = mode === "nearest";
  const fixed = (outSize === inSize && mode !== "bicubic") || (nearest && outSize === 2 * inSize);
  const centre = nearest ? 0 : 0.5;
  if (scaleFactor === null || fixed) return { part: inSize, whole: outSize, centre };
  return { part: 1, whole: scaleFactor[axis], centre };
}

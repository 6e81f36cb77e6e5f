/**
 * @file Upsamples a picture and keeps its kind: grey stays grey, 16 bits stay 16. A transparent pixel has a colour, too, which nobody
 * sees and which must not show in what is mixed from it and its neighbours:
 *
 *     nearest             pixels as they are, all their channels
 *     bilinear, bicubic   alpha' = up(alpha), colour' = up(alpha colour) / alpha'
 *     all others          alpha' = bilinear(alpha), colour' = up(colour), where transparent pixels take the colour around them first
 *
 * What becomes fully transparent becomes black, but for nearest, which copies.
 */

import { leaf, needsMemory, type Tensor, type Values } from "@gridgrad/core";

import { fillTransparent } from "../picture/fillTransparent.ts";
import type { Picture } from "../picture/picture.ts";
import { Bicubic, Bilinear, Nearest } from "../upsamplers/resize.ts";
import type { PictureUpsampler } from "./pictureUpsampler.ts";

/**
 * Upsamples on the current device. A grey picture goes through as three equal colours, whose mean is taken afterwards.
 *
 * @returns a picture of the same channels and depth, with `scale` times the width and height.
 */
export async function upsamplePicture(picture: Picture, upsampler: PictureUpsampler): Promise<Picture> {
  const { width, height, channels, data } = picture;
  const { up } = upsampler;
  const { scale } = up;
  const highest = data instanceof Uint16Array ? 0xffff : 0xff;
  const hasAlpha = channels === 2 || channels === 4;
  const shades = hasAlpha ? channels - 1 : channels;
  const size = width * height;
  const pixels = size * scale ** 2;
  const divides = up instanceof Bilinear || up instanceof Bicubic;

  /** Channel `c` of the picture, in [0, 1]. */
  const plane = (c: number): Float32Array =>
    Float32Array.from({ length: size }, (_, i) => data[i * channels + c] / highest);
  const asTensor = (values: Float32Array): Tensor => leaf([1, values.length / size, height, width], "float32", values);

  const colours = new Float32Array(shades * size);
  for (let c = 0; c < shades; c++) colours.set(plane(c), c * size);
  const opacity = hasAlpha ? plane(shades) : null;
  if (opacity && divides) for (let i = 0; i < colours.length; i++) colours[i] *= opacity[i % size];
  else if (opacity && !(up instanceof Nearest)) fillTransparent(colours, opacity, width, height);

  const three = shades === 1 ? Float32Array.from({ length: 3 * size }, (_, i) => colours[i % size]) : colours;
  const shade = shadesOf(await upsampler.forward(asTensor(three)).data(), shades, pixels);
  const resize = divides || up instanceof Nearest ? up : new Bilinear(1, { scale });
  const alpha = opacity ? await resize.forward(asTensor(opacity)).data() : null;

  const PictureArray = highest === 0xffff ? Uint16Array : Uint8Array;
  const result = needsMemory(
    () => `a picture of ${width * scale}x${height * scale}`,
    pixels * channels * PictureArray.BYTES_PER_ELEMENT,
    () => new PictureArray(pixels * channels),
  );
  const toSample = (value: number): number => Math.round(Math.min(Math.max(value, 0), 1) * highest);
  for (let i = 0; i < pixels; i++) {
    const at = i * channels;
    if (alpha) {
      result[at + shades] = toSample(alpha[i]);
      if (result[at + shades] === 0 && !(up instanceof Nearest)) continue;
    }
    for (let c = 0; c < shades; c++) result[at + c] = toSample(alpha && divides ? shade(c, i) / alpha[i] : shade(c, i));
  }
  return { width: width * scale, height: height * scale, channels, data: result };
}

/** Colour `c` of pixel `i` of three planes; for grey their mean. */
function shadesOf(planes: Values, shades: number, pixels: number): (c: number, i: number) => number {
  if (shades === 3) return (c, i) => planes[c * pixels + i];
  return (_c, i) => (planes[i] + planes[pixels + i] + planes[2 * pixels + i]) / 3;
}

/**
 * @file Upsamples a picture and keeps its kind: grey stays grey, 16 bits stay 16, and transparency, which is not a colour, is
 * resized bilinearly.
 */

import { leaf, type Tensor, type Values } from "@gridgrad/core";

import type { Picture } from "../picture/png.ts";
import { Bilinear } from "../upsamplers/resize.ts";
import type { PictureUpsampler } from "./pictureUpsampler.ts";

/**
 * Upsamples on the current device. A grey picture goes through as three equal colours, whose mean is taken afterwards.
 *
 * @returns a picture of the same channels and depth, with `scale` times the width and height.
 */
export async function upsamplePicture(picture: Picture, upsampler: PictureUpsampler): Promise<Picture> {
  const { width, height, channels, data } = picture;
  const highest = data instanceof Uint16Array ? 0xffff : 0xff;
  const hasAlpha = channels === 2 || channels === 4;
  const shades = hasAlpha ? channels - 1 : channels;

  /** Channels of the picture as a tensor `[1, channels, H, W]` in [0, 1]. */
  const planes = (of: readonly number[]): Tensor => {
    const values = new Float32Array(of.length * width * height);
    let at = 0;
    for (const c of of) for (let i = c; i < data.length; i += channels) values[at++] = data[i] / highest;
    return leaf([1, of.length, height, width], "float32", values);
  };

  const { scale } = upsampler.up;
  const colours = await upsampler.forward(planes(shades === 1 ? [0, 0, 0] : [0, 1, 2])).data();
  const alpha = hasAlpha ? await new Bilinear(1, { scale }).forward(planes([channels - 1])).data() : null;

  const pixels = width * scale * height * scale;
  const result = highest === 0xffff ? new Uint16Array(pixels * channels) : new Uint8Array(pixels * channels);
  const put = (c: number, value: (i: number) => number): void => {
    for (let i = 0; i < pixels; i++)
      result[i * channels + c] = Math.round(Math.min(Math.max(value(i), 0), 1) * highest);
  };
  if (shades === 1) put(0, (i) => meanOfColours(colours, pixels, i));
  else for (let c = 0; c < shades; c++) put(c, (i) => colours[c * pixels + i]);
  if (alpha) put(channels - 1, (i) => alpha[i]);
  return { width: width * scale, height: height * scale, channels, data: result };
}

function meanOfColours(colours: Values, pixels: number, i: number): number {
  return (colours[i] + colours[pixels + i] + colours[2 * pixels + i]) / 3;
}

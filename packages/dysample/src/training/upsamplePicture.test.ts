import { describe, expect, test } from "vitest";

import { Random } from "@gridgrad/core";

import type { Picture } from "../picture/png.ts";
import { PictureUpsampler } from "./pictureUpsampler.ts";
import { upsamplePicture } from "./upsamplePicture.ts";

const [width, height] = [5, 4];

function randomPicture(channels: Picture["channels"], bits: 8 | 16, seed = 1): Picture {
  const values = new Random(seed).integers([width * height * channels], 2 ** bits).values!;
  return { width, height, channels, data: bits === 8 ? Uint8Array.from(values) : Uint16Array.from(values) };
}

describe.each([1, 2, 3, 4] as const)("a picture of %i channels", (channels) => {
  test.each([8, 16] as const)("of %i bits keeps them", async (bits) => {
    const picture = randomPicture(channels, bits);
    const large = await upsamplePicture(picture, new PictureUpsampler("nearest", { scale: 3 }));
    expect(large).toMatchObject({ width: 15, height: 12, channels });
    expect(large.data.constructor).toBe(picture.data.constructor);
    // The nearest neighbour copies colours exactly; transparency is bilinear, so it is left out here.
    const shades = channels % 2 === 0 ? channels - 1 : channels;
    for (let i = 0; i < 15 * 12; i++) {
      const from = Math.floor(Math.floor(i / 15) / 3) * width + Math.floor((i % 15) / 3);
      for (let c = 0; c < shades; c++) expect(large.data[i * channels + c]).toBe(picture.data[from * channels + c]);
    }
  });
});

test("transparency is bilinear whatever the upsampler is", async () => {
  const picture = randomPicture(4, 8);
  const alpha = async (upsampler: string): Promise<number[]> => {
    const { data } = await upsamplePicture(picture, new PictureUpsampler(upsampler, { random: new Random(3) }));
    return Array.from(data).filter((_, i) => i % 4 === 3);
  };
  const bilinear = await alpha("bilinear");
  expect(new Set(bilinear).size).toBeGreaterThan(20);
  expect(await alpha("transposed-conv")).toEqual(bilinear);
  expect(await alpha("nearest")).toEqual(bilinear);
});

test("what an upsampler makes brighter than white or darker than black is white or black", async () => {
  const up = new PictureUpsampler("pixel-shuffle", { random: new Random(4) });
  for (const p of up.parameters()) p.set(new Random(5).normal(p.shape, { std: 10 }));
  const { data } = await upsamplePicture(randomPicture(3, 8), up);
  expect(new Set(data)).toContain(0);
  expect(new Set(data)).toContain(255);
});

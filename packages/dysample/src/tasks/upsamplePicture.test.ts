import { describe, expect, test } from "vitest";

import { Random, type Tensor, tensor } from "@gridgrad/core";
import { interpolate } from "@gridgrad/ops";

import type { Picture } from "../picture/picture.ts";
import { decodePng } from "../picture/png.ts";
import { upsamplerNames } from "../upsamplers/createUpsampler.ts";
import { PictureUpsampler } from "./pictureUpsampler.ts";
import { upsamplePicture } from "./upsamplePicture.ts";

const [width, height] = [5, 4];

function randomPicture(channels: Picture["channels"], bits: 8 | 16, seed = 1): Picture {
  const values = new Random(seed).integers([width * height * channels], 2 ** bits).values!;
  return { width, height, channels, data: bits === 8 ? Uint8Array.from(values) : Uint16Array.from(values) };
}

function fromBase64(text: string): Picture {
  return decodePng(Buffer.from(text, "base64"));
}

describe.each([1, 2, 3, 4] as const)("a picture of %i channels", (channels) => {
  test.each([8, 16] as const)("of %i bits keeps them", async (bits) => {
    const picture = randomPicture(channels, bits);
    const large = await upsamplePicture(picture, new PictureUpsampler("nearest", { scale: 3 }));
    expect(large).toMatchObject({ width: 15, height: 12, channels });
    expect(large.data.constructor).toBe(picture.data.constructor);
    // The nearest neighbour copies pixels exactly, colours of transparent ones included.
    for (let i = 0; i < 15 * 12; i++) {
      const from = Math.floor(Math.floor(i / 15) / 3) * width + Math.floor((i % 15) / 3);
      for (let c = 0; c < channels; c++) expect(large.data[i * channels + c]).toBe(picture.data[from * channels + c]);
    }
  });
});

/** Transparent, half transparent and opaque pixels, of random colours. */
function randomAlpha(channels: 2 | 4, bits: 8 | 16, seed = 1): Picture {
  const picture = randomPicture(channels, bits, seed);
  const highest = 2 ** bits - 1;
  const levels = [0, 0, Math.round(highest / 2), 1, highest];
  const chosen = new Random(seed + 1).integers([width * height], levels.length).values!;
  chosen.forEach((level, i) => (picture.data[i * channels + channels - 1] = levels[level]));
  return picture;
}

/** An upsampler with weights as training might leave them. */
function trained(name: string, scale = 2): PictureUpsampler {
  const up = new PictureUpsampler(name, { scale, random: new Random(3) });
  for (const p of up.parameters()) p.set(new Random(4).normal(p.shape, { std: 0.3 }));
  return up;
}

describe("two red pixels beside two transparent ones stay red, as far as they can be seen", () => {
  const reds: [string, Picture][] = [
    [
      "RGBA",
      { width: 4, height: 1, channels: 4, data: Uint8Array.of(255, 0, 0, 255, 255, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0) },
    ],
    [
      "16 bits",
      {
        width: 4,
        height: 1,
        channels: 4,
        data: Uint16Array.of(65535, 0, 0, 65535, 65535, 0, 0, 65535, 0, 0, 0, 0, 0, 0, 0, 0),
      },
    ],
    [
      "a palette with a transparent entry",
      fromBase64(
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABAQMAAADO7O3JAAAABlBMVEX/AAAAAABBoxIDAAAAAnRSTlP/AOW3MEoAAAAKSURBVHicY3AAAABCAEEpN/TvAAAAAElFTkSuQmCC",
      ),
    ],
    [
      "RGB with a transparent colour",
      fromBase64(
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAABnRSTlMAAAAAAABupgeRAAAAD0lEQVR4nGP4z8DAwMAAAAYBAQCwl0YTAAAAAElFTkSuQmCC",
      ),
    ],
  ];
  const names = ["nearest", "bilinear", "bicubic", "dysample", "dysample+", "dysample-s", "dysample-s+"];

  test.each(reds)("%s", async (_kind, picture) => {
    const highest = picture.data[0];
    for (const name of names) {
      const { data } = await upsamplePicture(picture, new PictureUpsampler(name, { scale: 3 }));
      const seen = Array.from({ length: data.length / 4 }, (_, i) => data.slice(4 * i, 4 * i + 4)).filter(
        ([, , , a]) => a > 0,
      );
      expect(seen.length).toBeGreaterThan(6);
      for (const [r, g, b] of seen) expect([name, r, g, b]).toEqual([name, highest, 0, 0]);
    }
  });

  test("their edge is that of Pillow", async () => {
    const { data } = await upsamplePicture(reds[0][1], new PictureUpsampler("bilinear"));
    expect([...data.slice(8, 24)]).toEqual([255, 0, 0, 255, 255, 0, 0, 191, 255, 0, 0, 64, 0, 0, 0, 0]);
  });
});

test("white letters on nothing stay white, in grey", async () => {
  const picture: Picture = { width: 3, height: 1, channels: 2, data: Uint8Array.of(0, 0, 255, 255, 0, 0) };
  const { data } = await upsamplePicture(picture, new PictureUpsampler("bilinear"));
  expect([...data.slice(0, 12)]).toEqual([0, 0, 255, 64, 255, 191, 255, 191, 255, 64, 0, 0]);
});

test("bilinear gives the numbers of Pillow, which rounds once more on the way", async () => {
  // prettier-ignore
  const data = Uint8Array.of(
    255, 228, 34, 121,  243, 189,  6,   0,  102, 168,  82, 193,
    187, 150, 81, 243,  205,  24, 236,  8,  246, 164, 231, 255,
  );
  // prettier-ignore
  const pillow = [
    255, 227,  33, 121,  255, 226,  33,  91,  255, 229,  34, 30,  100, 170,  85, 48,  102, 167,  82, 145,  101, 167,  81, 193,
    226, 196,  52, 152,  228, 196,  53, 114,  228, 196,  58, 39,  146, 165, 132, 54,  146, 165, 128, 157,  145, 165, 126, 209,
    196, 160,  74, 213,  196, 159,  76, 161,  193, 153,  87, 58,  211, 156, 200, 65,  216, 163, 201, 181,  216, 164, 200, 240,
    186, 150,  80, 243,  187, 149,  83, 184,  186, 140,  95, 67,  240, 153, 229, 70,  245, 162, 231, 193,  246, 164, 231, 255,
  ];
  const large = await upsamplePicture({ width: 3, height: 2, channels: 4, data }, new PictureUpsampler("bilinear"));
  pillow.forEach((value, i) => {
    const alpha = pillow[i - (i % 4) + 3];
    // A colour times alpha is rounded to 8 bits twice there, and what that changes is divided by alpha.
    const limit = i % 4 === 3 ? 1 : 1 + (2 * 255) / alpha;
    expect(Math.abs(large.data[i] - value), `sample ${i}`).toBeLessThanOrEqual(limit);
  });
});

describe.each(["bilinear", "bicubic"] as const)("%s weights colours by their opacity", (mode) => {
  test.each([8, 16] as const)("in %i bits", async (bits) => {
    const highest = 2 ** bits - 1;
    for (const channels of [2, 4] as const) {
      const picture = randomAlpha(channels, bits);
      const shades = channels - 1;
      const plane = (value: (i: number) => number): Tensor =>
        tensor(
          Float64Array.from({ length: width * height }, (_, i) => value(i)),
          [1, 1, height, width],
        );
      const resized = (x: Tensor) => interpolate(x, { scaleFactor: 2, mode }).data();
      const at = (i: number, c: number): number => picture.data[i * channels + c] / highest;
      const alpha = await resized(plane((i) => at(i, shades)));
      const { data } = await upsamplePicture(picture, new PictureUpsampler(mode));
      for (let c = 0; c < shades; c++) {
        const weighted = await resized(plane((i) => at(i, c) * at(i, shades)));
        weighted.forEach((value, i) => {
          const opacity = Math.round(Math.min(Math.max(alpha[i], 0), 1) * highest);
          expect(Math.abs(data[i * channels + shades] - opacity)).toBeLessThanOrEqual(1);
          if (alpha[i] < 0.01) return; // too few digits are left in float32, where nobody sees the pixel
          const colour = Math.min(Math.max(value / alpha[i], 0), 1) * highest;
          expect(Math.abs(data[i * channels + c] - colour)).toBeLessThanOrEqual(1);
        });
      }
    }
  });
});

describe("what a transparent pixel stores cannot be seen", () => {
  test.each(upsamplerNames)("%s", async (name) => {
    for (const channels of [2, 4] as const) {
      const picture = randomAlpha(channels, 8);
      const other = { ...picture, data: picture.data.slice() };
      const shades = channels - 1;
      for (let i = 0; i < width * height; i++) {
        if (picture.data[i * channels + shades] > 0) continue;
        for (let c = 0; c < shades; c++) other.data[i * channels + c] = 255 - other.data[i * channels + c];
      }
      expect(other.data).not.toEqual(picture.data);
      const [one, two] = [await upsamplePicture(picture, trained(name)), await upsamplePicture(other, trained(name))];
      one.data.forEach((value, i) => {
        const seen = one.data[i - (i % channels) + shades] > 0;
        if (seen) expect(two.data[i]).toBe(value);
        else if (name !== "nearest") expect(value).toBe(0); // nearest copies pixels, these as well
      });
    }
  });
});

test("transparency is resized like colours by fixed rules, and bilinearly for all others", async () => {
  const picture = randomAlpha(4, 8);
  const alphaOf = async (up: PictureUpsampler): Promise<number[]> => {
    const { data } = await upsamplePicture(picture, up);
    return Array.from(data).filter((_, i) => i % 4 === 3);
  };
  const [nearest, bilinear, bicubic] = [
    await alphaOf(new PictureUpsampler("nearest")),
    await alphaOf(new PictureUpsampler("bilinear")),
    await alphaOf(new PictureUpsampler("bicubic")),
  ];
  expect(new Set(nearest)).toEqual(new Set([0, 1, 128, 255]));
  expect(new Set(bilinear).size).toBeGreaterThan(20);
  expect(bicubic).not.toEqual(bilinear);
  expect(await alphaOf(trained("transposed-conv"))).toEqual(bilinear);
  expect(await alphaOf(trained("dysample"))).toEqual(bilinear);
});

test("what an upsampler makes brighter than white or darker than black is white or black", async () => {
  const up = new PictureUpsampler("pixel-shuffle", { random: new Random(4) });
  for (const p of up.parameters()) p.set(new Random(5).normal(p.shape, { std: 10 }));
  const { data } = await upsamplePicture(randomPicture(3, 8), up);
  expect(new Set(data)).toContain(0);
  expect(new Set(data)).toContain(255);
});

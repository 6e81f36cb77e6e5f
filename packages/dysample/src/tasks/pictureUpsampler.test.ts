import { describe, expect, test } from "vitest";

import { Random, type Tensor, zeros } from "@gridgrad/core";
import { interpolate } from "@gridgrad/ops";

import { upsamplerNames } from "../upsamplers/createUpsampler.ts";
import { PictureUpsampler } from "./pictureUpsampler.ts";

const colours = (H: number, W: number): Tensor => new Random(1).uniform([2, 3, H, W]);

test.each(upsamplerNames)("%s takes three colours and gives three, for every scale and group count", (name) => {
  for (const scale of [2, 3, 4]) {
    for (const groups of [1, 2, 3, 4]) {
      const up = new PictureUpsampler(name, { scale, groups });
      expect(up.forward(colours(5, 7)).shape).toEqual([2, 3, 5 * scale, 7 * scale]);
    }
  }
});

test("an upsampler sees three channels, or as many as its groups and its style can divide", () => {
  const channels = (name: string, scale: number, groups: number): number =>
    new PictureUpsampler(name, { scale, groups }).channels;
  expect(channels("bilinear", 4, 4)).toBe(3);
  expect(channels("dysample", 4, 1)).toBe(3);
  expect(channels("dysample+", 2, 2)).toBe(4);
  expect(channels("dysample-s", 2, 1)).toBe(4);
  expect(channels("dysample-s+", 2, 3)).toBe(12);
});

describe("DySample with zero offsets is bilinear on colours, whatever channels are added", () => {
  test.each(["dysample", "dysample+", "dysample-s", "dysample-s+"])("%s", async (name) => {
    const up = new PictureUpsampler(name, { scale: 3, groups: 2 });
    for (const p of up.parameters()) p.set(zeros(p.shape));
    const x = colours(4, 5);
    const [got, wanted] = [
      await up.forward(x).data(),
      await interpolate(x, { scaleFactor: 3, mode: "bilinear" }).data(),
    ];
    got.forEach((value, i) => expect(Math.abs(value - wanted[i])).toBeLessThan(1e-6));
  });
});

test("with one group the colours of a grey picture stay equal: they are read at the same points", async () => {
  const random = new Random(2);
  const grey = random.uniform([1, 1, 6, 6]).expand([1, 3, 6, 6]);
  const up = new PictureUpsampler("dysample", { random });
  for (const p of up.parameters()) p.set(random.normal(p.shape));
  const y = await up.forward(grey).data();
  const n = y.length / 3;
  expect(y.slice(0, n)).toEqual(y.slice(n, 2 * n));
  expect(y.slice(0, n)).toEqual(y.slice(2 * n));
});

test("an unknown upsampler is refused", () => {
  expect(() => new PictureUpsampler("lanczos")).toThrow(/name must be one of nearest, bilinear/);
});

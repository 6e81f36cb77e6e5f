import fc from "fast-check";
import { expect, test } from "vitest";

import { fillTransparent } from "./fillTransparent.ts";

function filled(colours: number[], alpha: number[], width: number): number[] {
  const values = Float32Array.from(colours);
  fillTransparent(values, Float32Array.from(alpha), width, alpha.length / width);
  return [...values];
}

test("a transparent pixel has the mean colour of the visible ones around it, weighted by their opacity", () => {
  expect(filled([0, 9, 6], [0.25, 0, 0.5], 3)).toEqual([0, 4, 6]);
});

test("pixels without a visible one around them are filled ring by ring, each plane for itself", () => {
  const colours = [7, 0, 0, 0, 3, 1, 9, 9, 9, 5];
  expect(filled(colours, [1, 0, 0, 0, 1], 5)).toEqual([7, 7, 5, 3, 3, 1, 1, 3, 5, 5]);
});

test("a pixel half as opaque as one beside it keeps half of its colour", () => {
  // the mean of both is (1 · 6 + 0.5 · 0) / 1.5 = 4
  expect(filled([6, 0], [1, 0.5], 2)).toEqual([6, 2]);
});

test("nothing changes where all pixels are equally opaque, or none is visible", () => {
  const colours = fc.array(fc.nat(255), { minLength: 12, maxLength: 12 });
  fc.assert(
    fc.property(colours, fc.constantFrom(0, 0.01, 0.5, 1), (values, alpha) => {
      expect(filled(values, Array<number>(6).fill(alpha), 3)).toEqual(values);
    }),
  );
});

test("a colour that all visible pixels share spreads to all others, and no opaque pixel changes", () => {
  const alphas = fc.array(fc.constantFrom(0, 0, 0, 0.5, 1), { minLength: 42, maxLength: 42 });
  fc.assert(
    fc.property(alphas, (alpha) => {
      fc.pre(alpha.includes(1));
      const hidden = alpha.map((a) => (a === 0 ? 200 : 25));
      expect(filled(hidden, alpha, 7)).toEqual(Array<number>(42).fill(25));
      const random = alpha.map((_, i) => i);
      filled(random, alpha, 7).forEach((value, i) => {
        if (alpha[i] === 1) expect(value).toBe(i);
      });
    }),
  );
});

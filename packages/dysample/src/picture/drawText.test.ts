import { describe, expect, test } from "vitest";
import { drawText, textSize } from "./drawText.ts";
import type { Picture } from "./picture.ts";

function blank(width: number, height: number): Picture {
  return { width, height, channels: 1, data: new Uint8Array(width * height) };
}

/** A grey picture as rows of characters. */
function show({ width, height, data }: Picture): string {
  const rows = Array.from({ length: height }, (_, y) =>
    Array.from(data.subarray(y * width, (y + 1) * width), (value) => (value > 0 ? "#" : ".")).join(""),
  );
  return `\n${rows.join("\n")}\n`;
}

describe("drawText", () => {
  test("draws capitals of 5 x 7 pixels with a column between", () => {
    const picture = blank(17, 7);
    drawText(picture, "a 2", 0, 0, 1, [255]);
    expect(show(picture)).toBe(`
.###.........###.
#...#.......#...#
#...#...........#
#####..........#.
#...#.........#..
#...#........#...
#...#.......#####
`);
  });

  test("enlarges each of them to a square of the scale", () => {
    const small = blank(11, 7);
    const large = blank(33, 21);
    drawText(small, "g8", 0, 0, 1, [9]);
    drawText(large, "g8", 0, 0, 3, [9]);
    expect(large.data).toEqual(
      large.data.map((_, i) => small.data[Math.floor(i / 99) * 11 + Math.floor((i % 33) / 3)]),
    );
  });

  test("gives every character a form of its own", () => {
    const forms = [..." abcdefghijklmnopqrstuvwxyz0123456789+-."].map((character) => {
      const picture = blank(5, 7);
      drawText(picture, character, 0, 0, 1, [1]);
      return show(picture);
    });
    expect(new Set(forms).size).toBe(40);
  });

  test("does not tell capitals from small letters", () => {
    const [small, capital] = [blank(50, 7), blank(50, 7)];
    drawText(small, "dysample", 0, 0, 1, [1]);
    drawText(capital, "DySample", 0, 0, 1, [1]);
    expect(capital).toEqual(small);
  });

  test("takes exactly the pixels that textSize says, and leaves out what lies outside", () => {
    expect(textSize("abc", 2)).toEqual({ width: 34, height: 14 });
    expect(textSize("", 2)).toEqual({ width: 0, height: 14 });
    const whole = blank(17, 7);
    drawText(whole, "eee", 0, 0, 1, [1]);
    const part = blank(5, 3);
    drawText(part, "eee", -2, -1, 1, [1]);
    expect(part.data).toEqual(part.data.map((_, i) => whole.data[(1 + Math.floor(i / 5)) * 17 + 2 + (i % 5)]));
    drawText(part, "eee", 5, 3, 1, [1]);
    drawText(part, "eee", -17, 0, 1, [1]);
    expect(part.data).toEqual(part.data.map((_, i) => whole.data[(1 + Math.floor(i / 5)) * 17 + 2 + (i % 5)]));
  });

  test("draws nothing when a character is missing from the font", () => {
    const picture = blank(50, 7);
    expect(() => drawText(picture, "lp (G=4)", 0, 0, 1, [1])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: drawText: a text must be made of a-z, 0-9, + - . and spaces, got "(" in "lp (G=4)"]`,
    );
    expect(picture.data.every((value) => value === 0)).toBe(true);
  });
});

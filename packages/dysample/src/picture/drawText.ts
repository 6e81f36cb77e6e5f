/**
 * @file Text in a picture, by a bitmap font of 5 x 7 pixels a letter: enough to label rows without a font file or a library.
 *
 * Letters are drawn as capitals, whatever their case: in 7 rows capitals are easier to read.
 */

import type { Picture } from "./picture.ts";

/** The characters side by side, 5 columns each and one between. */
const FONT = [
  {
    characters: "abcdefghijklm",
    rows: [
      ".###. ####. .#### ####. ##### ##### .#### #...# .###. ..### #...# #.... #...#",
      "#...# #...# #.... #...# #.... #.... #.... #...# ..#.. ...#. #..#. #.... ##.##",
      "#...# #...# #.... #...# #.... #.... #.... #...# ..#.. ...#. #.#.. #.... #.#.#",
      "##### ####. #.... #...# ####. ####. #..## ##### ..#.. ...#. ##... #.... #.#.#",
      "#...# #...# #.... #...# #.... #.... #...# #...# ..#.. ...#. #.#.. #.... #...#",
      "#...# #...# #.... #...# #.... #.... #...# #...# ..#.. #..#. #..#. #.... #...#",
      "#...# ####. .#### ####. ##### #.... .#### #...# .###. .##.. #...# ##### #...#",
    ],
  },
  {
    characters: "nopqrstuvwxyz",
    rows: [
      "#...# .###. ####. .###. ####. .#### ##### #...# #...# #...# #...# #...# #####",
      "#...# #...# #...# #...# #...# #.... ..#.. #...# #...# #...# #...# #...# ....#",
      "##..# #...# #...# #...# #...# #.... ..#.. #...# #...# #...# .#.#. .#.#. ...#.",
      "#.#.# #...# ####. #...# ####. .###. ..#.. #...# #...# #.#.# ..#.. ..#.. ..#..",
      "#..## #...# #.... #.#.# #.#.. ....# ..#.. #...# #...# #.#.# .#.#. ..#.. .#...",
      "#...# #...# #.... #..#. #..#. ....# ..#.. #...# .#.#. ##.## #...# ..#.. #....",
      "#...# .###. #.... .##.# #...# ####. ..#.. .###. ..#.. #...# #...# ..#.. #####",
    ],
  },
  {
    characters: "0123456789+-.",
    rows: [
      ".###. ..#.. .###. ##### ...#. ##### ..##. ##### .###. .###. ..... ..... .....",
      "#...# .##.. #...# ...#. ..##. #.... .#... ....# #...# #...# ..#.. ..... .....",
      "#..## ..#.. ....# ..#.. .#.#. ####. #.... ...#. #...# #...# ..#.. ..... .....",
      "#.#.# ..#.. ...#. ...#. #..#. ....# ####. ..#.. .###. .#### ##### ##### .....",
      "##..# ..#.. ..#.. ....# ##### ....# #...# .#... #...# ....# ..#.. ..... .....",
      "#...# ..#.. .#... #...# ...#. #...# #...# .#... #...# ...#. ..#.. ..... .##..",
      ".###. .###. ##### .###. ...#. .###. .###. .#... .###. .##.. ..... ..... .##..",
    ],
  },
];

const WIDTH = 5;
const HEIGHT = 7;
const ADVANCE = WIDTH + 1;

/** The rows of each character; a space has none. */
const GLYPHS = new Map<string, string[]>([[" ", []]]);
for (const { characters, rows } of FONT) {
  [...characters].forEach((character, i) => {
    GLYPHS.set(
      character,
      rows.map((row) => row.slice(i * ADVANCE, i * ADVANCE + WIDTH)),
    );
  });
}

/** The pixels that a text takes. @throws if it has a character that the font lacks */
export function textSize(text: string, scale: number): { width: number; height: number } {
  for (const character of text) {
    if (!GLYPHS.has(character.toLowerCase())) {
      throw new RangeError(
        `drawText: a text must be made of a-z, 0-9, + - . and spaces, got ${JSON.stringify(character)} in ` +
          JSON.stringify(text),
      );
    }
  }
  return { width: Math.max(0, text.length * ADVANCE - 1) * scale, height: HEIGHT * scale };
}

/**
 * Draws a text into a picture, its upper left corner at (left, top). What lies outside the picture is left out.
 *
 * @param picture 8-bit, with as many channels as `colour` has values
 * @param scale pixels of the picture for one of the font
 * @throws if the text has a character that the font lacks
 */
export function drawText(
  picture: Picture,
  text: string,
  left: number,
  top: number,
  scale: number,
  colour: readonly number[],
): void {
  const { width, height } = textSize(text, scale);
  const glyphs = Array.from(text, (character) => GLYPHS.get(character.toLowerCase())!);
  for (let y = Math.max(0, -top); y < Math.min(height, picture.height - top); y++) {
    for (let x = Math.max(0, -left); x < Math.min(width, picture.width - left); x++) {
      const column = Math.floor(x / scale);
      const row = glyphs[Math.floor(column / ADVANCE)][Math.floor(y / scale)];
      if (row?.[column % ADVANCE] === "#") {
        picture.data.set(colour, ((top + y) * picture.width + left + x) * picture.channels);
      }
    }
  }
}

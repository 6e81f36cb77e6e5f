/**
 * @file Bytes as text that is about as short as they are, and that gzip makes as short as them: for a WebAssembly module inside of a
 * JavaScript file.
 *
 * The most frequent bytes are one letter each, and the others two. So a byte stands for the same letters everywhere, and what repeats in the
 * bytes repeats in the text. Base64 spreads each byte over two letters in one of three ways, which hides repetitions: its text is 28 % longer
 * and 50 % larger under gzip.
 *
 * This file is also compiled by scripts/buildKernels.mjs, so it imports nothing.
 */

/** Printable ASCII but for what a string literal or a page escapes. The first ones begin a pair. */
const letters = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))
  .filter((letter) => !"\"'`\\$<".includes(letter))
  .join("");
const firsts = 2;

/** Bytes that are one letter. The other 169 are fewer than the pairs. */
const frequent = letters.length - firsts;

/** The text of `bytes`: which ones are one letter, in hexadecimal, and then all of them. */
export function packBytes(bytes: Uint8Array): string {
  const counts = new Array<number>(256).fill(0);
  for (const byte of bytes) counts[byte]++;
  const short = counts
    .map((_, byte) => byte)
    .sort((a, b) => counts[b] - counts[a] || a - b)
    .slice(0, frequent);
  const codes: string[] = [];
  short.forEach((byte, i) => (codes[byte] = letters[firsts + i]));
  others(short).forEach(
    (byte, i) => (codes[byte] = letters[Math.floor(i / letters.length)] + letters[i % letters.length]),
  );
  return short.map((byte) => byte.toString(16).padStart(2, "0")).join("") + Array.from(bytes, (b) => codes[b]).join("");
}

/** The bytes of such a text. */
export function unpackBytes(text: string): Uint8Array {
  const short = Array.from({ length: frequent }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));
  const long = others(short);
  const places: number[] = [];
  for (let i = 0; i < letters.length; i++) places[letters.charCodeAt(i)] = i;
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let at = 2 * frequent; at < text.length; at++) {
    const place = places[text.charCodeAt(at)];
    bytes[length++] =
      place >= firsts ? short[place - firsts] : long[place * letters.length + places[text.charCodeAt(++at)]];
  }
  return bytes.slice(0, length);
}

/** The bytes that are not in `short`, upwards. */
function others(short: readonly number[]): number[] {
  return Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !short.includes(byte));
}

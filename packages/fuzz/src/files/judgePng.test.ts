import { deflateSync } from "node:zlib";

import { encodePng } from "@gridgrad/dysample/node";
import fc from "fast-check";
import { expect, test } from "vitest";

import { inflateSome } from "./inflateSome.ts";
import { judgePng } from "./judgePng.ts";
import { type Chunk, headerChunk, joinChunks, pixelBytes } from "./pngChunks.ts";

test("streams are decompressed as zlib compresses them, at any level, and no further than needed", () => {
  const level = fc.integer({ min: 0, max: 9 });
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 400 }), fc.uint8Array({ maxLength: 2000, max: 3 }));
  fc.assert(
    fc.property(bytes, level, fc.nat(2000), (bytes, level, needed) => {
      const stream = deflateSync(bytes, { level });
      expect(inflateSome(stream, bytes.length)).toEqual({ bytes: Uint8Array.from(bytes), whole: true });
      const some = inflateSome(stream, needed);
      expect(some.bytes).toEqual(bytes.slice(0, needed));
      expect(some.whole).toBe(needed === bytes.length);
    }),
  );
});

test("streams that are damaged are decompressed as far as they go", () => {
  const bytes = Uint8Array.from({ length: 50 }, (_, i) => i);
  const stream = deflateSync(bytes);
  const damaged = stream.with(-1, stream.at(-1)! ^ 1); // the checksum
  expect(inflateSome(damaged, 50)).toEqual({ bytes, whole: false });
  expect(inflateSome(stream.subarray(0, 20), 50).bytes.length).toBeLessThan(50);
  expect(inflateSome(new Uint8Array(0), 1)).toEqual({ bytes: new Uint8Array(0), whole: false });
});

test("pixels count as the seven passes have them, also of sizes that nobody should list", () => {
  const header = { width: 5, height: 3, depth: 8, colour: 0, interlace: 0 };
  expect(pixelBytes(header)).toBe(3 * (1 + 5));
  // Passes 1, 2 and 4 have a pixel, pass 3 begins at row 4, pass 5 has 3 pixels, pass 6 twice 2, pass 7 a row.
  expect(pixelBytes({ ...header, interlace: 1 })).toBe(3 * (1 + 1) + (1 + 3) + 2 * (1 + 2) + (1 + 5));
  expect(pixelBytes({ ...header, width: 2 ** 31 - 1, height: 2 ** 31 - 1 })).toBe((2 ** 31 - 1) * 2 ** 31);
});

test("what is written here is taken, pixel by pixel", () => {
  const sizes = fc.tuple(
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 5 }),
    fc.constantFrom<1 | 2 | 3 | 4>(1, 2, 3, 4),
  );
  fc.assert(
    fc.property(sizes, fc.boolean(), fc.nat(), ([width, height, channels], wide, seed) => {
      const samples = Array.from({ length: width * height * channels }, (_, i) => (seed * (i + 1) * 40503) % 65536);
      const data = wide ? Uint16Array.from(samples) : Uint8Array.from(samples);
      const picture = { width, height, channels, data };
      expect(judgePng(encodePng(picture))).toEqual({ verdict: "taken", pictures: [picture] });
    }),
  );
});

/** Two grey pixels, 10 and 20, among chunks. */
function twoPixels(change: (chunks: Chunk[]) => void = () => {}): Uint8Array {
  const pixels = { type: "IDAT", data: Uint8Array.from(deflateSync(Uint8Array.of(0, 10, 20))) };
  const chunks = [
    headerChunk({ width: 2, height: 1, depth: 8, colour: 0, interlace: 0 }),
    pixels,
    { type: "IEND", data: new Uint8Array(0) },
  ];
  change(chunks);
  return joinChunks(chunks);
}

test("each rule is told apart", () => {
  const insert =
    (at: number, type: string, data: number[], wrong?: number) =>
    (chunks: Chunk[]): void =>
      void chunks.splice(at, 0, { type, data: Uint8Array.from(data), wrong });
  const verdicts = Object.entries<Uint8Array>({
    "as it is": twoPixels(),
    "cut off": twoPixels().slice(0, -1),
    "something behind": Uint8Array.from([...twoPixels(), 1, 2, 3]),
    "the checksum of the header": twoPixels((chunks) => (chunks[0].wrong = 1)),
    "the checksum of a text": twoPixels(insert(1, "tEXt", [65, 0, 66], 1)),
    "transparent 20": twoPixels(insert(1, "tRNS", [0, 20])),
    "transparent 20, with bits above the depth": twoPixels(insert(1, "tRNS", [7, 20])),
    "transparency of another length": twoPixels(insert(1, "tRNS", [20])),
    "an unknown critical chunk": twoPixels(insert(1, "ABCD", [])),
    "two headers": twoPixels((chunks) => void chunks.splice(1, 0, chunks[0])),
    "no pixels": twoPixels((chunks) => void chunks.splice(1, 1)),
    "too few pixels": twoPixels((chunks) => (chunks[1].data = Uint8Array.from(deflateSync(Uint8Array.of(0, 10))))),
    "too many pixels": twoPixels(
      (chunks) => (chunks[1].data = Uint8Array.from(deflateSync(Uint8Array.of(0, 10, 20, 30)))),
    ),
    "a filter that is none": twoPixels(
      (chunks) => (chunks[1].data = Uint8Array.from(deflateSync(Uint8Array.of(5, 10, 20)))),
    ),
    "a colour type that is none": twoPixels((chunks) => (chunks[0].data = chunks[0].data.with(9, 1))),
    "a palette in front of grey": twoPixels(insert(1, "PLTE", [1, 2, 3])),
  }).map(([name, file]) => {
    const verdict = judgePng(file);
    if (verdict.verdict === "refused") return `${name}: refused, ${verdict.why}`;
    const shown = verdict.pictures === "any" ? "any" : verdict.pictures.map(({ data }) => data.join(" ")).join(" or ");
    return `${name}: ${verdict.verdict}${verdict.verdict === "either" ? `, ${verdict.why}` : ""}: ${shown}`;
  });
  expect(verdicts).toMatchInlineSnapshot(`
    [
      "as it is: taken: 10 20",
      "cut off: refused, the file ends before its last chunk",
      "something behind: taken: 10 20",
      "the checksum of the header: refused, the wrong checksum of a critical chunk",
      "the checksum of a text: taken: 10 20",
      "transparent 20: taken: 10 255 20 0",
      "transparent 20, with bits above the depth: taken: 10 255 20 0",
      "transparency of another length: either, transparency that is none: any",
      "an unknown critical chunk: either, an unknown critical chunk: 10 20",
      "two headers: either, two headers: 10 20",
      "no pixels: refused, no pixels",
      "too few pixels: refused, too few pixels, or pixels that cannot be decompressed",
      "too many pixels: either, pixels that end badly: 10 20",
      "a filter that is none: refused, a filter that is none",
      "a colour type that is none: refused, a header that is none",
      "a palette in front of grey: either, a palette that is none: 10 20",
    ]
  `);
});

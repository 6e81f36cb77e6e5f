import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { decodePng, encodePng, readPng, writePng } from "./png.ts";
import type { Picture } from "./png.ts";

const folder = mkdtempSync(join(tmpdir(), "gridgrad-png-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What a call fails with, its folder replaced by a constant. */
async function messageOf(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    return String((error as Error).message).replaceAll(`${folder}/`, "");
  }
  return "no error";
}

/** A file in the folder. */
function saved(name: string, bytes: Uint8Array | string): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(data.length, 0);
  numbers.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([numbers.subarray(0, 4), body, numbers.subarray(4)]);
}

interface FileOptions {
  width: number;
  height: number;
  depth: number;
  colourType: number;
  interlaced?: boolean;
  /** One number for each sample, row by row. */
  samples: ArrayLike<number>;
  extra?: Buffer[];
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const SAMPLES_PER_PIXEL: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** The pass, 1 to 7, that each pixel of an 8 x 8 block belongs to: the table of the PNG specification, section 8.1. */
const PASS_OF_PIXEL = [
  [1, 6, 4, 6, 2, 6, 4, 6],
  [7, 7, 7, 7, 7, 7, 7, 7],
  [5, 6, 5, 6, 5, 6, 5, 6],
  [7, 7, 7, 7, 7, 7, 7, 7],
  [3, 6, 4, 6, 3, 6, 4, 6],
  [7, 7, 7, 7, 7, 7, 7, 7],
  [5, 6, 5, 6, 5, 6, 5, 6],
  [7, 7, 7, 7, 7, 7, 7, 7],
];

/** A PNG file of any kind, its rows unfiltered: the tests' own encoder. */
function pngFile({ width, height, depth, colourType, interlaced = false, samples, extra = [] }: FileOptions): Buffer {
  const perPixel = SAMPLES_PER_PIXEL[colourType];
  const rows: number[] = [];
  for (const pass of interlaced ? [1, 2, 3, 4, 5, 6, 7] : [0]) {
    for (let y = 0; y < height; y++) {
      let bits = "";
      for (let x = 0; x < width; x++) {
        if (pass !== 0 && PASS_OF_PIXEL[y % 8][x % 8] !== pass) continue;
        for (let c = 0; c < perPixel; c++) {
          bits += samples[(y * width + x) * perPixel + c].toString(2).padStart(depth, "0");
        }
      }
      if (bits === "") continue;
      rows.push(0);
      for (let i = 0; i < bits.length; i += 8) rows.push(parseInt(bits.slice(i, i + 8).padEnd(8, "0"), 2));
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colourType, 0, 0, interlaced ? 1 : 0], 8);
  const pixels = deflateSync(Uint8Array.from(rows));
  const middle = Math.ceil(pixels.length / 2); // the pixels in two chunks, as files have them
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    ...extra,
    chunk("IDAT", pixels.subarray(0, middle)),
    chunk("IDAT", pixels.subarray(middle)),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

const arbitraryPicture: fc.Arbitrary<Picture> = fc
  .record({
    width: fc.integer({ min: 1, max: 17 }),
    height: fc.integer({ min: 1, max: 17 }),
    channels: fc.constantFrom(1 as const, 2 as const, 3 as const, 4 as const),
    wide: fc.boolean(),
  })
  .chain(({ width, height, channels, wide }) => {
    const length = { minLength: width * height * channels, maxLength: width * height * channels };
    const data: fc.Arbitrary<Uint8Array | Uint16Array> = wide ? fc.uint16Array(length) : fc.uint8Array(length);
    return data.map((values) => ({ width, height, channels, data: values }));
  });

/** A file of any of the 15 kinds, plain or interlaced. */
const arbitraryFile: fc.Arbitrary<FileOptions> = fc
  .record({
    width: fc.integer({ min: 1, max: 20 }),
    height: fc.integer({ min: 1, max: 20 }),
    kind: fc.constantFrom(
      ...[1, 2, 4, 8, 16].map((depth) => ({ colourType: 0, depth })),
      ...[1, 2, 4, 8].map((depth) => ({ colourType: 3, depth })),
      ...[8, 16].flatMap((depth) => [2, 4, 6].map((colourType) => ({ colourType, depth }))),
    ),
    interlaced: fc.boolean(),
  })
  .chain(({ width, height, kind, interlaced }) => {
    const length = width * height * SAMPLES_PER_PIXEL[kind.colourType];
    return fc
      .array(fc.nat(2 ** kind.depth - 1), { minLength: length, maxLength: length })
      .map((samples) => ({ width, height, ...kind, interlaced, samples }));
  });

/** Entry i is (i, 255 - i, 7). */
const palette = (entries: number) =>
  chunk("PLTE", Uint8Array.from(Array.from({ length: entries }, (_, i) => [i, 255 - i, 7]).flat()));

describe("round trips", () => {
  test("a written picture is read back unchanged, in each number of channels and both depths", async () => {
    const path = join(folder, "round.png");
    await fc.assert(
      fc.asyncProperty(arbitraryPicture, async (picture) => {
        await writePng(path, picture);
        expect(await readPng(path)).toEqual(picture);
      }),
      { numRuns: 60 },
    );
  });

  test("a file of every kind gives its samples, plain or interlaced", () => {
    const kinds = new Set<string>();
    fc.assert(
      fc.property(arbitraryFile, (file) => {
        const { width, height, depth, colourType, samples } = file;
        kinds.add(`${colourType}/${depth}/${file.interlaced}`);
        const extra = colourType === 3 ? [palette(2 ** depth)] : [];
        const values = Array.from(samples);
        const expected = colourType === 3 ? values.flatMap((i) => [i, 255 - i, 7]) : values;
        const scale = depth < 8 && colourType === 0 ? 255 / (2 ** depth - 1) : 1;
        const Samples = depth === 16 ? Uint16Array : Uint8Array;
        expect(decodePng(pngFile({ ...file, extra }))).toEqual({
          width,
          height,
          channels: colourType === 3 ? 3 : SAMPLES_PER_PIXEL[colourType],
          data: Samples.from(expected.map((value) => value * scale)),
        });
      }),
      { numRuns: 600 },
    );
    expect(kinds.size).toBe(30);
  });
});

describe("what a resampled picture cannot keep", () => {
  test("1-bit grey becomes 0 and 255", () => {
    const { data } = decodePng(pngFile({ width: 3, height: 1, depth: 1, colourType: 0, samples: [0, 1, 1] }));
    expect(data).toEqual(Uint8Array.of(0, 255, 255));
  });

  test("a palette with transparent entries becomes RGBA, also where it is interlaced", () => {
    const extra = [palette(3), chunk("tRNS", Uint8Array.of(255, 128))]; // the last entry is opaque by default
    for (const interlaced of [false, true]) {
      const file = pngFile({ width: 3, height: 1, depth: 2, colourType: 3, interlaced, samples: [0, 1, 2], extra });
      expect(decodePng(file)).toEqual({
        width: 3,
        height: 1,
        channels: 4,
        data: Uint8Array.of(0, 255, 7, 255, 1, 254, 7, 128, 2, 253, 7, 255),
      });
    }
  });

  test("a transparent grey becomes grey with alpha, compared before 2 bits become 8", () => {
    const extra = [chunk("tRNS", Uint8Array.of(0, 2))];
    const { channels, data } = decodePng(
      pngFile({ width: 3, height: 1, depth: 2, colourType: 0, samples: [1, 2, 3], extra }),
    );
    expect([channels, ...data]).toEqual([2, 85, 255, 170, 0, 255, 255]);
  });

  test("a transparent 16-bit colour becomes alpha only where all three channels agree", () => {
    const extra = [chunk("tRNS", Uint8Array.of(1, 0, 2, 0, 3, 0))];
    const samples = [256, 512, 768, 256, 512, 769, 0, 0, 0];
    const { channels, data } = decodePng(pngFile({ width: 3, height: 1, depth: 16, colourType: 2, samples, extra }));
    expect(channels).toBe(4);
    expect(data).toEqual(Uint16Array.of(256, 512, 768, 0, 256, 512, 769, 65535, 0, 0, 0, 65535));
  });

  test("a single pixel may be the transparent one", () => {
    const extra = [chunk("tRNS", Uint8Array.of(0, 1, 0, 2, 0, 3))];
    const file = pngFile({ width: 1, height: 1, depth: 8, colourType: 2, samples: [1, 2, 3], extra });
    expect(decodePng(file)).toEqual({ width: 1, height: 1, channels: 4, data: Uint8Array.of(1, 2, 3, 0) });
  });

  test("texts and profiles are left out, and a fault in one does no harm", () => {
    const extra = [chunk("iCCP", Uint8Array.of(0, 9)), chunk("tEXt", Uint8Array.of(0, 0))];
    const file = pngFile({ width: 1, height: 1, depth: 8, colourType: 0, samples: [4], extra });
    expect(decodePng(file).data).toEqual(Uint8Array.of(4));
  });

  test("a palette that an RGB file suggests for poor screens is ignored", () => {
    const file = { width: 1, height: 1, depth: 8, colourType: 2, samples: [9, 8, 7], extra: [palette(4)] };
    expect(decodePng(pngFile(file))).toMatchObject({ channels: 3, data: Uint8Array.of(9, 8, 7) });
  });
});

describe("writePng", () => {
  const picture: Picture = { width: 1, height: 1, channels: 1, data: Uint8Array.of(5) };

  test("replaces a file and leaves nothing else in the folder", async () => {
    const place = join(folder, "replace");
    mkdirSync(place);
    await writePng(join(place, "a.png"), picture);
    await writePng(join(place, "a.png"), { ...picture, data: Uint8Array.of(6) });
    expect(readdirSync(place)).toEqual(["a.png"]);
    expect((await readPng(join(place, "a.png"))).data).toEqual(Uint8Array.of(6));
  });

  test("leaves no temporary file when the new one cannot take its name", async () => {
    const place = join(folder, "blocked");
    mkdirSync(join(place, "a.png", "full"), { recursive: true });
    expect(await messageOf(() => writePng(join(place, "a.png"), picture))).toMatchInlineSnapshot(
      `"writePng: blocked/a.png must be a place to write a file, but it is a folder; name a file"`,
    );
    expect(readdirSync(place)).toEqual(["a.png"]);
  });

  test("needs the folder to exist", async () => {
    expect(await messageOf(() => writePng(join(folder, "none", "a.png"), picture))).toMatchInlineSnapshot(
      `"writePng: none/a.png must be a place to write a file, but there is no such file or folder; check the path"`,
    );
  });

  test("needs as many samples as the size says, and touches no file before it has them", async () => {
    const path = saved("kept.png", "before");
    expect(await messageOf(() => writePng(path, { ...picture, width: 2 }))).toMatchInlineSnapshot(
      `"writePng: a picture must have a positive width and height, 1 to 4 channels and width * height * channels samples, got 2 x 1 with 1 channels and 1 samples"`,
    );
    expect(await messageOf(() => writePng(path, { ...picture, height: 0 }))).toContain("got 1 x 0");
    expect(readFileSync(path, "utf8")).toBe("before");
  });
});

describe("errors of readPng", () => {
  const good = Buffer.from(encodePng({ width: 8, height: 8, channels: 3, data: new Uint8Array(192).map((_, i) => i) }));

  test("a missing file and a folder", async () => {
    expect(await messageOf(() => readPng(join(folder, "nothing.png")))).toMatchInlineSnapshot(
      `"readPng: nothing.png must be a file that can be read, but there is no such file or folder; check the path"`,
    );
    expect(await messageOf(() => readPng(folder))).toContain("it is a folder; name a file");
  });

  test("a JPEG under a PNG's name is called a JPEG", async () => {
    const path = saved("photo.png", Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16));
    expect(await messageOf(() => readPng(path))).toMatchInlineSnapshot(
      `"readPng: photo.png must be a PNG file, got what looks like a JPEG; convert it to PNG first"`,
    );
  });

  test.each([
    ["a GIF", "GIF89a...."],
    ["a WebP picture", "RIFF\x10\x00\n\x00WEBPVP8 "],
    ["an AVIF picture", "\x00\x00\x00 ftypavif"],
    ["a HEIC picture", "\x00\x00\x00 ftypheic"],
    ["a TIFF", "II*\x00\x08"],
    ["a TIFF", "MM\x00*\x00"],
    ["a BMP", "BM\x36"],
    ["a PNM picture", "P6\n4 4\n255\n"],
    ["a PDF", "%PDF-1.7"],
    ["an SVG", '<?xml version="1.0"?>\n<svg xmlns="">'],
    ["a web page", "<!DOCTYPE html>"],
    ["a Git LFS pointer", "version https://git-lfs.github.com/spec/v1"],
    ["a PNG that was sent as text", "\x89PNG\n\x1a\n"],
  ])("%s is recognised", (name, start) => {
    expect(() => decodePng(Buffer.from(start, "latin1"))).toThrow(`what looks like ${name}`);
  });

  test("an empty file and unknown bytes", async () => {
    expect(await messageOf(() => readPng(saved("empty.png", "")))).toMatchInlineSnapshot(
      `"readPng: empty.png must be a PNG file, got an empty file; save or download it again"`,
    );
    expect(await messageOf(() => readPng(saved("odd.png", "hello, world")))).toMatchInlineSnapshot(
      `"readPng: odd.png must be a PNG file, got 12 bytes that begin with 68 65 6c 6c 6f 2c 20 77; convert it to PNG first"`,
    );
  });

  test("a file cut off anywhere is called incomplete, never read with missing rows", async () => {
    expect(await messageOf(() => readPng(saved("cut.png", good.subarray(0, 100))))).toMatchInlineSnapshot(
      `"readPng: cut.png must be a complete PNG file, but it ends after 100 bytes, before its last chunk; save or download it again"`,
    );
    for (let length = 8; length < good.length; length++) {
      expect(() => decodePng(good.subarray(0, length))).toThrow("must be a complete PNG file");
    }
  });

  test("a changed byte in any chunk is found by its checksum", async () => {
    const changed = Buffer.from(good);
    changed[60] ^= 1;
    expect(await messageOf(() => readPng(saved("changed.png", changed)))).toMatchInlineSnapshot(
      `"readPng: changed.png must be an undamaged PNG file, but the checksum of its chunk "IDAT" at byte 33 is wrong; save or download it again"`,
    );
  });

  test("a size of zero and a size beyond memory", async () => {
    expect(await messageOf(() => readPng(saved("zero.png", fileOfSize(0, 4))))).toMatchInlineSnapshot(
      `"readPng: zero.png must have between 1 and 268435456 pixels, got 0 x 4"`,
    );
    expect(() => decodePng(fileOfSize(4, 0))).toThrow("got 4 x 0");
    expect(() => decodePng(fileOfSize(2 ** 31 - 1, 2 ** 31 - 1))).toThrow("got 2147483647 x 2147483647");
  });

  test("pixels that do not decompress, are missing or are too few", () => {
    const withPixels = (...pixels: Buffer[]) =>
      Buffer.concat([good.subarray(0, 33), ...pixels, chunk("IEND", new Uint8Array(0))]);
    expect(() => decodePng(withPixels(chunk("IDAT", Uint8Array.of(1, 2, 3))))).toThrowErrorMatchingInlineSnapshot(
      `[Error: readPng: the picture must be an undamaged PNG file, but its pixels cannot be decompressed; save or download it again]`,
    );
    expect(() => decodePng(withPixels())).toThrowErrorMatchingInlineSnapshot(
      `[Error: readPng: the picture must be an undamaged PNG file, but its pixels cannot be decompressed; save or download it again]`,
    );
    // 8 rows of 1 + 8 * 3 bytes, but the last
    expect(() =>
      decodePng(withPixels(chunk("IDAT", deflateSync(new Uint8Array(199))))),
    ).toThrowErrorMatchingInlineSnapshot(
      `[Error: readPng: the picture must be an undamaged PNG file, but it holds 199 bytes of pixels where its size needs 200; save or download it again]`,
    );
  });

  test("a header that is missing or says what no PNG is", () => {
    expect(() =>
      decodePng(Buffer.concat([SIGNATURE, chunk("IEND", new Uint8Array(0))])),
    ).toThrowErrorMatchingInlineSnapshot(
      `[Error: readPng: the picture must be an undamaged PNG file, but it does not begin with a header; save or download it again]`,
    );
    const file = { width: 1, height: 1, depth: 4, colourType: 2, samples: [0, 0, 0] };
    expect(() => decodePng(pngFile(file))).toThrowErrorMatchingInlineSnapshot(
      `[Error: readPng: the picture must be an undamaged PNG file, but there is no colour type 2 with 4 bits per sample; save or download it again]`,
    );
  });

  test("a transparent colour of another number of channels", () => {
    const file = { width: 1, height: 1, depth: 8, colourType: 2, samples: [0, 0, 0] };
    const extra = [chunk("tRNS", Uint8Array.of(0, 0))];
    expect(() => decodePng(pngFile({ ...file, extra }))).toThrowErrorMatchingInlineSnapshot(
      `[Error: readPng: the picture must be an undamaged PNG file, but its transparent colour has 2 bytes, not 6; save or download it again]`,
    );
  });

  test("a palette that is missing or too short for its pixels", () => {
    const file = { width: 2, height: 1, depth: 2, colourType: 3, samples: [0, 3] };
    expect(() => decodePng(pngFile(file))).toThrowErrorMatchingInlineSnapshot(
      `[Error: readPng: the picture must be an undamaged PNG file, but it has no palette; save or download it again]`,
    );
    expect(() => decodePng(pngFile({ ...file, extra: [palette(3)] }))).toThrowErrorMatchingInlineSnapshot(
      `[Error: readPng: the picture must be an undamaged PNG file, but colour 3 is not among the 3 of its palette; save or download it again]`,
    );
  });
});

/** A file whose header claims a size that its single grey pixel does not have. */
function fileOfSize(width: number, height: number): Buffer {
  const file = pngFile({ width: 1, height: 1, depth: 8, colourType: 0, samples: [0] });
  const header = Buffer.from(file.subarray(16, 29));
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([SIGNATURE, chunk("IHDR", header), file.subarray(33)]);
}

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import zlib, { constants, crc32, deflateRawSync, deflateSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { decodePng, encodePng, readPng, writePng } from "./png.ts";
import type { Picture } from "./picture.ts";

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
  /** The filters of the rows, again and again; none by default. */
  filters?: readonly number[];
  /** Bytes that follow the rows. */
  rest?: Uint8Array;
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

/** A byte less what each filter predicts from those on its left, above and in the corner between: PNG specification, 9.2. */
const FILTERS: readonly ((x: number, a: number, b: number, c: number) => number)[] = [
  (x) => x,
  (x, a) => x - a,
  (x, _a, b) => x - b,
  (x, a, b) => x - Math.floor((a + b) / 2),
  (x, a, b, c) => x - [a, b, c].sort((p, q) => Math.abs(a + b - c - p) - Math.abs(a + b - c - q))[0], // sort is stable
];

/** A PNG file of any kind: the tests' own encoder. */
function pngFile(options: FileOptions): Buffer {
  const { width, height, depth, colourType, interlaced = false, samples, extra = [], filters = [0], rest } = options;
  const perPixel = SAMPLES_PER_PIXEL[colourType];
  const step = Math.max(1, (perPixel * depth) / 8);
  const rows: number[] = [];
  for (const pass of interlaced ? [1, 2, 3, 4, 5, 6, 7] : [0]) {
    let above: number[] = [];
    for (let y = 0; y < height; y++) {
      let bits = "";
      for (let x = 0; x < width; x++) {
        if (pass !== 0 && PASS_OF_PIXEL[y % 8][x % 8] !== pass) continue;
        for (let c = 0; c < perPixel; c++) {
          bits += samples[(y * width + x) * perPixel + c].toString(2).padStart(depth, "0");
        }
      }
      if (bits === "") continue;
      const row = bits.match(/.{1,8}/g)!.map((byte) => parseInt(byte.padEnd(8, "0"), 2));
      const filter = filters[y % filters.length];
      const at = (bytes: number[], i: number): number => bytes[i] ?? 0;
      const predict = FILTERS[filter] ?? FILTERS[0];
      rows.push(filter, ...row.map((x, i) => predict(x, at(row, i - step), at(above, i), at(above, i - step)) & 255));
      above = row;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colourType, 0, 0, interlaced ? 1 : 0], 8);
  const pixels = deflateSync(rest ? Buffer.concat([Uint8Array.from(rows), rest]) : Uint8Array.from(rows));
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

/** A file of any of the 15 kinds, plain or interlaced, its rows filtered in any way. */
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
    filters: fc.array(fc.nat(4), { minLength: 1, maxLength: 20 }),
  })
  .chain(({ width, height, kind, interlaced, filters }) => {
    const length = width * height * SAMPLES_PER_PIXEL[kind.colourType];
    return fc
      .array(fc.nat(2 ** kind.depth - 1), { minLength: length, maxLength: length })
      .map((samples) => ({ width, height, ...kind, interlaced, filters, samples }));
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

  test("a wrong checksum of a text or a profile does no harm, one of what the picture is made of does", () => {
    const broken = (type: string): Buffer => {
      const bytes = chunk(type, Uint8Array.of(0, 4));
      bytes[bytes.length - 1] ^= 1;
      return bytes;
    };
    const file = { width: 1, height: 1, depth: 8, colourType: 0, samples: [4] };
    for (const type of ["tEXt", "zTXt", "iTXt", "iCCP", "eXIf"]) {
      expect(decodePng(pngFile({ ...file, extra: [broken(type)] })).data).toEqual(Uint8Array.of(4));
    }
    for (const type of ["tRNS", "PLTE", "ABCD", "1abc"]) {
      expect(() => decodePng(pngFile({ ...file, extra: [broken(type)] }))).toThrow(`its chunk "${type}" at byte 33`);
    }
  });

  test("a transparent colour has as many bits as the samples: those above do not count", () => {
    const transparent = (depth: number, colourType: number, samples: number[], ...colour: number[]) => {
      const extra = [chunk("tRNS", Uint8Array.from(colour))];
      return decodePng(
        pngFile({
          width: samples.length / SAMPLES_PER_PIXEL[colourType],
          height: 1,
          depth,
          colourType,
          samples,
          extra,
        }),
      );
    };
    expect(transparent(8, 0, [13, 7], 1, 13).data).toEqual(Uint8Array.of(13, 0, 7, 255));
    expect(transparent(2, 0, [3, 1], 0, 0xff).data).toEqual(Uint8Array.of(255, 0, 85, 255));
    expect(transparent(8, 2, [1, 2, 3], 9, 1, 8, 2, 7, 3).data).toEqual(Uint8Array.of(1, 2, 3, 0));
    expect(transparent(16, 0, [0x10d, 0xd], 1, 13).data).toEqual(Uint16Array.of(0x10d, 0, 0xd, 0xffff));
  });

  test("a transparency that does not fit its picture is passed over", () => {
    const same = (file: FileOptions, bytes: number, before: Buffer[] = [], after: Buffer[] = []) => {
      const extra = [...before, chunk("tRNS", new Uint8Array(bytes).fill(7)), ...after];
      expect(decodePng(pngFile({ ...file, extra }))).toEqual(
        decodePng(pngFile({ ...file, extra: [...before, ...after] })),
      );
    };
    const size = { width: 2, height: 1, depth: 8 };
    same({ ...size, colourType: 4, samples: [10, 255, 20, 255] }, 4); // has alpha already
    same({ ...size, colourType: 6, samples: [1, 2, 3, 255, 4, 5, 6, 255] }, 8);
    same({ ...size, colourType: 6, samples: [1, 2, 3, 255, 4, 5, 6, 255] }, 6);
    same({ ...size, colourType: 0, samples: [7, 7] }, 1); // not one colour
    same({ ...size, colourType: 0, samples: [7, 7] }, 6);
    same({ ...size, colourType: 2, samples: [7, 7, 7, 7, 7, 7] }, 2);
    same({ ...size, colourType: 3, samples: [0, 2] }, 4, [palette(3)]); // longer than the palette
    same({ ...size, colourType: 3, samples: [0, 2] }, 0, [palette(3)]);
    same({ ...size, colourType: 3, samples: [0, 2] }, 1, [], [palette(3)]); // before the palette
    same({ ...size, depth: 1, colourType: 3, samples: [0, 1] }, 3, [palette(4)]); // for more entries than 1 bit can name
  });

  test("a palette that an RGB file suggests for poor screens is ignored", () => {
    const file = { width: 1, height: 1, depth: 8, colourType: 2, samples: [9, 8, 7] };
    for (const suggested of [palette(4), chunk("PLTE", new Uint8Array(0)), chunk("PLTE", new Uint8Array(1000))]) {
      const picture = decodePng(pngFile({ ...file, extra: [suggested] }));
      expect(picture).toMatchObject({ channels: 3, data: Uint8Array.of(9, 8, 7) });
    }
  });
});

describe("a file that decompresses to much more than its picture", () => {
  const { inflateSync } = zlib;
  afterEach(() => {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  });

  const million = new Uint8Array(2 ** 20);

  test("is read as far as its pixels go, plain or interlaced, whatever follows them", () => {
    const random = fc.sample(fc.uint8Array({ minLength: 5000, maxLength: 5000 }), { numRuns: 1, seed: 1 })[0];
    for (const rest of [Uint8Array.of(1), random, million, Buffer.concat([random, million])]) {
      fc.assert(
        fc.property(arbitraryFile, (file) => {
          const extra = file.colourType === 3 ? [palette(2 ** file.depth)] : [];
          expect(decodePng(pngFile({ ...file, extra, rest }))).toEqual(decodePng(pngFile({ ...file, extra })));
        }),
        { numRuns: 10 },
      );
    }
  });

  test("is refused before it is decompressed where its size needs more than there can be", () => {
    const spy = vi.spyOn(zlib, "inflateSync");
    syncBuiltinESMExports();
    const header = Buffer.from([0, 0, 0x40, 0, 0, 0, 0x40, 0, 8, 0, 0, 0, 0]); // 16384 x 16384
    const data = zlib.deflateSync(million);
    const file = [SIGNATURE, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", new Uint8Array(0))];
    expect(() => decodePng(Buffer.concat(file))).toThrow(
      `its ${data.length} bytes of compressed pixels cannot be the 268451840 that its size needs`,
    );
    expect(spy).not.toHaveBeenCalled();
  });

  test("takes memory for its pixels alone, and none for texts and profiles", () => {
    // 256 times a megabyte of zeros, each of which ends with a whole byte, so that they can follow each other. Of n zeros the
    // checksum, Adler-32, has 1 in its low half and n mod 65521 in the other.
    const block = deflateRawSync(million, { level: 9, finishFlush: constants.Z_FULL_FLUSH });
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32BE(((256 * million.length) % 65521) * 65536 + 1);
    const blocks = Array<Buffer>(256).fill(block);
    const bomb = Buffer.concat([Uint8Array.of(0x78, 0x9c), ...blocks, deflateRawSync(new Uint8Array(0)), checksum]);
    const extra = ["zTXt", "iTXt", "iCCP"].map((type) => chunk(type, Buffer.concat([Buffer.from("a\0\0"), bomb])));
    const [header, end] = [Buffer.from([0, 0, 0, 2, 0, 0, 0, 1, 8, 0, 0, 0, 0]), new Uint8Array(0)];
    const file = [SIGNATURE, chunk("IHDR", header), ...extra, chunk("IDAT", bomb), chunk("IEND", end)];
    const inflated: number[] = [];
    const spy = vi.spyOn(zlib, "inflateSync").mockImplementation((data, options) => {
      const bytes = inflateSync(data, options);
      inflated.push(bytes.length);
      return bytes;
    });
    syncBuiltinESMExports(); // named imports have it from now on
    const before = process.resourceUsage().maxRSS;
    expect(decodePng(Buffer.concat(file)).data).toEqual(Uint8Array.of(0, 0));
    // Kilobytes; one of the bombs takes 256 MB. A file that ran in this process before may have taken more, so calls are watched, too.
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(64 * 1024);
    expect(inflated.length).toBeGreaterThan(0);
    expect(Math.max(...inflated)).toBeLessThan(2000);
    for (const [, options] of spy.mock.calls) expect(options?.maxOutputLength).toBeLessThan(2000);
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
    ["a PNG that Xcode has changed for iOS", "\x89PNG\r\n\x1a\n\0\0\0\x04CgBIP\0 \x02"],
  ])("%s is recognised", (name, start) => {
    expect(() => decodePng(Buffer.from(start, "latin1"))).toThrow(`what looks like ${name}`);
  });

  test("an empty file and unknown bytes", async () => {
    expect(await messageOf(() => readPng(saved("empty.png", "")))).toMatchInlineSnapshot(
      `"readPng: empty.png must be a PNG file, got an empty file; save or download it again"`,
    );
    expect(await messageOf(() => readPng(saved("odd.png", "hello, world")))).toMatchInlineSnapshot(
      `"readPng: odd.png must be a PNG file, got 12 bytes that begin with 68 65 6c 6c 6f 2c 20 77: no kind of picture that is known here; check the path"`,
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

  test("a row with a filter that does not exist", () => {
    const file = { width: 1, height: 2, depth: 8, colourType: 0, samples: [0, 0], filters: [0, 5] };
    expect(() => decodePng(pngFile(file))).toThrowErrorMatchingInlineSnapshot(
      `[Error: readPng: the picture must be an undamaged PNG file, but there is no filter 5 for a row of pixels; save or download it again]`,
    );
  });

  test("a header that is missing or says what no PNG is", () => {
    expect(() =>
      decodePng(Buffer.concat([SIGNATURE, chunk("IEND", new Uint8Array(0))])),
    ).toThrowErrorMatchingInlineSnapshot(
      `[Error: readPng: the picture must be an undamaged PNG file, but it does not begin with a header; save or download it again]`,
    );
    const otherMethods = Buffer.concat([good.subarray(16, 26), Uint8Array.of(0, 1, 2)]);
    expect(() =>
      decodePng(Buffer.concat([SIGNATURE, chunk("IHDR", otherMethods), good.subarray(33)])),
    ).toThrowErrorMatchingInlineSnapshot(
      `[Error: readPng: the picture must be an undamaged PNG file, but its methods of compression, filter and interlace are 0, 1 and 2, not 0, 0 and 0 or 1; save or download it again]`,
    );
    const file = { width: 1, height: 1, depth: 4, colourType: 2, samples: [0, 0, 0] };
    expect(() => decodePng(pngFile(file))).toThrowErrorMatchingInlineSnapshot(
      `[Error: readPng: the picture must be an undamaged PNG file, but there is no colour type 2 with 4 bits per sample; save or download it again]`,
    );
  });

  test("a palette without a colour, with too many and with a part of one", () => {
    const file = { width: 2, height: 1, depth: 8, colourType: 3, samples: [0, 0] };
    const withPalette = (bytes: number) => () =>
      decodePng(pngFile({ ...file, extra: [chunk("PLTE", new Uint8Array(bytes))] }));
    expect(withPalette(0)).toThrowErrorMatchingInlineSnapshot(
      `[Error: readPng: the picture must be an undamaged PNG file, but its palette has 0 bytes, not 3 for each of 1 to 256 colours; save or download it again]`,
    );
    expect(withPalette(257 * 3)).toThrow("its palette has 771 bytes, not 3 for each of 1 to 256 colours");
    expect(withPalette(10)).toThrow("its palette has 10 bytes");
    expect(withPalette(256 * 3)()).toMatchObject({ channels: 3, data: new Uint8Array(6) });
  });

  test("a palette that is missing or too short for its pixels", () => {
    const file = { width: 2, height: 1, depth: 2, colourType: 3, samples: [0, 3] };
    expect(() => decodePng(pngFile(file))).toThrowErrorMatchingInlineSnapshot(
      `[Error: readPng: the picture must be an undamaged PNG file, but it has no palette; save or download it again]`,
    );
    expect(() => decodePng(pngFile({ ...file, extra: [palette(4), palette(4)] }))).toThrowErrorMatchingInlineSnapshot(
      `[Error: readPng: the picture must be an undamaged PNG file, but it has 2 palettes; save or download it again]`,
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

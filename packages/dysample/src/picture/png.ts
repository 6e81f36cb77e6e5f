/**
 * @file Pictures from PNG files and back: every kind of PNG in, the same kind of picture out.
 *
 * A `Picture` keeps what matters for resampling, the channels and the depth, so that a grey 16-bit file stays one. What a
 * resampled picture cannot keep is given up when it is read: a palette becomes RGB (or RGBA, when it has transparent
 * entries), 1, 2 and 4 bits become 8, and a colour that stands for "transparent" becomes an alpha channel. Colour profiles,
 * texts and print sizes are not kept.
 *
 *     chunks -> one compressed stream -> rows of bytes, filtered -> samples -> channels
 *
 * A file of a few bytes can decompress to gigabytes. So the only thing that is decompressed are the pixels, and they only as
 * far as the size in the header goes: the memory is in proportion to the picture. fast-png writes the files.
 *
 * Source: PNG specification, third edition (W3C), sections 5 (chunks), 7 and 8 (rows of samples, interlacing), 9 (filters),
 * 11.3.1 (tRNS). Where a file breaks its rules and libpng still reads it, it is read as libpng does.
 */

import { constants, crc32, inflateSync } from "node:zlib";

import { showText } from "@gridgrad/core";
import { fileProblem, readWhole, replaceFile } from "@gridgrad/nn/node";
import { encode } from "fast-png";

import type { Picture } from "./picture.ts";

/** 16384 x 16384. A file of a few kilobytes can hold so many pixels, all of them equal, and the memory that they take. */
const MAX_PIXELS = 2 ** 28;

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

const [GREY, RGB, PALETTE] = [0, 2, 3];

/** Entries of a palette. */
const MAX_COLOURS = 256;

/** Bytes that one byte of compressed data can become at most: it holds four codes of 2 bits for 258 bytes each. */
const MAX_INFLATION = 4 * 258;

/** Samples per pixel, and the bits that a sample may have: grey, RGB, palette, grey and alpha, RGBA. */
const COLOUR_TYPES: Record<number, { samples: number; depths: readonly number[] }> = {
  [GREY]: { samples: 1, depths: [1, 2, 4, 8, 16] },
  [RGB]: { samples: 3, depths: [8, 16] },
  [PALETTE]: { samples: 1, depths: [1, 2, 4, 8] },
  4: { samples: 2, depths: [8, 16] },
  6: { samples: 4, depths: [8, 16] },
};

/** The pixels of columns x0, x0 + dx, .. in rows y0, y0 + dy, .. */
const PLAIN = [{ x0: 0, y0: 0, dx: 1, dy: 1 }];
const ADAM7 = [
  { x0: 0, y0: 0, dx: 8, dy: 8 },
  { x0: 4, y0: 0, dx: 8, dy: 8 },
  { x0: 0, y0: 4, dx: 4, dy: 8 },
  { x0: 2, y0: 0, dx: 4, dy: 4 },
  { x0: 0, y0: 2, dx: 2, dy: 4 },
  { x0: 1, y0: 0, dx: 2, dy: 2 },
  { x0: 0, y0: 1, dx: 1, dy: 2 },
];

/** How files begin that people take for PNG, or that end in .png by mistake. */
const FORMATS = [
  { pattern: /^\xff\xd8\xff/, name: "a JPEG; convert it to PNG first" },
  { pattern: /^GIF8[79]a/, name: "a GIF; convert it to PNG first" },
  { pattern: /^RIFF[^]{4}WEBP/, name: "a WebP picture; convert it to PNG first" },
  { pattern: /^[^]{4}ftyp(avif|avis)/, name: "an AVIF picture; convert it to PNG first" },
  { pattern: /^[^]{4}ftyp(heic|heix|mif1)/, name: "a HEIC picture; convert it to PNG first" },
  { pattern: /^(II\*\0|MM\0\*)/, name: "a TIFF; convert it to PNG first" },
  { pattern: /^BM/, name: "a BMP; convert it to PNG first" },
  { pattern: /^P[1-6]\s/, name: "a PNM picture; convert it to PNG first" },
  { pattern: /^%PDF-/, name: "a PDF; convert it to PNG first" },
  { pattern: /^\s*(<\?xml[^]*)?<svg/, name: "an SVG; convert it to PNG first" },
  { pattern: /^\s*<(!doctype )?html/i, name: "a web page; download the picture itself" },
  {
    pattern: /^\x89PNG[^]{8}CgBI/,
    name: "a PNG that Xcode has changed for iOS (CgBI); change it back with: xcrun pngcrush -revert-iphone-optimizations",
  },
  { pattern: /^version https:\/\/git-lfs/, name: "a Git LFS pointer; run git lfs pull" },
  {
    pattern: /^\x89?PNG/,
    name: "a PNG that was sent as text, with its line ends or its first byte changed; send it as binary",
  },
];

/**
 * Reads a PNG file of any kind, or what comes out of a pipe.
 *
 * @throws if there is no such file, or it is not a PNG, is cut off or damaged, has no pixels or more than 2^28
 */
export async function readPng(path: string): Promise<Picture> {
  let bytes: Uint8Array;
  try {
    bytes = await readWhole(path, { pipes: true });
  } catch (error) {
    throw new Error(`readPng: ${path} must be a file that can be read, but ${fileProblem(error)}`, { cause: error });
  }
  return decodePng(bytes, path);
}

/**
 * Writes a PNG file with the picture's channels and depth. It is written under another name in the same folder and then
 * renamed, so `path` holds either what it held before or the whole new picture. A pipe or a device is written into.
 *
 * @throws if the picture's data do not fit its size, or the file cannot be written; then no file is left behind
 */
export async function writePng(path: string, picture: Picture): Promise<void> {
  const bytes = encodePng(picture);
  try {
    await replaceFile(path, bytes);
  } catch (error) {
    throw new Error(`writePng: ${path} must be a place to write a file, but ${fileProblem(error)}`, { cause: error });
  }
}

/** Decodes the bytes of a PNG file; `name` stands for it in errors. @throws as `readPng` does */
export function decodePng(bytes: Uint8Array, name = "the picture"): Picture {
  const changedForIos = Buffer.from(bytes.subarray(12, 16)).toString("latin1") === "CgBI";
  if (changedForIos || !SIGNATURE.every((byte, i) => bytes[i] === byte)) {
    throw new Error(`readPng: ${name} must be a PNG file, got ${describeFormat(bytes)}`);
  }
  const chunks = readChunks(bytes, name);
  const header = readHeader(chunks, name);
  try {
    const palette = header.colourType === PALETTE ? readPalette(chunks, header) : null; // before the memory for pixels
    const samples = readSamples(chunks, header);
    return palette ? paint(header, samples, palette) : toPicture(chunks, header, samples);
  } catch (error) {
    throw damaged(name, error instanceof Error ? error.message : String(error), error);
  }
}

/** Encodes a picture as the bytes of a PNG file. @throws if its data do not fit its size */
export function encodePng({ width, height, channels, data }: Picture): Uint8Array {
  const positive = Number.isInteger(width) && width >= 1 && Number.isInteger(height) && height >= 1;
  if (!positive || ![1, 2, 3, 4].includes(channels) || data.length !== width * height * channels) {
    throw new RangeError(
      `writePng: a picture must have a positive width and height, 1 to 4 channels and width * height * channels ` +
        `samples, got ${width} x ${height} with ${channels} channels and ${data.length} samples`,
    );
  }
  return encode({ width, height, channels, data, depth: data instanceof Uint16Array ? 16 : 8 });
}

interface Chunk {
  type: string;
  data: Uint8Array;
}

interface Header {
  width: number;
  height: number;
  depth: number;
  colourType: number;
  interlaced: boolean;
}

/**
 * The chunks up to IEND. Each is its data's length (4 bytes), its type (4), the data and a checksum of type and data (4). Texts and
 * profiles, of which nothing is read, may have a wrong one.
 */
function readChunks(bytes: Uint8Array, name: string): Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  let offset = SIGNATURE.length;
  while (offset + 12 <= bytes.length) {
    const start = offset + 8;
    const end = start + view.getUint32(offset);
    if (end + 4 > bytes.length) break;
    const type = Buffer.from(bytes.subarray(offset + 4, start)).toString("latin1");
    const optional = /^[a-z][a-zA-Z]{3}$/.test(type) && type !== "tRNS"; // a capital would say: no picture without it
    if (!optional && crc32(bytes.subarray(offset + 4, end)) !== view.getUint32(end)) {
      throw damaged(name, `the checksum of its chunk ${showText(JSON.stringify(type))} at byte ${offset} is wrong`);
    }
    chunks.push({ type, data: bytes.subarray(start, end) });
    if (type === "IEND") return chunks;
    offset = end + 4;
  }
  throw new Error(
    `readPng: ${name} must be a complete PNG file, but it ends after ${bytes.length} bytes, before its last chunk; ` +
      `save or download it again`,
  );
}

function readHeader([first]: Chunk[], name: string): Header {
  if (first.type !== "IHDR" || first.data.length !== 13) throw damaged(name, "it does not begin with a header");
  const view = new DataView(first.data.buffer, first.data.byteOffset, first.data.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, colourType] = [first.data[8], first.data[9]];
  if (width === 0 || height === 0 || width * height > MAX_PIXELS) {
    throw new RangeError(`readPng: ${name} must have between 1 and ${MAX_PIXELS} pixels, got ${width} x ${height}`);
  }
  if (!COLOUR_TYPES[colourType]?.depths.includes(depth)) {
    throw damaged(name, `there is no colour type ${colourType} with ${depth} bits per sample`);
  }
  const [compression, filter, interlace] = first.data.subarray(10);
  if (compression !== 0 || filter !== 0 || interlace > 1) {
    const methods = `${compression}, ${filter} and ${interlace}`;
    throw damaged(name, `its methods of compression, filter and interlace are ${methods}, not 0, 0 and 0 or 1`);
  }
  return { width, height, depth, colourType, interlaced: interlace === 1 };
}

/** One number for each sample, row by row, as the file has them. */
function readSamples(chunks: Chunk[], header: Header): Uint8Array | Uint16Array {
  const { width, height, depth, colourType, interlaced } = header;
  const perPixel = COLOUR_TYPES[colourType].samples;
  const passes = (interlaced ? ADAM7 : PLAIN).map((grid) => {
    const columns = Math.max(0, Math.ceil((width - grid.x0) / grid.dx));
    const bytesPerRow = columns === 0 ? 0 : 1 + Math.ceil((columns * perPixel * depth) / 8); // the first for the filter
    return { ...grid, columns, bytesPerRow };
  });
  const needed = passes.reduce((n, { y0, dy, bytesPerRow }) => n + Math.ceil((height - y0) / dy) * bytesPerRow, 0);
  const data = joinData(chunks, "IDAT");
  if (data.length > 0 && needed > MAX_INFLATION * data.length) {
    throw new Error(`its ${data.length} bytes of compressed pixels cannot be the ${needed} that its size needs`);
  }
  const stream = inflate(data, needed);
  if (stream.length < needed) {
    throw new Error(`it holds ${stream.length} bytes of pixels where its size needs ${needed}`);
  }

  const samples = depth === 16 ? new Uint16Array(width * height * perPixel) : new Uint8Array(width * height * perPixel);
  let start = 0;
  for (const { x0, y0, dx, dy, columns, bytesPerRow } of passes) {
    if (columns === 0) continue;
    let above: Uint8Array = new Uint8Array(bytesPerRow - 1); // zeros above the first row
    for (let y = y0; y < height; y += dy) {
      const row = stream.subarray(start + 1, start + bytesPerRow);
      unfilter(row, above, stream[start], Math.max(1, (perPixel * depth) / 8));
      for (let x = x0, i = 0; x < width; x += dx) {
        const at = (y * width + x) * perPixel;
        for (let c = 0; c < perPixel; c++, i++) samples[at + c] = sampleOf(row, i, depth);
      }
      above = row;
      start += bytesPerRow;
    }
  }
  return samples;
}

/** The data of all chunks of a type, one after the other. */
function joinData(chunks: Chunk[], type: string): Uint8Array {
  return Buffer.concat(chunks.filter((chunk) => chunk.type === type).map(({ data }) => data));
}

/**
 * Decompresses at most `size` bytes. What follows them is left compressed: files have such rests, and only one that is made to
 * do harm has a large one.
 */
function inflate(data: Uint8Array, size: number): Uint8Array {
  try {
    return inflateSync(data, { maxOutputLength: size });
  } catch (error) {
    if (!isTooLong(error)) throw new Error("its pixels cannot be decompressed", { cause: error });
  }
  // Too long: the shortest beginning of the data that holds the bytes, found by halving.
  let [tooShort, enough] = [0, data.length + 1];
  let found: Uint8Array = new Uint8Array(0);
  while (enough - tooShort > 1) {
    const middle = Math.floor((tooShort + enough) / 2);
    const start = inflateStart(data.subarray(0, middle), size + MAX_INFLATION);
    if (start && start.length < size) tooShort = middle;
    else [enough, found] = [middle, start ?? found];
  }
  return found.subarray(0, size);
}

/** Decompresses data that may end anywhere. `null` when that is more than `limit` bytes, or at a fault. */
function inflateStart(data: Uint8Array, limit: number): Uint8Array | null {
  try {
    return inflateSync(data, { maxOutputLength: limit, finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return null;
  }
}

function isTooLong(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
}

/** Undoes a row's filter, which has stored the difference of each byte from a prediction. `step`: bytes from pixel to pixel. */
function unfilter(row: Uint8Array, above: Uint8Array, filter: number, step: number): void {
  if (filter > 4) throw new Error(`there is no filter ${filter} for a row of pixels`);
  if (filter === 0) return;
  for (let i = 0; i < row.length; i++) {
    const left = i < step ? 0 : row[i - step];
    const corner = i < step ? 0 : above[i - step];
    if (filter === 1) row[i] += left;
    else if (filter === 2) row[i] += above[i];
    else if (filter === 3) row[i] += (left + above[i]) >> 1;
    else row[i] += nearestToSum(left, above[i], corner);
  }
}

/** Paeth's prediction: the neighbour that is nearest to left + above - corner, the first of them at ties. */
function nearestToSum(left: number, above: number, corner: number): number {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

/** Sample i of a row. Below 8 bits a byte holds several, the first in its high bits. */
function sampleOf(row: Uint8Array, i: number, depth: number): number {
  if (depth === 8) return row[i];
  if (depth === 16) return row[2 * i] * 256 + row[2 * i + 1];
  const bit = i * depth;
  return (row[bit >> 3] >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
}

/** Makes samples grey or RGB with or without alpha. */
function toPicture(chunks: Chunk[], { width, height, depth, colourType }: Header, samples: Picture["data"]): Picture {
  const channels = COLOUR_TYPES[colourType].samples as Picture["channels"];
  const highest = 2 ** depth - 1;
  const data = depth < 8 ? samples.map((sample) => (sample * 255) / highest) : samples;
  const transparent = chunkBeforePixels(chunks, "tRNS");
  // Pictures with alpha have no transparent colour.
  const counts = transparent?.length === 2 * channels && (colourType === GREY || colourType === RGB);
  const picture: Picture = { width, height, channels, data };
  return counts ? addAlpha(picture, samples, transparent, highest) : picture;
}

/** The data of the first chunk of a type, `undefined` when it comes after the pixels, where it has no meaning. */
function chunkBeforePixels(chunks: Chunk[], type: string): Uint8Array | undefined {
  const first = chunks.find((chunk) => chunk.type === type || chunk.type === "IDAT");
  return first?.type === type ? first.data : undefined;
}

/** Makes the pixels of one colour transparent: 16 bits for each channel, of which those above the depth do not count. */
function addAlpha(picture: Picture, samples: ArrayLike<number>, colour: Uint8Array, highest: number): Picture {
  const { width, height, data } = picture;
  const from = picture.channels;
  const channels = from === 1 ? 2 : 4;
  const wide = data instanceof Uint16Array;
  const withAlpha = wide ? new Uint16Array(width * height * channels) : new Uint8Array(width * height * channels);
  for (let i = 0; i < width * height; i++) {
    let transparent = true;
    for (let c = 0; c < from; c++) {
      withAlpha[i * channels + c] = data[i * from + c];
      transparent &&= samples[i * from + c] === ((colour[2 * c] * 256 + colour[2 * c + 1]) & highest);
    }
    withAlpha[i * channels + from] = transparent ? 0 : wide ? 0xffff : 0xff;
  }
  return { width, height, channels, data: withAlpha };
}

interface Palette {
  /** 3 where no entry is transparent. */
  channels: 3 | 4;
  entries: number;
  data: Uint8Array;
}

function readPalette(chunks: Chunk[], { depth }: Header): Palette {
  const found = chunks.filter(({ type }) => type === "PLTE");
  if (found.length === 0) throw new Error("it has no palette");
  if (found.length > 1) throw new Error(`it has ${found.length} palettes`);
  const [{ data: colours }] = found;
  const entries = colours.length / 3;
  if (!Number.isInteger(entries) || entries < 1 || entries > MAX_COLOURS) {
    throw new Error(`its palette has ${colours.length} bytes, not 3 for each of 1 to ${MAX_COLOURS} colours`);
  }
  const alphas = chunkBeforePixels(chunks.slice(chunks.indexOf(found[0])), "tRNS");
  if (!alphas || alphas.length === 0 || alphas.length > Math.min(entries, 2 ** depth)) {
    return { channels: 3, entries, data: colours };
  }
  const data = new Uint8Array(entries * 4).fill(255); // entries without an alpha of their own are opaque
  for (let i = 0; i < entries; i++) data.set(colours.subarray(3 * i, 3 * i + 3), 4 * i);
  alphas.forEach((alpha, i) => (data[4 * i + 3] = alpha));
  return { channels: 4, entries, data };
}

/** Colours for the indices of a palette. */
function paint({ width, height }: Header, indices: ArrayLike<number>, { channels, entries, data }: Palette): Picture {
  const colours = new Uint8Array(indices.length * channels);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i];
    if (index >= entries) throw new Error(`colour ${index} is not among the ${entries} of its palette`);
    for (let c = 0; c < channels; c++) colours[i * channels + c] = data[index * channels + c];
  }
  return { width, height, channels, data: colours };
}

/** What bytes that are no PNG look like, and how to get a PNG from them. */
function describeFormat(bytes: Uint8Array): string {
  if (bytes.length === 0) return "an empty file; save or download it again";
  const start = Buffer.from(bytes.subarray(0, 256)).toString("latin1");
  const format = FORMATS.find(({ pattern }) => pattern.test(start));
  if (format !== undefined) return `what looks like ${format.name}`;
  const hex = Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `${bytes.length} bytes that begin with ${hex}: no kind of picture that is known here; check the path`;
}

function damaged(name: string, problem: string, cause?: unknown): Error {
  return new Error(`readPng: ${name} must be an undamaged PNG file, but ${problem}; save or download it again`, {
    cause,
  });
}

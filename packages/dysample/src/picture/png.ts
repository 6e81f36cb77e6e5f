/**
 * @file Pictures from PNG files and back: every kind of PNG in, the same kind of picture out.
 *
 * A `Picture` keeps what matters for resampling, the channels and the depth, so that a grey 16-bit file stays one. What a
 * resampled picture cannot keep is given up when it is read: a palette becomes RGB (or RGBA, when it has transparent
 * entries), 1, 2 and 4 bits become 8, and a colour that stands for "transparent" becomes an alpha channel. Colour profiles,
 * texts and print sizes are not kept.
 *
 * fast-png undoes the compression and the filters. Around it: it leaves samples below 8 bits packed (`unpack`) and, in an
 * interlaced file, takes each of them for a whole byte, so such a file goes through it as seven plain ones
 * (`decodeInterlaced`); and it reads missing pixels as 0, so the number of bytes is checked before (`readRows`).
 *
 * Source: PNG specification, third edition (W3C), sections 5 (chunks), 7 and 8 (rows of samples, interlacing), 11.3.1 (tRNS).
 */
import { crc32, deflateSync, inflateSync } from "node:zlib";

import { fileProblem, readWhole, replaceFile } from "@gridgrad/nn/node";
import { decode, encode } from "fast-png";
import type { DecodedPng } from "fast-png";

/** Pixels row by row, the channels of a pixel together: `data[(y * width + x) * channels + c]`. */
export interface Picture {
  width: number;
  height: number;
  /** 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. Alpha is not premultiplied. */
  channels: 1 | 2 | 3 | 4;
  /** 8-bit samples in a Uint8Array, 16-bit samples in a Uint16Array. */
  data: Uint8Array | Uint16Array;
}

/** 16384 x 16384. A file of a hundred bytes can claim any size, and the memory is taken before the pixels are found missing. */
const MAX_PIXELS = 2 ** 28;

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

const PALETTE = 3;

/** Samples per pixel, and the bits that a sample may have: grey, RGB, palette, grey and alpha, RGBA. */
const COLOUR_TYPES: Record<number, { samples: number; depths: readonly number[] }> = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { samples: 3, depths: [8, 16] },
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
  if (!SIGNATURE.every((byte, i) => bytes[i] === byte)) {
    throw new Error(`readPng: ${name} must be a PNG file, got ${describeFormat(bytes)}`);
  }
  const chunks = readChunks(bytes, name);
  const header = readHeader(chunks, name);
  try {
    const passes = readRows(chunks, header);
    return header.interlaced && header.depth < 8
      ? decodeInterlaced(chunks, header, passes)
      : decodePlain(chunks, header);
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

/** The chunks up to IEND. Each is its data's length (4 bytes), its type (4), the data and a checksum of type and data (4). */
function readChunks(bytes: Uint8Array, name: string): Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  let offset = SIGNATURE.length;
  while (offset + 12 <= bytes.length) {
    const start = offset + 8;
    const end = start + view.getUint32(offset);
    if (end + 4 > bytes.length) break;
    const type = Buffer.from(bytes.subarray(offset + 4, start)).toString("latin1");
    if (crc32(bytes.subarray(offset + 4, end)) !== view.getUint32(end)) {
      throw damaged(name, `the checksum of its chunk ${JSON.stringify(type)} at byte ${offset} is wrong`);
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
  return { width, height, depth, colourType, interlaced: first.data[12] === 1 };
}

interface Pass {
  x0: number;
  y0: number;
  dx: number;
  dy: number;
  width: number;
  height: number;
  /** Its rows, each a byte for the filter and then the samples. */
  rows: Uint8Array;
}

/** Decompresses the pixels and divides them into the passes of an interlaced file, or the one of any other. */
function readRows(chunks: Chunk[], { width, height, depth, colourType, interlaced }: Header): Pass[] {
  let stream: Uint8Array;
  try {
    stream = inflateSync(Buffer.concat(chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data)));
  } catch (error) {
    throw new Error("its pixels cannot be decompressed", { cause: error });
  }
  const bitsPerPixel = depth * COLOUR_TYPES[colourType].samples;
  const passes: Pass[] = [];
  let end = 0;
  for (const grid of interlaced ? ADAM7 : PLAIN) {
    const size = { width: Math.ceil((width - grid.x0) / grid.dx), height: Math.ceil((height - grid.y0) / grid.dy) };
    if (size.width <= 0 || size.height <= 0) continue;
    const start = end;
    end += size.height * (1 + Math.ceil((size.width * bitsPerPixel) / 8));
    passes.push({ ...grid, ...size, rows: stream.subarray(start, end) });
  }
  if (stream.length < end) throw new Error(`it holds ${stream.length} bytes of pixels where its size needs ${end}`);
  return passes;
}

/** Decodes the pixels of a file as fast-png finds them, and makes them grey or RGB with or without alpha. */
function decodePlain(chunks: Chunk[], { colourType, depth }: Header): Picture {
  // Texts and profiles stay behind, so that a fault in them does no harm.
  const needed = chunks.filter(
    ({ type }) => ["IHDR", "PLTE", "IDAT", "IEND"].includes(type) || (type === "tRNS" && colourType === PALETTE),
  );
  const png = decode(joinChunks(needed));
  const samples = unpack(png);
  if (colourType === PALETTE) return paint(png, samples);
  const highest = 2 ** depth - 1;
  const picture: Picture = {
    width: png.width,
    height: png.height,
    channels: png.channels as Picture["channels"],
    data: depth < 8 ? samples.map((sample) => (sample * 255) / highest) : samples,
  };
  const transparent = chunks.find(({ type }) => type === "tRNS");
  return transparent === undefined ? picture : addAlpha(picture, samples, transparent.data);
}

/** One number for each sample. Below 8 bits a byte holds several, the first in its high bits, and each row begins a byte. */
function unpack({ width, height, depth, data }: DecodedPng): Uint8Array | Uint16Array {
  if (depth >= 8) return data as Uint8Array | Uint16Array;
  const samples = new Uint8Array(width * height);
  const bytesPerRow = Math.ceil((width * depth) / 8);
  const highest = 2 ** depth - 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      samples[y * width + x] = (data[y * bytesPerRow + (bit >> 3)] >> (8 - depth - (bit & 7))) & highest;
    }
  }
  return samples;
}

/** Colours for the indices of a palette, whose entries have 3 values, or 4 where some are transparent. */
function paint({ width, height, palette }: DecodedPng, indices: Uint8Array | Uint16Array): Picture {
  if (palette === undefined) throw new Error("it has no palette");
  const channels = palette[0].length === 4 ? 4 : 3;
  const data = new Uint8Array(indices.length * channels);
  indices.forEach((index, i) => {
    if (index >= palette.length) throw new Error(`colour ${index} is not among the ${palette.length} of its palette`);
    data.set(palette[index], i * channels);
  });
  return { width, height, channels, data };
}

/** Makes the pixels of one colour transparent: 16 bits for each channel, to compare with `samples` as they are in the file. */
function addAlpha(picture: Picture, samples: ArrayLike<number>, colour: Uint8Array): Picture {
  const { width, height, data } = picture;
  const from = picture.channels;
  if (colour.length !== 2 * from) throw new Error(`its transparent colour has ${colour.length} bytes, not ${2 * from}`);
  const channels = from === 1 ? 2 : 4;
  const wide = data instanceof Uint16Array;
  const withAlpha = wide ? new Uint16Array(width * height * channels) : new Uint8Array(width * height * channels);
  for (let i = 0; i < width * height; i++) {
    let transparent = true;
    for (let c = 0; c < from; c++) {
      withAlpha[i * channels + c] = data[i * from + c];
      transparent &&= samples[i * from + c] === colour[2 * c] * 256 + colour[2 * c + 1];
    }
    withAlpha[i * channels + from] = transparent ? 0 : wide ? 0xffff : 0xff;
  }
  return { width, height, channels, data: withAlpha };
}

/** Reads each pass as a plain file of its own, and puts its pixels where they belong. */
function decodeInterlaced(chunks: Chunk[], header: Header, passes: Pass[]): Picture {
  const pictures = passes.map(({ width, height, rows }) => {
    const size = Buffer.from(chunks[0].data);
    size.writeUInt32BE(width, 0);
    size.writeUInt32BE(height, 4);
    size[12] = 0; // not interlaced
    const file = [
      { type: "IHDR", data: size },
      ...chunks.slice(1, -1).filter(({ type }) => type !== "IDAT"),
      { type: "IDAT", data: deflateSync(rows, { level: 0 }) },
      { type: "IEND", data: new Uint8Array(0) },
    ];
    return decodePlain(file, header);
  });

  const { channels } = pictures[0];
  const data = new Uint8Array(header.width * header.height * channels);
  passes.forEach(({ x0, y0, dx, dy, width, height }, p) => {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const from = (y * width + x) * channels;
        const to = ((y0 + y * dy) * header.width + x0 + x * dx) * channels;
        for (let c = 0; c < channels; c++) data[to + c] = pictures[p].data[from + c];
      }
    }
  });
  return { width: header.width, height: header.height, channels, data };
}

function joinChunks(chunks: Chunk[]): Uint8Array {
  const parts = chunks.map(({ type, data }) => {
    const part = Buffer.alloc(data.length + 12);
    part.writeUInt32BE(data.length, 0);
    part.write(type, 4, "latin1");
    part.set(data, 8);
    part.writeUInt32BE(crc32(part.subarray(4, -4)), part.length - 4);
    return part;
  });
  return Buffer.concat([SIGNATURE, ...parts]);
}

/** What bytes that are no PNG look like, and how to get a PNG from them. */
function describeFormat(bytes: Uint8Array): string {
  if (bytes.length === 0) return "an empty file; save or download it again";
  const start = Buffer.from(bytes.subarray(0, 256)).toString("latin1");
  const format = FORMATS.find(({ pattern }) => pattern.test(start));
  if (format !== undefined) return `what looks like ${format.name}`;
  const hex = Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `${bytes.length} bytes that begin with ${hex}; convert it to PNG first`;
}

function damaged(name: string, problem: string, cause?: unknown): Error {
  return new Error(`readPng: ${name} must be an undamaged PNG file, but ${problem}; save or download it again`, {
    cause,
  });
}

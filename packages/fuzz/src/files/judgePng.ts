/**
 * @file What a PNG file shows, read a second time, pixel by pixel, by the words of the specification alone.
 *
 * Readers differ on files that break the rules without damage to the pixels. There the verdict is "either": the file may be refused,
 * and if it is taken, it shows one of the pictures that are named here.
 *
 * Source: PNG specification, third edition (W3C), sections 5.6 (order), 7 and 9 (rows and filters), 11.2 (critical chunks), 11.3.1 (tRNS)
 * and 13 (what decoders do). What a picture keeps of a file is told by the docs of readPng.
 */

import type { Picture } from "@gridgrad/dysample";

import { inflateSome } from "./inflateSome.ts";
import { checksum, depthsOf, passesOf, pixelBytes, type PngHeader, samplesOf, signature } from "./pngChunks.ts";

export type PngVerdict =
  | { readonly verdict: "refused"; readonly why: string }
  | { readonly verdict: "taken"; readonly pictures: readonly [Picture] }
  | { readonly verdict: "either"; readonly why: string; readonly pictures: readonly Picture[] | "any" };

/** More than these are refused, whatever the file holds. */
const mostPixels = 2 ** 28;

const refused = (why: string): PngVerdict => ({ verdict: "refused", why });

interface Found {
  readonly type: string;
  readonly data: Uint8Array;
  readonly damaged: boolean;
}

export function judgePng(file: Uint8Array): PngVerdict {
  if (!signature.every((byte, i) => file[i] === byte)) return refused("no signature");
  const chunks = findChunks(file);
  if (chunks === null) return refused("the file ends before its last chunk");
  const first = chunks[0];
  if (first.type !== "IHDR" || first.data.length !== 13) return refused("no header at the beginning");
  const header = readHeader(first.data);
  if (header === null) return refused("a header that is none");
  const isKnown = ({ type }: Found): boolean => ["IHDR", "PLTE", "IDAT", "IEND"].includes(type);
  if (chunks.some((chunk) => isKnown(chunk) && chunk.type !== "IEND" && chunk.damaged)) {
    return refused("the wrong checksum of a critical chunk");
  }

  const doubts: string[] = [];
  if (chunks.some(({ type }) => !/^[A-Za-z]{2}[A-Z][A-Za-z]$/.test(type))) doubts.push("a chunk type that is none");
  if (chunks.some((chunk) => /^[A-Z]/.test(chunk.type) && !isKnown(chunk))) doubts.push("an unknown critical chunk");
  const end = chunks.at(-1)!;
  if (end.damaged || end.data.length > 0) doubts.push("an end that is none");
  if (chunks.filter(({ type }) => type === "IHDR").length > 1) doubts.push("two headers");
  const of = (type: string): Found[] => chunks.filter((chunk) => chunk.type === type);
  const places = chunks.flatMap(({ type }, i) => (type === "IDAT" ? [i] : []));
  if (places.length === 0) return refused("no pixels");
  if (places.at(-1)! - places[0] >= places.length) doubts.push("pixels in several places");

  const palettes = of("PLTE");
  const { colour, depth } = header;
  const entries = palettes.length === 0 ? 0 : palettes[0].data.length / 3;
  const isPalette = Number.isInteger(entries) && entries >= 1 && entries <= 256;
  if (palettes.length > 1) doubts.push("two palettes");
  if (colour === 3 && !isPalette) return refused("no palette, or one that is none");
  if (palettes.length > 0 && colour !== 3) {
    if (!isPalette || colour === 0 || colour === 4) doubts.push("a palette that is none");
  } else if (entries > 2 ** depth) doubts.push("a palette that is too long");
  const cut = Math.min(entries, 2 ** depth); // libpng cuts it to that, before it asks how many of its colours may be transparent
  if (palettes.length > 0 && chunks.indexOf(palettes[0]) > places[0]) doubts.push("a palette after the pixels");

  const transparencies = of("tRNS");
  const [transparent] = transparencies;
  let unclear = false; // what is transparent
  if (transparencies.length > 0) {
    const at = chunks.indexOf(transparent);
    const fits = colour === 0 ? transparent.data.length === 2 : colour === 2 ? transparent.data.length === 6 : true;
    if (transparencies.length > 1 || transparencies.some(({ damaged }) => damaged) || at > places[0]) unclear = true;
    if (!fits || transparent.data.length === 0) unclear = true;
    if (colour === 3 && (transparent.data.length > cut || at < chunks.indexOf(palettes[0]))) unclear = true;
    if (unclear || colour === 4 || colour === 6) doubts.push("transparency that is none");
  }

  const needed = pixelBytes(header);
  const stream = inflateSome(Buffer.concat(of("IDAT").map(({ data }) => data)), needed);
  if (stream.bytes.length < needed) return refused("too few pixels, or pixels that cannot be decompressed");
  if (!stream.whole) doubts.push("pixels that end badly");
  const samples = unfilter(stream.bytes, header);
  if (samples === null) return refused("a filter that is none");

  const palette = colour === 3 ? palettes[0].data : null;
  if (palette !== null && samples.some((index) => index >= entries))
    return refused("a colour that the palette has not");
  if (palettes.length > 1 && colour === 3) return { verdict: "either", why: doubts.join(", "), pictures: "any" };
  const plain = paint(header, samples, palette, null);
  const usesAlpha = transparencies.length > 0 && colour !== 4 && colour !== 6;
  const pictures = usesAlpha ? [paint(header, samples, palette, transparent.data)] : [plain];
  if (doubts.length === 0) return { verdict: "taken", pictures: [pictures[0]] };
  return { verdict: "either", why: doubts.join(", "), pictures: unclear ? "any" : pictures };
}

/** All chunks up to IEND; `null` if it is not there. */
function findChunks(file: Uint8Array): Found[] | null {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const found: Found[] = [];
  for (let at = 8; at + 12 <= file.length;) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > file.length) return null;
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    found.push({
      type,
      data: file.subarray(at + 8, end),
      damaged: checksum(file.subarray(at + 4, end)) !== view.getUint32(end),
    });
    if (type === "IEND") return found;
    at = end + 4;
  }
  return null;
}

function readHeader(data: Uint8Array): PngHeader | null {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, colour, compression, filter, interlace] = data.subarray(8);
  const fits = depthsOf[colour]?.includes(depth) && compression === 0 && filter === 0 && interlace <= 1;
  if (!fits || width === 0 || height === 0 || width * height > mostPixels) return null;
  return { width, height, depth, colour, interlace };
}

/** The samples of the whole picture, row by row; `null` where there is no such filter. */
function unfilter(stream: Uint8Array, header: PngHeader): Uint16Array | null {
  const { width, height, depth, colour } = header;
  const count = samplesOf[colour];
  const all = new Uint16Array(width * height * count);
  const back = Math.max(1, (depth * count) / 8); // bytes to the left that filters look at
  let at = 0;
  for (const { xs, ys, rowBytes } of passesOf(header)) {
    let above = new Uint8Array(rowBytes);
    for (const y of ys) {
      const filter = stream[at++];
      if (filter > 4) return null;
      const row = stream.slice(at, at + rowBytes);
      at += rowBytes;
      for (let i = 0; i < rowBytes; i++) {
        const a = i >= back ? row[i - back] : 0;
        const b = above[i];
        const c = i >= back ? above[i - back] : 0;
        row[i] += [0, a, b, (a + b) >> 1, paeth(a, b, c)][filter];
      }
      xs.forEach((x, i) => {
        for (let s = 0; s < count; s++) all[(y * width + x) * count + s] = sampleAt(row, i * count + s, depth);
      });
      above = row;
    }
  }
  return all;
}

function paeth(a: number, b: number, c: number): number {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

function sampleAt(row: Uint8Array, i: number, depth: number): number {
  if (depth === 16) return row[2 * i] * 256 + row[2 * i + 1];
  const bit = i * depth;
  return (row[bit >> 3] >> (8 - depth - (bit % 8))) % 2 ** depth;
}

/** The picture as readPng hands it over: grey or RGB, with or without alpha, in 8 or 16 bits. */
function paint(
  { width, height, depth, colour }: PngHeader,
  samples: Uint16Array,
  palette: Uint8Array | null,
  transparent: Uint8Array | null,
): Picture {
  const most = depth === 16 ? 0xffff : 0xff;
  const count = samplesOf[colour];
  const values: number[] = [];
  for (let p = 0; p < width * height; p++) {
    const own = samples.subarray(p * count, (p + 1) * count);
    if (palette !== null) {
      values.push(...palette.subarray(own[0] * 3, own[0] * 3 + 3));
      if (transparent !== null) values.push(transparent[own[0]] ?? 0xff);
      continue;
    }
    for (const sample of own) values.push(depth < 8 ? (sample * 255) / (2 ** depth - 1) : sample);
    if (transparent === null) continue;
    // Bits above the depth do not count.
    const isColour = own.every(
      (sample, s) => sample === (transparent[2 * s] * 256 + transparent[2 * s + 1]) % 2 ** depth,
    );
    values.push(isColour ? 0 : most);
  }
  const channels = (values.length / (width * height)) as Picture["channels"];
  return { width, height, channels, data: depth === 16 ? Uint16Array.from(values) : Uint8Array.from(values) };
}

/**
 * @file Draws PNG files: of any kind, with random bytes for pixels, and then changes in the pixels, in the chunks, whose checksums are
 * repaired in part so that changes are seen at all, and in the bytes.
 */

import { deflateRawSync, deflateSync } from "node:zlib";

import { bytesOf, type Draw, integer, once, pick, pickCall } from "../draw.ts";
import { adler32 } from "./inflateSome.ts";
import { type Chunk, depthsOf, headerChunk, joinChunks, passesOf, type PngHeader } from "./pngChunks.ts";

/** What a file was made of, besides its bytes. */
export interface DrawnPng {
  readonly bytes: Uint8Array;
  /** Whether there is far more behind the pixels than they need. */
  readonly bomb: boolean;
}

/** Zeros behind the pixels of a bomb. */
const bombBytes = 2 ** 23; // 8 MiB, compressed 8 KiB

export function drawPng(draw: Draw): DrawnPng {
  const colour = pick(draw, [0, 2, 3, 4, 6]);
  const header: PngHeader = {
    width: integer(draw, 1, 11),
    height: integer(draw, 1, 11),
    depth: pick(draw, depthsOf[colour]),
    colour,
    interlace: once(draw, 2) ? 1 : 0,
  };
  const changes = once(draw, 3) ? 0 : integer(draw, 1, 3);
  const changed = (n = 2): boolean => changes > 0 && once(draw, n);

  let pixels = drawPixels(draw, header, changed(8));
  if (changed(8)) pixels = changePixels(draw, pixels);
  const bomb = changed(128);
  const stream = bomb ? bombOf(pixels) : Uint8Array.from(deflateSync(pixels, { level: pick(draw, [6, 0]) }));
  const chunks: Chunk[] = [headerChunk(header)];
  const spare = (): void => void (once(draw, 6) && chunks.push(drawSpare(draw)));
  spare();
  const entries = colour === 3 ? (once(draw, 4) ? integer(draw, 1, 2 ** header.depth) : 2 ** header.depth) : 2;
  if (colour === 3 || (changed(8) && colour !== 0)) chunks.push({ type: "PLTE", data: bytesOf(draw, 3 * entries) });
  if (changed(3) || once(draw, 3))
    chunks.push({ type: "tRNS", data: drawTransparency(draw, header, entries, changed(4)) });
  spare();
  const parts = once(draw, 3) ? integer(draw, 2, 3) : 1;
  for (let k = 0; k < parts; k++) {
    const [from, to] = [k, k + 1].map((part) => Math.floor((stream.length * part) / parts));
    chunks.push({ type: "IDAT", data: stream.slice(from, to) });
    if (changed(16)) spare();
  }
  spare();
  chunks.push({ type: "IEND", data: new Uint8Array(0) });

  for (let k = 0; k < changes && once(draw, 2); k++) changeChunks(draw, chunks);
  const bytes = joinChunks(chunks);
  return { bytes: changed(4) ? changeBytes(draw, bytes) : bytes, bomb };
}

/** Random rows, each with one of the filters. A filter that is none comes once in a while. */
function drawPixels(draw: Draw, header: PngHeader, anyFilter: boolean): Uint8Array {
  const rows = passesOf(header).flatMap(({ ys, rowBytes }) => ys.map(() => rowBytes));
  const total = rows.reduce((sum, bytes) => sum + bytes, 0);
  const all = bytesOf(draw, total);
  const filters = bytesOf(draw, rows.length).map((filter) => filter % (anyFilter ? 6 : 5));
  const pixels = new Uint8Array(total + rows.length);
  let [at, from] = [0, 0];
  rows.forEach((bytes, i) => {
    pixels[at] = filters[i];
    pixels.set(all.subarray(from, from + bytes), at + 1);
    at += bytes + 1;
    from += bytes;
  });
  return pixels;
}

function changePixels(draw: Draw, pixels: Uint8Array): Uint8Array {
  return pickCall(draw, [
    () => pixels.slice(0, -1),
    () => pixels.slice(0, integer(draw, 0, pixels.length)),
    () => Uint8Array.from([...pixels, ...bytesOf(draw, integer(draw, 1, 9))]),
    () => new Uint8Array(0),
  ]);
}

function drawTransparency(draw: Draw, { colour, depth }: PngHeader, entries: number, odd: boolean): Uint8Array {
  if (odd) return bytesOf(draw, integer(draw, 0, 9));
  if (colour === 3) return bytesOf(draw, integer(draw, 1, entries));
  const count = colour === 0 || colour === 4 ? 1 : 3;
  const high = depth === 16 || once(draw, 8); // bits above the depth
  return Uint8Array.from(
    Array.from({ length: count }, () => [
      high ? integer(draw, 0, 255) : 0,
      integer(draw, 0, Math.min(255, 2 ** depth - 1)),
    ]).flat(),
  );
}

/** A chunk that a picture does without. */
function drawSpare(draw: Draw): Chunk {
  const type = pick(draw, ["tEXt", "gAMA", "pHYs", "iCCP", "iTXt", "zTXt", "sRGB", "bKGD", "acTL", "fcTL", "prVt"]);
  return { type, data: bytesOf(draw, integer(draw, 0, 12)), ...(once(draw, 6) ? { wrong: 1 } : {}) };
}

function changeChunks(draw: Draw, chunks: Chunk[]): void {
  if (chunks.length === 0) return;
  const at = integer(draw, 0, chunks.length - 1);
  const chunk = chunks[at];
  const { data } = chunk;
  const place = integer(draw, 0, Math.max(0, data.length - 1));
  pickCall<unknown>(draw, [
    () => (chunks[at] = { ...chunk, data: data.length === 0 ? data : data.with(place, integer(draw, 0, 255)) }),
    () => (chunks[at] = { ...chunk, wrong: 1 }),
    () => (chunks[at] = { ...chunk, data: data.slice(0, place) }),
    () => (chunks[at] = { ...chunk, data: Uint8Array.from([...data, ...bytesOf(draw, integer(draw, 1, 4))]) }),
    () =>
      (chunks[at] = {
        ...chunk,
        type: pick(draw, ["IDAT", "PLTE", "tRNS", "IEND", "IHDR", "CgBI", "abCd", "XXXX", "a\u001bcd"]),
      }),
    () => chunks.splice(at, 1),
    () => chunks.splice(integer(draw, 0, chunks.length), 0, chunk),
    () => chunks.splice(integer(draw, 0, chunks.length - 1), 0, ...chunks.splice(at, 1)),
    () => {
      const header = chunks.find(({ type }) => type === "IHDR");
      if (!header || header.data.length !== 13) return;
      const field = integer(draw, 0, 12);
      header.data = header.data.with(field, pick(draw, [0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 127, 255]));
    },
  ]);
}

function changeBytes(draw: Draw, bytes: Uint8Array): Uint8Array {
  const at = integer(draw, 0, bytes.length - 1);
  return pickCall(draw, [
    () => bytes.slice(0, at),
    () => bytes.with(at, bytes[at] ^ (1 << integer(draw, 0, 7))),
    () => Uint8Array.from([...bytes, ...bytesOf(draw, integer(draw, 1, 8))]),
    () => Uint8Array.from([...bytes.slice(0, at), ...bytesOf(draw, integer(draw, 1, 4)), ...bytes.slice(at)]),
    () => Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at + integer(draw, 1, 4))]),
  ]);
}

let zeros: Uint8Array | null = null;

/** A stream of zlib that holds the pixels, stored as they are, and then very many zeros. */
function bombOf(pixels: Uint8Array): Uint8Array {
  zeros ??= Uint8Array.from(deflateRawSync(new Uint8Array(bombBytes)));
  const stored = [0, pixels.length & 0xff, pixels.length >> 8, ~pixels.length & 0xff, (~pixels.length >> 8) & 0xff];
  const sum = adler32(pixels);
  const a = sum % 65536; // 1 and all bytes: zeros leave it as it is
  const b = (Math.floor(sum / 65536) + bombBytes * a) % 65521; // the sum of all a
  return Uint8Array.from([0x78, 0x01, ...stored, ...pixels, ...zeros, b >> 8, b & 0xff, a >> 8, a & 0xff]);
}

/** How a person reads the file: chunk by chunk. */
export function showPng(bytes: Uint8Array): string {
  return `${bytes.length} bytes: ${Buffer.from(bytes.subarray(0, 400)).toString("hex")}`;
}

/**
 * @file The parts of PNG files, a second time: chunks, their checksums, and how many bytes of pixels there are.
 *
 * Source: PNG specification, third edition (W3C), sections 5 (chunks), 8 (interlacing) and annex D (the checksum). It shares no code with
 * what it judges.
 */

export const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

export interface Chunk {
  /** Four letters. */
  type: string;
  data: Uint8Array;
  /** What is added to the right checksum. */
  wrong?: number;
}

export interface PngHeader {
  width: number;
  height: number;
  depth: number;
  colour: number;
  interlace: number;
}

/** Samples of a pixel by colour type. */
export const samplesOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Bits of a sample by colour type. */
export const depthsOf: Readonly<Record<number, readonly number[]>> = {
  0: [8, 1, 2, 4, 16],
  2: [8, 16],
  3: [8, 1, 2, 4],
  4: [8, 16],
  6: [8, 16],
};

/** Of each 8 by 8 pixels, the pass that a pixel belongs to. */
const adam7 = ["16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777"];
const plain = adam7.map(() => "11111111");

/** The pixels that a pass is made of. */
export interface Pass {
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  /** Bytes of a row after that of the filter. */
  readonly rowBytes: number;
}

/** The passes that have pixels, in their order. */
export function passesOf(header: PngHeader): Pass[] {
  return residuesOf(header).flatMap(({ columns, rows }) => {
    const [xs, ys] = [placesOf(columns, header.width), placesOf(rows, header.height)];
    return xs.length * ys.length === 0 ? [] : [{ xs, ys, rowBytes: rowBytes(xs.length, header) }];
  });
}

/** Bytes of the pixels of a file before they are compressed. Sizes may be such that nobody should list the pixels. */
export function pixelBytes(header: PngHeader): number {
  let total = 0;
  for (const { columns, rows } of residuesOf(header)) {
    const [across, down] = [countOf(columns, header.width), countOf(rows, header.height)];
    if (across > 0) total += down * (1 + rowBytes(across, header));
  }
  return total;
}

/** By pass, the columns and rows among the first 8 that it has pixels in. They come again every 8. */
function residuesOf({ interlace }: PngHeader): { columns: number[]; rows: number[] }[] {
  const pattern = interlace === 1 ? adam7 : plain;
  const within = [0, 1, 2, 3, 4, 5, 6, 7];
  return ["1", "2", "3", "4", "5", "6", "7"].map((pass) => ({
    columns: within.filter((x) => pattern.some((row) => row[x] === pass)),
    rows: within.filter((y) => pattern[y].includes(pass)),
  }));
}

function placesOf(residues: readonly number[], size: number): number[] {
  return Array.from({ length: size }, (_, i) => i).filter((i) => residues.includes(i % 8));
}

function countOf(residues: readonly number[], size: number): number {
  return residues.reduce((count, first) => count + Math.max(0, Math.ceil((size - first) / 8)), 0);
}

function rowBytes(pixels: number, { depth, colour }: PngHeader): number {
  return Math.ceil((pixels * depth * samplesOf[colour]) / 8);
}

export function headerChunk({ width, height, depth, colour, interlace }: PngHeader): Chunk {
  const data = new Uint8Array(13);
  const view = new DataView(data.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  data.set([depth, colour, 0, 0, interlace], 8);
  return { type: "IHDR", data };
}

export function joinChunks(chunks: readonly Chunk[]): Uint8Array {
  const bytes = new Uint8Array(8 + chunks.reduce((total, { data }) => total + 12 + data.length, 0));
  const view = new DataView(bytes.buffer);
  bytes.set(signature);
  let at = 8;
  for (const { type, data, wrong = 0 } of chunks) {
    view.setUint32(at, data.length);
    for (let i = 0; i < 4; i++) bytes[at + 4 + i] = type.charCodeAt(i);
    bytes.set(data, at + 8);
    const end = at + 8 + data.length;
    view.setUint32(end, (checksum(bytes.subarray(at + 4, end)) + wrong) >>> 0);
    at = end + 4;
  }
  return bytes;
}

/** The CRC of annex D. */
export function checksum(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff];
  return ~crc >>> 0;
}

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let crc = n;
  for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc >>> 0;
});

/**
 * @file Decompression of zlib's format, bit by bit, that stops as soon as it has what is needed. It shares no code with what it judges.
 *
 * Source: RFC 1950 (zlib) and RFC 1951 (deflate), whose tables these are.
 */

export interface Inflated {
  /** As many bytes as were asked for, or as there are before the damage. */
  readonly bytes: Uint8Array;
  /** Whether the stream ends there, and its checksum is right. */
  readonly whole: boolean;
}

const damage = new Error("a damaged stream");

/** Lengths of copies, and their distances: the first of each code, and the bits that follow it. */
const lengthBits = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5];
const lengthFirst = firstOf(3, lengthBits);
const distanceBits = Array.from({ length: 30 }, (_, code) => Math.max(0, (code >> 1) - 1));
const distanceFirst = firstOf(1, distanceBits);
/** The order in which the lengths of the codes for lengths of codes stand. */
const order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** Decompresses at most `needed` bytes. */
export function inflateSome(stream: Uint8Array, needed: number): Inflated {
  const out: number[] = [];
  const bits = new Bits(stream);
  try {
    const [method, flags] = [bits.take(8), bits.take(8)];
    const isZlib = (method & 15) === 8 && method >> 4 <= 7 && (method * 256 + flags) % 31 === 0 && (flags & 32) === 0;
    if (!isZlib) throw damage;
    for (let last = 0; last === 0 && out.length <= needed;) {
      last = bits.take(1);
      readBlock(bits, bits.take(2), out, needed);
    }
    if (out.length !== needed) return { bytes: Uint8Array.from(out.slice(0, needed)), whole: false };
    bits.skipToByte();
    const sum = [0, 0, 0, 0].reduce((total) => total * 256 + bits.take(8), 0);
    return { bytes: Uint8Array.from(out), whole: sum === adler32(out) };
  } catch (error) {
    if (error !== damage) throw error;
    return { bytes: Uint8Array.from(out.slice(0, needed)), whole: false };
  }
}

/** Reads a block to its end, or until there is more than needed. */
function readBlock(bits: Bits, kind: number, out: number[], needed: number): void {
  if (kind === 0) {
    bits.skipToByte();
    const [length, check] = [bits.take(16), bits.take(16)];
    if (length !== (~check & 0xffff)) throw damage;
    for (let i = 0; i < length && out.length <= needed; i++) out.push(bits.take(8));
    return;
  }
  const { literals, distances } = kind === 1 ? fixedCodes : kind === 2 ? readCodes(bits) : fail();
  while (out.length <= needed) {
    const symbol = literals.read(bits);
    if (symbol === 256) return;
    if (symbol < 256) {
      out.push(symbol);
      continue;
    }
    if (symbol > 285) throw damage;
    const length = symbol === 285 ? 258 : lengthFirst[symbol - 257] + bits.take(lengthBits[symbol - 257]);
    const code = distances.read(bits);
    if (code > 29) throw damage;
    const distance = distanceFirst[code] + bits.take(distanceBits[code]);
    if (distance > out.length) throw damage;
    for (let i = 0; i < length; i++) out.push(out[out.length - distance]);
  }
}

interface Codes {
  readonly literals: Huffman;
  readonly distances: Huffman;
}

function readCodes(bits: Bits): Codes {
  const [literals, distances, count] = [257 + bits.take(5), 1 + bits.take(5), 4 + bits.take(4)];
  if (literals > 286 || distances > 30) throw damage;
  const own = new Array<number>(19).fill(0);
  for (let i = 0; i < count; i++) own[order[i]] = bits.take(3);
  const codes = new Huffman(own);
  const lengths: number[] = [];
  while (lengths.length < literals + distances) {
    const symbol = codes.read(bits);
    if (symbol < 16) lengths.push(symbol);
    else {
      if (symbol === 16 && lengths.length === 0) throw damage;
      const value = symbol === 16 ? lengths.at(-1)! : 0;
      const times = symbol === 16 ? 3 + bits.take(2) : symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7);
      for (let i = 0; i < times; i++) lengths.push(value);
    }
  }
  if (lengths.length > literals + distances || lengths[256] === 0) throw damage;
  return {
    literals: new Huffman(lengths.slice(0, literals)),
    distances: new Huffman(lengths.slice(literals), { mayLack: true }),
  };
}

/** A code by the lengths of its words, shorter words first and then in the order of their symbols. */
class Huffman {
  readonly #counts = new Array<number>(16).fill(0);
  readonly #symbols: number[];

  constructor(lengths: readonly number[], { mayLack = false }: { readonly mayLack?: boolean } = {}) {
    for (const length of lengths) if (length > 0) this.#counts[length]++;
    const used = lengths.flatMap((length, symbol) => (length > 0 ? [{ length, symbol }] : []));
    this.#symbols = used.sort((a, b) => a.length - b.length || a.symbol - b.symbol).map(({ symbol }) => symbol);
    let left = 1; // words that are not taken
    for (let length = 1; length <= 15; length++) left = 2 * left - this.#counts[length];
    // A code of one word, or of none, is let pass where it says nothing: for distances.
    if (left < 0 || (left > 0 && !(mayLack && used.length <= 1))) throw damage;
  }

  read(bits: Bits): number {
    let [code, first, index] = [0, 0, 0];
    for (let length = 1; length <= 15; length++) {
      code = 2 * code + bits.take(1);
      first *= 2;
      if (code - first < this.#counts[length]) return this.#symbols[index + code - first];
      index += this.#counts[length];
      first += this.#counts[length];
    }
    throw damage;
  }
}

const fixedCodes: Codes = {
  literals: new Huffman(Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8))),
  distances: new Huffman(new Array<number>(32).fill(5)),
};

/** Bits of a stream, the low ones of a byte first. */
class Bits {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++, this.#at++) {
      const byte = this.#at >> 3;
      if (byte >= this.#bytes.length) throw damage;
      value += ((this.#bytes[byte] >> (this.#at & 7)) & 1) * 2 ** i;
    }
    return value;
  }

  skipToByte(): void {
    this.#at = Math.ceil(this.#at / 8) * 8;
  }
}

/** The checksum at the end of a stream. */
export function adler32(bytes: Iterable<number>): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65521; // the largest prime below 2^16
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

function firstOf(first: number, bits: readonly number[]): number[] {
  return bits.map((_, code) => bits.slice(0, code).reduce((sum, count) => sum + 2 ** count, first));
}

function fail(): never {
  throw damage;
}

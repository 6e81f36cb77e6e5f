/**
 * @file What a safetensors file holds, read a second time, by the words of the format's description alone.
 *
 * Readers differ where the description says nothing. There the verdict is "either": the file may be refused, and if it is taken,
 * it holds what is said here.
 *
 * Source: huggingface/safetensors, README.md, "Format"; for limits and types that gridgrad has none for, the docs of decodeSafetensors.
 */

import { type Json, parseJson } from "./parseJson.ts";

/** What a file holds: of each tensor its type, its shape and its bytes. Halves are F32 already. */
export interface Contents {
  readonly tensors: ReadonlyMap<string, { dtype: string; shape: readonly number[]; bytes: Uint8Array }>;
  readonly metadata: ReadonlyMap<string, string>;
}

export type Verdict =
  | { readonly verdict: "refused"; readonly why: string }
  | { readonly verdict: "taken" | "either"; readonly contents: Contents };

const bytesOf: Readonly<Record<string, number>> = { F32: 4, F64: 8, I32: 4, I64: 8, F16: 2, BF16: 2 };
const largestHeader = 100_000_000n;

class Refused extends Error {}

export function judgeSafetensors(file: Uint8Array): Verdict {
  try {
    return judge(file);
  } catch (error) {
    if (error instanceof Refused) return { verdict: "refused", why: error.message };
    throw error;
  }
}

function judge(file: Uint8Array): Verdict {
  if (file.length < 8) throw new Refused("no room for the length of the header");
  let length = 0n;
  for (let i = 7; i >= 0; i--) length = length * 256n + BigInt(file[i]);
  if (length > largestHeader || length > BigInt(file.length - 8)) throw new Refused("a header that is too long");
  const text = decodeUtf8(file.subarray(8, 8 + Number(length)));
  if (text === null || text[0] !== "{") throw new Refused("a header that is no text, or begins with something else");
  const header = parseJson(text);
  if (header === null || header.type !== "object") throw new Refused("a header that is no JSON");
  const data = file.subarray(8 + Number(length));

  let open = false; // something of which the description says nothing
  const members = uniqueMembers(header);
  const metadata = new Map<string, string>();
  const tensors = new Map<string, { dtype: string; shape: readonly number[]; bytes: Uint8Array }>();
  const places: [begin: number, end: number][] = [];
  for (const [name, value] of members) {
    if (hasLoneSurrogate(name)) open = true;
    if (name === "__metadata__") {
      if (value.type === "literal" && value.text === "null") continue; // as if there were none
      if (value.type !== "object") throw new Refused("metadata that are no object");
      for (const [key, entry] of uniqueMembers(value)) {
        if (entry.type !== "string") throw new Refused("metadata that are no strings");
        if (hasLoneSurrogate(key) || hasLoneSurrogate(entry.text)) open = true;
        metadata.set(key, entry.text);
      }
      continue;
    }
    if (value.type !== "object") throw new Refused("a tensor that is described by no object");
    const info = uniqueMembers(value);
    for (const key of info.keys()) if (!["dtype", "shape", "data_offsets"].includes(key)) open = true;
    const dtype = info.get("dtype");
    if (dtype?.type !== "string" || !Object.hasOwn(bytesOf, dtype.text)) throw new Refused("a type that is none");
    const shape = sizes(info.get("shape"));
    const offsets = sizes(info.get("data_offsets"));
    if (!shape || !offsets || offsets.length !== 2) throw new Refused("sizes that are none");
    // Beyond 2^53 a reader in JavaScript has no whole numbers, and a product may overflow although it is 0 in the end.
    if ([...shape, ...offsets].some(({ unusual, value }) => unusual || value >= 2n ** 53n)) open = true;
    const count = shape.reduce((product, { value }) => product * value, 1n);
    const [begin, end] = offsets.map(({ value }) => value);
    if (begin > end || end > BigInt(data.length)) throw new Refused("bytes that are not there");
    if (end - begin !== count * BigInt(bytesOf[dtype.text])) throw new Refused("too few bytes, or too many");
    places.push([Number(begin), Number(end)]);
    const bytes = data.subarray(Number(begin), Number(end));
    const isHalf = dtype.text.endsWith("F16");
    tensors.set(name, {
      dtype: isHalf ? "F32" : dtype.text,
      shape: shape.map(({ value }) => Number(value)),
      bytes: isHalf ? widened(bytes, dtype.text === "F16" ? 5 : 8) : bytes,
    });
  }

  let covered = 0;
  for (const [begin, end] of places.sort(([a, x], [b, y]) => a - b || x - y)) {
    if (begin !== covered) throw new Refused("a hole, or an overlap");
    covered = end;
  }
  if (covered !== data.length) throw new Refused("bytes after the last tensor");
  if (deepest(header) > 100) open = true; // readers may have a limit
  return { verdict: open ? "either" : "taken", contents: { tensors, metadata } };
}

/** The bytes of float32 with the values of halves that have so many digits of exponent, digit by digit. */
function widened(halves: Uint8Array, exponentDigits: number): Uint8Array {
  const wide = new DataView(new ArrayBuffer(2 * halves.length));
  for (let i = 0; i < halves.length; i += 2) {
    const digits = (halves[i] + 256 * halves[i + 1]).toString(2).padStart(16, "0");
    const [sign, exponent, fraction] = [
      digits[0],
      digits.slice(1, 1 + exponentDigits),
      digits.slice(1 + exponentDigits),
    ];
    if (exponentDigits === 5 && !exponent.includes("1")) {
      wide.setFloat32(2 * i, Number(`${sign === "1" ? "-" : ""}${parseInt(fraction, 2)}`) / 2 ** 24, true);
      continue;
    }
    const same = exponentDigits === 8 || !exponent.includes("0"); // bfloat16, infinities and NaN
    const e = same ? exponent.padStart(8, exponent[0]) : (parseInt(exponent, 2) + 112).toString(2).padStart(8, "0");
    wide.setUint32(2 * i, parseInt(sign + e + fraction.padEnd(23, "0"), 2), true);
  }
  return new Uint8Array(wide.buffer);
}

/** Duplicate keys are disallowed. */
function uniqueMembers({ members }: Extract<Json, { type: "object" }>): Map<string, Json> {
  const unique = new Map(members);
  if (unique.size !== members.length) throw new Refused("a key that stands twice");
  return unique;
}

/** Whole numbers of at least 0. "Unusual" ones are written as 1.0 or 1e0, which not every reader takes for an integer. */
function sizes(json: Json | undefined): { value: bigint; unusual: boolean }[] | null {
  if (json?.type !== "array") return null;
  const all = json.entries.map((entry) => {
    if (entry.type !== "number") return null;
    if (/^\d+$/.test(entry.text)) return { value: BigInt(entry.text), unusual: false };
    const value = Number(entry.text);
    return Number.isInteger(value) && value >= 0 ? { value: BigInt(value), unusual: true } : null;
  });
  return all.some((entry) => entry === null) ? null : (all as { value: bigint; unusual: boolean }[]);
}

function hasLoneSurrogate(text: string): boolean {
  return /[\ud800-\udfff]/u.test(text); // with u, halves of a pair match only where they stand alone
}

function deepest(json: Json): number {
  let level: readonly Json[] = [json];
  let depth = 0;
  for (; level.length > 0; depth++) {
    level = level.flatMap((value) =>
      value.type === "object" ? value.members.map(([, entry]) => entry) : value.type === "array" ? value.entries : [],
    );
  }
  return depth;
}

/** Text of UTF-8, by the table of RFC 3629; `null` for bytes that are none. */
function decodeUtf8(bytes: Uint8Array): string | null {
  let text = "";
  for (let i = 0; i < bytes.length;) {
    const first = bytes[i];
    const more =
      first < 0x80
        ? 0
        : first >= 0xc2 && first < 0xe0
          ? 1
          : first >= 0xe0 && first < 0xf0
            ? 2
            : first >= 0xf0 && first < 0xf5
              ? 3
              : -1;
    if (more < 0 || i + more >= bytes.length) return null;
    let code = more === 0 ? first : first & (0x3f >> more);
    for (let k = 1; k <= more; k++) {
      if ((bytes[i + k] & 0xc0) !== 0x80) return null;
      code = code * 64 + (bytes[i + k] & 0x3f);
    }
    const least = [0, 0x80, 0x800, 0x10000][more];
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return null;
    text += String.fromCodePoint(code);
    i += more + 1;
  }
  return text;
}

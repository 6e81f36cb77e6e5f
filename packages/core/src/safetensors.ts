/**
 * @file The safetensors format: named tensors and string metadata in one file, shared with Python.
 *
 *     8 bytes   length N of the header, little-endian
 *     N bytes   JSON: { "__metadata__": { key: value }, "<name>": { dtype, shape, data_offsets: [begin, end] }, .. }
 *     the rest  the tensors' values, little-endian, row-major, without holes or overlaps
 *
 * Source: the format's description in huggingface/safetensors, README.md; the limits are those of its Rust reader.
 */

import { type DType, dtypeOf, type Values } from "./dtype.ts";
import { showText } from "./errors.ts";
import { formatShape, type Shape, size } from "./shape.ts";
import { leaf } from "./leaf.ts";
import type { Tensor } from "./tensor.ts";

/** A file that breaks a rule of the format: which rule, and what the file has. */
export class SafetensorsError extends Error {
  override name = "SafetensorsError";
}

/** The format's name of an element type that this project reads and writes. */
export type SafetensorsDType = "F32" | "F64" | "I32" | "I64";

/** One tensor of a file. int64 values are BigInts, as JavaScript has them. */
export interface SafetensorsEntry {
  readonly dtype: SafetensorsDType;
  readonly shape: Shape;
  readonly values: Float32Array | Float64Array | Int32Array | BigInt64Array;
}

export interface SafetensorsFile {
  readonly tensors: Readonly<Record<string, SafetensorsEntry>>;
  readonly metadata: Readonly<Record<string, string>>;
}

const arrays = { F32: Float32Array, F64: Float64Array, I32: Int32Array, I64: BigInt64Array } as const;

/** Types that become float32 when they are read, which holds each of their values. */
const halfTypes = { F16: float16, BF16: bfloat16 } as const;

/** What a file may hold: the types of entries, and the halves. */
type StoredType = SafetensorsDType | keyof typeof halfTypes;

/** Element types of the format that this project has no use for. */
const otherTypes = ["BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "I16", "U16", "U32", "U64"];

const maxHeaderBytes = 100_000_000; // the Rust reader's limit

/**
 * Reads a file. The values are copied, so `bytes` may be reused. F16 and BF16 become F32, exactly.
 *
 * @param bytes - the whole file.
 * @throws {SafetensorsError} that names the rule of the format that the file breaks.
 *
 * @example
 * ```ts
 * const values = new Float32Array([1, 2]);
 * const bytes = encodeSafetensors({ w: { dtype: "F32", shape: [2], values } }, { step: "7" });
 * const { tensors, metadata } = decodeSafetensors(bytes);
 * tensors.w.values; // [1, 2]
 * metadata.step; // 7
 * ```
 */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsFile {
  if (bytes.length < 8)
    throw broken(`a file must start with 8 bytes of header length, got ${bytes.length} bytes in all`);
  if (isPickle(bytes)) {
    throw broken(
      "a file must be of this format, got one of torch.save; in Python: " +
        'safetensors.torch.save_file(model.state_dict(), "x.safetensors")',
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = Number(view.getBigUint64(0, true));
  if (headerBytes > maxHeaderBytes) {
    throw broken(
      `the header must have at most ${maxHeaderBytes} bytes, got a length of ${headerBytes} (is this a safetensors file?)`,
    );
  }
  if (8 + headerBytes > bytes.length) {
    throw broken(
      `the header must fit into the file: 8 + ${headerBytes} bytes, got ${bytes.length} (is the file truncated?)`,
    );
  }
  const header = parseHeader(bytes.subarray(8, 8 + headerBytes));
  const data = bytes.subarray(8 + headerBytes);

  const { __metadata__: metadata, ...infos } = header;
  const tensors = Object.entries(infos).map(([name, info]) => ({ name, ...checkInfo(name, info, data.length) }));
  checkTiling(tensors, data.length);
  return {
    tensors: Object.fromEntries(
      tensors.map(({ name, dtype, shape, begin, end }) => {
        // A copy is aligned, unlike the place in the file. Node's Buffer overrides `slice` to share memory.
        const copy = Uint8Array.prototype.slice.call(data, begin, end);
        if (isHalf(dtype)) {
          const bits = Uint32Array.from(new Uint16Array(copy.buffer), halfTypes[dtype]);
          return [name, { dtype: "F32", shape, values: new Float32Array(bits.buffer) }];
        }
        return [name, { dtype, shape, values: new arrays[dtype](copy.buffer) }];
      }),
    ),
    metadata: checkMetadata(metadata ?? {}), // some files have null for none
  };
}

/**
 * Writes a file: widest element type first, then by name, so every tensor is aligned and the same tensors give the same bytes.
 *
 * @throws {SafetensorsError} when an element type or a shape is none, they do not fit the values, a tensor is called
 * `__metadata__`, or metadata are not strings.
 *
 * @example
 * ```ts
 * encodeSafetensors({ w: { dtype: "F32", shape: [1], values: new Float32Array(1) } }).length; // 68
 * ```
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, SafetensorsEntry>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries = Object.entries(tensors).sort(
    ([a, x], [b, y]) => y.values.BYTES_PER_ELEMENT - x.values.BYTES_PER_ELEMENT || (a < b ? -1 : 1),
  );
  const header: [name: string, info: unknown][] = [];
  if (Object.keys(metadata).length > 0) header.push(["__metadata__", checkMetadata(metadata)]);
  let offset = 0;
  for (const [name, { dtype, shape, values }] of entries) {
    if (name === "__metadata__") throw broken("no tensor may be called __metadata__, the name is the format's own");
    checkDTypeAndShape(name, { dtype, shape }, Object.keys(arrays));
    if (!(values instanceof arrays[dtype]))
      throw broken(`${name}: values of ${dtype} must be a ${arrays[dtype].name}, got a ${values.constructor.name}`);
    if (values.length !== size(shape))
      throw broken(`${name}: ${formatShape(shape)} must have ${size(shape)} values, got ${values.length}`);
    header.push([name, { dtype, shape, data_offsets: [offset, offset + values.byteLength] }]);
    offset += values.byteLength;
  }
  // An assignment to `header.__proto__` would make no entry, but `fromEntries` does.
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const headerBytes = Math.ceil(json.length / 8) * 8; // padded with spaces, so the values start on 8 bytes
  const bytes = new Uint8Array(8 + headerBytes + offset).fill(0x20, 8, 8 + headerBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(json, 8);
  let at = 8 + headerBytes;
  for (const [, { values }] of entries) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}

/**
 * A leaf with an entry's values. int64 becomes int32, the type of labels here.
 *
 * @throws {SafetensorsError} when an int64 value does not fit into 32 bits.
 */
export function entryToTensor({ dtype, shape, values }: SafetensorsEntry): Tensor {
  if (!(values instanceof BigInt64Array)) return leaf(shape, dtypeOf(values), values.slice());
  const narrow = Int32Array.from(values, (value) => {
    if (BigInt.asIntN(32, value) !== value)
      throw broken(`${dtype} values must fit into int32, the type of labels here, got ${value}`);
    return Number(value);
  });
  return leaf(shape, "int32", narrow);
}

/** The entry of a tensor with these values. */
export function valuesToEntry(shape: Shape, values: Values): SafetensorsEntry {
  const names: Readonly<Record<DType, SafetensorsDType>> = { float32: "F32", float64: "F64", int32: "I32" };
  return { dtype: names[dtypeOf(values)], shape, values };
}

/**
 * Whether `torch.save` wrote it: a zip archive, or, before version 1.6, a pickle of protocol 2 or later. A header of 128 bytes and more may begin with the same
 * bytes, but in the place after its length stands `{`.
 */
function isPickle(bytes: Uint8Array): boolean {
  const [a, b, c, d] = bytes;
  const isZip = a === 0x50 && b === 0x4b && c === 3 && d === 4; // PK, and the mark of a file's entry
  const latest = 5; // protocol
  return bytes[8] !== 0x7b && (isZip || (a === 0x80 && b >= 2 && b <= latest));
}

const word = new Uint32Array(1);
const wordAsFloat = new Float32Array(word.buffer);

/**
 * The bits of a float32 with the value of 16 bits of IEEE 754's binary16: a sign, 5 bits of exponent, 10 of fraction.
 *
 *     (-1)^s 2^(e - 15) (1 + f / 1024),  or with e = 0  (-1)^s 2^-14 f / 1024        e = 31: infinite, or NaN with f > 0
 */
function float16(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) {
    wordAsFloat[0] = fraction * 2 ** -24; // float32 has more exponents: no subnormal
    return sign | word[0];
  }
  const wide = exponent === 31 ? 255 : exponent + (127 - 15); // each type's own bias
  return sign | (wide << 23) | (fraction << 13); // 23 bits of fraction instead of 10
}

/** The bits of a float32 with the value of a bfloat16, which is its first half. */
function bfloat16(bits: number): number {
  return bits << 16;
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes); // ignoreBOM: hand it over, do not drop it
  } catch {
    throw broken("the header must be UTF-8, got bytes that are not");
  }
  if (!text.startsWith("{")) throw broken(`the header must start with "{", got ${showJson(text.slice(0, 1))}`);
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    throw broken(`the header must be JSON, got text that is not: ${showText((error as Error).message)}`);
  }
  const twice = duplicateKey(text);
  if (twice !== null) throw broken(`each key may stand in an object once, got ${showJson(twice)} twice`);
  return header as Record<string, unknown>;
}

/** `JSON.parse` keeps the last of two equal keys and says nothing. Finds a key that comes again in its object. */
export function duplicateKey(json: string): string | null {
  const seen: Set<string>[] = []; // of each object and array that is open
  const colon = /\s*:/y;
  for (let i = 0; i < json.length; i++) {
    if (json[i] === "{" || json[i] === "[") seen.push(new Set());
    else if (json[i] === "}" || json[i] === "]") seen.pop();
    else if (json[i] === '"') {
      const start = i;
      for (i++; json[i] !== '"'; i++) if (json[i] === "\\") i++; // skips what a backslash protects
      colon.lastIndex = i + 1;
      if (!colon.test(json)) continue; // a value
      const key = JSON.parse(json.slice(start, i + 1)) as string;
      if (seen.at(-1)!.has(key)) return key;
      seen.at(-1)!.add(key);
    }
  }
  return null;
}

interface Info {
  readonly dtype: StoredType;
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}

function checkInfo(name: string, info: unknown, dataBytes: number): Info {
  const { data_offsets: offsets, ...rest } = (info ?? {}) as Record<string, unknown>;
  const { dtype, shape } = checkDTypeAndShape(name, rest);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw broken(
      `${showName(name)}: data_offsets must be [begin, end] with 0 <= begin <= end, got ${showJson(offsets)}`,
    );
  }
  const [begin, end] = offsets;
  if (end > dataBytes) {
    throw broken(
      `${showName(name)}: data_offsets must end within the ${dataBytes} bytes of data, got ${end} (is the file truncated?)`,
    );
  }
  const needed = size(shape) * (isHalf(dtype) ? 2 : arrays[dtype].BYTES_PER_ELEMENT);
  if (end - begin !== needed) {
    throw broken(
      `${showName(name)}: ${dtype} ${showText(formatShape(shape), longestShown)} must have ${needed} bytes, got ${end - begin} by its data_offsets`,
    );
  }
  return { dtype, shape, begin, end };
}

function checkDTypeAndShape(
  name: string,
  { dtype, shape }: { readonly dtype?: unknown; readonly shape?: unknown },
  types: readonly string[] = [...Object.keys(arrays), ...Object.keys(halfTypes)],
): { dtype: StoredType; shape: Shape } {
  if (typeof dtype !== "string" || !types.includes(dtype)) {
    const known = otherTypes.includes(dtype as string)
      ? ", a type of the format that gridgrad does not read; convert the file"
      : "";
    throw broken(`${showName(name)}: dtype must be one of ${types.join(", ")}, got ${showJson(dtype)}${known}`);
  }
  if (!isSizes(shape))
    throw broken(`${showName(name)}: shape must be an array of integers of at least 0, got ${showJson(shape)}`);
  return { dtype: dtype as StoredType, shape };
}

function isHalf(dtype: StoredType): dtype is keyof typeof halfTypes {
  return Object.hasOwn(halfTypes, dtype);
}

/** The tensors must cover the data without holes, overlaps or bytes behind the last one. */
function checkTiling(tensors: readonly (Info & { readonly name: string })[], dataBytes: number): void {
  let covered = 0;
  for (const { name, begin, end } of [...tensors].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin > covered)
      throw broken(
        `${showName(name)}: the data must have no holes, got ${begin - covered} bytes before it that belong to no tensor`,
      );
    if (begin < covered)
      throw broken(
        `${showName(name)}: tensors must not overlap, got one that begins ${covered - begin} bytes before its predecessor ends`,
      );
    covered = end;
  }
  if (covered < dataBytes)
    throw broken(`the data must end with the last tensor, got ${dataBytes - covered} bytes behind it`);
}

function checkMetadata(metadata: unknown): Record<string, string> {
  const valid = typeof metadata === "object" && metadata !== null && !Array.isArray(metadata);
  if (!valid) throw broken(`__metadata__ must be an object of strings, got ${showJson(metadata)}`);
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== "string")
      throw broken(`__metadata__ must be an object of strings, got ${showJson(value)} for ${showJson(key)}`);
  }
  return metadata as Record<string, string>;
}

/** A tensor's name in a message. */
function showName(name: string): string {
  return showText(name, longestShown);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((entry) => Number.isSafeInteger(entry) && entry >= 0);
}

/**
 * A part of a JSON text as it stands in a message: short, and not in depth, where a printer could overflow the stack.
 */
export function showJson(value: unknown): string {
  const entry = (x: unknown): string => {
    if (Array.isArray(x)) return "an array";
    if (typeof x === "object" && x !== null) return "an object";
    return typeof x === "number" ? String(x) : String(JSON.stringify(x)); // a number may be infinite: 1e999
  };
  const text = Array.isArray(value) ? `[${value.map(entry).join(", ")}]` : entry(value);
  return showText(text, longestShown);
}

/** Characters of a file's own text that a message takes over. */
const longestShown = 100;

function broken(message: string): SafetensorsError {
  return new SafetensorsError(`safetensors: ${message}`);
}

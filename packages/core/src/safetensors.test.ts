import fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  decodeSafetensors,
  encodeSafetensors,
  entryToTensor,
  type SafetensorsDType,
  type SafetensorsEntry,
  SafetensorsError,
  valuesToEntry,
} from "./safetensors.ts";
import { type Shape, size } from "./shape.ts";
import { shapes } from "./testing/arbitraries.ts";

/** A file of a header, given as text or as bytes, and data. */
function file(header: string | Uint8Array, data: ArrayLike<number> = []): Uint8Array {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

/** A file whose one tensor `x` has this entry in the header. */
function fileOf(info: unknown, dataBytes: number): Uint8Array {
  return file(JSON.stringify({ x: info }), new Uint8Array(dataBytes));
}

function decoding(bytes: Uint8Array): () => unknown {
  return () => decodeSafetensors(bytes);
}

/** A tensor `w` of two numbers, one of one number, and metadata. */
const small = encodeSafetensors(
  {
    w: { dtype: "F32", shape: [2], values: new Float32Array([1, -2]) },
    step: { dtype: "I64", shape: [], values: new BigInt64Array([7n]) },
  },
  { format: "pt" },
);

function entries(shape: Shape): fc.Arbitrary<SafetensorsEntry> {
  const length = { minLength: size(shape), maxLength: size(shape) };
  return fc.oneof(
    fc.float32Array(length).map((values) => ({ dtype: "F32" as const, shape, values })),
    fc.float64Array(length).map((values) => ({ dtype: "F64" as const, shape, values })),
    fc.int32Array(length).map((values) => ({ dtype: "I32" as const, shape, values })),
    fc.bigInt64Array(length).map((values) => ({ dtype: "I64" as const, shape, values })),
  );
}

const names = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.constantFrom(
    "__proto__",
    "constructor",
    "toString",
    "0",
    "1",
    "",
    'a"b\\c',
    "\u2028\u0000",
    "größe",
    "重み",
    "😀",
  ),
);

/** Own properties, also of the name `__proto__`, which an object literal would take for something else. */
function record<T>(pairs: readonly (readonly [string, T])[]): Record<string, T> {
  return Object.fromEntries(pairs);
}

const files = fc.record({
  tensors: fc
    .uniqueArray(fc.tuple(names, shapes({ minDim: 0, maxRank: 3, maxDim: 3 }).chain(entries)), {
      selector: ([name]) => name,
      maxLength: 5,
    })
    .map(record),
  metadata: fc.uniqueArray(fc.tuple(names, fc.string({ unit: "binary" })), { selector: ([name]) => name }).map(record),
});

describe("encoding and decoding", () => {
  test("gives back every tensor and all metadata, to the last bit", () =>
    fc.assert(
      fc.property(files, ({ tensors, metadata }) => {
        const decoded = decodeSafetensors(encodeSafetensors(tensors, metadata));
        expect(Object.keys(decoded.tensors).sort()).toEqual(Object.keys(tensors).sort());
        for (const [name, { dtype, shape, values }] of Object.entries(tensors)) {
          const got = Object.getOwnPropertyDescriptor(decoded.tensors, name)!.value as SafetensorsEntry;
          expect([got.dtype, got.shape]).toEqual([dtype, shape]);
          expect(got.values.constructor).toBe(values.constructor);
          expect(bytesOf(got.values)).toEqual(bytesOf(values)); // also the payload of NaN and the sign of 0
        }
        expect(Object.entries(decoded.metadata).sort()).toEqual(Object.entries(metadata).sort());
      }),
      { numRuns: 300 },
    ));

  test("gives the same bytes whatever the order of the tensors", () =>
    fc.assert(
      fc.property(files, ({ tensors, metadata }) => {
        const reversed = record(Object.entries(tensors).reverse());
        expect(encodeSafetensors(reversed, metadata)).toEqual(encodeSafetensors(tensors, metadata));
      }),
    ));

  test("puts every tensor where its type is aligned, the widest first", () =>
    fc.assert(
      fc.property(files, ({ tensors, metadata }) => {
        const bytes = encodeSafetensors(tensors, metadata);
        const headerBytes = Number(new DataView(bytes.buffer).getBigUint64(0, true));
        expect(headerBytes % 8).toBe(0);
        const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes))) as object;
        for (const [name, info] of Object.entries(header)) {
          if (name === "__metadata__") continue;
          const { data_offsets: offsets, dtype } = info as { data_offsets: [number, number]; dtype: string };
          expect(offsets[0] % (dtype.endsWith("64") ? 8 : 4)).toBe(0);
        }
      }),
    ));

  test("writes the format that the header below describes", () => {
    const headerBytes = Number(new DataView(small.buffer).getBigUint64(0, true));
    expect(new TextDecoder().decode(small.subarray(8, 8 + headerBytes))).toMatchInlineSnapshot(
      `"{"__metadata__":{"format":"pt"},"step":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}   "`,
    );
    expect(Array.from(small.subarray(8 + headerBytes))).toEqual([7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 192]);
  });

  test("takes an empty file: no tensors, no metadata", () => {
    expect(decodeSafetensors(encodeSafetensors({}))).toEqual({ tensors: {}, metadata: {} });
    expect(decodeSafetensors(file("{}"))).toEqual({ tensors: {}, metadata: {} });
  });

  test("takes a header padded with spaces, and tensors in any order", () => {
    const header = {
      b: { dtype: "I32", shape: [1], data_offsets: [4, 8] },
      a: { dtype: "I32", shape: [1], data_offsets: [0, 4] },
      none: { dtype: "F64", shape: [0, 3], data_offsets: [4, 4] },
    };
    const { tensors } = decodeSafetensors(file(`${JSON.stringify(header)}   `, [1, 0, 0, 0, 2, 0, 0, 0]));
    expect([tensors.a.values[0], tensors.b.values[0], tensors.none.values.length]).toEqual([1, 2, 0]);
  });

  test("copies values, also out of a Node Buffer that begins in the middle of its memory", () => {
    const memory = new Uint8Array(small.length + 3);
    memory.set(small, 3);
    const buffer = Buffer.from(memory.buffer, 3, small.length); // its `slice` would share memory
    const { tensors } = decodeSafetensors(buffer);
    memory.fill(0);
    expect(tensors.w.values).toEqual(new Float32Array([1, -2]));
    expect(tensors.step.values).toEqual(new BigInt64Array([7n]));
    expect(tensors.w.values.byteOffset).toBe(0);
    expect(tensors.w.values.buffer.byteLength).toBe(8);
  });

  test("writes values that are a part of a larger array", () => {
    const values = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
    const { tensors } = decodeSafetensors(encodeSafetensors({ w: { dtype: "F32", shape: [2], values } }));
    expect(tensors.w.values).toEqual(new Float32Array([1, 2]));
  });

  test("takes long strings in the metadata", () => {
    const long = `${"x".repeat(5_000_000)}"\\${"y".repeat(5_000_000)}`;
    expect(decodeSafetensors(encodeSafetensors({}, { long })).metadata.long === long).toBe(true);
  });

  test("metadata that are null are none, as in files that others have written", () => {
    expect(decodeSafetensors(file('{"__metadata__":null}'))).toEqual({ tensors: {}, metadata: {} });
  });
});

describe("a file that breaks a rule of the format is refused:", () => {
  test("too short for a header length", () => {
    expect(decoding(new Uint8Array(7))).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: a file must start with 8 bytes of header length, got 7 bytes in all]`,
    );
    expect(decoding(new Uint8Array(0))).toThrow(SafetensorsError);
  });

  test("a header longer than the file", () => {
    expect(decoding(file("{}").subarray(0, 9))).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: the header must fit into the file: 8 + 2 bytes, got 9 (is the file truncated?)]`,
    );
  });

  test("a header longer than the limit, as in a file of another format", () => {
    expect(decoding(new TextEncoder().encode("not safetensors"))).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: the header must have at most 100000000 bytes, got a length of 7306634592548844000 (is this a safetensors file?)]`,
    );
    const bytes = file("{}");
    new DataView(bytes.buffer).setBigUint64(0, 100_000_001n, true);
    expect(decoding(bytes)).toThrow("at most 100000000 bytes, got a length of 100000001");
    new DataView(bytes.buffer).setBigUint64(0, 100_000_000n, true);
    expect(decoding(bytes)).toThrow("must fit into the file");
  });

  test("a header that is not UTF-8", () => {
    expect(decoding(file(new Uint8Array([0x7b, 0xff, 0x7d])))).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: the header must be UTF-8, got bytes that are not]`,
    );
  });

  test("a header that does not begin with a brace", () => {
    expect(decoding(file(" {}"))).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: the header must start with "{", got " "]`,
    );
    expect(decoding(file("[]"))).toThrow('must start with "{", got "["');
    expect(decoding(file(""))).toThrow('must start with "{", got ""');
    expect(decoding(file("\uFEFF{}"))).toThrow('must start with "{"'); // a byte order mark
  });

  test("a header that is not JSON", () => {
    // What follows is the engine's own message, which differs between versions.
    expect(decoding(file("{x}"))).toThrow(/^safetensors: the header must be JSON, got text that is not: .+/);
    expect(decoding(file("{}{}"))).toThrow(SafetensorsError);
  });

  test("a key that stands in an object twice", () => {
    const info = '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}';
    expect(decoding(file(`{"x":${info},"x":${info}}`))).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: each key may stand in an object once, got "x" twice]`,
    );
    expect(decoding(file(`{"x":${info},"\\u0078" : ${info}}`))).toThrow('got "x" twice');
    expect(decoding(file('{"__metadata__":{},"__metadata__":{}}'))).toThrow('got "__metadata__" twice');
    expect(decoding(file('{"x":{"dtype":"F32","shape":[0],"dtype":"F64","data_offsets":[0,0]}}'))).toThrow(
      'got "dtype" twice',
    );
    // The same name deeper in, or as a value, is no repetition.
    expect(decoding(file(`{"__metadata__":{"x":"x","y":"{\\"x\\":"},"x":${info}}`))).not.toThrow();
  });

  test("metadata that is not an object of strings", () => {
    expect(decoding(file('{"__metadata__":{"step":7}}'))).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: __metadata__ must be an object of strings, got 7 for "step"]`,
    );
    expect(decoding(file('{"__metadata__":["a"]}'))).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: __metadata__ must be an object of strings, got ["a"]]`,
    );
    expect(decoding(file('{"__metadata__":"a"}'))).toThrow(SafetensorsError);
  });

  test("names and values that no terminal should show, and long ones", () => {
    const info = { dtype: null, shape: [], data_offsets: [0, 0] };
    const named = (name: string): Uint8Array => file(JSON.stringify({ [name]: info }));
    expect(decoding(named("\u001b[2J\u009b"))).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: \\u001b[2J\\u009b: dtype must be one of F32, F64, I32, I64, F16, BF16, got null]`,
    );
    expect(decoding(named("a\nb"))).toThrow("a\\u000ab: dtype must be");
    expect(decoding(named("x".repeat(500)))).toThrow(`safetensors: ${"x".repeat(100)}...: dtype must be`);
    const shape = Array.from({ length: 500 }, () => 1);
    expect(decoding(fileOf({ dtype: "F32", shape, data_offsets: [0, 0] }, 0))).toThrow("[1, 1, 1, 1, 1, 1, 1, 1, 1, 1");
    for (const header of ['{"w":[\n,0]}', '{"w"\f:1}', '{"\u009b"}']) {
      expect(decoding(file(header))).toThrow(/^safetensors: the header must be JSON, got text that is not: \P{Cc}*$/u);
    }
  });

  test("an entry that is not an object", () => {
    for (const info of [null, 3, "F32", [], true]) expect(decoding(fileOf(info, 0))).toThrow("x: dtype must be one of");
  });

  test("an element type that is none", () => {
    expect(decoding(fileOf({ dtype: "F33", shape: [], data_offsets: [0, 4] }, 4))).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: x: dtype must be one of F32, F64, I32, I64, F16, BF16, got "F33"]`,
    );
    expect(decoding(fileOf({ shape: [], data_offsets: [0, 4] }, 4))).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: x: dtype must be one of F32, F64, I32, I64, F16, BF16, got undefined]`,
    );
    expect(decoding(fileOf({ dtype: "toString", shape: [], data_offsets: [0, 4] }, 4))).toThrow(SafetensorsError);
  });

  test("an element type of the format that is not read here", () => {
    expect(decoding(fileOf({ dtype: "U16", shape: [2], data_offsets: [0, 4] }, 4))).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: x: dtype must be one of F32, F64, I32, I64, F16, BF16, got "U16", a type of the format that gridgrad does not read; convert the file]`,
    );
  });

  test("a shape that is none", () => {
    const withShape = (shape: unknown) => decoding(fileOf({ dtype: "F32", shape, data_offsets: [0, 4] }, 4));
    expect(withShape([-1])).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: x: shape must be an array of integers of at least 0, got [-1]]`,
    );
    expect(withShape([0.5, 2])).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: x: shape must be an array of integers of at least 0, got [0.5, 2]]`,
    );
    expect(withShape("1")).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: x: shape must be an array of integers of at least 0, got "1"]`,
    );
    expect(withShape(undefined)).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: x: shape must be an array of integers of at least 0, got undefined]`,
    );
    expect(withShape([2 ** 53])).toThrow(SafetensorsError);
    expect(withShape([2 ** 40, 2 ** 40, 2 ** 40])).toThrow("must have");
    expect(withShape(Array(200).fill(2 ** 52))).toThrow(SafetensorsError);
  });

  test("offsets that are none", () => {
    const withOffsets = (offsets: unknown) => decoding(fileOf({ dtype: "F32", shape: [1], data_offsets: offsets }, 4));
    expect(withOffsets([4, 0])).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: x: data_offsets must be [begin, end] with 0 <= begin <= end, got [4, 0]]`,
    );
    expect(withOffsets([0])).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: x: data_offsets must be [begin, end] with 0 <= begin <= end, got [0]]`,
    );
    expect(withOffsets([0, 4, 8])).toThrow(SafetensorsError);
    expect(withOffsets([-4, 0])).toThrow(SafetensorsError);
    expect(withOffsets(["0", "4"])).toThrow(SafetensorsError);
    expect(withOffsets(undefined)).toThrow(SafetensorsError);
  });

  test("offsets past the end of the data", () => {
    const info = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
    expect(decoding(fileOf(info, 7))).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: x: data_offsets must end within the 7 bytes of data, got 8 (is the file truncated?)]`,
    );
  });

  test("another number of bytes than the shape needs", () => {
    const info = { dtype: "F32", shape: [2], data_offsets: [0, 4] };
    expect(decoding(fileOf(info, 4))).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: x: F32 [2] must have 8 bytes, got 4 by its data_offsets]`,
    );
  });

  test("bytes that belong to no tensor", () => {
    const header = {
      a: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
      b: { dtype: "F32", shape: [1], data_offsets: [8, 12] },
    };
    expect(decoding(file(JSON.stringify(header), new Uint8Array(12)))).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: b: the data must have no holes, got 4 bytes before it that belong to no tensor]`,
    );
    const late = { dtype: "F32", shape: [1], data_offsets: [4, 8] };
    expect(decoding(fileOf(late, 8))).toThrow("x: the data must have no holes, got 4 bytes before it");
  });

  test("tensors that overlap", () => {
    const header = {
      a: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
      b: { dtype: "F32", shape: [2], data_offsets: [4, 12] },
    };
    expect(decoding(file(JSON.stringify(header), new Uint8Array(12)))).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: b: tensors must not overlap, got one that begins 4 bytes before its predecessor ends]`,
    );
    const empty = { dtype: "F32", shape: [0], data_offsets: [4, 4] };
    expect(decoding(file(JSON.stringify({ a: header.a, empty }), new Uint8Array(8)))).toThrow("must not overlap");
  });

  test("bytes behind the last tensor", () => {
    const info = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
    expect(decoding(fileOf(info, 5))).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: the data must end with the last tensor, got 1 bytes behind it]`,
    );
    expect(decoding(file("{}", [0]))).toThrow(SafetensorsError);
  });

  test("nesting so deep that a recursive printer would overflow the stack", () => {
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    expect(decoding(file(`{"x":{"dtype":"F32","shape":${deep},"data_offsets":[0,0]}}`))).toThrow(SafetensorsError);
    expect(decoding(file(`{"x":{"dtype":${deep}}}`))).toThrow(SafetensorsError);
    expect(decoding(file(`{"__metadata__":${deep}}`))).toThrow(SafetensorsError);
    expect(decoding(file(`{"__metadata__":{"a":${deep}}}`))).toThrow(SafetensorsError);
  });

  test("long nonsense, without repeating it in the message", () => {
    const shape = Array(100_000).fill("x");
    expect(decoding(fileOf({ dtype: "F32", shape, data_offsets: [0, 0] }, 0))).toThrow(/^.{1,300}$/);
  });
});

describe("a damaged file", () => {
  test("is refused wherever it was cut off, with the error of this format", () => {
    for (let length = 0; length < small.length; length++) {
      expect(decoding(small.subarray(0, length)), `${length} bytes`).toThrow(SafetensorsError);
    }
    expect(decoding(small)).not.toThrow();
  });

  test("is refused or read with any bytes changed, put in or taken out, but never fails otherwise", () => {
    const edit = fc.record({
      at: fc.nat(small.length - 1),
      remove: fc.nat(2),
      insert: fc.uint8Array({ maxLength: 2 }),
    });
    let refused = 0;
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        const bytes = [...small];
        for (const { at, remove, insert } of edits) bytes.splice(at, remove, ...insert);
        try {
          decodeSafetensors(new Uint8Array(bytes));
        } catch (error) {
          refused++;
          expect(error).toBeInstanceOf(SafetensorsError);
        }
      }),
      { numRuns: 3000 },
    );
    expect(refused).toBeGreaterThan(1000);
  });

  test("is refused or read whatever JSON its header holds", () =>
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.oneof(fc.jsonValue(), wildInfo()), { maxKeys: 3 }),
        fc.nat(16),
        (header, dataBytes) => {
          try {
            decodeSafetensors(file(JSON.stringify(header), new Uint8Array(dataBytes)));
          } catch (error) {
            expect(error).toBeInstanceOf(SafetensorsError);
          }
        },
      ),
      { numRuns: 1000 },
    ));
});

describe("encodeSafetensors refuses", () => {
  const values = new Float32Array(2);

  test("a tensor of the format's own name", () => {
    const tensors = { __metadata__: { dtype: "F32", shape: [2], values } as const };
    expect(() => encodeSafetensors(tensors)).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: no tensor may be called __metadata__, the name is the format's own]`,
    );
  });

  test("values of another type than it says", () => {
    expect(() => encodeSafetensors({ w: { dtype: "F64", shape: [2], values } })).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: w: values of F64 must be a Float64Array, got a Float32Array]`,
    );
  });

  test("values that do not fill the shape", () => {
    expect(() => encodeSafetensors({ w: { dtype: "F32", shape: [3], values } })).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: w: [3] must have 3 values, got 2]`,
    );
  });

  test("a shape that is none", () => {
    expect(() =>
      encodeSafetensors({ w: { dtype: "F32", shape: [-1, -2], values } }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: w: shape must be an array of integers of at least 0, got [-1, -2]]`,
    );
    expect(() => encodeSafetensors({ w: { dtype: "F32", shape: [0.5, 4], values } })).toThrow(SafetensorsError);
  });

  test("an element type that is none", () => {
    const dtype = "F16" as SafetensorsDType;
    expect(() => encodeSafetensors({ w: { dtype, shape: [2], values } })).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: w: dtype must be one of F32, F64, I32, I64, got "F16"]`,
    );
  });

  test("metadata that are not strings", () => {
    expect(() => encodeSafetensors({}, { step: 7 as never })).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: __metadata__ must be an object of strings, got 7 for "step"]`,
    );
  });
});

describe("entries and tensors", () => {
  test("become each other for every element type", async () => {
    for (const values of [new Float32Array([1.5, 2]), new Float64Array([0.1, 2]), new Int32Array([-7, 2])]) {
      const entry = valuesToEntry([2, 1], values);
      const t = entryToTensor(entry);
      expect(t.shape).toEqual([2, 1]);
      expect(await t.data()).toEqual(values);
      expect(valuesToEntry(t.shape, await t.data())).toEqual(entry);
      values[0] = 0;
      expect((await t.data())[0]).not.toBe(0); // a copy
    }
  });

  test("turn int64 into int32, the type of labels", async () => {
    const values = new BigInt64Array([-(2n ** 31n), 0n, 2n ** 31n - 1n]);
    const t = entryToTensor({ dtype: "I64", shape: [3], values });
    expect(await t.data()).toEqual(new Int32Array([-(2 ** 31), 0, 2 ** 31 - 1]));
  });

  test("refuse int64 that do not fit", () => {
    const convert = (value: bigint) => () =>
      entryToTensor({ dtype: "I64", shape: [], values: new BigInt64Array([value]) });
    expect(convert(2n ** 31n)).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: I64 values must fit into int32, the type of labels here, got 2147483648]`,
    );
    expect(convert(-(2n ** 31n) - 1n)).toThrow(SafetensorsError);
    expect(convert(2n ** 32n)).toThrow(SafetensorsError);
  });
});

function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Entries of a header that are nearly right. */
function wildInfo(): fc.Arbitrary<unknown> {
  const number = fc.oneof(fc.integer({ min: -2, max: 16 }), fc.double(), fc.constant("4"), fc.constant(null));
  return fc.record(
    {
      dtype: fc.constantFrom("F32", "F64", "I32", "I64", "BF16", "f32", 7),
      shape: fc.oneof(fc.array(number, { maxLength: 3 }), fc.constantFrom([], [1], [2])),
      data_offsets: fc.oneof(fc.array(number, { maxLength: 3 }), fc.constantFrom([0, 4], [0, 8], [4, 12])),
    },
    { requiredKeys: [] },
  );
}

describe("halves become float32", () => {
  const all = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);

  function read(dtype: string): Float32Array {
    const header = JSON.stringify({ x: { dtype, shape: [all.length], data_offsets: [0, all.byteLength] } });
    const { x } = decodeSafetensors(file(header, new Uint8Array(all.buffer))).tensors;
    expect([x.dtype, x.shape]).toEqual(["F32", [all.length]]);
    return x.values as Float32Array;
  }

  /** The number of a sign, `e` bits of exponent and `f` of fraction, read from its digits: 1.0110 x 2^k in base 2. */
  function byDigits(bits: number, e: number, f: number): number {
    const digits = bits.toString(2).padStart(16, "0");
    const [sign, exponent, fraction] = [digits[0], digits.slice(1, 1 + e), digits.slice(1 + e)];
    if (!exponent.includes("0")) {
      if (fraction.includes("1")) return NaN;
      return sign === "1" ? -Infinity : Infinity;
    }
    const isSmall = !exponent.includes("1"); // zero and subnormal: 0.0110 times the least power
    const power = Math.max(1, parseInt(exponent, 2)) - (2 ** (e - 1) - 1);
    const mantissa = parseInt((isSmall ? "0" : "1") + fraction, 2); // an integer: 2^f too large
    const value = mantissa * 2 ** (power - f); // at least 2^-133, so nothing is rounded in float64
    return sign === "1" ? -value : value;
  }

  test.each([
    ["F16", 5, 10],
    ["BF16", 8, 7],
  ] as const)("%s: each of its 65536 patterns, exactly", (dtype, e, f) => {
    const values = read(dtype);
    const wrong = [...all].filter((bits) => !Object.is(values[bits], byDigits(bits, e, f)));
    expect(wrong).toEqual([]);
  });

  test("values that are easily checked", () => {
    const [half, brain] = [read("F16"), read("BF16")];
    expect([half[0x3c00], half[0xc000], half[0x7bff], half[0x0001], half[0x03ff], half[0x0400]]).toEqual([
      1,
      -2,
      65504,
      2 ** -24,
      (1023 / 1024) * 2 ** -14,
      2 ** -14,
    ]);
    expect([half[0x7c00], half[0xfc00], half[0x7c01], half[0x8000]]).toEqual([Infinity, -Infinity, NaN, -0]);
    expect([brain[0x3f80], brain[0xc000], brain[0x0001], brain[0x7f80], brain[0xffff]]).toEqual([
      1,
      -2,
      2 ** -133,
      Infinity,
      NaN,
    ]);
  });

  test("an odd number of bytes is refused", () => {
    const header = JSON.stringify({ x: { dtype: "F16", shape: [1], data_offsets: [0, 3] } });
    expect(() => decodeSafetensors(file(header, new Uint8Array(3)))).toThrow(
      "safetensors: x: F16 [1] must have 2 bytes, got 3 by its data_offsets",
    );
  });
});

describe("a file of torch.save", () => {
  const padded = (...head: number[]): Uint8Array => Uint8Array.from([...head, ...new Array<number>(400).fill(0)]);

  test("is told with how to convert it", () => {
    expect(() => decodeSafetensors(padded(0x50, 0x4b, 3, 4, 0, 0, 8, 8))).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: safetensors: a file must be of this format, got one of torch.save; in Python: safetensors.torch.save_file(model.state_dict(), "x.safetensors")]`,
    );
    const older = padded(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46); // the number that pickles of PyTorch begin with
    expect(() => decodeSafetensors(older)).toThrow("torch.save");
    expect(() => decodeSafetensors(padded(0x80, 9, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46))).not.toThrow("torch.save");
  });

  test("is not taken for a header of a length that begins with the same bytes", () => {
    const header = `{"__metadata__":{"note":"${"x".repeat(0x280 - 28)}"}}`;
    expect(header).toHaveLength(0x280); // 80 02 00 ..
    expect(decodeSafetensors(file(header)).metadata.note).toMatch(/^x+$/);
  });
});

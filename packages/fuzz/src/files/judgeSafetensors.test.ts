import { encodeSafetensors } from "@gridgrad/core";
import fc from "fast-check";
import { expect, test } from "vitest";

import { judgeSafetensors } from "./judgeSafetensors.ts";
import { type Json, parseJson } from "./parseJson.ts";

/** A value of JSON as JavaScript has it. */
function valueOf(json: Json): unknown {
  switch (json.type) {
    case "object":
      return Object.fromEntries(json.members.map(([key, value]) => [key, valueOf(value)]));
    case "array":
      return json.entries.map(valueOf);
    case "string":
      return json.text;
    default:
      return JSON.parse(json.text) as unknown;
  }
}

test("JSON is read as JSON.parse reads it", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, space) => {
      const text = JSON.stringify(value, null, space);
      expect(valueOf(parseJson(text)!)).toEqual(JSON.parse(text));
    }),
  );
});

test("text that JSON.parse refuses is refused, and no other", () => {
  const letter = fc.constantFrom(...'{}[]",:\\u0 1-.eE+tn\n\u0001a'.split(""));
  fc.assert(
    fc.property(fc.array(letter, { maxLength: 8 }), (letters) => {
      const text = letters.join("");
      let refused = false;
      try {
        JSON.parse(text);
      } catch {
        refused = true;
      }
      expect([text, parseJson(text) === null]).toEqual([text, refused]);
    }),
    { numRuns: 2000 },
  );
});

test("JSON keeps equal keys, and how numbers are written", () => {
  expect(parseJson('{"a":1.0,"a":1e0}')).toMatchObject({
    members: [
      ["a", { text: "1.0" }],
      ["a", { text: "1e0" }],
    ],
  });
});

const w = { dtype: "F32", shape: [1], values: new Float32Array([0.5]) } as const;

/** A file with this header, and bytes behind it. */
function fileOf(header: string, bytes: number[] = []): Uint8Array {
  const text = new TextEncoder().encode(header);
  return Uint8Array.from([text.length, 0, 0, 0, 0, 0, 0, 0, ...text, ...bytes]);
}

test("a file that is written here is taken, with what it holds", () => {
  const verdict = judgeSafetensors(encodeSafetensors({ w }, { a: "b" }));
  expect(verdict).toMatchObject({ verdict: "taken" });
  if (verdict.verdict !== "taken") return;
  const { tensors, metadata } = verdict.contents;
  expect([...tensors]).toEqual([["w", { dtype: "F32", shape: [1], bytes: new Uint8Array([0, 0, 0, 0x3f]) }]]);
  expect([...metadata]).toEqual([["a", "b"]]);
});

test("each rule of the format is told apart", () => {
  const entry = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';
  const verdicts = Object.fromEntries(
    Object.entries<Uint8Array>({
      "cut off": encodeSafetensors({ w }).slice(0, -1),
      "too long": Uint8Array.from([...encodeSafetensors({ w }), 0]),
      "a key twice": fileOf(`{"w":${entry},"w":${entry}}`, [0, 0, 0, 0]),
      "a type that is none": fileOf('{"w":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}', [0, 0, 0, 0]),
      "an overlap": fileOf(`{"w":${entry},"v":${entry}}`, [0, 0, 0, 0]),
      "no metadata": fileOf('{"__metadata__":null}'),
      "metadata of numbers": fileOf('{"__metadata__":{"a":1}}'),
      "more in an entry": fileOf('{"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0],"more":1}}'),
      "a size of 1.0": fileOf('{"w":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}', [0, 0, 0, 0]),
      "no UTF-8": fileOf("{}").with(8, 0xff),
      "spaces at the end": fileOf("{}  "),
      "spaces in front": fileOf("  {}"),
    }).map(([name, file]) => {
      const verdict = judgeSafetensors(file);
      return [name, verdict.verdict === "refused" ? `refused: ${verdict.why}` : verdict.verdict];
    }),
  );
  expect(verdicts).toMatchInlineSnapshot(`
    {
      "a key twice": "refused: a key that stands twice",
      "a size of 1.0": "either",
      "a type that is none": "refused: a type that is none",
      "an overlap": "refused: a hole, or an overlap",
      "cut off": "refused: bytes that are not there",
      "metadata of numbers": "refused: metadata that are no strings",
      "more in an entry": "either",
      "no UTF-8": "refused: a header that is no text, or begins with something else",
      "no metadata": "taken",
      "spaces at the end": "taken",
      "spaces in front": "refused: a header that is no text, or begins with something else",
      "too long": "refused: bytes after the last tensor",
    }
  `);
});

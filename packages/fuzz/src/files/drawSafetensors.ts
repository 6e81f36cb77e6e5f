/** @file Draws safetensors files: valid ones, and then changes in the header's structure, in its text and in the bytes. */

import { bytesOf, type Draw, integer, list, once, pick, pickCall } from "../draw.ts";

/** Member of an object, both parts as they stand in the text. */
interface Member {
  key: string;
  value: string;
}

const elementBytes: Readonly<Record<string, number>> = { F32: 4, F64: 8, I32: 4, I64: 8, F16: 2, BF16: 2 };
const names = ["w", "b", "", "layer.0.weight", "__proto__", "constructor", "ü\u2028", "\u001b[2J", "x".repeat(1500)];

/** Values that stand in a place where another type is wanted, or another number. */
const odd = [
  "null", "true", "0", "1", "-1", "1.5", "1.0", "1e0", "-0", "1e400", "9007199254740992", "9007199254740993",
  "18446744073709551616", '""', '"F32"', '"F16"', '"BF16"', '"BOOL"', '"f32"', '"\\ud800"', '"\\u001b[31m"', "[]", "[0]", "[0,4]",
  "[[0,4]]", "[0,0]", "[0,9007199254740992]", '["0","4"]', "[-1]", "{}", '{"__proto__":1}', '{"a":1,"a":1}', "NaN", "",
]; // prettier-ignore

/** A file, changed in some places or in none. */
export function drawSafetensors(draw: Draw): Uint8Array {
  const members: Member[] = [];
  const parts: Uint8Array[] = [];
  let offset = 0;
  if (once(draw, 2)) members.push({ key: "__metadata__", value: drawMetadata(draw) });
  const infos = list(draw, 0, 3, (k) => {
    const dtype = pick(draw, Object.keys(elementBytes));
    const shape = list(draw, 0, 3, () => integer(draw, 0, 3));
    const bytes = shape.reduce((a, b) => a * b, 1) * elementBytes[dtype];
    parts.push(bytesOf(draw, bytes));
    const info: Member[] = [
      { key: "dtype", value: JSON.stringify(dtype) },
      { key: "shape", value: JSON.stringify(shape) },
      { key: "data_offsets", value: `[${offset},${(offset += bytes)}]` },
    ];
    return { key: k === 0 ? pick(draw, names) : `${pick(draw, names)}${k}`, info };
  });

  const changes = integer(draw, 0, 3);
  for (let k = 0; k < changes && infos.length > 0 && once(draw, 2); k++) changeInfo(draw, pick(draw, infos).info);
  for (const { key, info } of infos) members.push({ key, value: textOf(info) });
  for (let k = 0; k < changes && once(draw, 2); k++) changeMembers(draw, members);
  let text = textOf(members);
  for (let k = 0; k < changes && once(draw, 3); k++) text = changeText(draw, text);

  const header = new TextEncoder().encode(text + " ".repeat(integer(draw, 0, 7)));
  const bytes = new Uint8Array(8 + header.length + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  let at = 8 + header.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return once(draw, 3) ? changeBytes(draw, bytes) : bytes;
}

function drawMetadata(draw: Draw): string {
  if (once(draw, 3)) return pick(draw, odd);
  const entries = list(draw, 0, 2, (k) => [`${pick(draw, names)}${k}`, pick(draw, names)]);
  return JSON.stringify(Object.fromEntries(entries));
}

/** What `JSON.stringify` would write, but members may come twice, and in their order. */
function textOf(members: readonly Member[]): string {
  return `{${members.map(({ key, value }) => `${JSON.stringify(key)}:${value}`).join(",")}}`;
}

function changeInfo(draw: Draw, info: Member[]): void {
  const at = integer(draw, 0, Math.max(0, info.length - 1));
  pickCall(draw, [
    () => void (info[at] && (info[at].value = pick(draw, odd))),
    () => void info.splice(at, 1),
    () => void (info[at] && info.push({ ...info[at] })),
    () => void info.push({ key: pick(draw, ["extra", "__proto__", "dtype"]), value: pick(draw, odd) }),
    () => {
      // Numbers a little further on, or back.
      const by = pick(draw, [1, -1, 4, -4]);
      const numbers = info.find(({ key }) => key === pick(draw, ["data_offsets", "shape"]));
      if (numbers) numbers.value = numbers.value.replace(/\d+/g, (n) => (once(draw, 2) ? String(Number(n) + by) : n));
    },
    () => info.reverse(),
  ]);
}

function changeMembers(draw: Draw, members: Member[]): void {
  const at = integer(draw, 0, Math.max(0, members.length - 1));
  pickCall(draw, [
    () => void (members[at] && (members[at].value = pick(draw, odd))),
    () => void members.splice(at, 1),
    () => void (members[at] && members.push({ ...members[at] })),
    () => void members.push({ key: pick(draw, names), value: pick(draw, odd) }),
    () => void members.push({ key: "deep", value: nested(pick(draw, [150, 2000])) }),
    () => void members.push({ key: "__metadata__", value: pick(draw, odd) }),
    () => members.reverse(),
  ]);
}

function nested(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

function changeText(draw: Draw, text: string): string {
  const at = integer(draw, 0, text.length);
  const piece = pick(draw, [
    "",
    " ",
    "\t",
    "\n",
    "\f",
    ",",
    "}",
    "{",
    '"',
    "\\",
    "\u0000",
    "\ufeff",
    "//",
    "0",
    "\ud83d\ude00",
  ]);
  return text.slice(0, at) + piece + text.slice(at + pick(draw, [0, 1, 2]));
}

function changeBytes(draw: Draw, bytes: Uint8Array): Uint8Array {
  const at = integer(draw, 0, bytes.length - 1);
  return pickCall(draw, [
    () => bytes.slice(0, at),
    () => bytes.with(at, bytes[at] ^ (1 << integer(draw, 0, 7))),
    () => bytes.with(at, integer(draw, 0, 255)),
    () => Uint8Array.from([...bytes, ...bytesOf(draw, integer(draw, 1, 8))]),
    () => Uint8Array.from([...bytes.slice(0, at), ...bytesOf(draw, integer(draw, 1, 4)), ...bytes.slice(at)]),
    () => {
      const changed = bytes.slice();
      const view = new DataView(changed.buffer);
      const length = view.getBigUint64(0, true);
      const wanted = pick(draw, [
        length + 1n,
        length - 1n,
        0n,
        2n ** 32n + length,
        2n ** 63n,
        100_000_001n,
        BigInt(bytes.length),
      ]);
      view.setBigUint64(0, BigInt.asUintN(64, wanted), true);
      return changed;
    },
  ]);
}

/** @file Damages one file of a folder, as disks, editors and others do: its JSON, its bytes, or the file as a whole. */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

import { bytesOf, type Draw, integer, once, pick, pickCall } from "../draw.ts";

/** In place of any value of JSON. Some are paths, for whatever makes paths of names. */
const odd: readonly unknown[] = [
  null, 0, -1, 1.5, 1e308, 2 ** 53, "", "0.01", "x", "../../outside/victim", "/", ".", "\u001b[2J", "<b>", "__proto__",
  "y".repeat(2000), true, [], [null], {}, { toString: 1 }, { a: { b: [1] } },
]; // prettier-ignore

/** In place of a whole file. */
const oddTexts = [
  "",
  "{",
  "null",
  "[]",
  "{}",
  "7",
  '"x"',
  "\ufeff{}",
  "{}\n{",
  '{"__proto__":{"polluted":1}}',
  "\u0000",
];

/** Damages the file, which need not be there. Returns what was done, in words. */
export function damage(draw: Draw, path: string): string {
  const text = readText(path);
  const json = text !== null && /\.jsonl?$/.test(path);
  if (json && !once(draw, 4)) {
    const changed = path.endsWith(".jsonl") ? changeLines(draw, text) : changeJson(draw, text);
    if (changed !== null) {
      writeFileSync(path, changed);
      return `holds ${changed}`;
    }
  }
  return pickCall(draw, [
    () => {
      const other = pick(draw, oddTexts);
      writeFileSync(path, other);
      return `holds ${JSON.stringify(other)}`;
    },
    () => {
      rmSync(path, { force: true });
      return "is not there";
    },
    () => {
      rmSync(path, { force: true });
      mkdirSync(path);
      return "is a folder";
    },
    () => changeFile(draw, path),
  ]);
}

/** A JSON text with one value changed, left out or added; `null` if it is no JSON. */
function changeJson(draw: Draw, text: string): string | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const places: { holder: Record<string, unknown>; key: string }[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const key of Object.keys(value)) {
      places.push({ holder: value as Record<string, unknown>, key });
      visit((value as Record<string, unknown>)[key]);
    }
  };
  visit(json);
  if (places.length === 0) return null;
  const { holder, key } = pick(draw, places);
  pickCall<unknown>(draw, [
    () => (holder[key] = pick(draw, odd)),
    () => (holder[key] = pick(draw, odd)),
    () => (Array.isArray(holder) ? holder.splice(Number(key), 1) : delete holder[key]),
    () => (Array.isArray(holder) ? holder.push(holder[Number(key)]) : (holder["more"] = pick(draw, odd))),
  ]);
  return `${JSON.stringify(json, null, 2)}\n`;
}

function changeLines(draw: Draw, text: string): string | null {
  const lines = text.split("\n").slice(0, -1);
  if (lines.length === 0) return null;
  const at = integer(draw, 0, lines.length - 1);
  pickCall<unknown>(draw, [
    () => (lines[at] = changeJson(draw, lines[at])?.replaceAll(/\n\s*/g, "") ?? ""),
    () => (lines[at] = pick(draw, oddTexts)),
    () => lines.splice(at, 1),
    () => lines.splice(at, 0, lines[at]),
  ]);
  return `${lines.join("\n")}\n`;
}

function changeFile(draw: Draw, path: string): string {
  const text = readText(path);
  if (text === null) return "is not there";
  const bytes = readFileSync(path);
  const at = integer(draw, 0, Math.max(0, bytes.length - 1));
  const near = integer(draw, 0, Math.max(0, Math.min(bytes.length, 400) - 1)); // where headers are
  return pickCall(draw, [
    () => {
      writeFileSync(path, bytes.subarray(0, near));
      return `has only its first ${near} bytes`;
    },
    () => {
      writeFileSync(path, bytes.subarray(0, at));
      return `has only its first ${at} bytes`;
    },
    () => {
      const value = integer(draw, 0, 255);
      if (bytes.length > 0) writeFileSync(path, bytes.with(near, value));
      return `has ${value} for its byte ${near}`;
    },
    () => {
      const more = bytesOf(draw, integer(draw, 1, 8));
      writeFileSync(path, Buffer.concat([bytes, more]));
      return `has ${more.length} bytes more`;
    },
  ]);
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null; // it is not there, or is a folder by now
  }
}

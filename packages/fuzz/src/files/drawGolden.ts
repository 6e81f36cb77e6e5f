/** @file Draws golden cases: those of goldens/ with something changed, in their numbers, their descriptions or the manifest. */

import { createHash } from "node:crypto";

import { decodeSafetensors, encodeSafetensors, type SafetensorsEntry } from "@gridgrad/core";

import { bytesOf, type Draw, integer, once, pick, pickCall } from "../draw.ts";

/** A case as its file has it. */
export interface GoldenFile {
  readonly tensors: Record<string, SafetensorsEntry>;
  readonly metadata: Record<string, string>;
}

/** A folder with one case. */
export interface GoldenFolder {
  readonly file: GoldenFile;
  readonly bytes: Uint8Array;
  readonly manifest: string;
  /** What was changed, in words. */
  readonly changes: readonly string[];
  /** Whether the manifest still says of the file what holds for it. */
  readonly fits: boolean;
}

/** In place of a number, a name or an object. */
const odd: readonly unknown[] = [
  null, undefined, "x", "", "0.1", -1, NaN, 1e9, 0, true, [], [1], {}, { atol: 1 }, { atol: "0.1", rtol: 0 }, { atol: -1, rtol: -1 },
]; // prettier-ignore

const oddTexts = ["", "null", "[]", "{}", '"x"', "{", "7", '{"out":null}', '{"__proto__":{"atol":1,"rtol":1}}'];
const roles: readonly unknown[] = ["input", "output", "grad", "cotangent", "outptu", "", null, "toString"];
const names = ["out", "y", "grad.x", "x", "__proto__", "constructor", "grad.", "cot"];

/** Draws a folder from the bytes of a case. */
export function drawGolden(draw: Draw, original: Uint8Array): GoldenFolder {
  const file = decodeSafetensors(original);
  const golden: GoldenFile = { tensors: { ...file.tensors }, metadata: { ...file.metadata } };
  const changes: string[] = [];
  const count = once(draw, 12) ? 0 : integer(draw, 1, 3);
  for (let k = 0; k < count; k++) {
    if (Object.keys(golden.tensors).length === 0) break; // there is nothing left to change
    const change = pick(draw, [changeValues, changeTolerance, changeRoles, changeText, changeAttrs, changeTensors]);
    changes.push(change(draw, golden));
  }
  const bytes = encodeSafetensors(golden.tensors, golden.metadata);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const { op } = golden.metadata;
  const entry: Record<string, unknown> = { file: "case.safetensors", op, bytes: bytes.length, sha256 };
  const all: Record<string, unknown> = { format: "golden-manifest-1", cases: 1, files: [entry] };
  let manifest = JSON.stringify(all);
  const fits = !once(draw, 4);
  if (!fits) {
    pickCall<unknown>(draw, [
      () => (entry.bytes = pick(draw, [bytes.length + 1, -1, null, "x"])),
      () => (entry.sha256 = pick(draw, [sha256.slice(1), "", null, {}])),
      () =>
        (entry.file = pick(draw, ["", ".", "..", "other.safetensors", "../../MANIFEST.json", null, 7, "case\u0000"])),
      () => (entry.op = pick(draw, ["", "__proto__", "toString", "nothing", null])),
      () => (all.cases = pick(draw, [0, 2, "1", null])),
      () => (all.format = pick(draw, ["golden-manifest-2", null, 1])),
      () => (all.files = pick<unknown>(draw, [null, {}, [], [null], [entry, entry], "case.safetensors"])),
    ]);
    manifest = once(draw, 4) ? manifest.slice(0, integer(draw, 0, manifest.length - 1)) : JSON.stringify(all);
    changes.push(`the manifest is ${manifest}`);
  }
  return { file: golden, bytes, manifest, changes, fits };
}

type Change = (draw: Draw, golden: GoldenFile) => string;

const changeValues: Change = (draw, { tensors }) => {
  const name = pick(draw, Object.keys(tensors).toReversed()); // outputs and gradients stand at the end
  const { dtype, shape, values } = tensors[name];
  if (values.length === 0 || values instanceof BigInt64Array) return `nothing in ${name}`;
  const at = integer(draw, 0, values.length - 1);
  const value = pick(draw, [values[at] + 123, NaN, Infinity, -values[at] - 1]);
  tensors[name] = { dtype, shape, values: values.with(at, value) };
  return `${name}[${at}] is ${value}, not ${values[at]}`;
};

const changeTolerance: Change = (draw, { tensors, metadata }) => {
  const tolerance = objectOf(metadata.tolerance);
  const name = pick(draw, [...Object.keys(tolerance), ...Object.keys(tensors)]);
  const limits = objectOf(JSON.stringify(tolerance[name] ?? {}));
  const field = pick(draw, ["atol", "rtol"]);
  pickCall<unknown>(draw, [
    () => (tolerance[name] = { ...limits, [field]: pick(draw, odd) }),
    () => (tolerance[name] = pick(draw, odd)),
    () => delete tolerance[name],
  ]);
  metadata.tolerance = JSON.stringify(tolerance);
  return `the tolerance is ${metadata.tolerance}`;
};

const changeRoles: Change = (draw, { tensors, metadata }) => {
  const wanted = objectOf(metadata.roles);
  const name = pick(draw, Object.keys(tensors).toReversed());
  if (once(draw, 4)) delete wanted[name];
  else wanted[name] = pick(draw, roles);
  metadata.roles = JSON.stringify(wanted);
  return `the roles are ${metadata.roles}`;
};

const changeText: Change = (draw, { metadata }) => {
  const key = pick(draw, ["tolerance", "roles", "attrs", "op", "format", "truth"]);
  if (once(draw, 4)) {
    delete metadata[key];
    return `no ${key}`;
  }
  metadata[key] = once(draw, 3) ? Buffer.from(bytesOf(draw, 3)).toString("latin1") : pick(draw, oddTexts);
  return `${key} is ${JSON.stringify(metadata[key])}`;
};

const changeAttrs: Change = (draw, { metadata }) => {
  const attrs = objectOf(metadata.attrs);
  const key = pick(draw, [...Object.keys(attrs), "more"]);
  if (once(draw, 4)) delete attrs[key];
  else attrs[key] = pick(draw, [...odd, 2 ** 53, 3, "border"]);
  metadata.attrs = JSON.stringify(attrs);
  return `the attributes are ${metadata.attrs}`;
};

const changeTensors: Change = (draw, { tensors }) => {
  const name = pick(draw, Object.keys(tensors).toReversed());
  const entry = tensors[name];
  return pickCall(draw, [
    () => {
      delete tensors[name];
      return `no ${name}`;
    },
    () => {
      const other = pick(draw, names);
      delete tensors[name];
      Object.defineProperty(tensors, other, { value: entry, enumerable: true, configurable: true, writable: true });
      return `${name} is called ${other}`;
    },
    () => {
      tensors[name] = { ...entry, shape: [1, ...entry.shape] };
      return `${name} has the shape [${tensors[name].shape.join(", ")}]`;
    },
    () => {
      tensors[name] = { ...entry, shape: [entry.values.length] };
      return `${name} has the shape [${entry.values.length}]`;
    },
  ]);
};

/** The object that a text holds; an empty one if it holds none. */
function objectOf(text: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

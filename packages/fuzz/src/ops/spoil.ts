/** @file Spoils a legal call: another number, name, length, shape or element type in one place or two. */

import { size } from "@gridgrad/core";

import { type Draw, integer, once, pick } from "../draw.ts";
import type { Input, OpCase } from "./opCase.ts";

/** In place of a number. The large ones are too large for any array, so that nothing of that size is ever begun. */
const numbers = [NaN, Infinity, -Infinity, -1, 0, -0, 0.5, 1.5, 2, 7, 2 ** 53, 1e39, -(2 ** 31)];

/** In place of a name. */
const names = ["", "Nearest", "toString", "__proto__", "mean "];

/** A call that may be illegal. */
export function spoil(draw: Draw, opCase: OpCase): OpCase {
  let spoilt = opCase;
  const times = once(draw, 4) ? 2 : 1;
  for (let k = 0; k < times; k++) {
    const places = placesIn(opCase.args);
    const inArgs = places.length > 0 && (opCase.inputs.length === 0 || once(draw, 2));
    if (inArgs) {
      const { path, value } = pick(draw, places);
      spoilt = { ...spoilt, args: replaced(spoilt.args, path, spoiltValue(draw, value)) as object };
    } else if (opCase.inputs.length > 0) {
      const at = integer(draw, 0, opCase.inputs.length - 1);
      const inputs = spoilt.inputs.map((input, i) => (i === at ? spoiltInput(draw, input) : input));
      spoilt = { ...spoilt, inputs };
    }
  }
  return spoilt;
}

interface Place {
  readonly path: readonly (string | number)[];
  readonly value: unknown;
}

/** Every number, string and array of the arguments. */
function placesIn(value: unknown, path: readonly (string | number)[] = []): Place[] {
  if (typeof value === "number" || typeof value === "string") return [{ path, value }];
  if (Array.isArray(value)) {
    return [
      ...(path.length > 0 ? [{ path, value }] : []),
      ...value.flatMap((entry, i) => placesIn(entry, [...path, i])),
    ];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, entry]) => placesIn(entry, [...path, key]));
}

function spoiltValue(draw: Draw, value: unknown): unknown {
  if (typeof value === "number") return pick(draw, numbers);
  if (typeof value === "string") return pick(draw, names);
  const array = value as readonly unknown[];
  return pick(draw, [array.slice(0, -1), [...array, ...array.slice(-1)], [], [...array, ...array]]);
}

/** `value` with another one at the end of a path. An earlier change may have taken the path away; then nothing is replaced. */
function replaced(value: unknown, [key, ...path]: readonly (string | number)[], by: unknown): unknown {
  if (key === undefined) return by;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((entry, i) => (i === key ? replaced(entry, path, by) : entry));
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [name, name === key ? replaced(entry, path, by) : entry]),
  );
}

function spoiltInput(draw: Draw, input: Input): Input {
  const { shape, dtype } = input;
  if (once(draw, 4)) return { ...input, dtype: dtype === "float" ? "int32" : "float" };
  const axis = shape.length === 0 ? 0 : integer(draw, 0, shape.length - 1);
  const wanted = pick(draw, [
    shape.slice(0, -1),
    shape.slice(1),
    [...shape, 1],
    [1, ...shape],
    shape.map((dim, k) => (k === axis ? dim + 1 : dim)),
    shape.map((dim, k) => (k === axis ? 0 : dim)),
    shape.map((dim, k) => (k === axis ? 1 : dim)),
    [...shape].reverse(),
  ]);
  const values = Array.from(
    { length: size(wanted) },
    (_, i) => input.values[i % Math.max(1, input.values.length)] ?? 0,
  );
  return { shape: wanted, dtype, values };
}

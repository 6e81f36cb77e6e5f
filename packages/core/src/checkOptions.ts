/**
 * @file Options: what a function with an object of options begins with. A name that it does not know is refused, as it would be
 * ignored in silence, and arguments by position, as PyTorch has them, are answered with the call that is meant.
 */

import { showValue, ValueError } from "./errors.ts";
import { formatShape } from "./shape.ts";
import { suggest } from "./suggest.ts";

/**
 * The names of the options `O`, all of them, or it does not compile: first, in PyTorch's order and with a 1, those that PyTorch takes
 * by position, then the others with a 0.
 */
export type OptionNames<O extends object> = { readonly [Name in keyof O]-?: 0 | 1 };

/**
 * The options, checked: `{}` for `undefined`. An option that is `undefined` counts as absent.
 *
 * @param call - the function with the arguments before its options, such as `conv2d(x, weight, bias)`. A class begins with a capital.
 * @param names - what it takes.
 * @param options - what it was given.
 * @param given - all its arguments, as JavaScript has them: for the call in the message.
 * @throws {ValueError} when `options` is no plain object, or has a name that is not among `names`.
 *
 * @example
 * ```ts
 * const names = { stride: 1, padding: 1 } as const;
 * checkOptions("pool(x)", names, { stride: 2 }).stride; // 2
 * ```
 */
export function checkOptions<O extends object>(
  call: string,
  names: OptionNames<NoInfer<O>>,
  options: O | undefined,
  given: ArrayLike<unknown> = [],
): O {
  if (options === undefined) return {} as O;
  if (!isPlain(options)) throw byPosition(call, names, options, [...Array.from(given)]);
  for (const name in options) {
    if (!Object.hasOwn(names, name) && options[name] !== undefined) throw unknown(call, name, Object.keys(names));
  }
  return options;
}

/** Whether it is what `{ .. }` makes, here or in another realm, and not an array or of a class. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function nameOf(call: string): string {
  return call.slice(0, call.indexOf("("));
}

function unknown(call: string, name: string, known: readonly string[]): ValueError {
  const near = suggest(name, known);
  const meant = near ? `did you mean ${near}? It takes` : "it takes";
  return new ValueError(nameOf(call), `unknown option ${JSON.stringify(name)}; ${meant} ${known.join(", ")}`);
}

function byPosition(call: string, names: object, options: unknown, given: readonly unknown[]): ValueError {
  const name = nameOf(call);
  const before = call
    .slice(name.length + 1, -1)
    .split(", ")
    .filter(Boolean);
  const values = given.length > before.length ? given.slice(before.length) : [options];
  const positions = Object.entries(names).flatMap(([option, byPosition]) => (byPosition ? [option] : []));
  const meant = values.flatMap((value, i) =>
    isPlain(value) ? Object.entries(value).map(pair) : value === null ? [] : [pair([positions[i], value])],
  );
  const fits = values.length <= positions.length && meant.length > 0 && values.every(isArgument);
  const object = `{ ${(fits ? meant : Object.keys(names)).join(", ")} }`;
  const rest = [...before.map((argument, i) => showLiteral(given[i]) ?? argument), object].join(", ");
  const made = /^[A-Z]\w*$/.test(name) ? "new " : "";
  const got = `${values.map(showValue).join(" and ")}; write ${made}${name}(${rest})`;
  return new ValueError(name, "options must stand in one object", got);
}

/** `stride: 1`, or the name alone of what cannot be written down in a few letters. */
function pair([option, value]: [option: string, value: unknown]): string {
  const literal = showLiteral(value);
  return literal === null ? option : `${option}: ${literal}`;
}

/** What may be meant by position: no function, and no object but an array, options after all, or what has a shape as tensors have. */
function isArgument(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Array.isArray(value) || isPlain(value) || "shape" in value;
  return value !== undefined && typeof value !== "function";
}

/** A number, a text, a truth or a short list of numbers as it stands in a program; `null` for anything else. */
function showLiteral(value: unknown): string | null {
  if (["number", "boolean", "string"].includes(typeof value)) return showValue(value);
  const isList = Array.isArray(value) && value.every((entry) => typeof entry === "number");
  const longest = 24; // characters: a shape, not the values of a tensor
  const text = isList ? formatShape(value) : "";
  return isList && text.length <= longest ? text : null;
}

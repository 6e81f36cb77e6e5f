/**
 * @file The errors of the framework. Each says which op complains, what must hold and what it was
 * given, and is thrown where the op is called, not where the graph runs.
 *
 * A message that starts with `internal:` is a bug of ours, never of the caller.
 */

import { formatShape, type Shape } from "./shape.ts";

/** Shapes that do not fit an op: `<op>: <what must hold>, got <argument> of shape [..]`. */
export class ShapeError extends Error {
  override name = "ShapeError";
  constructor(op: string, mustHold: string, got: Readonly<Record<string, Shape>>) {
    const shapes = Object.entries(got).map(([argument, shape]) => `${argument} of shape ${formatShape(shape)}`);
    super(`${op}: ${mustHold}, got ${shapes.join(" and ")}`);
  }
}

/** Element types that do not fit an op. */
export class DTypeError extends Error {
  override name = "DTypeError";
  constructor(op: string, mustHold: string, got: string) {
    super(`${op}: ${mustHold}, got ${got}`);
  }
}

/** An argument other than a tensor that is out of its range: an axis, a scale, an option, a label. Without `got` the rule says it all. */
export class ValueError extends Error {
  override name = "ValueError";
  constructor(op: string, mustHold: string, got?: string) {
    super(`${op}: ${mustHold}${got === undefined ? "" : `, got ${got}`}`);
  }
}

/** A graph that cannot run: a value is gone, a path to a gradient is missing, a device lacks something. */
export class GraphError extends Error {
  override name = "GraphError";
}

/** Memory that cannot be had: what needs it, how much that is, and what would do with less. */
export class OutOfMemoryError extends GraphError {
  override name = "OutOfMemoryError";
}

/**
 * Text from a file or from another machine as it stands in a message: one line, in which a terminal finds no commands. Control characters
 * become escapes, and what is too long is cut.
 */
export function showText(text: string, longest = Infinity): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}...` : text;
  return cut.replace(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A wrong argument as it stands in a message: short, and never a dump. */
export function showValue(value: unknown): string {
  if (typeof value === "object" && value !== null) {
    return Array.isArray(value)
      ? `an array of length ${value.length}`
      : `an object (${value.constructor?.name ?? "no class"})`;
  }
  if (typeof value === "function") return value.name === "" ? "a function" : `a function (${value.name})`;
  if (typeof value === "bigint") return `${value}n`;
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

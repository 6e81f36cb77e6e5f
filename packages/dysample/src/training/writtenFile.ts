/**
 * @file JSON that a run or a comparison has written and reads again. Disks fail, and people edit: every value is checked before it is used,
 * and what is wrong is told by file and field.
 */

import { showJson, showText } from "@gridgrad/core";
import { readWhole } from "@gridgrad/nn/node";

/** A file that is not as it was written. The message says which field is wrong, and what to do. */
export class WrittenFileError extends Error {
  override name = "WrittenFileError";
}

/** Of a field, in characters, as it stands in a message. */
const longestName = 100;

/** Returns the value as what it must be; throws a {@link FieldError} that begins with the field's name. */
export type Check<T> = (value: unknown, field: string) => T;

class FieldError extends Error {
  constructor(field: string, rule: string, got: unknown) {
    super(`${field || "all of it"} must be ${rule}, got ${got === undefined ? "none" : showJson(got)}`);
  }
}

/** A finite number. */
export const number: Check<number> = (value, field) => {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new FieldError(field, "a number", value);
};

/** A number, or NaN: `JSON.stringify` writes `null` for it. */
export const numberOrNaN: Check<number> = (value, field) => (value === null ? NaN : number(value, field));

/** An integer of at least 0. */
export const count: Check<number> = (value, field) => {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new FieldError(field, "an integer of at least 0", value);
};

export const text: Check<string> = (value, field) => {
  if (typeof value === "string") return value;
  throw new FieldError(field, "a text", value);
};

/** Exactly this value. */
export function same<T extends string | number>(expected: T): Check<T> {
  return (value, field) => {
    if (value === expected) return expected;
    throw new FieldError(field, JSON.stringify(expected), value);
  };
}

/** An object with these fields. Others that it has are not looked at. */
export function record<T extends Record<string, unknown>>(fields: { readonly [K in keyof T]: Check<T[K]> }): Check<T> {
  return (value, field) => {
    const object = anyRecord(value, field);
    const entries = Object.entries(fields) as [string, Check<unknown>][];
    const own = (key: string): unknown => (Object.hasOwn(object, key) ? object[key] : undefined);
    return Object.fromEntries(entries.map(([key, check]) => [key, check(own(key), join(field, key))])) as T;
  };
}

/** An object whose fields, whatever their names, are all of one kind. */
export function dictionary<T>(check: Check<T>): Check<Readonly<Record<string, T>>> {
  return (value, field) =>
    Object.fromEntries(
      Object.entries(anyRecord(value, field)).map(([key, entry]) => [key, check(entry, join(field, key))]),
    );
}

export function list<T>(check: Check<T>): Check<readonly T[]> {
  return (value, field) => {
    if (!Array.isArray(value)) throw new FieldError(field, "a list", value);
    return value.map((entry, i) => check(entry, join(field, String(i))));
  };
}

/** Whatever one of two checks lets through; the second one's error if none does. */
export function either<A, B>(first: Check<A>, second: Check<B>): Check<A | B> {
  return (value, field) => {
    try {
      return first(value, field);
    } catch {
      return second(value, field);
    }
  };
}

/** What the check lets through, or nothing at all. */
export function optional<T>(check: Check<T>): Check<T | undefined> {
  return (value, field) => (value === undefined ? undefined : check(value, field));
}

/**
 * The file's JSON, checked.
 *
 * @param remedy What repairs it, for the end of the message.
 * @param rule What the file must do, for the message.
 * @throws {WrittenFileError} when the file is damaged.
 * @throws {FileError} when it cannot be read.
 */
export async function readWritten<T>(path: string, check: Check<T>, remedy: string, rule?: string): Promise<T> {
  return checkText((await readWhole(path)).toString(), path, check, remedy, rule);
}

/** As {@link readWritten}, of a text that was found at a place. */
export function checkText<T>(
  text: string,
  place: string,
  check: Check<T>,
  remedy: string,
  rule = "be as it was written",
): T {
  try {
    return check(JSON.parse(text), "");
  } catch (error) {
    if (!(error instanceof FieldError || error instanceof SyntaxError)) throw error;
    const problem = error instanceof SyntaxError ? "it is no JSON" : error.message;
    throw new WrittenFileError(`${place} must ${rule}, but ${problem}; ${remedy}`, { cause: error });
  }
}

/** An object, whatever its fields are. */
export const anyRecord: Check<Record<string, unknown>> = (value, field) => {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new FieldError(field, "an object", value);
};

function join(field: string, key: string): string {
  const name = showText(key, longestName);
  return field === "" ? name : `${field}.${name}`;
}

/** @file How a refusal has to be told: in one line that a terminal can show, and not at any length. */

import { Wrong } from "./kind.ts";

/** Longer messages have taken over what a file holds. */
const longest = 1000;

/** Control characters, of which a terminal makes commands. A name that has some is to be shown with escapes. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const controls = /[\u0000-\u001f\u007f-\u009f]/;

/**
 * Checks the message of an error that a user reads.
 *
 * @param what - whose message it is: the beginning of the fault.
 * @param input - the case, for people.
 * @throws {Wrong} unless it is one short line.
 */
export function checkRefusal(what: string, message: string, input: string): void {
  const fault =
    message.trim() === ""
      ? "says nothing"
      : message.includes("\n")
        ? "has several lines"
        : controls.test(message)
          ? "has control characters"
          : message.length > longest
            ? `has more than ${longest} characters`
            : null;
  if (fault !== null) throw new Wrong(`${what} ${fault}`, JSON.stringify(message).slice(0, 2 * longest), input);
}

/** @throws {Wrong} when every object has become one with more properties. */
export function checkPrototypes(what: string, input: string): void {
  for (const key in {}) {
    delete (Object.prototype as Record<string, unknown>)[key];
    throw new Wrong(`${what} adds to the prototype of all objects`, `property ${JSON.stringify(key)}`, input);
  }
}

/**
 * @file Objects that show themselves: `console.log`, a REPL, a template string and a counterexample of fast-check all have the text of
 * `toString`. A console without a hook for it, such as a browser's, lists the fields; `${x}` has the text there.
 */

/** The method by which Node's console and REPL show an object, and those of Deno and Bun. By name: it costs no import. */
const inspect: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** A class whose objects are shown by `toString`. It computes nothing, waits for nothing and changes nothing. */
export abstract class Shown {
  abstract toString(): string;

  [inspect](): string {
    try {
      return this.toString();
    } catch {
      return `[${this.constructor.name}]`; // made without its constructor, which is what Object.create and a debugger do
    }
  }
}

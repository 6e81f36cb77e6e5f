/**
 * @file JSON as it stands in a text, with what `JSON.parse` does not tell: keys that come twice, and how numbers are written.
 *
 * Source: RFC 8259. It shares no code with what it judges.
 */

/** An object keeps its members in their order, equal keys included; a number keeps its text. */
export type Json =
  | { readonly type: "object"; readonly members: readonly (readonly [key: string, value: Json])[] }
  | { readonly type: "array"; readonly entries: readonly Json[] }
  | { readonly type: "string"; readonly text: string }
  | { readonly type: "number"; readonly text: string }
  | { readonly type: "literal"; readonly text: "true" | "false" | "null" };

/** The value that is the whole text, spaces around it aside; `null` if the text is no JSON. */
export function parseJson(text: string): Json | null {
  const reader = new Reader(text);
  try {
    const value = reader.value();
    return reader.atEnd() ? value : null;
  } catch (error) {
    if (error === notJson) return null;
    throw error;
  }
}

const notJson = new Error("no JSON");

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  atEnd(): boolean {
    this.#skip();
    return this.#at === this.#text.length;
  }

  value(): Json {
    this.#skip();
    switch (this.#text[this.#at]) {
      case "{":
        return { type: "object", members: this.#list("{", "}", () => this.#member()) };
      case "[":
        return { type: "array", entries: this.#list("[", "]", () => this.value()) };
      case '"':
        return { type: "string", text: this.#string() };
      default:
        return this.#word();
    }
  }

  #member(): [string, Json] {
    this.#skip();
    const key = this.#string();
    this.#skip();
    this.#expect(":");
    return [key, this.value()];
  }

  #list<T>(open: string, close: string, one: () => T): T[] {
    this.#expect(open);
    const all: T[] = [];
    this.#skip();
    if (this.#text[this.#at] === close) {
      this.#at++;
      return all;
    }
    for (;;) {
      all.push(one());
      this.#skip();
      if (this.#text[this.#at] === close) break;
      this.#expect(",");
    }
    this.#at++;
    return all;
  }

  #string(): string {
    // eslint-disable-next-line no-control-regex -- JSON forbids them in a string
    const found = this.#match(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y);
    const escapes: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
    return found
      .slice(1, -1)
      .replace(/\\(u([0-9a-fA-F]{4})|.)/g, (_, escaped: string, code?: string) =>
        code === undefined ? (escapes[escaped] ?? escaped) : String.fromCharCode(parseInt(code, 16)),
      );
  }

  #word(): Json {
    const found = this.#match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y);
    if (found === "true" || found === "false" || found === "null") return { type: "literal", text: found };
    return { type: "number", text: found };
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (!found) throw notJson;
    this.#at += found[0].length;
    return found[0];
  }

  #expect(letter: string): void {
    if (this.#text[this.#at] !== letter) throw notJson;
    this.#at++;
  }

  #skip(): void {
    while (" \t\n\r".includes(this.#text[this.#at] ?? "x")) this.#at++;
  }
}

/** @file A terminal in memory, for tests: what a command has drawn, as a person sees it. */

import { Writable } from "node:stream";

import xterm from "@xterm/headless";

/** A stream with a terminal at its end. */
export class Screen extends Writable {
  readonly isTTY = true;
  readonly #terminal: xterm.Terminal;

  constructor(columns: number, rows = 24) {
    super();
    // As the terminal driver of the system does, it begins a line at the left.
    this.#terminal = new xterm.Terminal({ cols: columns, rows, convertEol: true, allowProposedApi: true });
  }

  get columns(): number {
    return this.#terminal.cols;
  }

  get rows(): number {
    return this.#terminal.rows;
  }

  override _write(chunk: Buffer, _encoding: string, written: () => void): void {
    this.#terminal.write(chunk, written);
  }

  resize(columns: number): void {
    this.#terminal.resize(columns, this.rows);
  }

  /** The colours of the letters of a row, as a terminal numbers them: 1 red, 2 green, -1 its own. */
  async coloursOf(row: number): Promise<number[]> {
    const text = (await this.text())[row];
    const line = this.#terminal.buffer.active.getLine(row)!;
    return Array.from(text, (_, column) => line.getCell(column)!.getFgColor());
  }

  /** What stands on it, scrolled lines included, row by row. A line that has not fitted into one row is several. */
  async text(): Promise<string[]> {
    await new Promise((shown) => this.write("", shown));
    const { active } = this.#terminal.buffer;
    const rows = Array.from({ length: active.length }, (_, i) => active.getLine(i)!.translateToString(true));
    while (rows.at(-1) === "") rows.pop();
    return rows;
  }
}

/** @file Text in columns: the first one starts at the left, numbers end at the right. */

import { stripVTControlCharacters } from "node:util";

import { type Paint, plain } from "./colours.ts";

/** One line per row, below the header, which is bold where there are colours. Cells may be painted. */
export function table(header: readonly string[], rows: readonly (readonly string[])[], paint: Paint = plain): string {
  const sizeOf = (cell: string): number => stripVTControlCharacters(cell).length;
  const widths = header.map((title, c) => Math.max(title.length, ...rows.map((row) => sizeOf(row[c]))));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, c) => {
        const space = " ".repeat(widths[c] - sizeOf(cell));
        return c === 0 ? cell + space : space + cell;
      })
      .join("  ")
      .trimEnd();
  return [header.map((title) => paint("bold", title)), ...rows].map(line).join("\n");
}

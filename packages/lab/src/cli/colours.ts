/** @file Colours of what is printed: on a terminal, and where the user asks for them. Files, pipes and JSON have none. */

import { styleText } from "node:util";

export type Colour = "green" | "red" | "bold";

/** The text in a colour, or as it is. */
export type Paint = (colour: Colour, text: string) => string;

export const plain: Paint = (_colour, text) => text;

const coloured: Paint = (colour, text) => (text === "" ? "" : styleText(colour, text, { validateStream: false }));

/**
 * How to paint what goes to a stream: `NO_COLOR` takes all colours away (no-color.org), `FORCE_COLOR` gives them to files and pipes, too, or
 * takes them away with 0.
 */
export function paintFor(
  isTerminal: boolean,
  { NO_COLOR, FORCE_COLOR, TERM }: Readonly<Record<string, string | undefined>> = process.env,
): Paint {
  if ((NO_COLOR ?? "") !== "" || FORCE_COLOR === "0" || FORCE_COLOR === "false") return plain;
  if (FORCE_COLOR !== undefined) return coloured;
  return isTerminal && TERM !== "dumb" ? coloured : plain;
}

import { expect, test } from "vitest";

import type { Paint } from "./colours.ts";
import { table } from "./table.ts";

test("the first column starts at the left, the others end at the right", () => {
  const rows = [
    ["sum", "10", "0.5"],
    ["gridSample", "2", ""],
  ];
  expect(table(["op", "kernels", "ms"], rows)).toBe(
    ["op          kernels   ms", "sum              10  0.5", "gridSample        2"].join("\n"),
  );
});

test("colours take no room, and the header is bold", () => {
  const paint: Paint = (_colour, text) => (text === "" ? "" : `\x1b[1m${text}\x1b[22m`);
  const rows = [
    ["add", "\x1b[32mok\x1b[39m"],
    ["mul", "\x1b[31mFAILED\x1b[39m"],
  ];
  expect(table(["op", ""], rows, paint)).toBe(
    "\x1b[1mop\x1b[22m\nadd      \x1b[32mok\x1b[39m\nmul  \x1b[31mFAILED\x1b[39m",
  );
});

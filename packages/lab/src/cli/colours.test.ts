import { expect, test } from "vitest";

import { paintFor, plain } from "./colours.ts";

const red = "\x1b[31mno\x1b[39m";

test("a terminal has colours, and nothing else", () => {
  expect(paintFor(true, {})("red", "no")).toBe(red);
  expect(paintFor(true, {})("red", "")).toBe("");
  expect(paintFor(false, {})("red", "no")).toBe("no");
  expect(paintFor(true, { TERM: "dumb" })).toBe(plain);
});

test("NO_COLOR takes them away, and FORCE_COLOR gives them to files", () => {
  expect(paintFor(true, { NO_COLOR: "1" })).toBe(plain);
  expect(paintFor(true, { NO_COLOR: "" })("red", "no")).toBe(red);
  expect(paintFor(false, { FORCE_COLOR: "1" })("red", "no")).toBe(red);
  expect(paintFor(true, { FORCE_COLOR: "0" })).toBe(plain);
  expect(paintFor(true, { FORCE_COLOR: "false" })).toBe(plain);
  expect(paintFor(true, { FORCE_COLOR: "1", NO_COLOR: "1" })).toBe(plain);
});

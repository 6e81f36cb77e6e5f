import { expect, test } from "vitest";

import { Screen } from "../testing/screen.ts";
import { StatusLines } from "./statusLines.ts";

test("text stands above the lines, whole", async () => {
  const screen = new Screen(20);
  const status = new StatusLines(screen);
  const print = (text: string): void => status.above(() => screen.write(`${text}\n`));
  print("before");
  status.show(() => ["one", "two"]);
  print("a line that is longer than 20 columns");
  print("short");
  expect(await screen.text()).toEqual(["before", "a line that is longe", "r than 20 columns", "short", "one", "two"]);
  status.clear();
  print("after");
  expect(await screen.text()).toEqual(["before", "a line that is longe", "r than 20 columns", "short", "after"]);
});

test("lines that are kept are text, and what comes then stands below them", async () => {
  const screen = new Screen(20);
  const status = new StatusLines(screen);
  status.show(() => ["step 1/2"]);
  status.show(() => ["step 2/2"]); // so soon after the first that it is not drawn at once
  status.keep();
  status.keep();
  status.above(() => screen.write("result\n"));
  status.show(() => ["next"]);
  expect(await screen.text()).toEqual(["step 2/2", "result", "next"]);
});

test("lines are cut off at the width, so that none takes two rows", async () => {
  const screen = new Screen(10);
  const status = new StatusLines(screen);
  for (const i of [1, 2, 3]) status.show((columns) => [`${i} of ${columns} columns`, "x"]);
  expect(await screen.text()).toEqual(["1 of 10 c", "x"]);
  status.keep();
  expect(await screen.text()).toEqual(["3 of 10 c", "x"]);
});

test("what the terminal shows of Ctrl-C is gone with the next drawing", async () => {
  const screen = new Screen(10);
  const status = new StatusLines(screen);
  status.show(() => ["123456789"]);
  screen.write("^C");
  status.above(() => screen.write("stopping\n"));
  expect(await screen.text()).toEqual(["stopping", "123456789"]);
});

test("a terminal that has become narrower keeps no rests", async () => {
  const screen = new Screen(40);
  const status = new StatusLines(screen);
  status.show((columns) => ["a".repeat(columns - 1), "b".repeat(columns - 1)]);
  await screen.text();
  screen.resize(20);
  status.above(() => screen.write("text\n"));
  expect(await screen.text()).toEqual(["text", "a".repeat(19), "b".repeat(19)]);
});

test("where there are more lines than rows, the last one counts the others", async () => {
  const screen = new Screen(20, 5);
  const status = new StatusLines(screen);
  status.show(() => ["1", "2", "3", "4", "5"]);
  status.above(() => screen.write("text\n"));
  expect(await screen.text()).toEqual(["text", "1", "2", "3", "... and 2 more"]);
  status.clear();
  expect(await screen.text()).toEqual(["text"]);
});

test("a terminal without a size is taken for a usual one", async () => {
  const screen = new Screen(80);
  const status = new StatusLines({ columns: 0, rows: 0, write: (text) => screen.write(text) });
  status.show((columns) => [`${columns} columns`]);
  expect(await screen.text()).toEqual(["80 columns"]);
});

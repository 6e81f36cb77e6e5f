import { expect, test } from "vitest";

import { saidLines } from "./saidLines.ts";

/** What the code says that it prints, or what is wrong with it. */
function said(code: string): string[] | string {
  try {
    return saidLines({ file: "a.md", line: 10, code });
  } catch (error) {
    return (error as Error).message;
  }
}

test("takes the comment behind a console.log, or the comment lines right below it", () => {
  expect(said('console.log(1); // 1\nconsole.log("a\\n  b");\n// a\n//   b\n\n// of something else')).toEqual([
    "1",
    "a",
    "  b",
  ]);
});

test("takes those within loops, functions and catch, and those of a function without a block", () => {
  const code = `for (const x of [1, 2]) console.log(x);
// 1
// 2
try {
  f();
} catch (error) {
  console.log(error);
  // no
}
await g().catch((error) => console.log(error));
// neither
await g().catch((error) => {
  console.log(error); // nor this
});`;
  expect(said(code)).toEqual(["1", "2", "no", "neither", "nor this"]);
});

test("ignores comments of anything but what prints", () => {
  expect(said("// 1\nconst x = 1; // one\nf(); // two\nawait x.data();\nx = 2; // 2\nconsole.log(x); // 2")).toEqual([
    "2",
  ]);
});

test("refuses a value that nobody prints, and a program that says nothing", () => {
  expect(said("console.log(1); // 1\n\nx.shape; // [2]")).toMatchInlineSnapshot(
    `"a.md:12: a value must be printed, with console.log: a reader who runs it sees nothing"`,
  );
  for (const value of ["x", "await x.data()", "a + b", "(await x.item()) < 1", "[1]"]) {
    expect(said(`${value}; // 1`)).toContain("must be printed");
  }
  expect(said("const x = 1; // 1")).toMatchInlineSnapshot(
    `"a.md:10: a program must print something and say so: console.log(value); // value"`,
  );
});

import { describe, expect, test } from "vitest";

import { countValues, runExample } from "./runExample.ts";

/** The number of values that were compared, or what was wrong. */
async function run(code: string, scope: Record<string, unknown> = {}): Promise<number | string> {
  const modules: Record<string, unknown> = { math: { pi: 3, default: "all", e: 2 } };
  const load = (specifier: string) => Promise.resolve(modules[specifier]);
  return runExample({ file: "a.ts", title: "f", line: 10, code }, { scope, load }).catch(
    (error: Error) => error.message,
  );
}

describe("runExample", () => {
  test("compares the value of an expression with its comment", async () => {
    expect(await run("[1, 2]; // [1, 2]")).toBe(1);
    expect(await run("Promise.resolve(3); // 3")).toContain("write await");
    expect(await run("await Promise.resolve(3); // 3")).toBe(1);
    expect(await run("const x = 1;\nx; // 1\nx + 1 // 2")).toBe(2);
  });

  test("takes the comment behind the last line of a statement", async () => {
    expect(await run("[1, 2] // of two\n  .map((x) => {\n    return x + 1; // not this one\n  }); // [2, 3]")).toBe(1);
  });

  test("allows a remark after a number or an array, but not after a text", async () => {
    expect(await run("[4].length; // 1, the number of axes")).toBe(1);
    expect(await run("[4].length; // 1, 2")).toContain("says 1, 2, is 1");
    expect(await run('"mul"; // mul, as it is called')).toContain("is mul");
    expect(await run('"mul, sum"; // mul, sum')).toBe(1);
  });

  test("allows either form of a number that is exactly a float32", async () => {
    expect(await run("Math.fround(0.1); // 0.1")).toBe(1);
    expect(await run("Math.fround(0.1); // 0.10000000149011612")).toBe(1);
    expect(await run("Math.fround(0.1); // 0.10000000149")).toContain("is 0.1");
  });

  test("compares what console.log prints, on its line or below it", async () => {
    expect(await run('console.log("size", [1, 2]); // size [1, 2]')).toBe(1);
    expect(await run('console.log("a  \\n  b");\n// a\n//   b\n\n// a comment')).toBe(1);
    expect(await run('console.log("a\\nb");\n// a\n// c')).toBe("a.ts:10: says\na\nc\nis\na\nb");
    expect(await run('console.log("nobody compares this");\n\n// a comment\n1; // 1')).toBe(1);
  });

  test("fails where the code ends before its last value", async () => {
    expect(await run("1; // 1\nif (true) return;\n2; // 3")).toMatchInlineSnapshot(
      `"a.ts:11: an example must run to its end: 2 values, got 1"`,
    );
    expect(await run("return;\n1; // 2")).toContain("1 values, got 0");
  });

  test("ignores comments of anything but expressions", async () => {
    expect(await run("// [1]\nconst x = 1; // the number\nif (x) x; // 7\nx; // 1")).toBe(1);
  });

  test("takes TypeScript, and gives imports and the scope to the code", async () => {
    const code = `import { pi, type Circle } from "math";
import type { Square } from "math";
import all, { e as euler } from "math";
import * as math from "math";
import "math";
export const twice = (x: number): number => 2 * x;
twice(pi); // 6
all; // all
math.e - euler; // 0
sum([1, 2]); // 3`;
    const sum = (xs: number[]) => xs.reduce((a, b) => a + b);
    expect(await run(code, { sum, twice: "hidden by the example's own" })).toBe(4);
  });

  test("reports each wrong value with its file and line", async () => {
    expect(await run("1; // 1\n2; // 3\n[\n  4,\n]; // [5]")).toBe("a.ts:11: says 3, is 2\na.ts:14: says [5], is [4]");
    expect(await run("undefined; // fills x.grad")).toBe("a.ts:10: says fills x.grad, is undefined");
  });

  test("reports what is thrown with its file and line, beside the values that were wrong before", async () => {
    expect(await run("const x = 1;\nx; // 2\nconst y: number =\n  nothing.at;")).toBe(
      "a.ts:11: says 2, is 1\na.ts:12: threw ReferenceError: nothing is not defined",
    );
    expect(await run("1; // 1\nimport { pi } from 'geometry';")).toContain("a.ts:11: threw TypeError");
  });

  test("reports code that does not parse with its file and line", async () => {
    expect(await run("1; // 1\nconst = 2;")).toMatchInlineSnapshot(`"a.ts:11: Variable declaration expected."`);
  });

  test("refuses an example without a value", async () => {
    expect(await run("const x = 1; // 1")).toMatchInlineSnapshot(
      `"a.ts:10: an example must show a value: a \`\`\`ts block with "expression; // value""`,
    );
    expect(await run("")).toContain("a.ts:10: an example must show a value");
  });
});

test("countValues counts the values that an example shows", () => {
  expect(countValues("const x = 1; // one\nx; // 1\nx;\nconsole.log(x);\n// 1")).toBe(2);
});

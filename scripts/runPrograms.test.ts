/** @file What must be seen of a program of a page: what it prints, what it throws and where, and that it does not compile. */

import { expect, test } from "vitest";

import { runPrograms } from "./runPrograms.ts";
import type { Program } from "./saidLines.ts";

const pages = (...codes: string[]): Program[] => codes.map((code, i) => ({ file: `page${i}.md`, line: 10, code }));

test("each program prints for itself, begins on the cpu device, and tells file and line of what it throws", async () => {
  const { outcomes, files } = await runPrograms(
    pages(
      'import { setDevice } from "gridgrad";\nsetDevice("reference");\nconsole.log([1, "a"], new Float32Array(1));',
      'import { writeFileSync } from "node:fs";\nimport { getDevice } from "gridgrad";\nconsole.log(getDevice().name);\nwriteFileSync("a.txt", "b");',
      'interface A {}\nconsole.log("before" as string);\nthrow new Error("no");',
    ),
    ["a.txt"],
  );
  expect(outcomes.slice(0, 2)).toEqual([
    { printed: "[ 1, 'a' ] Float32Array(1) [ 0 ]\n", error: null },
    { printed: "cpu\n", error: null },
  ]);
  expect(outcomes[2].printed).toBe("before\n");
  expect(outcomes[2].error).toMatch(/^Error: no\n {4}at .*page2\.md:12/);
  expect(new TextDecoder().decode(files.get("a.txt"))).toBe("b");
});

test("what does not compile is told with file and line", async () => {
  await expect(runPrograms(pages('import { tensor } from "gridgrad";\nconst = tensor;'))).rejects.toThrow(
    /Expected identifier[^]*page0\.md:11/,
  );
});

import { expect, test } from "vitest";

import type { Finding } from "./campaign.ts";
import type { Kind } from "./kind.ts";
import { resultLine, showFinding } from "./report.ts";

const finding: Finding = {
  kind: "ops",
  index: 41,
  fault: "add: cpu: y0 differs",
  message: "on cpu, y0[0] is 1, the loops give 0",
  input: "add([1] of [0], [1] of [0], {})",
  times: 3,
};

const options = { seed: 1, only: [], warn: false };

test("a finding says what is wrong, with the smallest input and the command that repeats it", () => {
  expect(showFinding(finding, options)).toMatchInlineSnapshot(`
    "FOUND: add: cpu: y0 differs (3 times)
      on cpu, y0[0] is 1, the loops give 0
      input: add([1] of [0], [1] of [0], {})
      again: npm run -s fuzz -- --only ops --seed 1 --case 41"
  `);
  expect(showFinding({ ...finding, times: 1, input: "x".repeat(1000) }, { ...options, warn: true })).toBe(
    [
      "warning: add: cpu: y0 differs",
      "  on cpu, y0[0] is 1, the loops give 0",
      `  input: ${"x".repeat(800)}...`,
      "  again: npm run -s fuzz -- --only ops --seed 1 --case 41",
    ].join("\n"),
  );
});

test("the line of results says how many cases of each kind there were", () => {
  const kind = (name: string, unit: string, note?: string): Kind => ({ name, unit, note, share: 1, check: () => {} });
  const cases = new Map([
    [kind("png", "files"), 20000],
    [kind("ops", "cases", "on reference (100), cpu (100)"), 100],
  ]);
  expect(resultLine(cases, [finding], options)).toBe(
    "png 20,000 files, ops 100 cases on reference (100), cpu (100); 1 finding (seed 1)",
  );
  expect(resultLine(new Map(), [], options)).toBe("; 0 findings (seed 1)");
});

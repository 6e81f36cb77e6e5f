import { describe, expect, test } from "vitest";

import { findExamples } from "./findExamples.ts";

describe("findExamples in TypeScript", () => {
  test("finds the ts block of an @example, with the symbol and the line that it is on", () => {
    const text = `/** @file One. */

/**
 * Adds.
 *
 * @returns a sum
 * @example
 * \`\`\`ts
 * const x = 1;
 * add(x,
 *   2); // 3
 * \`\`\`
 */
export function add() {}`;
    expect(findExamples("a.ts", text)).toEqual([
      { file: "a.ts", title: "add", line: 9, code: "const x = 1;\nadd(x,\n  2); // 3" },
    ]);
  });

  test("names members after their class, and constants after themselves", () => {
    const text = `
export class Tensor {
  /**
   * @example
   * \`\`\`ts
   * 1; // 1
   * \`\`\`
   */
  item() {}
}
/**
 * @example
 * \`\`\`ts
 * 2; // 2
 * \`\`\`
 */
export const two = () => 2;`;
    expect(findExamples("a.ts", text).map(({ title, line }) => [title, line])).toEqual([
      ["Tensor.item", 6],
      ["two", 14],
    ]);
  });

  test("takes each block of each @example, and nothing of other tags", () => {
    const text = `/**
 * \`\`\`ts
 * 0; // not an example
 * \`\`\`
 * @example one
 * \`\`\`ts
 * 1; // 1
 * \`\`\`
 * \`\`\`ts
 * 2; // 2
 * \`\`\`
 * @example
 * \`\`\`ts
 * 3; // 3
 * \`\`\`
 * @returns
 * \`\`\`ts
 * 4; // not an example
 * \`\`\`
 */
export function f() {}`;
    expect(findExamples("a.ts", text).map(({ code }) => code)).toEqual(["1; // 1", "2; // 2", "3; // 3"]);
  });

  test("reports an @example without a ts block as an empty one", () => {
    const text = "/**\n * @example\n * f(); // 1\n */\nexport function f() {}";
    expect(findExamples("a.ts", text)).toEqual([{ file: "a.ts", title: "f", line: 2, code: "" }]);
  });

  test("is not misled by the start of a comment inside a string", () => {
    const text = 'const glob = "packages/**/x";\n/**\n * @example\n * ```ts\n * 1; // 1\n * ```\n */\nfunction f() {}';
    expect(findExamples("a.ts", text).map(({ title }) => title)).toEqual(["f"]);
  });
});

describe("findExamples in Markdown", () => {
  const page = `# Title

\`\`\`sh
npm test
\`\`\`

## Sampling

\`\`\`ts
1; // 1
\`\`\`

- in a list

  \`\`\`ts
  f(
    2,
  ); // 2
  \`\`\`

\`\`\`ts shown
never.run();
\`\`\`

\`\`\`\`md
\`\`\`ts
quoted; // in another block
\`\`\`
\`\`\`\`
`;

  test("finds the ts blocks under their headings, and leaves out what is only shown", () => {
    expect(findExamples("a.md", page)).toEqual([
      { file: "a.md", title: "Sampling", line: 10, code: "1; // 1" },
      { file: "a.md", title: "Sampling", line: 16, code: "f(\n  2,\n); // 2" },
    ]);
  });
});

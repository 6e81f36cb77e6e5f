import { describe, expect, test } from "vitest";

import { checkOpFile } from "./checkOpFile.ts";

const complete = `
/**
 * Doubles each element.
 *
 * @param x - any shape.
 * @param dim - an axis.
 * @param options.keepdim - keep it. Default false.
 * @returns the shape of \`x\`.
 * @throws {DTypeError} when \`x\` is int32.
 * @throws {ShapeError} when there is no element.
 * @throws {ValueError} when there is no such axis.
 *
 * @example
 * \`\`\`ts
 * await double(tensor([1])).data(); // [2]
 * \`\`\`
 */
export function double(x: Tensor, dim = 0, { keepdim: kept = false }: { keepdim?: boolean } = {}): Tensor {
  return apply(doubleOp, [x], { axis: normalizeAxis("double", dim, x.shape), kept });
}

export const doubleOp: Op = {
  name: "double",
  shape: ([x]) => checked(x),
  dtype: "float",
  vjp: (dy) => [later(dy)],
  loops() { later(); },
};

function checked(x: Shape): Shape {
  if (x.length > 99) throw new Error(\`internal: \${x.length}\`);
  if (size(x) === 0) throw new ShapeError("double", "x must have elements", { x });
  return x;
}

function later() {
  throw new GraphError("only when it runs");
}
`;
const suite = `describeOp(double, { byHand: {}, golden: { cases: ["set/family/double_*"], run: double } });`;

/** What is missing of the op above, or of a changed one. */
function missing({ source = complete, tests = suite, ops = ["double"] } = {}): string {
  const matchesGolden = (pattern: string) => pattern === "set/family/double_*";
  return checkOpFile({ file: "double.ts", source, ops, tests: ["", tests], matchesGolden }).join("\n");
}

function change(text: string, from: string, to = ""): string {
  if (!text.includes(from)) throw new Error(`the text must have ${from} to change`);
  return text.replace(from, to);
}

describe("checkOpFile", () => {
  test("is content with an op that has everything", () => {
    expect(missing()).toBe("");
  });

  test("misses the documentation of an argument, of an option and of the result", () => {
    expect(missing({ source: change(complete, "@param dim") })).toMatchInlineSnapshot(
      `"double.ts: double must be documented with @param dim"`,
    );
    expect(missing({ source: change(complete, "@param options.keepdim") })).toMatchInlineSnapshot(
      `"double.ts: double must be documented with @param options.keepdim"`,
    );
    expect(missing({ source: change(complete, "@returns") })).toMatchInlineSnapshot(
      `"double.ts: double must be documented with @returns"`,
    );
  });

  test("takes @param options alone where an interface documents its members itself", () => {
    const source = change(complete, "@param options.keepdim", "@param options");
    expect(missing({ source })).not.toBe("");
    expect(missing({ source: change(source, "{ keepdim?: boolean }", "DoubleOptions") })).toBe("");
  });

  test("misses the documentation of errors of the shape rule, of the dtype rule and of the core's checks", () => {
    expect(missing({ source: change(complete, "@throws {ShapeError}") })).toMatchInlineSnapshot(
      `"double.ts: double must be documented with @throws {ShapeError}"`,
    );
    expect(missing({ source: change(complete, "@throws {DTypeError}") })).toMatchInlineSnapshot(
      `"double.ts: double must be documented with @throws {DTypeError}"`,
    );
    expect(missing({ source: change(complete, "@throws {ValueError}") })).toMatchInlineSnapshot(
      `"double.ts: double must be documented with @throws {ValueError}"`,
    );
  });

  test("leaves the errors of another op of the file to that op", () => {
    const source = `${complete}
/**
 * Doubles twice.
 *
 * @param x - any shape.
 * @returns the shape of \`x\`.
 * @example
 * \`\`\`ts
 * await quadruple(tensor([1])).data(); // [4]
 * \`\`\`
 */
export function quadruple(x: Tensor): Tensor {
  return double(double(x));
}`;
    const tests = suite + change(suite, "describeOp(double", "describeOp(quadruple");
    expect(missing({ source, tests, ops: ["double", "quadruple"] })).toBe("");
  });

  test("misses a documentation comment altogether", () => {
    expect(missing({ source: change(complete, "/**", "/*") })).toMatchInlineSnapshot(`
      "double.ts: double must have a documentation comment that starts with a sentence
      double.ts: double must have an @example: a \`\`\`ts block with a line "expression; // value""
    `);
  });

  test("misses an example, the value of one, and a block that runs", () => {
    expect(missing({ source: change(complete, "@example") })).toMatchInlineSnapshot(
      `"double.ts: double must have an @example: a \`\`\`ts block with a line "expression; // value""`,
    );
    expect(missing({ source: change(complete, "// [2]") })).toContain("must have an @example");
    expect(missing({ source: change(complete, "```ts", "```js") })).toContain("must have an @example");
  });

  test("misses tests, also where they are commented out or those of another op", () => {
    expect(missing({ tests: "" })).toMatchInlineSnapshot(
      `"double.ts: double must be tested by describeOp(double, { .. }) in a test file beside it"`,
    );
    expect(missing({ tests: `// ${suite}` })).toContain("must be tested");
    expect(missing({ tests: change(suite, "(double", "(halve") })).toContain("must be tested");
  });

  test("misses golden cases, also where no file has their name", () => {
    expect(missing({ tests: change(suite, '"set/family/double_*"') })).toMatchInlineSnapshot(
      `"double.ts: double must be held to a golden case: describeOp's golden.cases must match a file in goldens/"`,
    );
    expect(missing({ tests: change(suite, "double_*", "no_such_case") })).toContain("golden");
  });

  test("finds golden cases that the tests name elsewhere in the file", () => {
    const tests = 'const cases = ["set/family/double_*"];\ndescribeOp(double, { golden: { cases, run: double } });';
    expect(missing({ tests })).toBe("");
  });

  test("wants the function itself to be in the file", () => {
    expect(missing({ source: change(complete, "function double(", "function twice(") })).toMatchInlineSnapshot(
      `"double.ts: double must be a function declared in this file, where its documentation belongs"`,
    );
  });
});

import { describe, expect, test } from "vitest";

import { checkKernels } from "./checkKernels.ts";
import { filesBelow, findPackages, readText } from "./findPackages.ts";

/** What is found in a kernel with this body, without place and name. */
function findings(body: string): string[] {
  const source = `function testKernel(this: Thread<"N">, x: Values, a: number): number {\n${body}\n}`;
  return checkKernels("test.ts", source).wrong.map((line) => line.replace(/^test\.ts:\d+: testKernel /, ""));
}

describe("checkKernels", () => {
  test("is content with a kernel that keeps to the rules", () => {
    const body = `const i = this.thread.x;
      let total = 0;
      for (let k = 0; k < this.constants.N; k++) {
        const value = x[quotient(i, this.constants.N) + k];
        if (value > 0 && value <= a) {
          total += Math.sqrt(value);
        }
      }
      return total;`;
    expect(findings(body)).toEqual([]);
  });

  test.each([
    ["const f = () => 1; return f();", "must have no functions inside"],
    ["let a1 = 0, b1 = 1; return a1 + b1;", "must declare one name a statement"],
    ["let b1; b1 = 1; return b1;", "must give a value to what it declares"],
    ["for (let k = 0; k < 2; k++) {} for (let k = 0; k < 2; k++) {} return 0;", "must declare k once"],
    ["const x = 1; return x;", "must declare x once"],
    ["for (let k = 3; k > 0; k--) {} return 0;", "must count loops up"],
    ["while (a > 0) { break; } return 0;", "must loop with for"],
    ["return a > 0 ? 1 : 0;", "must branch with if"],
    ["if (a > 0) return 1; return 0;", "must put braces"],
    ["return a % 2;", "must divide with quotient"],
    ["return a | 0;", "must not work on bits"],
    ["return a >> 1;", "must not shift bits"],
    ["return a ** 2;", "must not use this operator"],
    ["a = 1; return a;", "must not assign to a parameter"],
    ["return NaN;", "must not name what is not a finite number"],
    ["return Math.hypot(a, a);", "must call only kernels"],
    ["return helper(a);", "must call only kernels"],
    ["return this.thread.y;", "must read nothing but this.thread.x"],
    ["return this.output.x;", "must read nothing but this.thread.x"],
    ["return a + eps;", "must be closed, and eps is declared elsewhere"],
  ])("finds what is wrong with: %s", (body, expected) => {
    expect(findings(body).join("\n")).toContain(expected);
  });

  test("gives the line", () => {
    expect(checkKernels("test.ts", "\n\nfunction aKernel(x: number): number {\n  return x % 2;\n}").wrong).toEqual([
      "test.ts:4: aKernel must divide with quotient, not with %: x % 2",
    ]);
  });
});

test("all kernels keep to the rules", () => {
  const files = findPackages()
    .flatMap(({ folder }) => filesBelow(`${folder}/src`))
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
  const checked = files.map((file) => checkKernels(file, readText(file)));
  const names = checked.flatMap((each) => each.names);
  expect(names).toEqual(expect.arrayContaining(["addKernel", "conv2dKernel", "bilinearKernel", "quotient"]));
  expect(checked.flatMap((each) => each.wrong)).toEqual([]);
});

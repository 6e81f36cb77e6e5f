import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";

interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** Runs a test file of its own in a vitest of its own, since a test that must fail cannot stand among those that must pass. */
async function run(body: string): Promise<{ passed: string[]; failed: string[]; message: string }> {
  const folder = mkdtempSync(join(tmpdir(), "describeOp-"));
  try {
    const source = fileURLToPath(new URL("..", import.meta.url));
    const imports = `
      import fc from ${JSON.stringify(import.meta.resolve("fast-check"))};
      import { describeOp } from "${source}testing/describeOp.ts";
      import { reals } from "${source}testing/arbitraries.ts";
      import { mulOp, neg } from "${source}ops/index.ts";
      import { apply, tensor } from "${source}tensor.ts";
      const pass = () => {};
      const fail = () => { throw new Error("as it should"); };
      const golden = { cases: ["arithmetic/arithmetic/neg"], run: ({ x }) => neg(x) };
    `;
    writeFileSync(join(folder, "op.test.ts"), imports + body);
    const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
    const report = await new Promise<string>((resolve) => {
      const args = [vitest, "run", "--root", folder, "--reporter=json"];
      execFile(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 26 }, (_error, stdout) => resolve(stdout));
    });
    const [{ assertionResults, message }] = (JSON.parse(report) as Report).testResults;
    const titles = (status: string): string[] =>
      assertionResults.filter((result) => result.status === status).map((result) => result.fullName);
    return { passed: titles("passed"), failed: titles("failed"), message };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("describeOp", () => {
  test("passes a right op, with every kind of test under the op's name", async () => {
    const { passed, failed } = await run(`
      describeOp(neg, {
        byHand: { "negates": pass },
        golden: { ...golden, cases: ["arithmetic/arithmetic/neg"] },
        laws: { "holds": pass },
        gradients: { "all": { f: neg, inputs: fc.tuple(reals([2])) } },
        errors: { "complains": pass },
      });
    `);
    expect(failed).toEqual([]);
    expect(passed).toMatchInlineSnapshot(`
      [
        "neg by hand negates",
        "neg golden arithmetic/arithmetic/neg in float32",
        "neg golden arithmetic/arithmetic/neg in float64",
        "neg laws holds",
        "neg gradients has at least one check",
        "neg gradients all, first and second order",
        "neg errors complains",
      ]
    `);
  });

  test("fails where a kind of test is empty", async () => {
    const { failed } = await run(`
      describeOp(neg, { byHand: {}, golden: { ...golden, cases: [] }, laws: {}, gradients: {}, errors: {} });
      describeOp(neg, { byHand: { a: pass }, golden, laws: { b: pass }, gradients: { none: "", cases: {} }, errors: { c: pass } });
    `);
    expect(failed).toMatchInlineSnapshot(`
      [
        "neg by hand has at least one test",
        "neg golden has at least one case",
        "neg laws has at least one test",
        "neg gradients has at least one check",
        "neg errors has at least one test",
        "neg gradients has none: ",
      ]
    `);
  });

  test("fails where a test of any kind fails", async () => {
    const { failed } = await run(`
      const wrongOp = { ...mulOp, name: "wrong", shape: ([x]) => x, vjp: (dy) => [dy.mul(2.001)],
        loops: (y, [x]) => y.forEach((_, i) => (y[i] = 2 * x[i])) };
      const wrong = (x) => apply(wrongOp, [x], {});
      describeOp(wrong, {
        byHand: { "negates": fail },
        golden: { ...golden, cases: ["arithmetic/arithmetic/neg"], run: ({ x }) => neg(x).mul(1.001) },
        laws: { "holds": () => fc.assert(fc.property(fc.nat(), (n) => n < 5)) },
        gradients: { "all": { f: wrong, inputs: fc.tuple(reals([2])) } },
        errors: { "complains": fail },
      });
    `);
    expect(failed).toMatchInlineSnapshot(`
      [
        "wrong by hand negates",
        "wrong golden arithmetic/arithmetic/neg in float32",
        "wrong golden arithmetic/arithmetic/neg in float64",
        "wrong laws holds",
        "wrong gradients all, first and second order",
        "wrong errors complains",
      ]
    `);
  });

  test("fails where no golden file matches", async () => {
    const { passed, message } = await run(`
      describeOp(neg, {
        byHand: { a: pass },
        golden: { ...golden, cases: ["arithmetic/arithmetic/nag_*"] },
        laws: { b: pass },
        gradients: { none: "a reason", cases: {} },
        errors: { c: pass },
      });
    `);
    expect(passed).toEqual([]);
    expect(message).toContain("goldenFiles: arithmetic/arithmetic/nag_* must match a file");
  });
});

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { beforeAll, describe, expect, test } from "vitest";

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** What became of a test file. */
interface Outcome {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  readonly message: string;
}

/**
 * Test files of their own, by name, for a vitest of its own: a test that must fail cannot stand among those that must pass. It runs once
 * for all of them.
 */
const bodies: Record<string, string> = {};
let outcomes: Readonly<Record<string, Outcome>>;

beforeAll(async () => {
  outcomes = await runFiles(bodies);
});

async function runFiles(bodies: Readonly<Record<string, string>>): Promise<Record<string, Outcome>> {
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
    for (const [name, body] of Object.entries(bodies)) writeFileSync(join(folder, `${name}.test.ts`), imports + body);
    const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
    const report = await new Promise<string>((resolve) => {
      const args = [vitest, "run", "--root", folder, "--no-isolate", "--maxWorkers=1", "--reporter=json"];
      execFile(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 26 }, (_error, stdout) => resolve(stdout));
    });
    const outcomes = (JSON.parse(report) as Report).testResults.map(({ name, assertionResults, message }) => {
      const titles = (status: string): string[] =>
        assertionResults.filter((result) => result.status === status).map((result) => result.fullName);
      return [basename(name, ".test.ts"), { passed: titles("passed"), failed: titles("failed"), message }] as const;
    });
    return Object.fromEntries(outcomes);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("describeOp", () => {
  bodies.right = `
    describeOp(neg, {
      byHand: { "negates": pass },
      golden: { ...golden, cases: ["arithmetic/arithmetic/neg"] },
      laws: { "holds": pass },
      gradients: { "all": { f: neg, inputs: fc.tuple(reals([2])) } },
      errors: { "complains": pass },
    });
  `;

  test("passes a right op, with every kind of test under the op's name", () => {
    const { passed, failed } = outcomes.right;
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

  bodies.empty = `
    describeOp(neg, { byHand: {}, golden: { ...golden, cases: [] }, laws: {}, gradients: {}, errors: {} });
    describeOp(neg, { byHand: { a: pass }, golden, laws: { b: pass }, gradients: { none: "", cases: {} }, errors: { c: pass } });
  `;

  test("fails where a kind of test is empty", () => {
    const { failed } = outcomes.empty;
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

  bodies.wrong = `
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
  `;

  test("fails where a test of any kind fails", () => {
    const { failed } = outcomes.wrong;
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

  bodies.noGolden = `
    describeOp(neg, {
      byHand: { a: pass },
      golden: { ...golden, cases: ["arithmetic/arithmetic/nag_*"] },
      laws: { b: pass },
      gradients: { none: "a reason", cases: {} },
      errors: { c: pass },
    });
  `;

  test("fails where no golden file matches", () => {
    const { passed, message } = outcomes.noGolden;
    expect(passed).toEqual([]);
    expect(message).toContain("goldenFiles: arithmetic/arithmetic/nag_* must match a file");
  });
});

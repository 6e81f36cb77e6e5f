import { expect, test } from "vitest";

import { apply, mul, mulOp, type Op } from "@gridgrad/core";
import { hasTier } from "@gridgrad/core/testing/tier";
import { upsamplerNames } from "@gridgrad/dysample";

import { runCommand } from "../testing/runCommand.ts";
import { gradcheckCases, type MakeCase } from "./gradcheckCases.ts";

test("every upsampler and op passes, with several seeds", async () => {
  for (const seed of hasTier("ci") ? ["0", "1", "2"] : ["0"]) {
    const { code, out } = await runCommand("gradcheck", "--seed", seed);
    expect(out).not.toContain("FAILED");
    expect(code).toBe(0);
    for (const name of upsamplerNames) expect(out).toMatch(new RegExp(`^${name.replace("+", "\\+")} .* ok$`, "m"));
    expect(out).toMatch(/\n(\d+) passed, 0 failed; largest errors, limit 1\.0e-6/);
  }
});

test("names pick what is checked", async () => {
  const { out } = await runCommand("gradcheck", "dysample+", "conv2d");
  expect(out.split("\n").map((line) => line.split(" ")[0])).toEqual(["name", "dysample+", "conv2d", "", "2"]);
  expect(out).toMatch(/^dysample\+ +4 /m); // the input, the weights of offset and scope, and a bias
});

test("JSON has the largest errors of each", async () => {
  const { code, out, err } = await runCommand("gradcheck", "add", "dysample+", "--seed", "3", "--json");
  expect([code, err]).toEqual([0, ""]);
  const error = expect.any(Number);
  expect(JSON.parse(out)).toEqual({
    seed: 3,
    limit: 1e-6,
    passed: 2,
    failed: 0,
    checks: [
      { name: "add", inputs: 2, firstOrder: error, secondOrder: error, ok: true },
      { name: "dysample+", inputs: 4, firstOrder: error, secondOrder: error, ok: true },
    ],
  });
});

test("a gradient that is wrong fails the command", async () => {
  // 2.001 x for x²: the derivative of a function that is not the one that is computed.
  const wrong: Op<object> = { ...mulOp, vjp: (dy, [a, b]) => [mul(dy, mul(b, 2.001)), mul(dy, mul(a, 0))] };
  const cases = gradcheckCases as Record<string, MakeCase>;
  const { exp } = cases;
  cases.exp = (random) => ({
    f: (x) => apply(wrong, [x, x], {}),
    inputs: [random.uniform([3], { low: 1, high: 2, dtype: "float64" })],
  });
  try {
    const { code, out } = await runCommand("gradcheck", "exp", "log");
    expect(code).toBe(1);
    expect(out).toMatch(/^exp +1 .* FAILED$/m);
    expect(out).toMatch(/^log +1 .* ok$/m);
    expect(out).toMatch(/\n1 passed, 1 failed;/);
    const json = await runCommand("gradcheck", "exp", "log", "--json");
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({
      passed: 1,
      failed: 1,
      checks: [
        { name: "exp", ok: false },
        { name: "log", ok: true },
      ],
    });
  } finally {
    cases.exp = exp;
  }
});

import { runCommand } from "@gridgrad/lab/testing/runCommand";
import { afterAll, expect, test } from "vitest";

import { runCampaign } from "../campaign.ts";
import type { Kind } from "../kind.ts";
import { goldensKind, type GoldensOptions } from "./goldensKind.ts";

const kinds: Kind[] = [];

afterAll(async () => {
  for (const kind of kinds) await kind.close?.();
});

async function faults(run: GoldensOptions["run"], cases: number): Promise<string[]> {
  const kind = goldensKind({ run });
  kinds.push(kind);
  const { findings } = await runCampaign([kind], { seed: 1, cases });
  return findings.map(({ fault }) => fault).sort();
}

test("the command is beyond reproach", async () => {
  expect(await faults(runCommand, 150)).toEqual([]);
});

test("a command that passes everything is found, for each reason why a case must not pass", async () => {
  const all = await faults(async () => ({ code: 0, out: "1 passed, 0 failed", err: "" }), 400);
  expect(all).toMatchInlineSnapshot(`
    [
      "goldens: a case passes although a description is none",
      "goldens: a case passes although a number is wrong",
      "goldens: a case passes although a tensor has no role",
      "goldens: a case passes although a tolerance is none",
      "goldens: a case passes although nothing is compared",
      "goldens: a case passes although the format is another",
      "goldens: a case passes although the manifest is wrong",
    ]
  `);
});

test("a command that passes nothing is found, by a case that nobody has changed", async () => {
  expect(await faults(async () => ({ code: 1, out: "FAILED", err: "" }), 60)).toEqual([
    "goldens: a case fails as it is",
  ]);
});

test("a command that fails without a word, or with a stack, is found", async () => {
  expect(await faults(async () => ({ code: 1, out: "", err: "" }), 2)).toEqual(["goldens: fails without a word"]);
  const err = "TypeError: x is not a function\n    at run (/a/b.ts:1:2)\n    at main (/a/c.ts:3:4)";
  expect(await faults(async () => ({ code: 1, out: "", err }), 2)).toEqual([
    "goldens: a stack trace, of TypeError: x is not a function",
  ]);
});

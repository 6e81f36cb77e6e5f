import fc from "fast-check";
import { expect, test } from "vitest";

import { runCampaign } from "./campaign.ts";
import { bytesOf, type Draw, integer, list, once, pick } from "./draw.ts";
import { type Kind, Wrong } from "./kind.ts";

/** A kind that keeps what it has drawn. */
function keeping(name = "kept"): { kind: Kind; cases: string[] } {
  const cases: string[] = [];
  const kind: Kind = { name, unit: "cases", share: 1, check: (draw) => void cases.push(drawSome(draw)) };
  return { kind, cases };
}

function drawSome(draw: Draw): string {
  const numbers = list(draw, 0, 3, () => integer(draw, -5, 5));
  return JSON.stringify([numbers, pick(draw, ["a", "b", "c"]), once(draw, 3), [...bytesOf(draw, 4)]]);
}

/** A kind in which sums of 10 and more are wrong, and products of 40 and more are, too. */
function sums(): Kind {
  return {
    name: "sums",
    unit: "pairs",
    share: 1,
    check(draw) {
      const [a, b] = [integer(draw, 0, 9), integer(draw, 0, 9)];
      if (a * b >= 40) throw new Wrong("the product is large", `${a * b}`, `${a}, ${b}`);
      if (a + b >= 10) throw new Wrong("the sum is large", `${a + b}`, `${a}, ${b}`);
    },
  };
}

test("the same seed gives the same cases, another one others, and each can be run alone", async () => {
  const [first, again, other, alone] = [keeping(), keeping(), keeping(), keeping()];
  await runCampaign([first.kind], { seed: 7, cases: 40 });
  await runCampaign([again.kind], { seed: 7, cases: 40 });
  await runCampaign([other.kind], { seed: 8, cases: 40 });
  await runCampaign([alone.kind], { seed: 7, from: 31, cases: 1 });
  expect(first.cases).toHaveLength(40);
  expect(new Set(first.cases).size).toBeGreaterThan(30);
  expect(again.cases).toEqual(first.cases);
  expect(other.cases).not.toEqual(first.cases);
  expect(alone.cases).toEqual([first.cases[31]]);
});

test("cases do not depend on which other kinds there are", async () => {
  const [alone, beside] = [keeping(), keeping()];
  await runCampaign([alone.kind], { seed: 1, cases: 10 });
  await runCampaign([keeping("other").kind, beside.kind, sums()], { seed: 1, cases: 10 });
  expect(beside.cases).toEqual(alone.cases);
});

test("each fault is one finding, made small, and the smallest comes first", async () => {
  const { cases, findings } = await runCampaign([sums()], { seed: 1, cases: 200 });
  expect([...cases.values()]).toEqual([200]);
  const smallest = new Map(findings.map(({ fault, input }) => [fault, input.split(", ").map(Number)]));
  expect([...smallest.keys()].sort()).toEqual(["the product is large", "the sum is large"]);
  const [a, b] = smallest.get("the sum is large")!;
  expect(a + b).toBe(10); // one less of either would do no harm
  const [p, q] = smallest.get("the product is large")!;
  expect(Math.max((p - 1) * q, p * (q - 1))).toBeLessThan(40);
  expect(findings[0].input.length).toBeLessThanOrEqual(findings[1].input.length);
  expect(findings[0].times + findings[1].times).toBeGreaterThan(50);
});

test("a finding comes again by its case, as small as before", async () => {
  const { findings } = await runCampaign([sums()], { seed: 3, cases: 100 });
  expect(findings).toHaveLength(2);
  for (const { index, fault, input } of findings) {
    const again = await runCampaign([sums()], { seed: 3, from: index, cases: 1 });
    expect(again.findings).toMatchObject([{ index, fault, input, times: 1 }]);
  }
});

test("an error that no check has foreseen is a finding, whatever numbers it has", async () => {
  const kind: Kind = {
    name: "broken",
    unit: "cases",
    share: 1,
    check(draw) {
      throw new RangeError(`length ${draw(fc.nat)} is too large`);
    },
  };
  const { findings } = await runCampaign([kind], { seed: 1, cases: 5 });
  expect(findings.map(({ fault, times }) => [fault, times])).toEqual([["RangeError: length 0 is too large", 5]]);
});

test("a kind that has a larger share gets more of the time, and time ends a campaign", async () => {
  const wait = async (): Promise<void> => void (await new Promise((resolve) => setTimeout(resolve, 2)));
  const kinds = [3, 1].map((share): Kind => ({ name: `${share}`, unit: "cases", share, check: wait }));
  const { cases } = await runCampaign(kinds, { seed: 1, seconds: 0.3 });
  const [more, less] = kinds.map((kind) => cases.get(kind)!);
  expect(less).toBeGreaterThan(0);
  expect(more).toBeGreaterThan(less);
});

test("those who watch are told of each case, of tries to make one smaller, and of findings", async () => {
  const told: string[] = [];
  await runCampaign([sums()], {
    seed: 1,
    cases: 30,
    onCase: (_, index, tries) => void told.push(tries === 0 ? `case ${index}` : "try"),
    onFinding: ({ index }) => void told.push(`found ${index}`),
  });
  expect(told.filter((line) => line.startsWith("case"))).toEqual(Array.from({ length: 30 }, (_, i) => `case ${i}`));
  const at = told.findIndex((line) => line.startsWith("found"));
  expect(told[at - 1]).toBe("try");
});

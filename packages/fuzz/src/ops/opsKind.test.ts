import { type Device, type DeviceBuffer, type Op, type OpInfo, ReferenceDevice, type Values } from "@gridgrad/core";
import fc from "fast-check";
import { expect, test } from "vitest";

import { findOps } from "../../../../scripts/findOps.ts";
import { readText } from "../../../../scripts/findPackages.ts";
import { type Finding, runCampaign } from "../campaign.ts";
import { CaseDraw, type DrawCase, type OpCase } from "./opCase.ts";
import { allCases, opsKind } from "./opsKind.ts";

const found = await findOps();
const sources = found.map(({ file }) => readText(file)).join("");

test("every op has cases, and every case is of an op", () => {
  expect(Object.keys(allCases).sort()).toEqual(found.flatMap(({ ops }) => ops).sort());
});

test("every option that an op has is drawn", () => {
  for (const { file, ops } of found) {
    for (const op of ops) {
      const documented = optionsOf(readText(file), op);
      const drawn = new Set(drawnCases(allCases[op], 200).flatMap(({ args }) => keysOf(args)));
      expect([op, documented.filter((name) => !drawn.has(name))]).toEqual([op, []]);
    }
  }
});

/** Options of an op: those that its documentation describes one by one, and the fields of the type that its call names. */
function optionsOf(source: string, op: string): string[] {
  const at = source.indexOf(`export function ${op}(`);
  const docs = source.slice(source.lastIndexOf("/**", at), at);
  const call = source.slice(at, source.indexOf("\n}", at));
  const [, type] = call.match(/: (\w+Options)\b/) ?? [];
  return [...[...docs.matchAll(/@param options\.(\w+)/g)].map(([, name]) => name), ...(type ? fieldsOf(type) : [])];
}

function fieldsOf(type: string): string[] {
  const [, parent, body] = sources.match(new RegExp(`interface ${type}(?: extends (\\w+))? {\n([^]*?)\n}`))!;
  const own = [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name);
  return parent ? [...fieldsOf(parent), ...own] : own;
}

function drawnCases(draw: DrawCase, count: number): OpCase[] {
  return fc.sample(fc.gen(), { seed: 1, numRuns: count }).map((gen) => draw(new CaseDraw(gen)));
}

function keysOf(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, entry]) => [key, ...keysOf(entry)]);
}

/** The loops as a device with something wrong. */
class Wrong extends ReferenceDevice {
  readonly #change: (op: Op, y: Values) => void;

  constructor(change: (op: Op, y: Values) => void) {
    super();
    this.#change = change;
  }

  override run(op: Op, inputs: readonly DeviceBuffer[], info: OpInfo): ReturnType<ReferenceDevice["run"]> {
    const y = super.run(op, inputs, info);
    this.#change(op, y.values);
    return y;
  }
}

/** What a campaign finds on a device, of some ops. */
async function findOn(
  device: Device,
  ops: readonly string[],
  cases: number,
  more: readonly Device[] = [],
): Promise<readonly Finding[]> {
  const some = Object.fromEntries(ops.map((op) => [op, allCases[op]]));
  const { findings } = await runCampaign([opsKind({ ops: some, cpu: [device, ...more], others: [] })], {
    seed: 1,
    cases,
  });
  return findings;
}

test("loops that are right are beyond reproach", async () => {
  expect(await findOn(new ReferenceDevice(), Object.keys(allCases), 400)).toEqual([]);
});

test("an op that is off by one is found, and the case made small", async () => {
  const device = new Wrong(({ name }, y) => {
    if (name === "maximum" && y.length > 2) y[1] += 1;
  });
  const findings = await findOn(device, ["maximum", "add"], 60);
  expect(findings.map(({ fault }) => fault)).toEqual(["maximum: cpu: y0 differs"]);
  expect(findings[0].message).toMatch(/^on cpu, y0\[1\] is 1, the loops give 0, off by more than 3.1e-5/);
  expect(findings[0].input).toMatch(/^maximum\(\[[13, ]*\] of \[[0,]*\], /); // nothing but zeros
  expect(findings[0].times).toBeGreaterThan(1);
});

test("a device that takes NaN for 0 is found", async () => {
  const device = new Wrong((_, y) => y.forEach((value, i) => Number.isNaN(value) && (y[i] = 0)));
  const findings = await findOn(device, ["neg"], 200);
  expect(findings.map(({ fault }) => fault)).toContain("neg: cpu: y0 is a number where the loops give NaN");
});

test("a device that overflows too early is found by its infinities", async () => {
  const device = new Wrong((_, y) => y.forEach((value, i) => value === -Infinity && (y[i] = Infinity)));
  const faults = (await findOn(device, ["abs", "neg"], 200)).map(({ fault }) => fault);
  expect(faults).toContain("neg: cpu: y0 is Infinity where the loops give -Infinity");
});

test("threads that change a bit are found", async () => {
  const device = new Wrong((_, y) => y.length > 0 && (y[0] *= 1 + 2 ** -20));
  const findings = await findOn(new ReferenceDevice(), ["exp"], 200, [device]);
  expect(findings.map(({ fault }) => fault)).toContain("exp: cpu with more threads: y0 has other bits");
  expect(findings[0].input).toMatch(/^exp\(\[.*\] of \[0?\]/);
});

test("buffers that are left are found", async () => {
  class Keeping extends ReferenceDevice {
    override free(): void {}
  }
  const findings = await findOn(new Keeping(), ["exp"], 5);
  expect(findings.map(({ fault }) => fault)).toEqual(["exp: cpu: buffers are left"]);
});

test("a legal call that throws is found", async () => {
  const device = new Wrong(({ name }) => {
    if (name === "floor") throw new RangeError("too much");
  });
  const findings = await findOn(device, ["floor"], 20);
  expect(findings.map(({ fault }) => fault)).toEqual(["floor: cpu: a legal call ends in RangeError"]);
});

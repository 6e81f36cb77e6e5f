import { fileURLToPath } from "node:url";

import { afterEach, beforeEach, expect, test } from "vitest";

import { hasTier } from "@gridgrad/core/testing/tier";

import { Child } from "./child.ts";
import { nodeContestant, runner } from "./contestants.ts";
import { DisagreementError } from "./agreement.ts";
import type { Line } from "./lines.ts";
import { multiplyAddModule } from "./multiplyAddModule.ts";
import { timeLine } from "./timeLine.ts";

// Two processes of ours, one of them spoiled, stand for the peers, which need not be installed.

const wrong = fileURLToPath(new URL("../testing/wrongContestant.ts", import.meta.url));
const line: Line = {
  title: "exp of 4",
  task: { work: "exp", gradients: false, attrs: {} },
  inputs: async () => ({ x: { shape: [4], values: Float32Array.of(0, 1, 2, 3) } }),
  macs: 0,
  tolerance: 1e-4,
};

let children: Child[];

beforeEach(() => (children = []));
afterEach(() => Promise.all(children.map((child) => child.close())));

async function start(name: string, program?: string): Promise<Child> {
  const command = nodeContestant(name, 1);
  const args = program ? [runner, program] : command.args;
  const child = await Child.start({ ...command, name, args });
  children.push(child);
  return child;
}

test.runIf(hasTier("ci"))(
  "contestants that agree are timed in turns, and one that lacks the work is named",
  async () => {
    const [ours, same, machine] = [
      await start("gridgrad:reference"),
      await start("gridgrad:reference"),
      await start("machine"),
    ];
    const lacks = { ...line, task: { ...line.task, work: "copy" as const } };
    await expect(timeLine(lacks, [ours], 0.01)).resolves.toMatchObject({
      figures: [],
      lacking: [{ contestant: "gridgrad:reference", why: "gridgrad has no copy" }],
    });
    const { figures, bytes } = await timeLine(line, [ours, same], 0.01);
    expect(figures).toHaveLength(2);
    for (const { medianMs, q1Ms, q3Ms, runs, difference } of figures) {
      expect(runs).toBeGreaterThanOrEqual(3);
      expect(q1Ms).toBeGreaterThan(0);
      expect(medianMs).toBeLessThanOrEqual(q3Ms);
      expect(difference).toBe(0);
    }
    expect(bytes).toBe(4 * (4 + 4));
    const copies = await timeLine({ ...lacks, task: { ...lacks.task, attrs: { bytes: 1024 } } }, [machine], 0.01);
    expect(copies.figures[0].medianMs).toBeGreaterThan(0);
  },
);

test.runIf(hasTier("ci"))(
  "a peer that computes something else is an error that names the line, and the processes go on",
  async () => {
    const [ours, spoiled] = [await start("gridgrad:reference"), await start("spoiled", wrong)];
    const attempt = timeLine(line, [ours, spoiled], 0.01);
    await expect(attempt).rejects.toThrow(DisagreementError);
    await expect(attempt).rejects.toThrowErrorMatchingInlineSnapshot(
      `[DisagreementError: exp of 4: spoiled and gridgrad:reference must give y within 0.0001 of its largest value, got a difference of 0.0498]`,
    );
    expect((await timeLine(line, [ours], 0.01)).figures).toHaveLength(1);
  },
);

test.runIf(hasTier("ci"))("a contestant that cannot start, or dies, is an error with its last words", async () => {
  await expect(start("gridgrad:abacus")).rejects.toThrow(/gridgrad:abacus: openDevice: name must be one of/);
  const dying = await start("dying", wrong);
  await expect(dying.ask({ do: "release" })).resolves.toEqual({});
  await expect(timeLine({ ...line, task: { ...line.task, work: "sum" } }, [dying], 0.01)).rejects.toThrow(
    /dying: its process must answer, but it has ended: .*out of memory/s,
  );
});

test("the module that multiplies and adds is valid WebAssembly, and its sum is what the formula gives", () => {
  const { Instance, Module } = (globalThis as unknown as { WebAssembly: WebAssemblyClasses }).WebAssembly;
  const { run } = new Instance(new Module(multiplyAddModule())).exports;
  expect(run(1)).toBeCloseTo(12 * (1 * 0.999 + 0.001), 5);
});

interface WebAssemblyClasses {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: { run(turns: number): number } };
}

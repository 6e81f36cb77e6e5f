import { describe, expect, test } from "vitest";

import { runCommand } from "../testing/runCommand.ts";

const small = ["explain", "--what", "upsampler", "--upsampler", "dysample", "--channels", "8", "--size", "4"];

test("the schedule of an upsampler has its kernels in order and a line that adds up", async () => {
  const { code, out } = await runCommand(...small);
  expect(code).toBe(0);
  const ops = out.split("\n").map((line) => line.trim().split(/ +/)[1]);
  expect(ops).toMatchInlineSnapshot(`
    [
      "op",
      "conv1x1",
      "reshape",
      "add",
      "mul",
      "add",
      "sampleAtOffsets",
      "kernels",
    ]
  `);
  expect(out.split("\n").at(-1)).toMatch(/^\d+ kernels on cpu, 6\.1 kMACs, peak .* KB \(\* asked for\)$/);
});

test("a run adds the time of each kernel, and of each op", async () => {
  const { out } = await runCommand(...small, "--run");
  expect(out).toMatch(/^ *# {2}op .* ms$/m);
  expect(out).toMatch(/^op +kernels +ms +share$/m);
  expect(out).toMatch(/^sampleAtOffsets +1 +\d+\.\d\d +\d+\.\d %$/m);
});

describe("formats", () => {
  test("json can be read by programs", async () => {
    const plain = JSON.parse((await runCommand(...small, "--format", "json")).out);
    expect(plain.steps).toHaveLength(plain.kernels);
    expect(plain.byOp).toBeUndefined();
    expect(JSON.parse((await runCommand(...small, "--json")).out)).toEqual(plain);
    const run = JSON.parse((await runCommand(...small, "--format", "json", "--run")).out);
    expect(run.ms).toBeGreaterThan(0);
    expect(run.byOp[0].ms).toBeGreaterThan(0);
  });

  test("dot is a drawing for Graphviz", async () => {
    expect((await runCommand(...small, "--format", "dot")).out).toMatch(
      /^digraph gridgrad \{\n[^]*sampleAtOffsets[^]*\}$/,
    );
  });
});

test("a training step has the update of every parameter, a forward pass no gradients", async () => {
  const step = JSON.parse((await runCommand("explain", "--batch", "1", "--format", "json")).out);
  const forward = JSON.parse(
    (await runCommand("explain", "--what", "forward", "--batch", "1", "--size", "32", "--format", "json")).out,
  );
  const ops = (graph: { steps: { op: string }[] }): Set<string> => new Set(graph.steps.map(({ op }) => op));
  expect(ops(step)).toContain("sampleAtOffsetsOffset");
  expect(ops(forward)).toContain("sampleAtOffsets");
  expect(ops(forward)).not.toContain("sampleAtOffsetsOffset");
  // Per parameter its new value and Adam's two averages; the loss and the norm; three statistics of six normalisations.
  const parameters = 6 * 3 + 2 + 2 + 3 * 2; // conv and norm, laterals, classifier, upsamplers
  expect(step.steps.filter(({ target }: { target: boolean }) => target)).toHaveLength(3 * parameters + 2 + 3 * 6);
  expect(forward.steps.at(-1)).toMatchObject({ target: true, shape: [1, 6, 32, 32] });
});

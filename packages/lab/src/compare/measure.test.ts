import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeEach, expect, test } from "vitest";

import { hasTier } from "@gridgrad/core/testing/tier";

import { collect } from "./collect.ts";
import { comparisonOf } from "./comparisonOf.ts";
import { measure, measuredSteps, readMeasurements } from "./measure.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gridgrad-measure-"));
});

const asked = (...upsamplers: string[]) => comparisonOf({ upsamplers, seeds: [0, 1], config: { batch: 1, steps: 2 } });

test.runIf(hasTier("ci"))(
  "every contestant has its time and its memory, more where there is more to remember",
  async () => {
    const comparison = asked("nearest", "dysample+");
    const rounds: number[] = [];
    expect(await measure(comparison, folder, { onRound: (done) => rounds.push(done) })).toEqual({ status: "complete" });
    expect(rounds).toEqual(Array.from({ length: measuredSteps + 1 }, (_, i) => i));
    const measured = (await readMeasurements(comparison, folder))!.of;
    const [nearest, dysample] = ["nearest", "dysample+"].map((label) => measured.get(label)!);
    for (const { msPerStep } of [nearest, dysample]) expect(msPerStep).toBeGreaterThan(0);
    expect(nearest.peakBytes).toBeGreaterThan(44_822 * 4 * 4); // weights, gradients, and two of Adam's
    expect(dysample.peakBytes).toBeGreaterThan(nearest.peakBytes);
    expect((await collect(comparison, folder)).contestants).toMatchObject([nearest, dysample]);
  },
);

test.runIf(hasTier("ci"))("measurements hold for these contestants in any order, and not for others", async () => {
  await measure(asked("nearest", "bilinear"), folder);
  expect(await readMeasurements(asked("bilinear", "nearest"), folder)).toHaveProperty("of.size", 2);
  expect(await readMeasurements(asked("nearest"), folder)).toBeNull();
  expect(await readMeasurements(asked("nearest", "bilinear", "dysample"), folder)).toBeNull();
  const larger = comparisonOf({ upsamplers: ["nearest", "bilinear"], seeds: [0], config: { batch: 2, steps: 2 } });
  expect(await readMeasurements(larger, folder)).toBeNull();
  const path = join(folder, "measurements.json");
  await writeFile(path, (await readFile(path, "utf8")).replace("measurements-1", "measurements-9"));
  expect(await readMeasurements(asked("nearest", "bilinear"), folder)).toBeNull();
  await writeFile(
    path,
    (await readFile(path, "utf8"))
      .replace("measurements-9", "measurements-1")
      .replace(/"msPerStep": [\d.]+/, '"msPerStep": "9"'),
  );
  expect(await readMeasurements(asked("nearest", "bilinear"), folder)).toBeNull();
});

test.runIf(hasTier("ci"))("it stops when it is asked to, and what fails is told", async () => {
  const stop = new AbortController();
  const comparison = asked("nearest");
  expect(await measure(comparison, folder, { signal: stop.signal, onRound: () => stop.abort() })).toEqual({
    status: "stopped",
  });
  expect(await readMeasurements(comparison, folder)).toBeNull();
  const missing = comparisonOf({ upsamplers: ["nearest"], seeds: [0], config: { device: "gpu:webgl2" } });
  expect(await measure(missing, folder)).toEqual({
    status: "failed",
    message: expect.stringContaining("gpu:webgl2: needs a browser"),
  });
});

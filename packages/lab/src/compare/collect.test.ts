import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { readSteps } from "@gridgrad/dysample/internal/node";
import { train } from "@gridgrad/dysample/node";

import { collect } from "./collect.ts";
import { runPath, runsOf } from "./comparison.ts";
import { comparisonOf } from "./comparisonOf.ts";
import { spreadOf } from "./results.ts";

test("results are what the run folders hold, of unfinished and failed runs as far as they have come", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gridgrad-collect-"));
  const config = { steps: 3, batch: 1, evalImages: 2, evalEvery: 2, checkpointEvery: 1 };
  const comparison = comparisonOf({ upsamplers: ["nearest", "dysample"], seeds: [0, 1], config });
  const [first, stopped, failed] = runsOf(comparison);
  const complete = await train(first.config, runPath(folder, first));
  const signal = AbortSignal.abort();
  expect(await train(stopped.config, runPath(folder, stopped), { signal })).toEqual({ status: "stopped", step: 1 });

  const results = await collect(comparison, folder, { failures: new Map([[failed.id, "no"]]) });
  expect(results).toMatchObject({ seeds: [0, 1], config: { steps: 3, evalImages: 2 } });
  expect(results.contestants.map(({ label, upsamplerParameters }) => [label, upsamplerParameters])).toEqual([
    ["nearest", 0],
    ["dysample", 3168],
  ]);
  const [nearest, dysample] = results.contestants;
  const { metrics } = (complete as { result: { metrics: object } }).result;
  const steps = await readSteps(join(runPath(folder, first), "metrics.jsonl"));
  expect(nearest.runs).toEqual([
    {
      seed: 0,
      status: "complete",
      metrics,
      losses: steps.map(({ loss }) => loss),
      validations: [{ step: 2, metrics: expect.objectContaining({ images: 2 }) }],
    },
    { seed: 1, status: "failed", error: "no", metrics: null, losses: [], validations: [] },
  ]);
  expect(dysample.runs).toMatchObject([
    { status: "unfinished", metrics: null, losses: [expect.any(Number)] },
    { seed: 1 },
  ]);
  expect(spreadOf(nearest, "mIoU")).toMatchObject({ n: 1, std: NaN });
  expect(spreadOf(dysample, "mIoU")).toBeNull();
});

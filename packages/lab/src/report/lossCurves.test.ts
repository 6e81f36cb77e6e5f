import { expect, test } from "vitest";

import type { ContestantResults, RunResults } from "../compare/results.ts";
import { lossCurve, runningMean, validationCurve } from "./lossCurves.ts";

const run = (seed: number, own: Partial<RunResults>): RunResults => ({
  seed,
  status: "complete",
  metrics: null,
  losses: [],
  validations: [],
  ...own,
});

const contestant = (...runs: RunResults[]): ContestantResults => ({
  label: "a",
  config: {},
  parameters: 1,
  upsamplerParameters: 1,
  macs: 1,
  upsamplerMacs: 1,
  msPerStep: null,
  peakBytes: null,
  runs,
});

test("a running mean has as many values on both sides, and fewer at the ends", () => {
  expect(runningMean([0, 3, 6, 12], 3)).toEqual([1.5, 3, 7, 9]);
  expect(runningMean([5, 7], 1)).toEqual([5, 7]);
});

test("a running mean leaves out what is no number", () => {
  expect(runningMean([2, NaN, 6, 4], 3)).toEqual([2, 4, 5, 5]);
  expect(runningMean([NaN, 7], 1)).toEqual([NaN, 7]);
});

test("a loss curve is the mean over the complete runs, between the least and the most", () => {
  const curve = lossCurve(
    contestant(run(0, { losses: [1, 1] }), run(1, { losses: [3, 3] }), run(2, { status: "unfinished", losses: [9] })),
  );
  expect(curve).toEqual({ steps: [1, 2], mean: [2, 2], least: [1, 1], most: [3, 3], n: 2 });
});

test("while no run is complete, the curve is of what is there, up to the shortest", () => {
  const unfinished = { status: "unfinished" } as const;
  const curve = lossCurve(
    contestant(run(0, { ...unfinished, losses: [2, 2] }), run(1, { ...unfinished, losses: [4] })),
  );
  expect(curve).toMatchObject({ steps: [1], n: 2 });
  expect(lossCurve(contestant(run(0, unfinished)))).toBeNull();
});

test("a validation curve ends with the final evaluation", () => {
  const own = { validations: [{ step: 2, metrics: { mIoU: 0.25 } }], metrics: { mIoU: 0.5 } };
  expect(validationCurve(contestant(run(0, own)), "mIoU", 4)).toMatchObject({ steps: [2, 4], mean: [0.25, 0.5] });
  expect(validationCurve(contestant(run(0, own)), "psnr", 4)).toBeNull();
});

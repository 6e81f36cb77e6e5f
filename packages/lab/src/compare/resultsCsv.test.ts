import { expect, test } from "vitest";

import { resolveConfig } from "@gridgrad/dysample";

import { type ComparisonResults, resultsFormat, type RunResults } from "./results.ts";
import { resultsCsv } from "./resultsCsv.ts";

const run = (seed: number, given: Partial<RunResults>): RunResults => ({
  seed,
  status: "unfinished",
  metrics: null,
  losses: [],
  validations: [],
  ...given,
});

const { seed: _, ...config } = resolveConfig();
const results: ComparisonResults = {
  format: resultsFormat,
  title: "a test",
  config,
  seeds: [0, 1, 2],
  contestants: [
    {
      label: "one",
      config: { upsampler: "bilinear", groups: 2 },
      parameters: 5,
      upsamplerParameters: 0,
      macs: 10,
      upsamplerMacs: 3,
      msPerStep: 1.5,
      peakBytes: null,
      runs: [
        run(0, { status: "complete", metrics: { mIoU: 0.5, boundaryIoU: 0.25, pixelAccuracy: 1, loss: 1e-7 } }),
        run(1, { status: "failed", error: 'step 1: "NaN", and\nmore' }),
        run(2, {}),
      ],
    },
  ],
};

test("a line per run, with its settings and with nothing where nothing is known", () => {
  expect(resultsCsv(results).split("\r\n")).toEqual([
    "label,seed,status,mIoU,boundaryIoU,pixelAccuracy,loss,parameters,upsamplerParameters,macs,upsamplerMacs,msPerStep,peakBytes,upsampler,groups,init,scope,steps,batch,lr,warmup,device,dtype,evalImages,error",
    "one,0,complete,0.5,0.25,1,1e-7,5,0,10,3,1.5,,bilinear,2,bilinear,0.25,400,16,0.01,20,cpu,float32,256,",
    'one,1,failed,,,,,5,0,10,3,1.5,,bilinear,2,bilinear,0.25,400,16,0.01,20,cpu,float32,256,"step 1: ""NaN"", and\nmore"',
    "one,2,unfinished,,,,,5,0,10,3,1.5,,bilinear,2,bilinear,0.25,400,16,0.01,20,cpu,float32,256,",
    "",
  ]);
});

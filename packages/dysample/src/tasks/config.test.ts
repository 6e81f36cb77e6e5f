import { expect, test } from "vitest";

import { differences, resolveConfig, type TrainConfig } from "./config.ts";

test("values of the wrong type, as a file may hold them, are refused", () => {
  const wrong = [
    { task: null },
    { upsampler: null },
    { lr: "0.01" },
    { scope: [0.25] },
    { seed: "0" },
    { evalEvery: null },
  ];
  const refused = wrong.map((config) => {
    try {
      return resolveConfig(config as unknown as Partial<TrainConfig>);
    } catch (error) {
      return String(error).slice(0, 60);
    }
  });
  expect(refused).toMatchInlineSnapshot(`
    [
      "ConfigError: config: task must be one of segmentation, resto",
      "ConfigError: config: upsampler must be one of nearest, bilin",
      "ConfigError: config: lr must be above 0 and finite, got "0.0",
      "ConfigError: config: scope must be above 0 and finite, got [",
      "ConfigError: config: seed must be an integer in 0 .. 4294967",
      "ConfigError: config: evalEvery must be an integer of at leas",
    ]
  `);
});

test("an empty configuration is the toy task with DySample, 400 steps of 16 pictures", () => {
  expect(resolveConfig()).toMatchInlineSnapshot(`
    {
      "batch": 16,
      "checkpointEvery": 25,
      "device": "cpu",
      "dtype": "float32",
      "evalEvery": 0,
      "evalImages": 256,
      "groups": 4,
      "init": "bilinear",
      "lr": 0.01,
      "scale": 2,
      "scope": 0.25,
      "seed": 0,
      "steps": 400,
      "task": "segmentation",
      "trainable": "all",
      "upsampler": "dysample",
      "warmup": 20,
    }
  `);
});

test("restoration has defaults of its own, which yield to what is given", () => {
  expect(resolveConfig({ task: "restoration" })).toMatchObject({ groups: 1, lr: 0.1 });
  expect(resolveConfig({ task: "restoration", groups: 3, lr: 1 })).toMatchObject({ groups: 3, lr: 1 });
});

test("a field that is undefined counts as not given", () => {
  expect(resolveConfig({ steps: undefined })).toEqual(resolveConfig());
});

test("differences are the fields that are given and not equal", () => {
  const config = resolveConfig();
  expect(differences(config, { steps: 400, seed: 1, batch: undefined, lr: 0.1 })).toEqual(["seed", "lr"]);
});

test("what no run can have is refused", () => {
  const refusals = [
    () => resolveConfig({ stesp: 3 } as never),
    () => resolveConfig({ steps: 0 }),
    () => resolveConfig({ warmup: -1 }),
    () => resolveConfig({ evalImages: 257 }),
    () => resolveConfig({ seed: 2 ** 32 }),
    () => resolveConfig({ batch: 1.5 }),
    () => resolveConfig({ lr: 0 }),
    () => resolveConfig({ lr: NaN }),
    () => resolveConfig({ upsampler: "lanczos" }),
    () => resolveConfig({ task: "generation" as never }),
    () => resolveConfig({ dtype: "float16" as never }),
    () => resolveConfig({ device: "abacus" }),
    () => resolveConfig({ scale: 3 }),
    () => resolveConfig({ task: "restoration", scale: 9 }),
  ];
  const messages = refusals.map((refused) => {
    try {
      return refused();
    } catch (error) {
      return String(error);
    }
  });
  expect(messages).toMatchInlineSnapshot(`
    [
      "ConfigError: config: fields must be among task, upsampler, seed, steps, batch, lr, warmup, groups, scale, init, scope, trainable, dtype, device, checkpointEvery, evalEvery, evalImages, got "stesp"",
      "ConfigError: config: steps must be an integer of at least 1, got 0",
      "ConfigError: config: warmup must be an integer of at least 0, got -1",
      "ConfigError: config: evalImages must be an integer in 1 .. 256, got 257",
      "ConfigError: config: seed must be an integer in 0 .. 4294967195, got 4294967296",
      "ConfigError: config: batch must be an integer of at least 1, got 1.5",
      "ConfigError: config: lr must be above 0 and finite, got 0",
      "ConfigError: config: lr must be above 0 and finite, got NaN",
      "ConfigError: config: upsampler must be one of nearest, bilinear, bicubic, transposed-conv, pixel-shuffle, carafe, fade, sapa-b, dysample, dysample+, dysample-s, dysample-s+, got "lanczos"",
      "ConfigError: config: task must be one of segmentation, restoration, got "generation"",
      "ConfigError: config: dtype must be one of float32, float64, got "float16"",
      "ConfigError: config: device must be one of reference, cpu, gpu, gpu:webgpu, gpu:headlessgl, gpu:webgl2, gpu:webgl, gpu:webasm, gpu:cpu, got "abacus"",
      "ConfigError: config: scale must be 2 for segmentation, whose network is made for it, got 3",
      "ConfigError: config: scale must be an integer in 2 .. 8, got 9",
    ]
  `);
});
